//! The programs that run on the host, and the command lines that carry them.
//!
//! Two processes stand on the host for one execution. The **supervisor** S is what the channel runs: it receives the
//! payload, takes the fence, starts the worker and streams its output; it lives as long as the channel. The **worker**
//! W is its own session: it stages the files, records that it begins, runs the script and records how that ended.
//! Everything is below `BASE/autoexec-UID/KEY/` (`BASE`: `$AUTOEXEC_DIR`, else `/var/tmp`, else `/tmp`):
//!
//! ```text
//! run      one line "w PID START BOOT [USER]" when it begins (or "v WHY": never), a second one "x CODE" when it ended
//! out err  the output            output   what the script wrote to $AUTOEXEC_OUTPUT
//! killed   made before a kill signals anything
//! ```
//!
//! # What is guaranteed
//!
//! - **At most once.** `mkdir KEY` is the fence. It is taken only after the whole payload has arrived, so a cut upload
//!   starts nothing and leaves the key free. `run` is created exclusively: by W, or by one that closes the door because
//!   nobody is about to begin. Whoever comes later watches instead of starting.
//! - **Nothing is started that was refused.** A full disk, a missing interpreter or directory, a wrong password are
//!   found before `run` says that it begins, and are remembered under the key.
//! - **The work outlives** S, the channel, sshd's session and the runner. Attaching at the offsets that were received
//!   continues without a missing or doubled byte.
//! - **The end is the script's own.** The exit code is read only from a complete line; without it a dead worker, or
//!   another boot, is *lost*, never a made-up code. The line fits into the block that `run` has, so it can be written
//!   on a full disk.
//! - **Killed means that nothing was found alive** in the worker's session and group, among processes with the
//!   execution's mark in their environment, and among the children of these; for another user as that user. Otherwise
//!   the answer is *unconfirmed*.
//! - **Secrets** are on no command line and no disk: they come on stdin, live in the memory of S and W and in the
//!   environment of the script; secret files are in `/dev/shm` and removed at the end.
//! - **No other user can take our place**: the base directory must be ours and no symbolic link.
//!
//! # What is not
//!
//! - The fence is as durable as its directory. Nothing is synced, so a power cut within seconds of a start may lose it;
//!   a repeated start therefore says how old its first try is, and a host that was booted since starts nothing.
//!   Removing an execution, or a cleaner of `/var/tmp`, opens the fence as well.
//! - A process that leaves session, group, parent *and* environment (`env -i setsid x &`, parent gone) is not found.
//! - A script that opens `/dev/stdout` again with truncation, unseen by
//!   [`crate::execution::reopens_output`], cuts its own output; that is told as a notice when it is seen.
//!   A cut in the very moment of reading ends the channel with a frame error or a few wrong bytes.
//! - Output beyond the cap is dropped while somebody watches; with nobody watching the file grows as it likes.
//! - Without `/dev/shm`, secret files are in a private directory on the disk, and stay when the worker is killed by
//!   something else than the kill command. On file systems that copy on write, a disk that is full to the last block
//!   may swallow the exit code: then it is *lost*.
//! - Without `/proc` (not Linux) a reused process id cannot be told, and a kill is never confirmed.
//! - 128 + N as an exit code may be a signal or the script's own number.

mod command;
mod minify;

pub use command::{BadDirectory, MAX_SENT, Offsets, StartOptions, Supervisor};
