//! The stream of a runner: what it says goes to the engine, what the engine says goes to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use autoexec_core::decide::Input;
use autoexec_model::grant::RunnerHello;
use autoexec_model::id::RunnerId;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_wire::server::{Replies, RunnersApi};
use autoexec_wire::session::{RunnerMessage, SchedulerMessage};
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::Services;
use crate::engine::{Handle, Message};
use crate::shelf::Shelf;

/// Messages that may wait for a runner: it reads them at once, so more means that it is gone.
const OUTBOX: usize = 8_192;

/// Bytes of a file in one message.
const PIECE: usize = 256 * 1024;

impl RunnersApi for Services {
    async fn session(&self, mut messages: Replies<RunnerMessage>) -> Result<Replies<SchedulerMessage>, Refusal> {
        let hello = match messages.next().await {
            Some(Ok(RunnerMessage::Hello(hello))) => hello,
            Some(Ok(_)) => return Err(Refusal::new(Code::Invalid, "a runner's stream begins with a hello")),
            Some(Err(refusal)) => return Err(refusal),
            None => return Err(Refusal::new(Code::Invalid, "the runner said nothing")),
        };
        check(&hello)?;
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        let stream = self.runner_streams.fetch_add(1, Ordering::Relaxed);
        let runner = hello.runner.clone();
        tracing::info!(%runner, live = hello.live.len(), "runner connected");
        self.engine.tell(Message::Hello { hello, outbox: outbox.clone(), stream }).await?;
        let ear =
            Ear { engine: self.engine.clone(), shelf: Arc::clone(&self.shelf), runner, outbox: outbox.downgrade() };
        tokio::spawn(async move { ear.listen(messages, stream).await });
        // A runner stays for ever: without this every end of the scheduler would wait for its grace.
        let mut stopping = self.shutdown.subscribe();
        let stop = async move {
            // Whoever could say so is gone: that is the end too.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        Ok(tokio_stream::wrappers::ReceiverStream::new(inbox).map(Ok).take_until(stop).boxed())
    }
}

/// Labels of one runner, and bytes of a label or a version: every hello is kept in the journal.
const MAX_LABELS: usize = 64;
const MAX_TEXT: usize = 256;

/// Whether a hello may be taken.
fn check(hello: &RunnerHello) -> Result<(), Refusal> {
    let refused = |message: &str| Err(Refusal::new(Code::Invalid, message));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if hello.runner.0.is_empty() || hello.runner.0.len() > 64 || !hello.runner.0.bytes().all(plain) {
        return refused("the name of a runner is 1 to 64 of `A-Z a-z 0-9 . _ -`");
    }
    if hello.labels.len() > MAX_LABELS || hello.version.len() > MAX_TEXT {
        return refused("a runner has at most 64 labels, and its version at most 256 bytes");
    }
    if hello.labels.iter().any(|(key, value)| key.len() > MAX_TEXT || value.len() > MAX_TEXT) {
        return refused("a label of a runner has at most 256 bytes");
    }
    Ok(())
}

struct Ear {
    engine: Handle,
    shelf: Arc<Shelf>,
    runner: RunnerId,
    // Weak, so that the stream ends when the engine lets go of it.
    outbox: mpsc::WeakSender<SchedulerMessage>,
}

impl Ear {
    async fn listen(&self, mut messages: Replies<RunnerMessage>, stream: u64) {
        while let Some(message) = messages.next().await {
            let heard = match message {
                Ok(message) => self.hear(message).await,
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = heard {
                tracing::info!(runner = %self.runner, %refusal, "stream of the runner ended");
                break;
            }
        }
        // When the engine is gone there is nobody to tell.
        let _ = self.engine.tell(Message::Gone { runner: self.runner.clone(), stream }).await;
    }

    async fn hear(&self, message: RunnerMessage) -> Result<(), Refusal> {
        let runner = self.runner.clone();
        let input = |input| Message::Input { input, reply: None };
        match message {
            RunnerMessage::Started { attempt, epoch, .. } => {
                self.engine.tell(input(Input::Started { runner, attempts: vec![(attempt, epoch)] })).await
            }
            RunnerMessage::Progress { attempt, epoch, step, .. } => {
                let live = autoexec_model::grant::LiveAttempt { attempt, epoch, stdout: 0, stderr: 0 };
                self.engine.tell(Message::Progress { runner, live, step }).await
            }
            RunnerMessage::Output { chunk, epoch } => self.engine.tell(Message::Output { runner, epoch, chunk }).await,
            RunnerMessage::Finished { attempt, epoch, report } => {
                self.engine.tell(input(Input::Finished { runner, attempt, epoch, report: Box::new(report) })).await
            }
            RunnerMessage::NeedTool { digest } => match self.shelf.tool(&digest) {
                Ok(package) => self.send(SchedulerMessage::Tool((*package).clone())).await,
                Err(refusal) => {
                    tracing::warn!(%runner, %refusal, "a runner asked for a tool that is not here");
                    Ok(())
                }
            },
            RunnerMessage::NeedFile { sha256 } => self.send_file(&sha256).await,
            RunnerMessage::Hello(_) => Err(Refusal::new(Code::Invalid, "a second hello on one stream")),
            RunnerMessage::Accepted { .. } | RunnerMessage::Heartbeat { .. } | RunnerMessage::Draining => Ok(()),
        }
    }

    async fn send_file(&self, sha256: &str) -> Result<(), Refusal> {
        let bytes = match self.shelf.file(sha256) {
            Ok(bytes) => bytes,
            Err(refusal) => {
                tracing::warn!(runner = %self.runner, %refusal, "a runner asked for a file that is not here");
                return Ok(());
            }
        };
        let mut offset = 0;
        loop {
            let piece = bytes.get(offset..bytes.len().min(offset + PIECE)).unwrap_or_default().to_vec();
            let next = offset + piece.len();
            let end = next >= bytes.len();
            self.send(SchedulerMessage::File { sha256: sha256.to_owned(), bytes: piece, offset: offset as u64, end })
                .await?;
            if end {
                return Ok(());
            }
            offset = next;
        }
    }

    async fn send(&self, message: SchedulerMessage) -> Result<(), Refusal> {
        let gone = || Refusal::new(Code::Unavailable, "the runner's stream ended");
        let outbox = self.outbox.upgrade().ok_or_else(gone)?;
        outbox.send(message).await.map_err(|_| gone())
    }
}
