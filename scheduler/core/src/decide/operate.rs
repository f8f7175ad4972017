//! What a person may do to a job, and when. An operation that is not legal now is refused with the state and what is legal.

use std::collections::BTreeSet;

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::event::{Event, Fact, Gate};
use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::outcome::Verdict;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_model::state::{JobState, TaskState};
use serde_json::Map;

use super::about;
use crate::state::{Job, Task};

pub(super) fn operate(
    job: &Job,
    operation: &Operation,
    targets: &[u32],
    by: &str,
    now: UnixMillis,
) -> Result<Vec<Event>, Refusal> {
    if !is_legal(job, operation) {
        return Err(illegal(job, operation));
    }
    let by = by.to_owned();
    // A target that is named twice is one target; the order is that of the plan.
    let targets: &[u32] = &targets.iter().copied().collect::<BTreeSet<u32>>().into_iter().collect::<Vec<u32>>();
    let facts = match operation {
        Operation::Pause => vec![Fact::PauseRequested { by }],
        Operation::Resume => vec![Fact::JobResumed { by }],
        Operation::Cancel { reason } => stop(job, by, reason),
        Operation::Confirm => vec![Fact::GatePassed { stage: job.stage, by: Some(by) }],
        Operation::Reject => vec![Fact::StopRequested {
            end: JobState::Aborted,
            reason: format!("{by} rejected the next batch"),
            by: Some(by),
        }],
        Operation::Parallel { parallel } => amend(job, *parallel, by)?,
        Operation::Retry { what } => vec![Fact::TasksRetried { tasks: retriable(job, what, targets)?, by }],
        Operation::Skip { .. } => decide_tasks(job, targets, Verdict::Skipped, &by)?,
        Operation::Ignore { .. } => decide_tasks(job, targets, Verdict::Ignored, &by)?,
        Operation::Resolve { succeeded, .. } => {
            let verdict = if *succeeded { Verdict::Succeeded } else { Verdict::Failed };
            decide_tasks(job, targets, verdict, &by)?
        }
    };
    Ok(facts.into_iter().map(|fact| about(job, now, fact)).collect())
}

/// Whether an operation may be done to a job in its state. Operations on targets are looked at target by target as well.
pub fn is_legal(job: &Job, operation: &Operation) -> bool {
    use JobState::{Paused, Pausing, Running, Scheduled, Stopping, Waiting};
    match operation {
        Operation::Pause => matches!(job.state, Running),
        Operation::Resume => matches!(job.state, Paused | Pausing),
        Operation::Cancel { .. } => !job.state.is_final() && !is_being_cancelled(job),
        Operation::Confirm | Operation::Reject => job.state == Waiting && job.gate == Some(Gate::Confirm),
        Operation::Parallel { .. } => matches!(job.state, Running | Pausing | Paused | Waiting),
        Operation::Retry { .. } => !matches!(job.state, Scheduled | JobState::Queued | Stopping | Pausing),
        Operation::Skip { .. } | Operation::Ignore { .. } | Operation::Resolve { .. } => {
            !matches!(job.state, Scheduled | JobState::Queued | Stopping)
        }
    }
}

fn is_being_cancelled(job: &Job) -> bool {
    job.state == JobState::Stopping && job.end.as_ref().is_some_and(|end| end.state == JobState::Cancelled)
}

fn illegal(job: &Job, operation: &Operation) -> Refusal {
    let every = [
        Operation::Pause,
        Operation::Resume,
        Operation::Cancel { reason: String::new() },
        Operation::Retry { what: RetryWhat::Failed },
        Operation::Confirm,
        Operation::Reject,
        Operation::Skip { targets: String::new() },
        Operation::Ignore { targets: String::new() },
        Operation::Resolve { targets: String::new(), succeeded: true },
        Operation::Parallel { parallel: 1 },
    ];
    let legal: Vec<&str> = every.iter().filter(|operation| is_legal(job, operation)).map(word).collect();
    let state = match job.gate {
        Some(Gate::Confirm) => "waiting for a confirmation".to_owned(),
        Some(Gate::Unresolved) => "waiting for a verdict on interrupted tasks".to_owned(),
        Some(Gate::Failure) => "paused because a target of the batch failed".to_owned(),
        Some(Gate::Soak { .. }) | None => job.state.to_string(),
    };
    let refusal = Refusal::new(Code::Illegal, format!("cannot {} job {}: it is {state}", word(operation), job.id));
    if legal.is_empty() {
        refusal.hint("nothing can be done to it now but wait")
    } else {
        refusal.hint(format!("what can be done now: {}", legal.join(", ")))
    }
}

fn word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Pause => "pause",
        Operation::Resume => "resume",
        Operation::Cancel { .. } => "cancel",
        Operation::Retry { .. } => "retry",
        Operation::Confirm => "confirm",
        Operation::Reject => "reject",
        Operation::Skip { .. } => "skip",
        Operation::Ignore { .. } => "ignore",
        Operation::Resolve { .. } => "resolve",
        Operation::Parallel { .. } => "amend",
    }
}

fn stop(job: &Job, by: String, reason: &str) -> Vec<Fact> {
    let reason = if reason.is_empty() { format!("cancelled by {by}") } else { format!("cancelled by {by}: {reason}") };
    let mut facts = vec![Fact::StopRequested { end: JobState::Cancelled, by: Some(by), reason }];
    let live = tasks_where(job, |task| matches!(task.state, TaskState::Granted | TaskState::Running));
    if !live.is_empty() {
        facts.push(Fact::StopsRequested { tasks: live });
    }
    facts
}

