//! The engine's loop: a turn takes in many messages, lets the jobs settle, makes everything durable, and then acts.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use autoexec_core::apply::Plans;
use autoexec_core::state::State;
use autoexec_model::id::{AttemptId, JobId, RunnerId, UnixMillis};
use autoexec_model::state::JobState;
use autoexec_store::{EmbeddedStore, RetainPolicy, RetainReport, Store as _, StoreError, StreamKey};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};

use super::{EngineError, Lines, Message, Pending};
use crate::clock;

/// Messages of one turn: enough to share an append, few enough that a reply does not wait long.
const TURN_MESSAGES: usize = 2_048;

/// How often the engine looks at timers when nothing else happens and jobs are live.
const TICK: Duration = Duration::from_millis(250);

/// Final jobs that are kept in memory for readers; others are read from the store when someone asks.
const FINAL_JOBS_IN_MEMORY: usize = 32;

/// A runner's stream.
pub(crate) struct Session {
    pub(crate) outbox: mpsc::Sender<autoexec_wire::session::SchedulerMessage>,
    pub(crate) stream: u64,
}

/// The state, the store, and everything between them.
pub(crate) struct Engine {
    pub(crate) state: State,
    pub(crate) plans: Plans,
    pub(crate) store: EmbeddedStore,
    pub(crate) instance: String,
    pub(crate) lines: Lines,
    /// The step that each live attempt is in; for people and for a resumed grant, not recorded.
    pub(crate) progress: HashMap<AttemptId, u32>,
    pub(crate) recovery: Vec<String>,
    pub(crate) started_at: UnixMillis,
    pub(super) sessions: BTreeMap<RunnerId, Session>,
    /// The newest stream of each runner that is connected; it may have no session, when the runner did not read it.
    pub(super) streams: BTreeMap<RunnerId, u64>,
    pub(super) secrets: BTreeMap<JobId, Arc<Map<String, Value>>>,
    pub(super) lengths: HashMap<StreamKey, u64>,
    pub(super) summarised: BTreeMap<JobId, JobState>,
    pub(super) wake: BTreeSet<UnixMillis>,
    pub(super) final_jobs: VecDeque<JobId>,
    pub(super) changes: watch::Sender<u64>,
}

impl Engine {
    /// Works until it is told to end.
    ///
    /// # Errors
    /// When the journal cannot be written or contradicts itself; the process must stop then.
    pub(crate) fn run(
        mut self,
        mut inbox: mpsc::Receiver<Message>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<(), EngineError> {
        self.turn(vec![Message::Input {
            input: autoexec_core::decide::Input::Boot { version: env!("CARGO_PKG_VERSION").to_owned() },
            reply: None,
        }])?;
        loop {
            let mut messages = Vec::new();
            let wait = self.wait();
            let received = runtime
                .block_on(async { tokio::time::timeout(wait, inbox.recv_many(&mut messages, TURN_MESSAGES)).await });
            if received == Ok(0) {
                break;
            }
            let ends = messages.iter().any(|message| matches!(message, Message::Stop));
            self.turn(messages)?;
            if ends {
                break;
            }
        }
        self.store.close().map_err(EngineError::Append)
    }

    /// How long nothing needs to be done by itself.
    fn wait(&self) -> Duration {
        let live = self.state.jobs.values().any(|job| !job.state.is_final());
        let next = self.wake.first().map(|at| Duration::from_millis(at.since(clock::now()).max(1)));
        let usual = if live { TICK } else { Duration::from_secs(3_600) };
        next.map_or(usual, |next| next.min(usual))
    }

    /// One turn: take in, settle, make durable, act.
    fn turn(&mut self, messages: Vec<Message>) -> Result<(), EngineError> {
        let now = clock::now();
        let mut pending = Pending::new(now);
        let mut queries = Vec::new();
        let mut hellos = Vec::new();
        for message in messages {
            match message {
                Message::Query(query) => queries.push(query),
                Message::Hello { hello, outbox, stream } => {
                    // Until it is welcomed, nothing may go to it, and the end of the stream before this one is no news.
                    self.streams.insert(hello.runner.clone(), stream);
                    self.sessions.remove(&hello.runner);
                    self.take_input(autoexec_core::decide::Input::Hello(hello.clone()), None, &mut pending)?;
                    hellos.push((hello, Session { outbox, stream }));
                }
                other => self.take(other, &mut pending)?,
            }
        }
        self.settle(&mut pending)?;
        self.commit(pending)?;
        for (hello, session) in hellos {
            // A stream that ended or was replaced in the same turn is not welcomed.
            if self.streams.get(&hello.runner) == Some(&session.stream) {
                self.welcome(&hello, session);
            }
        }
        for query in queries {
            query(self);
        }
        self.forget_old_jobs();
        Ok(())
    }

    /// Makes the turn durable, then acts on it.
    fn commit(&mut self, mut pending: Pending) -> Result<(), EngineError> {
        self.summarise(&mut pending);
        pending.close();
        if !pending.commit.is_empty() {
            let commit = std::mem::take(&mut pending.commit);
            self.store.append(commit).map_err(EngineError::Append)?;
        }
        let effects = std::mem::take(&mut pending.effects);
        for effect in effects {
            self.perform(effect);
        }
        for (runner, message) in std::mem::take(&mut pending.messages) {
            self.send(&runner, message);
        }
        for reply in pending.replies {
            // A client that went away does not need its answer.
            let _ = reply.to.send(reply.answer);
        }
        for reply in pending.plan_replies {
            let _ = reply.send(Ok(()));
        }
        if pending.changed {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(())
    }

    /// Forgets final jobs that nobody asked about lately.
    fn forget_old_jobs(&mut self) {
        while self.final_jobs.len() > FINAL_JOBS_IN_MEMORY {
            let Some(oldest) = self.final_jobs.pop_front() else { return };
            let still_final = self.state.jobs.get(&oldest).is_some_and(|job| job.state.is_final());
            if still_final && !self.final_jobs.contains(&oldest) {
                self.forget(oldest);
            }
        }
    }

    /// Drops a job from memory, and its plan with it when no other job there has the same.
    fn forget(&mut self, job: JobId) {
        let gone = self.state.jobs.remove(&job);
        self.final_jobs.retain(|known| *known != job);
        self.lines.forget(job);
        self.secrets.remove(&job);
        self.summarised.remove(&job);
        self.lengths.retain(|stream, _| stream.job != job.0);
        self.progress.retain(|attempt, _| attempt.job != job);
        if let Some(plan) = gone.map(|gone| gone.submitted.plan)
            && !self.state.jobs.values().any(|job| job.submitted.plan == plan)
        {
            self.plans.remove(&plan);
        }
    }

    /// Removes old jobs from the store, and from memory.
    ///
    /// # Errors
    /// As the store fails.
    pub(crate) fn retain(&mut self, policy: &RetainPolicy) -> Result<RetainReport, StoreError> {
        let report = self.store.retain(clock::now().0, policy)?;
        for job in &report.jobs {
            self.forget(JobId(*job));
        }
        Ok(report)
    }

    /// Remembers that a final job was used just now.
    pub(crate) fn keep(&mut self, job: JobId) {
        self.final_jobs.retain(|known| *known != job);
        self.final_jobs.push_back(job);
    }
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;
