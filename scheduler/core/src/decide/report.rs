//! What runners say: attempts that began and attempts that ended.
//!
//! Messages may come twice or late. One that does not fit the lease it names is a no-op here: it changes nothing, and the
//! runner is told in the answer to its hello, or by the acknowledgement, that it may forget the attempt.

use autoexec_model::event::{Event, Fact};
use autoexec_model::grant::AttemptReport;
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::state::TaskState;
use std::collections::BTreeMap;

use super::about;
use crate::state::{Job, State, Task};

pub(super) fn started(
    state: &State,
    runner: &RunnerId,
    attempts: &[(AttemptId, Epoch)],
    now: UnixMillis,
) -> Vec<Event> {
    let mut by_job: BTreeMap<JobId, Vec<TaskIx>> = BTreeMap::new();
    for (attempt, epoch) in attempts {
        let begins = held_by(state, runner, *attempt, *epoch).is_some_and(|(_, task)| {
            matches!(task.state, TaskState::Granted | TaskState::Stopping) && task.started_at.is_none()
        });
        let tasks = by_job.entry(attempt.job).or_default();
        if begins && !tasks.contains(&attempt.task) {
            tasks.push(attempt.task);
        }
    }
    by_job
        .into_iter()
        .filter(|(_, tasks)| !tasks.is_empty())
        .map(|(job, tasks)| Event {
            at: now,
            job: Some(job),
            fact: Fact::AttemptsStarted { runner: runner.clone(), tasks },
        })
        .collect()
}

/// Attempts of one task after which an interruption is a person's business although its steps are idempotent: a task that
/// always loses its evidence must not run for ever.
pub(crate) const MAX_AGAIN: u32 = 5;

pub(super) fn finished(
    state: &State,
    runner: &RunnerId,
    (attempt, epoch): (AttemptId, Epoch),
    report: &AttemptReport,
    now: UnixMillis,
) -> Vec<Event> {
    let Some((job, _)) = held_by(state, runner, attempt, epoch) else { return Vec::new() };
    let report = Box::new(report.clone());
    let stopping = job.end.is_some();
    let fact = match report.outcome {
        Outcome::Interrupted if report.verdict == Verdict::Failed => Fact::AttemptInterrupted {
            task: attempt.task,
            n: attempt.n,
            again: !stopping && attempt.n < MAX_AGAIN && is_idempotent(job, attempt.task, &report),
            report,
        },
        Outcome::Exited { .. }
        | Outcome::Signalled { .. }
        | Outcome::TimedOut
        | Outcome::FailedToStart
        | Outcome::Unreachable
        | Outcome::Interrupted
        | Outcome::Killed
        | Outcome::KillUnconfirmed
        | Outcome::Rejected
        | Outcome::Cancelled => Fact::AttemptFinished { task: attempt.task, n: attempt.n, report },
    };
    vec![about(job, now, fact)]
}

/// The task that this attempt and epoch hold a lease for, if they do.
pub fn held(state: &State, attempt: AttemptId, epoch: Epoch) -> Option<(&Job, &Task)> {
    let job = state.jobs.get(&attempt.job)?;
    let task = job.task(attempt.task)?;
    (task.state.is_live() && task.n == attempt.n && task.epoch == epoch).then_some((job, task))
}

/// The same, if it is this runner's lease. What another runner says of it is no evidence.
fn held_by<'a>(state: &'a State, runner: &RunnerId, attempt: AttemptId, epoch: Epoch) -> Option<(&'a Job, &'a Task)> {
    let (job, task) = held(state, attempt, epoch)?;
    let holder = state.runner(task.runner?)?;
    (holder.id == *runner).then_some((job, task))
}

/// Whether the step that was interrupted may be run again without asking.
fn is_idempotent(job: &Job, task: TaskIx, report: &AttemptReport) -> bool {
    let steps = job
        .layout
        .cell(task)
        .and_then(|cell| job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize))
        .map_or(&[][..], |phase| phase.steps.as_slice());
    match &report.decided_by {
        Some(id) => {
            // The attempt runs again from its first step, so all steps up to the interrupted one must allow it.
            let end = steps.iter().position(|step| step.id == *id).map_or(steps.len(), |at| at + 1);
            steps.iter().take(end).all(|step| step.idempotent)
        }
        None => steps.iter().all(|step| step.idempotent),
    }
}
