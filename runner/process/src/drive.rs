//! Carries one execution over a channel: sends the payload while it reads frames, and says how it ended.
//!
//! Nothing is kept but the chunk in hand: a sink that is slow slows the channel. Every ending is a value of [`Ended`];
//! there is no error beside it, because a caller has to act on all of them.

use crate::channel::{ChannelEvent, ExecChannel};
use crate::ended::{Begun, Ended, Refusal, ToolResult};
use crate::frame::{Frame, Stream};
use crate::parser::FrameParser;
use bytes::Bytes;
use std::future::Future;

/// Payload is handed to the channel in pieces of this size, the size the channel's depth was reckoned with.
const PIECE: usize = 64 * 1024;
/// How much of the channel's own standard error is kept, to explain a supervisor that never answered.
const KEPT_TALK: usize = 2 * 1024;

/// Receives what an execution does, in order.
pub trait Sink: Send {
    /// It runs, or has run.
    fn running(&mut self, running: Running) -> impl Future<Output = ()> + Send;
    /// Bytes of a stream, beginning at an absolute offset.
    fn output(&mut self, stream: Stream, offset: u64, bytes: Bytes) -> impl Future<Output = ()> + Send;
    /// Something that people should know about the output.
    fn notice(&mut self, notice: Notice) -> impl Future<Output = ()> + Send;
}

/// The execution has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// False when this very channel started it.
    pub attached: bool,
    /// The worker's process id on the host.
    pub pid: u64,
}

/// About the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Bytes beyond the cap were dropped: so many until now.
    Dropped {
        /// Which stream.
        stream: Stream,
        /// Bytes.
        total: u64,
    },
    /// The script cut its own output short; what follows begins at `to`.
    Truncated {
        /// Which stream.
        stream: Stream,
        /// The offset that had been reached.
        from: u64,
        /// The offset from which it goes on.
        to: u64,
    },
    /// Quiet, but alive.
    Heartbeat,
}

/// Sends `payload` (empty for attach), passes what comes to the sink, and returns when it has ended.
///
/// Dropping the future closes the channel; the execution on the host goes on.
pub async fn drive<S: Sink>(channel: ExecChannel, payload: Bytes, sink: &mut S) -> Ended {
    let ExecChannel { stdin, mut events } = channel;
    let mut watch =
        Watch { parser: FrameParser::default(), begun: Begun::No, talk: Vec::new(), result: None, code: None };
    let mut sent = payload.is_empty();
    let feeding = feed(stdin, payload);
    tokio::pin!(feeding);
    let mut fed = false;
    loop {
        let event = tokio::select! {
            whole = &mut feeding, if !fed => {
                fed = true;
                sent |= whole;
                continue;
            }
            event = events.recv() => event,
        };
        if sent && watch.begun == Begun::No {
            watch.begun = Begun::Maybe;
        }
        if let Some(ended) = watch.event(event, sink).await {
            return ended;
        }
    }
}

/// Hands the payload over; true when the last piece was taken by the channel.
async fn feed(stdin: tokio::sync::mpsc::Sender<Bytes>, mut payload: Bytes) -> bool {
    while !payload.is_empty() {
        let piece = payload.split_to(PIECE.min(payload.len()));
        if stdin.send(piece).await.is_err() {
            return false;
        }
    }
    true
}

struct Watch {
    parser: FrameParser,
    begun: Begun,
    talk: Vec<u8>,
    result: Option<ToolResult>,
    code: Option<u32>,
}

impl Watch {
    async fn event<S: Sink>(&mut self, event: Option<ChannelEvent>, sink: &mut S) -> Option<Ended> {
        match event {
            Some(ChannelEvent::Stdout(bytes)) => self.frames(&bytes, sink).await,
            Some(ChannelEvent::Stderr(bytes)) => {
                let room = KEPT_TALK.saturating_sub(self.talk.len()).min(bytes.len());
                self.talk.extend_from_slice(&bytes[..room]);
                None
            }
            Some(ChannelEvent::Exit(code)) => {
                self.code = Some(code);
                None
            }
            Some(ChannelEvent::Signal(name)) => Some(self.lost(format!("the supervisor was ended by signal {name}"))),
            Some(ChannelEvent::Closed { reason }) => Some(self.lost(reason)),
            None => Some(self.lost("the channel was closed".to_owned())),
        }
    }

    async fn frames<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Option<Ended> {
        self.parser.feed(bytes);
        loop {
            match self.parser.next_frame() {
                Ok(None) => return None,
                Ok(Some(frame)) => {
                    if let Some(ended) = self.frame(frame, sink).await {
                        return Some(ended);
                    }
                }
                Err(error) => return Some(self.lost(error.to_string())),
            }
        }
    }

    async fn frame<S: Sink>(&mut self, frame: Frame, sink: &mut S) -> Option<Ended> {
        match frame {
            Frame::Started { pid } => self.running(sink, Running { attached: false, pid }).await,
            Frame::Attached { pid } => self.running(sink, Running { attached: true, pid }).await,
            Frame::Data { stream, offset, bytes } => sink.output(stream, offset, bytes).await,
            Frame::Dropped { stream, total } => sink.notice(Notice::Dropped { stream, total }).await,
            Frame::Truncated { stream, from, to } => sink.notice(Notice::Truncated { stream, from, to }).await,
            Frame::Heartbeat => sink.notice(Notice::Heartbeat).await,
            Frame::Result { bytes, total } => self.result = Some(ToolResult { bytes, total }),
            Frame::Exit { code } => {
                return Some(Ended::Exited { code, result: self.result.take() });
            }
            Frame::Killed { code } => return Some(Ended::Killed { code }),
            Frame::Lost { reason } => return Some(Ended::Lost { reason }),
            Frame::Unknown => return Some(Ended::Unknown),
            Frame::Refused { reason } if reason.starts_with("killed") => {
                return Some(Ended::Killed { code: None });
            }
            Frame::Refused { reason } => return Some(Ended::Refused(Refusal::parse(&reason))),
            Frame::Answer { text } => return Some(self.lost(format!("unexpected answer: {text}"))),
        }
        None
    }

    async fn running<S: Sink>(&mut self, sink: &mut S, running: Running) {
        self.begun = Begun::Yes;
        sink.running(running).await;
    }

    /// The channel has nothing more to say.
    fn lost(&mut self, reason: String) -> Ended {
        if self.parser.answered() {
            return Ended::ChannelLost { begun: self.begun, reason };
        }
        let said = [self.parser.noise(), std::mem::take(&mut self.talk)].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if self.code.is_none() && said.is_empty() {
            return Ended::ChannelLost { begun: self.begun, reason };
        }
        Ended::NotSupervised { begun: self.begun, said, code: self.code }
    }
}
