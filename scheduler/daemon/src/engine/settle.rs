//! Taking in messages and letting the jobs settle: everything between a message and its commit.

use std::sync::Arc;

use autoexec_core::apply::apply;
use autoexec_core::decide::{Input, decide, job_for};
use autoexec_core::react::react;
use autoexec_core::view;
use autoexec_model::event::Event;
use autoexec_model::grant::OutputChunk;
use autoexec_model::id::{Epoch, JobId, RunnerId};
use autoexec_model::plan::Plan;
use autoexec_model::refusal::Refusal;
use autoexec_store::{JobSummary, PlanBlob, Secret, SecretPut, Store as _};
use autoexec_wire::session::SchedulerMessage;
use serde_json::Value;
use tokio::sync::oneshot;

use super::pending::{Reply, stream_key};
use super::{Engine, EngineError, Message, Pending, Submission};
use crate::clock;

/// Rounds after which a job that still moves is a bug: more than any plan has stages, gates and grants in one turn.
const MAX_ROUNDS: usize = 1_000_000;

type ReplyTo = Option<oneshot::Sender<Result<Vec<Event>, Refusal>>>;

impl Engine {
    /// Takes in one message.
    pub(super) fn take(&mut self, message: Message, pending: &mut Pending) -> Result<(), EngineError> {
        match message {
            Message::Input { input, reply } => self.take_input(input, reply, pending),
            Message::Submit(submission) => self.take_submission(*submission, pending),
            Message::KeepPlan { digest, plan, reply } => {
                match keep_plan(&digest.0, &plan, pending) {
                    Ok(()) => pending.plan_replies.push(reply),
                    Err(refusal) => {
                        let _ = reply.send(Err(refusal));
                    }
                }
                Ok(())
            }
            Message::Gone { runner, stream } => {
                if self.streams.get(&runner) == Some(&stream) {
                    self.streams.remove(&runner);
                    self.sessions.remove(&runner);
                    return self.take_input(Input::Gone { runner }, None, pending);
                }
                Ok(())
            }
            Message::Output { runner, epoch, chunk } => self.take_output(&runner, epoch, &chunk, pending),
            Message::Progress { runner, live, step } => {
                if self.holds(&runner, live.attempt, live.epoch) {
                    self.progress.insert(live.attempt, step);
                    pending.changed = true;
                }
                Ok(())
            }
            // These three are handled by the turn itself.
            Message::Hello { .. } | Message::Query(_) | Message::Stop => Ok(()),
        }
    }

    /// Decides an input, applies its events and keeps the reply until they are durable.
    pub(super) fn take_input(
        &mut self,
        input: Input,
        reply: ReplyTo,
        pending: &mut Pending,
    ) -> Result<(), EngineError> {
        if let Input::Finished { runner, attempt, epoch, .. } = &input {
            // Acknowledged even when it is late or a repetition: the runner may forget it either way.
            let ack = SchedulerMessage::FinishedAck { attempt: *attempt, epoch: *epoch };
            pending.messages.push((runner.clone(), ack));
            if self.holds(runner, *attempt, *epoch) {
                self.progress.remove(attempt);
            }
        }
        let answer = match decide(&self.state, &input, clock::now()) {
            Ok(events) => {
                self.apply_all(&events, pending)?;
                Ok(events)
            }
            Err(refusal) => Err(refusal),
        };
        if let Some(to) = reply {
            pending.replies.push(Reply { to, answer });
        }
        Ok(())
    }

    fn take_submission(&mut self, submission: Submission, pending: &mut Pending) -> Result<(), EngineError> {
        let Submission { input, secrets, reply } = submission;
        let Input::Submit { plan, digest, idempotency_key, .. } = &input else { return Ok(()) };
        let (job, known) = job_for(&self.state, idempotency_key.as_deref());
        if known {
            return self.take_input(input, Some(reply), pending);
        }
        if let Err(refusal) = keep_plan(&digest.0, plan, pending) {
            let _ = reply.send(Err(refusal));
            return Ok(());
        }
        self.plans.insert(digest.clone(), Arc::clone(plan));
        for (name, value) in &secrets {
            let bytes = value.to_string().into_bytes();
            pending.commit.secrets.push(SecretPut { job: job.0, name: name.clone(), value: Secret::new(bytes) });
        }
        self.secrets.insert(job, Arc::new(secrets));
        self.take_input(input, Some(reply), pending)
    }

