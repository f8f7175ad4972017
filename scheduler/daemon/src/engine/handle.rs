//! How the services speak to the engine.

use std::sync::Arc;

use autoexec_core::decide::Input;
use autoexec_model::event::Event;
use autoexec_model::id::{Digest, JobId};
use autoexec_model::plan::Plan;
use autoexec_model::refusal::{Code, Refusal};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Engine, EngineError, Message, Submission};
use autoexec_core::state::Job;

/// Messages that may wait for the engine: two turns' worth. Whoever sends more waits.
pub(crate) const INBOX: usize = 4_096;

/// Speaks to the engine; cheap to clone.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) inbox: mpsc::Sender<Message>,
    changes: watch::Receiver<u64>,
}

impl Handle {
    pub(crate) fn new(inbox: mpsc::Sender<Message>, changes: watch::Receiver<u64>) -> Self {
        Self { inbox, changes }
    }

    /// A receiver that is told whenever something changed that a watcher could see.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Sends a message that needs no answer.
    pub(crate) async fn tell(&self, message: Message) -> Result<(), Refusal> {
        self.inbox.send(message).await.map_err(|_| stopped())
    }

    /// Decides an input; answers when its events are durable.
    pub(crate) async fn decide(&self, input: Input) -> Result<Vec<Event>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Input { input, reply: Some(reply) }).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Submits a job with its secrets.
    pub(crate) async fn submit(&self, input: Input, secrets: Map<String, Value>) -> Result<Vec<Event>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Submit(Box::new(Submission { input, secrets, reply }))).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Keeps a plan, so that it can be run by its digest.
    pub(crate) async fn keep_plan(&self, digest: Digest, plan: Arc<Plan>) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::KeepPlan { digest, plan, reply }).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Looks at the engine between two turns.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let query = Box::new(move |engine: &mut Engine| {
            // A client that went away does not need its answer.
            let _ = reply.send(look(engine));
        });
        self.tell(Message::Query(query)).await?;
        answer.await.map_err(|_| stopped())
    }

    /// Looks at one job, wherever it is.
    pub(crate) async fn on_job<T: Send + 'static>(
        &self,
        id: JobId,
        look: impl FnOnce(&Engine, &Job) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.query(move |engine| {
            let found = engine.load(id).map_err(|error| internal(&error))?;
            match engine.state.jobs.get(&id) {
                Some(job) if found => Ok(look(engine, job)),
                Some(_) | None => Err(no_job(id)),
            }
        })
        .await?
    }
}

/// There is no such job.
pub(crate) fn no_job(id: JobId) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no job {id}")).hint("`autoexec jobs` lists the jobs")
}

/// An error of the engine as an answer to a client.
pub(crate) fn internal(error: &EngineError) -> Refusal {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Refusal::new(Code::Internal, message).hint("`autoexec store verify` checks the store")
}

fn stopped() -> Refusal {
    Refusal::new(Code::Unavailable, "the scheduler is stopping").hint("try again; it starts by itself")
}
