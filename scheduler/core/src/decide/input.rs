//! What comes from outside, and which part decides it.

use std::sync::Arc;

use autoexec_model::api::Operation;
use autoexec_model::event::{Event, Fact, Submitted};
use autoexec_model::grant::{AttemptReport, RunnerHello};
use autoexec_model::id::{AttemptId, Digest, Epoch, JobId, RunnerId, UnixMillis};
use autoexec_model::plan::Plan;
use autoexec_model::refusal::{Code, Refusal};

use super::{advance, dispatch, operate, report};
use crate::state::{Job, State};

/// Something that came from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A client submits a planned job.
    Submit {
        /// Its plan.
        plan: Arc<Plan>,
        /// Digest of the plan.
        digest: Digest,
        /// Name of the job.
        name: String,
        /// Who.
        by: String,
        /// A repeated submit with the same key is the same job.
        idempotency_key: Option<String>,
    },
    /// A person operates on a job.
    Operate {
        /// The job.
        job: JobId,
        /// What.
        operation: Operation,
        /// Tasks that the operation's selector names, chosen by the caller.
        targets: Vec<u32>,
        /// Who.
        by: String,
    },
    /// A runner said hello.
    Hello(RunnerHello),
    /// A runner's stream ended.
    Gone {
        /// Who.
        runner: RunnerId,
    },
    /// A runner began attempts.
    Started {
        /// Who.
        runner: RunnerId,
        /// Which attempts, each with its epoch.
        attempts: Vec<(AttemptId, Epoch)>,
    },
    /// A runner says how an attempt ended.
    Finished {
        /// Who.
        runner: RunnerId,
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
        /// How.
        report: Box<AttemptReport>,
    },
    /// The scheduler began to run.
    Boot {
        /// Version of the program.
        version: String,
    },
    /// Look whether a job can move on.
    Advance {
        /// The job.
        job: JobId,
    },
    /// Give out tasks, and take back leases of runners that are away too long.
    Dispatch,
}

/// What should happen because of an input.
///
/// # Errors
/// A refusal, when the input may not have an effect now; it names the state and what is legal.
pub fn decide(state: &State, input: &Input, now: UnixMillis) -> Result<Vec<Event>, Refusal> {
    match input {
        Input::Submit { digest, name, by, idempotency_key, .. } => {
            let submitted = Submitted {
                plan: digest.clone(),
                name: name.clone(),
                by: by.clone(),
                idempotency_key: idempotency_key.clone(),
            };
            Ok(submit(state, submitted, now))
        }
        Input::Operate { job, operation, targets, by } => {
            let known = job_of(state, *job)?;
            operate::operate(known, operation, targets, by, now)
        }
        Input::Hello(hello) => Ok(vec![Event {
            at: now,
            job: None,
            fact: Fact::RunnerConnected {
                runner: hello.runner.clone(),
                capacity: hello.capacity,
                labels: hello.labels.clone(),
                version: hello.version.clone(),
            },
        }]),
        Input::Gone { runner } => Ok(gone(state, runner, now)),
        Input::Started { runner, attempts } => Ok(report::started(state, runner, attempts, now)),
        Input::Finished { runner, attempt, epoch, report } => {
            Ok(report::finished(state, runner, (*attempt, *epoch), report, now))
        }
        Input::Boot { version } => {
            Ok(vec![Event { at: now, job: None, fact: Fact::SchedulerStarted { version: version.clone() } }])
        }
        Input::Advance { job } => Ok(state.jobs.get(job).map(|job| advance::advance(job, now)).unwrap_or_default()),
        Input::Dispatch => Ok(dispatch::dispatch(state, now)),
    }
}

/// The number that a submitted job has or gets: the same for the same idempotency key.
pub fn job_for(state: &State, idempotency_key: Option<&str>) -> (JobId, bool) {
    match idempotency_key.and_then(|key| state.keys.get(key)) {
        Some(known) => (*known, true),
        None => (JobId(state.next_job.max(1)), false),
    }
}

fn submit(state: &State, submitted: Submitted, now: UnixMillis) -> Vec<Event> {
    let (job, known) = job_for(state, submitted.idempotency_key.as_deref());
    if known {
        return Vec::new();
    }
    vec![Event { at: now, job: Some(job), fact: Fact::JobSubmitted(Box::new(submitted)) }]
}

fn gone(state: &State, runner: &RunnerId, now: UnixMillis) -> Vec<Event> {
    let connected = state.runners.iter().any(|known| known.id == *runner && known.connected);
    if !connected {
        return Vec::new();
    }
    vec![Event { at: now, job: None, fact: Fact::RunnerDisconnected { runner: runner.clone() } }]
}

fn job_of(state: &State, job: JobId) -> Result<&Job, Refusal> {
    state.jobs.get(&job).ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("there is no job {job}")).hint("`autoexec jobs` lists them")
    })
}