fn amend(job: &Job, parallel: u32, by: String) -> Result<Vec<Fact>, Refusal> {
    let group = job.layout.stages.get(job.stage as usize).map(|stage| stage.group);
    match group {
        Some(group) if (1..=100_000).contains(&parallel) => Ok(vec![Fact::ParallelAmended { group, parallel, by }]),
        Some(_) => Err(Refusal::new(Code::Invalid, format!("parallel is {parallel}, and must be 1 to 100000"))),
        None => Err(Refusal::new(Code::Illegal, format!("job {} has no stage left to amend", job.id))),
    }
}

fn tasks_where(job: &Job, wanted: impl Fn(&Task) -> bool) -> Vec<TaskIx> {
    job.tasks.iter().enumerate().filter(|(_, task)| wanted(task)).map(|(index, _)| TaskIx(index as u32)).collect()
}

/// Tasks that a retry sets back. Tasks that wait already need nothing.
fn retriable(job: &Job, what: &RetryWhat, targets: &[u32]) -> Result<Vec<TaskIx>, Refusal> {
    let wanted = |task: &Task| match (what, task.state) {
        (RetryWhat::All, TaskState::Done(verdict)) => verdict != Verdict::Succeeded,
        (RetryWhat::Failed | RetryWhat::Targets(_), TaskState::Done(verdict)) => {
            matches!(verdict, Verdict::Failed | Verdict::Aborted | Verdict::Cancelled)
        }
        (RetryWhat::All | RetryWhat::Failed | RetryWhat::Targets(_), TaskState::Unresolved) => true,
        (
            RetryWhat::All | RetryWhat::Failed | RetryWhat::Targets(_),
            TaskState::Waiting | TaskState::Granted | TaskState::Running | TaskState::Stopping,
        ) => false,
    };
    let tasks = match what {
        RetryWhat::All | RetryWhat::Failed => tasks_where(job, wanted),
        RetryWhat::Targets(_) => targets
            .iter()
            .flat_map(|target| job.layout.tasks_of_target(&job.plan, *target))
            .filter(|task| job.task(*task).is_some_and(wanted))
            .collect(),
    };
    if tasks.is_empty() {
        let refusal = Refusal::new(Code::Illegal, format!("nothing to retry in job {}", job.id));
        return Err(refusal.hint("only what failed, was stopped or never started is retried; successes are left alone"));
    }
    Ok(tasks)
}

/// An operator's verdict on targets: on each of a target's tasks that it can apply to. Where a failure is ignored, what was
/// left out because of it is skipped, so that it does not fail the job either.
fn decide_tasks(job: &Job, targets: &[u32], verdict: Verdict, by: &str) -> Result<Vec<Fact>, Refusal> {
    let may = |task: &Task| match (verdict, task.state) {
        (
            Verdict::Skipped,
            TaskState::Waiting
            | TaskState::Unresolved
            | TaskState::Done(Verdict::Failed | Verdict::Aborted | Verdict::Cancelled),
        ) => true,
        (Verdict::Ignored, TaskState::Unresolved | TaskState::Done(Verdict::Failed)) => true,
        (Verdict::Succeeded | Verdict::Failed, TaskState::Unresolved) => true,
        (
            Verdict::Skipped
            | Verdict::Ignored
            | Verdict::Succeeded
            | Verdict::Failed
            | Verdict::Cancelled
            | Verdict::Aborted,
            TaskState::Waiting
            | TaskState::Unresolved
            | TaskState::Granted
            | TaskState::Running
            | TaskState::Stopping
            | TaskState::Done(_),
        ) => false,
    };
    let mut facts = Vec::new();
    for target in targets {
        let before = facts.len();
        let tasks: Vec<TaskIx> = job.layout.tasks_of_target(&job.plan, *target).collect();
        let running = tasks.iter().any(|task| job.task(*task).is_some_and(|task| task.state.is_live()));
        if !running {
            let chosen = tasks.iter().copied().filter(|task| job.task(*task).is_some_and(may));
            facts.extend(chosen.map(|task| decided(task, verdict, by)));
            if verdict == Verdict::Ignored && facts.len() > before && !job.state.is_final() {
                let left_out = |task: &Task| task.state == TaskState::Done(Verdict::Aborted);
                let chosen = tasks.into_iter().filter(|task| job.task(*task).is_some_and(left_out));
                facts.extend(chosen.map(|task| decided(task, Verdict::Skipped, by)));
            }
        }
        if facts.len() == before {
            let name = job.plan.target(*target).map_or("?", |target| target.name.as_str());
            let why_not = match verdict {
                Verdict::Skipped => "runs or has succeeded",
                Verdict::Ignored => "has not failed",
                Verdict::Succeeded | Verdict::Failed | Verdict::Cancelled | Verdict::Aborted => "was not interrupted",
            };
            let refusal = Refusal::new(Code::Illegal, format!("target `{name}` of job {} {why_not}", job.id));
            return Err(refusal.hint(format!("`autoexec explain {} {name}` tells how it stands", job.id)));
        }
    }
    Ok(facts)
}

fn decided(task: TaskIx, verdict: Verdict, by: &str) -> Fact {
    Fact::TaskDecided { task, verdict, by: by.to_owned(), outputs: Map::new() }
}
