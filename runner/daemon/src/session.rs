//! One connection to the scheduler: hello, welcome, then messages both ways until it breaks.
//!
//! The connection holds no state of its own. What is to be said is taken from the board, everything that is not
//! acknowledged again on each new connection; what is heard goes to the board.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use autoexec_model::grant::{Grant, RunnerHello};
use autoexec_model::id::RunnerId;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_wire::client::Client;
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::attempt;
use crate::board::{Board, StopRequest};
use crate::clock;
use crate::runner::{Attempts, Equipment};

/// Messages that may wait for the network: at most 64 pieces of output of 64 KiB, 4 MiB.
const OUTBOX: usize = 64;

/// How long the scheduler may take to answer the hello.
const WELCOME: Duration = Duration::from_secs(30);

/// What one connection needs.
pub(crate) struct Session {
    pub(crate) runner: RunnerId,
    pub(crate) capacity: u32,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) board: Arc<Board>,
    pub(crate) attempts: Attempts,
}

impl Session {
    /// Works until the connection ends.
    ///
    /// # Errors
    /// Why it broke.
    pub(crate) async fn run(&self, client: Client, wants: &mut mpsc::Receiver<RunnerMessage>) -> Result<(), Refusal> {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let lost = || Refusal::new(Code::Unavailable, "the stream to the scheduler broke");
        outbox.send(RunnerMessage::Hello(self.hello())).await.map_err(|_| lost())?;
        let mut incoming = client.session(ReceiverStream::new(messages)).await?;
        let welcome = tokio::time::timeout(WELCOME, incoming.next())
            .await
            .map_err(|_| Refusal::new(Code::Unavailable, "the scheduler did not answer the hello"))?
            .ok_or_else(lost)??;
        let heartbeat = self.welcomed(welcome)?;
        let mut beat = tokio::time::interval(heartbeat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.board.restart();
        let talk = async {
            loop {
                for message in self.board.next().await {
                    if outbox.send(message).await.is_err() {
                        return;
                    }
                }
            }
        };
        tokio::pin!(talk);
        loop {
            tokio::select! {
                () = &mut talk => return Err(lost()),
                message = incoming.next() => match message {
                    Some(message) => self.hear(message?, &outbox).await?,
                    None => return Ok(()),
                },
                want = wants.recv() => if let Some(want) = want {
                    outbox.send(want).await.map_err(|_| lost())?;
                },
                _ = beat.tick() => {
                    let beat = RunnerMessage::Heartbeat { live: Vec::new(), at: clock::now() };
                    outbox.send(beat).await.map_err(|_| lost())?;
                }
            }
        }
    }

    fn hello(&self) -> RunnerHello {
        RunnerHello {
            runner: self.runner.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capacity: self.capacity,
            labels: self.labels.clone(),
            live: self.board.live(),
        }
    }

    /// The scheduler says what goes on; answers with the rhythm of heartbeats.
    fn welcomed(&self, message: SchedulerMessage) -> Result<Duration, Refusal> {
        let SchedulerMessage::Welcome { stop, heartbeat_ms, .. } = message else {
            return Err(Refusal::new(
                Code::Internal,
                "the scheduler answered the hello with something else than a welcome",
            ));
        };
        for Lease { attempt, .. } in stop {
            self.board.disown(attempt);
        }
        Ok(Duration::from_millis(heartbeat_ms.clamp(100, 60_000)))
    }

    async fn hear(&self, message: SchedulerMessage, outbox: &mpsc::Sender<RunnerMessage>) -> Result<(), Refusal> {
        match message {
            SchedulerMessage::Grant(grant) => {
                let attempts = self.take(*grant);
                // A full outbox means that the connection is about to break, or that output goes first.
                let _ = outbox.try_send(RunnerMessage::Accepted { attempts });
            }
            SchedulerMessage::Stop { attempt, epoch, cancel, reason } => {
                self.board.stop(attempt, epoch, StopRequest { cancel, reason });
            }
            SchedulerMessage::Revoke { attempt, epoch } => {
                let reason = "its lease was taken back".to_owned();
                self.board.stop(attempt, epoch, StopRequest { cancel: false, reason });
            }
            SchedulerMessage::OutputAck { attempt, stream, offset } => {
                self.board.acknowledge_output(attempt, stream, offset)
            }
            SchedulerMessage::FinishedAck { attempt, .. } => self.board.acknowledge_finished(attempt),
            SchedulerMessage::Tool(package) => self.equipment.supply.take_tool(package),
            SchedulerMessage::File { sha256, bytes, offset, end } => {
                if let Err(error) = self.equipment.supply.take_file(&sha256, offset, &bytes, end) {
                    tracing::warn!(%error, "a file could not be kept");
                }
            }
            SchedulerMessage::Welcome { .. } | SchedulerMessage::Renewed { .. } => {}
        }
        Ok(())
    }

    /// Takes what is granted and begins what is new.
    fn take(&self, mut grant: Grant) -> Vec<Lease> {
        let given = std::mem::take(&mut grant.attempts);
        let grant = Arc::new(grant);
        let mut taken = Vec::with_capacity(given.len());
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = attempts.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "an attempt ended without a report");
            }
        }
        for attempt in given {
            taken.push(Lease { attempt: attempt.attempt, epoch: attempt.epoch });
            if let Some(live) = self.board.take(attempt.attempt, attempt.epoch) {
                let equipment = Arc::clone(&self.equipment);
                attempts.spawn(attempt::execute(equipment, Arc::clone(&grant), attempt, live));
            }
        }
        tracing::debug!(attempts = taken.len(), held = self.board.len(), "granted");
        taken
    }
}
