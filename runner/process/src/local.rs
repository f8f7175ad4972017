//! A command on this very host, as a channel.
//!
//! The command gets its own process group and pipes. When the runner dies, or the channel is dropped, only the command
//! itself ends; what it has put into a session of its own (the supervisor's worker) goes on. Fails with [`LocalError`]
//! when no process can be made; everything later is an event of the channel.

use crate::channel::{CHANNEL_DEPTH, ChannelEvent, ExecChannel};
use bytes::{Bytes, BytesMut};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// One read of a pipe: the size of a Linux pipe, and of the chunks the channel's depth was reckoned with.
const CHUNK: usize = 64 * 1024;

/// The command could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a shell on this host")]
pub struct LocalError {
    #[source]
    source: std::io::Error,
}

/// Runs `sh -c command` with exactly this environment, in the root of the file system unless `HOME` is a directory.
///
/// Must be called inside a tokio runtime.
pub fn exec(command: &str, environment: &[(OsString, OsString)]) -> Result<ExecChannel, LocalError> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env_clear().envs(environment.iter().cloned());
    // A login begins at home; a daemon's own directory means nothing to a script.
    let home = environment.iter().find(|(name, _)| name == "HOME").map(|(_, value)| std::path::Path::new(value));
    shell.current_dir(home.filter(|home| home.is_dir()).unwrap_or_else(|| std::path::Path::new("/")));
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: a Ctrl-C in the runner's terminal is not for the work.
    shell.process_group(0).kill_on_drop(true);
    let child = shell.spawn().map_err(|source| LocalError { source })?;
    let (stdin, input) = mpsc::channel(CHANNEL_DEPTH);
    let (output, events) = mpsc::channel(CHANNEL_DEPTH);
    tokio::spawn(carry(child, input, output));
    Ok(ExecChannel { stdin, events })
}

/// Moves bytes both ways until the command has ended and its output is read, or nobody listens any more.
async fn carry(mut child: Child, input: Receiver<Bytes>, output: Sender<ChannelEvent>) {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writing = async {
        if let Some(stdin) = stdin {
            write(stdin, input).await;
        }
    };
    let reading = async {
        tokio::join!(read(stdout, &output, ChannelEvent::Stdout), read(stderr, &output, ChannelEvent::Stderr));
        child.wait().await
    };
    tokio::pin!(writing, reading);
    let mut wrote = false;
    let status = loop {
        tokio::select! {
            () = &mut writing, if !wrote => wrote = true,
            status = &mut reading => break status,
            // Nobody listens: returning drops the child, which ends the command but not the worker.
            () = output.closed() => return,
        }
    };
    for event in farewell(status) {
        if output.send(event).await.is_err() {
            return;
        }
    }
}

async fn write(mut stdin: ChildStdin, mut input: Receiver<Bytes>) {
    while let Some(bytes) = input.recv().await {
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read<R: AsyncRead + Unpin>(pipe: Option<R>, output: &Sender<ChannelEvent>, event: fn(Bytes) -> ChannelEvent) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match pipe.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if output.send(event(buffer.split().freeze())).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The last events of a command that ended like this.
fn farewell(status: std::io::Result<ExitStatus>) -> Vec<ChannelEvent> {
    let closed = |reason: String| ChannelEvent::Closed { reason };
    match status {
        Err(error) => vec![closed(format!("cannot wait for the shell: {error}"))],
        Ok(status) => {
            let end = match (status.code(), status.signal()) {
                (Some(code), _) => Some(ChannelEvent::Exit(code.unsigned_abs())),
                (None, Some(number)) => Some(ChannelEvent::Signal(signal_name(number))),
                (None, None) => None,
            };
            end.into_iter().chain([closed(String::new())]).collect()
        }
    }
}

fn signal_name(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number)
        .map_or_else(|_| number.to_string(), |signal| signal.as_str().trim_start_matches("SIG").to_owned())
}
