//! Speaks with the commands that are not runs: kill, remove, push, fetch.
//!
//! Each reads a few answers from a channel. Fails with [`AskError`] when the channel ends before the answer, or the
//! answer is a refusal; the commands are safe to repeat.

use crate::channel::{ChannelEvent, ExecChannel};
use crate::execution::Become;
use crate::files::Digest;
use crate::frame::{Frame, FrameError, Stream};
use crate::parser::FrameParser;
use crate::quote::{HasNul, quote};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use tokio::sync::mpsc::{Receiver, Sender};

/// Pieces that are handed to the channel.
const PIECE: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The channel ended first.
    #[error("the channel ended before the answer: {said}")]
    Lost {
        /// What was heard instead.
        said: String,
    },
    /// Not the supervisor's language.
    #[error("the answer cannot be read")]
    Frame(#[from] FrameError),
    /// The host could not do it.
    #[error("the host refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// An answer that does not belong to the question.
    #[error("unexpected answer: {answer}")]
    Unexpected {
        /// The answer.
        answer: String,
    },
    /// The path holds a NUL byte.
    #[error("a path cannot hold a NUL byte")]
    Path,
    /// The received bytes are not those that the host has read.
    #[error("the received file does not match the digest {digest} that the host has told")]
    Digest {
        /// In hex.
        digest: String,
    },
}

/// What a kill has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KillOutcome {
    /// It had begun, and nothing of it is left.
    Killed,
    /// It had not begun, and never will: its fence is taken.
    Closed,
    /// It had ended before.
    Gone,
    /// The host does not know the key, and its fence could not be taken: no directory there can be written.
    Unknown,
    /// Something is left that could not be ended.
    Unconfirmed {
        /// Process ids, or why nothing could be checked.
        left: String,
    },
}

/// How a pushed file came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    Same,
    /// It was sent and its digest was checked.
    Stored,
    /// It was sent; the host has no program to check more than its size.
    StoredBySize,
}

/// What a remove has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Executions that are gone.
    pub removed: u64,
    /// Executions that run or cannot be removed.
    pub kept: u64,
}

/// About a file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// In bytes.
    pub size: u64,
    /// Permission bits; 0 when the host could not tell.
    pub mode: u32,
    /// Was the content checked against a digest made on the host?
    pub checked: bool,
}

/// Receives the bytes of a fetched file, in order and without holes.
pub trait FileSink: Send {
    /// The next bytes.
    fn bytes(&mut self, bytes: Bytes) -> impl Future<Output = ()> + Send;
}

impl FileSink for Vec<u8> {
    async fn bytes(&mut self, bytes: Bytes) {
        self.extend_from_slice(&bytes);
    }
}

/// Speaks with [`crate::supervisor::Supervisor::kill`]; `other` must be the same as for the command.
pub async fn kill(channel: ExecChannel, other: Option<&Become>) -> Result<KillOutcome, AskError> {
    let mut talk = Talk::new(channel);
    if let Some(password) = other.and_then(|other| other.password.as_ref()) {
        talk.send(Bytes::from([password.expose(), b"\n"].concat())).await;
    }
    talk.done();
    let answer = talk.answer().await?;
    let (word, rest) = answer.split_once(' ').unwrap_or((&answer, ""));
    match word {
        "killed" => Ok(KillOutcome::Killed),
        "closed" => Ok(KillOutcome::Closed),
        "gone" => Ok(KillOutcome::Gone),
        "unknown" => Ok(KillOutcome::Unknown),
        "unconfirmed" => Ok(KillOutcome::Unconfirmed { left: rest.to_owned() }),
        _ => Err(AskError::Unexpected { answer }),
    }
}

/// Speaks with [`crate::supervisor::Supervisor::remove`] and [`crate::supervisor::Supervisor::sweep`].
pub async fn remove(channel: ExecChannel) -> Result<Removed, AskError> {
    let mut talk = Talk::new(channel);
    talk.done();
    let answer = talk.answer().await?;
    let mut words = answer.split(' ');
    let mut after = |name| {
        if words.next() == Some(name) { words.next()?.parse().ok() } else { None }
    };
    match (after("removed"), after("kept")) {
        (Some(removed), Some(kept)) => Ok(Removed { removed, kept }),
        _ => Err(AskError::Unexpected { answer }),
    }
}

/// Speaks with [`crate::supervisor::Supervisor::push`]; the bytes are sent only when the host needs them.
pub async fn push(channel: ExecChannel, mut bytes: Bytes) -> Result<Pushed, AskError> {
    let mut talk = Talk::new(channel);
    let first = talk.answer().await?;
    match first.as_str() {
        "same" => return Ok(Pushed::Same),
        "need" => {}
        _ => return Err(AskError::Unexpected { answer: first }),
    }
    while !bytes.is_empty() && talk.send(bytes.split_to(PIECE.min(bytes.len()))).await {}
    talk.done();
    let answer = talk.answer().await?;
    match answer.as_str() {
        "stored digest" => Ok(Pushed::Stored),
        "stored size" => Ok(Pushed::StoredBySize),
        _ => Err(AskError::Unexpected { answer }),
    }
}