    fn take_output(
        &mut self,
        runner: &RunnerId,
        epoch: Epoch,
        chunk: &OutputChunk,
        pending: &mut Pending,
    ) -> Result<(), EngineError> {
        let Some(end) = chunk.offset.checked_add(chunk.bytes.len() as u64) else {
            tracing::warn!(%runner, attempt = %chunk.attempt, offset = chunk.offset, "output beyond the end of all numbers is not taken");
            return Ok(());
        };
        if self.holds(runner, chunk.attempt, epoch) {
            let key = stream_key(chunk);
            let next = match self.lengths.get(&key) {
                Some(next) => *next,
                None => self.store.reader().output_len(&key).map_err(EngineError::Read)?,
            };
            if chunk.offset > next {
                tracing::warn!(attempt = %chunk.attempt, offset = chunk.offset, stored = next, "output with a gap is not taken");
                return Ok(());
            }
            if end > next {
                pending.output(chunk);
            }
            self.lengths.insert(key, next.max(end));
        }
        let ack = SchedulerMessage::OutputAck { attempt: chunk.attempt, stream: chunk.stream, offset: end };
        pending.messages.push((runner.clone(), ack));
        Ok(())
    }

    /// Lets every job move on as far as it can, and gives out tasks.
    pub(super) fn settle(&mut self, pending: &mut Pending) -> Result<(), EngineError> {
        let now = clock::now();
        self.wake.retain(|at| *at > now);
        let live = |engine: &Self| -> Vec<JobId> {
            engine.state.jobs.values().filter(|job| !job.state.is_final()).map(|job| job.id).collect()
        };
        for _ in 0..MAX_ROUNDS {
            let mut quiet = true;
            for job in live(self) {
                for round in 0.. {
                    let events = decide(&self.state, &Input::Advance { job }, now).unwrap_or_default();
                    if events.is_empty() {
                        break;
                    }
                    if round == MAX_ROUNDS {
                        return Err(EngineError::Unsettled(job));
                    }
                    self.apply_all(&events, pending)?;
                    quiet = false;
                }
            }
            let grants = decide(&self.state, &Input::Dispatch, now).unwrap_or_default();
            self.apply_all(&grants, pending)?;
            if quiet && grants.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn apply_all(&mut self, events: &[Event], pending: &mut Pending) -> Result<(), EngineError> {
        for event in events {
            apply(&mut self.state, event, &self.plans).map_err(EngineError::Illegal)?;
            self.lines.note(&self.state, event);
            pending.effects.extend(react(&self.state, event));
            pending.record(event).map_err(EngineError::Encode)?;
        }
        Ok(())
    }

    /// Writes the summary of jobs whose state changed in this turn.
    pub(super) fn summarise(&mut self, pending: &mut Pending) {
        for id in pending.touched.clone() {
            let Some(job) = self.state.jobs.get(&id) else { continue };
            if self.summarised.get(&id) == Some(&job.state) {
                continue;
            }
            let row = view::job_row(job);
            let mut summary = serde_json::to_value(&row).unwrap_or_default();
            if let (Value::Object(map), Some(key)) = (&mut summary, &job.submitted.idempotency_key) {
                map.insert("idempotency_key".to_owned(), Value::String(key.clone()));
            }
            pending.commit.jobs.push(JobSummary {
                id: id.0,
                name: row.name,
                state: row.state,
                is_final: job.state.is_final(),
                created_ms: row.created_at.0,
                finished_ms: row.finished_at.map(|at| at.0),
                plan_digest: Some(job.submitted.plan.0.clone()),
                labels: "{}".to_owned(),
                summary: summary.to_string(),
            });
            let (state, is_final) = (job.state, job.state.is_final());
            self.summarised.insert(id, state);
            if is_final {
                self.keep(id);
            }
        }
    }
}

fn keep_plan(digest: &str, plan: &Plan, pending: &mut Pending) -> Result<(), Refusal> {
    let bytes = serde_json::to_vec(plan).map_err(|error| {
        Refusal::new(autoexec_model::refusal::Code::Internal, format!("the plan cannot be encoded: {error}"))
    })?;
    pending.commit.plans.push(PlanBlob { digest: digest.to_owned(), bytes });
    Ok(())
}
