//! How work is run on a host: one fenced execution at a time, supervised by a small POSIX `sh` program, over any
//! channel that can carry a command line, its stdin and its output.
//!
//! ```text
//! Execution --payload()--> stdin ----\                      /--> frames --drive()--> Sink, Ended
//! ExecKey --Supervisor::start()--> command --[ExecChannel]-+---> worker, in a session of its own
//! ```
//!
//! - [`execution`]: what runs, as data; [`payload`] makes the bytes for stdin and refuses what cannot be carried.
//! - [`supervisor`]: the command lines, and what is promised about them.
//! - [`channel`]: the carrier; [`local`] is one on this host, an SSH channel is another.
//! - [`drive`]: sends and receives at once, says how it [`ended`].
//! - [`ask`]: kill, remove, push and fetch.

pub mod ask;
pub mod channel;
pub mod drive;
pub mod ended;
pub mod execution;
pub mod files;
pub mod frame;
pub mod key;
pub mod local;
mod names;
pub mod parser;
pub mod payload;
mod quote;
pub mod secret;
pub mod supervisor;