/// Speaks with [`crate::supervisor::Supervisor::fetch`].
pub async fn fetch<S: FileSink>(channel: ExecChannel, path: &[u8], sink: &mut S) -> Result<Fetched, AskError> {
    let mut line = quote(path).map_err(|HasNul| AskError::Path)?;
    line.push(b'\n');
    let mut talk = Talk::new(channel);
    talk.send(line.into()).await;
    talk.done();
    let head = talk.answer().await?;
    let (size, mode, told) = about(&head).ok_or_else(|| AskError::Unexpected { answer: head.clone() })?;
    let (mut hash, mut got) = (Sha256::new(), 0u64);
    loop {
        match talk.frame().await? {
            Frame::Data { stream: Stream::Stdout, offset, bytes } if offset == got => {
                hash.update(&bytes);
                got += bytes.len() as u64;
                sink.bytes(bytes).await;
            }
            Frame::Answer { text } if text == "done" && got == size => break,
            other => {
                return Err(AskError::Unexpected { answer: format!("{other:?}").chars().take(200).collect() });
            }
        }
    }
    let digest = Digest::from_bytes(hash.finalize().into()).to_string();
    match told {
        Some(told) if told != digest => Err(AskError::Digest { digest: told }),
        told => Ok(Fetched { size, mode, checked: told.is_some() }),
    }
}

/// Reads `file SIZE MODE SHA`.
fn about(head: &str) -> Option<(u64, u32, Option<String>)> {
    let mut words = head.strip_prefix("file ")?.split(' ');
    let (size, mode, told) = (words.next()?, words.next()?, words.next()?);
    let told = (told != "-").then(|| told.to_owned());
    Some((size.parse().ok()?, u32::from_str_radix(mode, 8).ok()?, told))
}

struct Talk {
    stdin: Option<Sender<Bytes>>,
    events: Receiver<ChannelEvent>,
    parser: FrameParser,
    said: Vec<u8>,
}

impl Talk {
    fn new(channel: ExecChannel) -> Self {
        let ExecChannel { stdin, events } = channel;
        Self { stdin: Some(stdin), events, parser: FrameParser::default(), said: Vec::new() }
    }

    /// False when the host does not read any more.
    async fn send(&mut self, bytes: Bytes) -> bool {
        match &self.stdin {
            Some(stdin) => stdin.send(bytes).await.is_ok(),
            None => false,
        }
    }

    /// Ends stdin.
    fn done(&mut self) {
        self.stdin = None;
    }

    /// The next answer, when it is neither a failure nor a refusal.
    async fn answer(&mut self) -> Result<String, AskError> {
        match self.frame().await? {
            Frame::Answer { text } => Ok(text),
            other => Err(AskError::Unexpected { answer: format!("{other:?}").chars().take(200).collect() }),
        }
    }

    async fn frame(&mut self) -> Result<Frame, AskError> {
        loop {
            if let Some(frame) = self.parser.next_frame()? {
                return refused(frame);
            }
            match self.events.recv().await {
                Some(ChannelEvent::Stdout(bytes)) => self.parser.feed(&bytes),
                Some(ChannelEvent::Stderr(bytes)) => {
                    let room = 1024usize.saturating_sub(self.said.len()).min(bytes.len());
                    self.said.extend_from_slice(&bytes[..room]);
                }
                Some(ChannelEvent::Exit(_)) => {}
                Some(ChannelEvent::Signal(name)) => return Err(self.lost(&name)),
                Some(ChannelEvent::Closed { reason }) => return Err(self.lost(&reason)),
                None => return Err(self.lost("closed")),
            }
        }
    }

    fn lost(&self, reason: &str) -> AskError {
        let said = [reason.as_bytes(), b" ", self.parser.noise().as_slice(), &self.said].concat();
        AskError::Lost { said: String::from_utf8_lossy(&said).trim().to_owned() }
    }
}

/// Failures of every kind of command are errors here.
fn refused(frame: Frame) -> Result<Frame, AskError> {
    match frame {
        Frame::Refused { reason } => Err(AskError::Refused { reason }),
        Frame::Answer { text } => match text.strip_prefix("failed ") {
            Some(reason) => Err(AskError::Refused { reason: reason.to_owned() }),
            None => Ok(Frame::Answer { text }),
        },
        other => Ok(other),
    }
}
