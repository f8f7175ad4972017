//! Running a command on a connection: an SSH session channel behind an [`ExecChannel`].
//!
//! One task for each command moves bytes both ways. Every queue on the way is bounded, so a slow consumer makes the host wait.

use std::future::pending;
use std::time::Duration;

use autoexec_process::channel::{CHANNEL_DEPTH, ChannelEvent, ExecChannel};
use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::connection::{InUse, SshConnection};
use super::error::{Phase, SshError};

/// Messages that may come before the host confirms the command; none should.
const MAX_EARLY: usize = CHANNEL_DEPTH;
/// How long after the end of a session a host may still count it.
const GIVE_BACK_TIME: Duration = Duration::from_secs(2);
/// Pauses before a session limit is believed: 0.3 s in all.
const GIVE_BACK_PAUSES_MS: [u64; 5] = [10, 20, 40, 80, 160];

impl SshConnection {
    /// Starts `command`, sent as it is, in the user's login shell on the target.
    ///
    /// Dropping the returned `stdin` is end-of-file; dropping `events` closes the channel (the command is not killed by that).
    /// Output may follow `Exit`: a child of the command can hold the pipes.
    ///
    /// # Errors
    /// [`SshError::SessionLimit`] when the host opens no further session, [`SshError::Lost`] when the connection broke (its
    /// `maybe_started` tells on which side of the start), [`SshError::Protocol`] when the host refuses the command.
    pub async fn exec(&self, command: &str) -> Result<ExecChannel, SshError> {
        let (started, answer) = oneshot::channel();
        let (connection, command) = (self.clone(), command.to_owned());
        // A task of its own, so that a caller who gives up in the middle leaves no open channel on the host.
        tokio::spawn(async move { connection.start(&command, started).await });
        answer.await.unwrap_or_else(|_| Err(self.lost("the runtime is shutting down", true)))
    }

    async fn start(self, command: &str, started: oneshot::Sender<Result<ExecChannel, SshError>>) {
        let in_use = self.in_use();
        let mut channel = match self.open_session().await {
            Ok(channel) => channel,
            // Nobody to tell means that the caller gave up; nothing was opened.
            Err(error) => return drop(started.send(Err(error))),
        };
        let early = match self.request(&mut channel, command).await {
            Ok(early) => early,
            Err(error) => {
                let closed = channel.close().await;
                tracing::trace!(closed = closed.is_ok(), "session given back");
                return drop(started.send(Err(error)));
            }
        };
        let (stdin, input) = mpsc::channel(CHANNEL_DEPTH);
        let (output, events) = mpsc::channel(CHANNEL_DEPTH);
        // A caller that gave up drops both ends, and the relay closes the channel.
        drop(started.send(Ok(ExecChannel { stdin, events })));
        drop(self);
        relay(channel, early, input, output, in_use).await;
    }

    /// Opens a session. sshd gives a session that has ended back only after it has answered what came with the goodbye, so a limit
    /// that is met right after an end is asked again a few times.
    async fn open_session(&self) -> Result<Channel<Msg>, SshError> {
        for pause in GIVE_BACK_PAUSES_MS.map(Duration::from_millis) {
            match self.open_session_once().await {
                Err(SshError::SessionLimit { .. }) if self.inner.session_ended_within(GIVE_BACK_TIME) => {
                    sleep(pause).await
                }
                result => return result,
            }
        }
        self.open_session_once().await
    }

    async fn open_session_once(&self) -> Result<Channel<Msg>, SshError> {
        let opened = timeout(self.inner.open_timeout, self.inner.handle.channel_open_session()).await;
        match opened.unwrap_or(Err(russh::Error::ConnectionTimeout)) {
            Ok(channel) => Ok(channel),
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::UnknownChannelType)) => {
                Err(self.protocol("the host runs no commands"))
            }
            Err(russh::Error::ChannelOpenFailure(reason)) => Err(SshError::SessionLimit {
                target: self.inner.label.clone(),
                why: reason.description().to_lowercase(),
            }),
            Err(russh::Error::ConnectionTimeout) => Err(self.lost("a session could not be opened in time", false)),
            Err(_) => Err(self.lost(&self.inner.ending.why(), false)),
        }
    }

    /// Asks for the command and waits until the host has said yes; what came before the yes is kept.
    async fn request(&self, channel: &mut Channel<Msg>, command: &str) -> Result<Vec<ChannelMsg>, SshError> {
        let asked = async {
            // A request that did not get out of this process started nothing.
            channel.exec(true, command).await.map_err(|_| self.lost(&self.inner.ending.why(), false))?;
            let mut early = Vec::new();
            loop {
                match channel.wait().await {
                    Some(ChannelMsg::Success) => return Ok(early),
                    Some(ChannelMsg::Failure) => return Err(self.protocol("the host refused to run the command")),
                    Some(ChannelMsg::Close) => {
                        return Err(self.lost("the host closed the session before the command", true));
                    }
                    None => return Err(self.lost(&self.inner.ending.why(), true)),
                    Some(message) if early.len() < MAX_EARLY => early.push(message),
                    Some(_) => return Err(self.protocol("the host sends output of a command it has not confirmed")),
                }
            }
        };
        match timeout(self.inner.open_timeout, asked).await {
            Ok(result) => result,
            Err(_) => Err(self.lost("the host did not confirm the command in time", true)),
        }
    }

    fn lost(&self, why: &str, maybe_started: bool) -> SshError {
        SshError::Lost { target: self.inner.label.clone(), why: why.to_owned(), maybe_started }
    }

    fn protocol(&self, why: &str) -> SshError {
        SshError::Protocol { target: self.inner.label.clone(), phase: Phase::Exec, why: why.to_owned() }
    }
}

