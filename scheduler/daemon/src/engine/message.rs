//! What the engine is told.

use autoexec_core::decide::Input;
use autoexec_model::event::Event;
use autoexec_model::grant::{LiveAttempt, OutputChunk, RunnerHello};
use autoexec_model::id::{Digest, Epoch, RunnerId};
use autoexec_model::refusal::Refusal;
use autoexec_wire::session::SchedulerMessage;
use serde_json::{Map, Value};
use std::sync::Arc;

use super::Engine;
use autoexec_model::plan::Plan;
use tokio::sync::{mpsc, oneshot};

/// A message to the engine.
pub(crate) enum Message {
    /// Something to decide. The answer comes when its events are durable.
    Input {
        /// What.
        input: Input,
        /// Who wants to know.
        reply: Option<oneshot::Sender<Result<Vec<Event>, Refusal>>>,
    },
    /// A job to accept, with what must be durable together with it.
    Submit(Box<Submission>),
    /// A plan to keep without running it.
    KeepPlan {
        /// Its digest.
        digest: Digest,
        /// The plan.
        plan: Arc<Plan>,
        /// Who wants to know.
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// A runner said hello over a new stream.
    Hello {
        /// What it said.
        hello: RunnerHello,
        /// Where messages to it go.
        outbox: mpsc::Sender<SchedulerMessage>,
        /// Number of the stream, so that the end of an old one does not end the new one.
        stream: u64,
    },
    /// A runner's stream ended.
    Gone {
        /// Whose.
        runner: RunnerId,
        /// Which stream.
        stream: u64,
    },
    /// A piece of output.
    Output {
        /// From whom.
        runner: RunnerId,
        /// Epoch of the lease.
        epoch: Epoch,
        /// The piece.
        chunk: OutputChunk,
    },
    /// Which step an attempt is in; for people and for a resumed grant, not recorded.
    Progress {
        /// From whom.
        runner: RunnerId,
        /// The attempt.
        live: LiveAttempt,
        /// Index of the step.
        step: u32,
    },
    /// A look at the state: it sees durable facts only.
    Query(Box<dyn FnOnce(&mut Engine) + Send>),
    /// End.
    Stop,
}

/// A job to accept.
pub(crate) struct Submission {
    /// The decision to take.
    pub(crate) input: Input,
    /// Values of its secret parameters.
    pub(crate) secrets: Map<String, Value>,
    /// Who wants to know.
    pub(crate) reply: oneshot::Sender<Result<Vec<Event>, Refusal>>,
}
