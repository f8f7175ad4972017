//! What one turn of the engine has decided and not yet made durable: events, output, effects, replies.

use std::collections::{BTreeMap, BTreeSet};

use autoexec_core::react::Effect;
use autoexec_model::event::Event;
use autoexec_model::grant::{OutputChunk, Stream};
use autoexec_model::id::{JobId, RunnerId, UnixMillis};
use autoexec_model::refusal::Refusal;
use autoexec_store::{Commit, EventBatch, StreamKey};
use autoexec_wire::session::SchedulerMessage;
use tokio::sync::oneshot;

/// A reply that waits for its events to be durable.
pub(crate) struct Reply {
    pub(crate) to: oneshot::Sender<Result<Vec<Event>, Refusal>>,
    pub(crate) answer: Result<Vec<Event>, Refusal>,
}

/// What one turn has decided.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) commit: Commit,
    events: BTreeMap<Option<JobId>, Vec<Vec<u8>>>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) plan_replies: Vec<oneshot::Sender<Result<(), Refusal>>>,
    /// Messages to runners that may go once the commit is durable.
    pub(crate) messages: Vec<(RunnerId, SchedulerMessage)>,
    /// Jobs whose events are in this turn.
    pub(crate) touched: BTreeSet<JobId>,
    /// Whether anything changed that a watcher could see.
    pub(crate) changed: bool,
}

impl Pending {
    pub(crate) fn new(now: UnixMillis) -> Self {
        Self { commit: Commit::new(now.0), ..Self::default() }
    }

    /// Takes an event into the commit.
    ///
    /// # Errors
    /// When it cannot be written down; what is true already would vanish then, so the engine must end.
    pub(crate) fn record(&mut self, event: &Event) -> Result<(), serde_json::Error> {
        let bytes = serde_json::to_vec(event)?;
        self.events.entry(event.job).or_default().push(bytes);
        if let Some(job) = event.job {
            self.touched.insert(job);
        }
        self.changed = true;
        Ok(())
    }

    pub(crate) fn output(&mut self, chunk: &OutputChunk) {
        self.commit.output.push(autoexec_store::OutputChunk {
            stream: stream_key(chunk),
            offset: chunk.offset,
            bytes: chunk.bytes.clone(),
        });
        self.changed = true;
    }

    /// Moves the events into the commit.
    pub(crate) fn close(&mut self) {
        let events = std::mem::take(&mut self.events);
        self.commit.events =
            events.into_iter().map(|(job, records)| EventBatch { job: job.map(|job| job.0), records }).collect();
    }
}

/// Where the store keeps a stream of an attempt.
pub(crate) fn stream_key(chunk: &OutputChunk) -> StreamKey {
    key(chunk.attempt.job, u64::from(chunk.attempt.task.0), chunk.attempt.n, chunk.stream)
}

/// Where the store keeps a stream.
pub(crate) fn key(job: JobId, task: u64, attempt: u32, stream: Stream) -> StreamKey {
    let stream = match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    };
    StreamKey { job: job.0, task, attempt, step: 0, stream }
}