/// How far the output of a command has come.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// An exit code or signal was passed on.
    ended: bool,
    /// The host said that no output follows.
    complete: bool,
}

/// Why the output stopped.
enum End {
    /// The host closed the channel.
    Closed,
    /// The connection is gone.
    Gone,
    /// Nobody listens any more.
    Unwanted,
}

/// Moves bytes until the channel is closed, the connection is gone, or nobody listens.
async fn relay(
    channel: Channel<Msg>,
    early: Vec<ChannelMsg>,
    input: mpsc::Receiver<Bytes>,
    output: mpsc::Sender<ChannelEvent>,
    in_use: InUse,
) {
    let (mut read, write) = channel.split();
    let mut progress = Progress::default();
    let end = {
        let feeding = async {
            feed(&write, input).await;
            pending::<End>().await
        };
        let draining = drain(early, &mut read, &output, &mut progress);
        tokio::select! {
            end = draining => end,
            end = feeding => end,
        }
    };
    let reason = match end {
        End::Unwanted => {
            // Dropping our end without a word would leave the channel open on the host for ever.
            drop(read);
            let closed = write.close().await;
            tracing::trace!(closed = closed.is_ok(), "a command's events were dropped");
            in_use.0.session_ended();
            return;
        }
        End::Closed if progress.ended => String::new(),
        End::Closed => "the host closed the session without an exit code".to_owned(),
        End::Gone if progress.ended && progress.complete => String::new(),
        End::Gone if progress.ended => {
            format!("{}; the command had ended, its last output may be missing", in_use.0.ending.why())
        }
        End::Gone => in_use.0.ending.why(),
    };
    // The connection counts as free before the consumer can know that the command is over.
    in_use.0.session_ended();
    drop((read, write, in_use));
    let heard = output.send(ChannelEvent::Closed { reason }).await;
    tracing::trace!(heard = heard.is_ok(), "command over");
}

/// Sends what the caller gives, within the host's window, and then end-of-file.
async fn feed(write: &ChannelWriteHalf<Msg>, mut input: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = input.recv().await {
        if write.data_bytes(bytes).await.is_err() {
            // The other half learns about the end and tells it; the caller's next send fails, because `input` is dropped here.
            return;
        }
    }
    let sent = write.eof().await;
    tracing::trace!(sent = sent.is_ok(), "end of input");
}

async fn drain(
    early: Vec<ChannelMsg>,
    read: &mut ChannelReadHalf,
    output: &mpsc::Sender<ChannelEvent>,
    progress: &mut Progress,
) -> End {
    for message in early {
        if let Some(end) = pass(message, output, progress).await {
            return end;
        }
    }
    loop {
        let message = tokio::select! {
            message = read.wait() => message,
            () = output.closed() => return End::Unwanted,
        };
        let Some(message) = message else { return End::Gone };
        if let Some(end) = pass(message, output, progress).await {
            return end;
        }
    }
}

/// Passes one message on; answers with the end when it is one.
async fn pass(message: ChannelMsg, output: &mpsc::Sender<ChannelEvent>, progress: &mut Progress) -> Option<End> {
    let event = match message {
        ChannelMsg::Data { data } => ChannelEvent::Stdout(data),
        // 1 is standard error; nothing else is defined.
        ChannelMsg::ExtendedData { data, .. } => ChannelEvent::Stderr(data),
        ChannelMsg::ExitStatus { exit_status } if !progress.ended => ChannelEvent::Exit(exit_status),
        ChannelMsg::ExitSignal { signal_name, .. } if !progress.ended => ChannelEvent::Signal(signal_text(signal_name)),
        ChannelMsg::Eof => {
            progress.complete = true;
            return None;
        }
        ChannelMsg::Close => return Some(End::Closed),
        // Window changes and the like are the library's business.
        _ => return None,
    };
    progress.ended |= matches!(event, ChannelEvent::Exit(_) | ChannelEvent::Signal(_));
    if output.send(event).await.is_err() { Some(End::Unwanted) } else { None }
}

fn signal_text(signal: Sig) -> String {
    match signal {
        Sig::ABRT => "ABRT".to_owned(),
        Sig::ALRM => "ALRM".to_owned(),
        Sig::FPE => "FPE".to_owned(),
        Sig::HUP => "HUP".to_owned(),
        Sig::ILL => "ILL".to_owned(),
        Sig::INT => "INT".to_owned(),
        Sig::KILL => "KILL".to_owned(),
        Sig::PIPE => "PIPE".to_owned(),
        Sig::QUIT => "QUIT".to_owned(),
        Sig::SEGV => "SEGV".to_owned(),
        Sig::TERM => "TERM".to_owned(),
        Sig::USR1 => "USR1".to_owned(),
        // OpenSSH marks its own additions: `BUS@openssh.com`.
        Sig::Custom(name) => name.split('@').next().unwrap_or(&name).to_owned(),
    }
}
