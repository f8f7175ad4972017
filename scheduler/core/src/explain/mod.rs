//! Why something is where it is, and what moves it on.
//!
//! Total: whatever state a job or a task is in, there is a reason with a word from a closed set ([`ReasonCode`]), a sentence
//! for people, and the commands that move it on, of which only those are named that are legal now.

mod job;
mod next;
mod reason;
mod runners;
mod stage;
mod task;

use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::view::Explanation;

pub use reason::{Reason, ReasonCode};

use crate::state::{Job, State};
use crate::view::standing;

/// Explains a job, and each of the targets that are named (indexes into its plan's targets) by its task that matters most.
/// A target that the plan does not have is left out.
pub fn explain(state: &State, job: &Job, targets: Option<&[u32]>, now: UnixMillis) -> Vec<Explanation> {
    let own = job::reason(state, job, now);
    let first = own.about(format!("job {}", job.id), job.state.to_string());
    let rest = targets.unwrap_or_default().iter().filter_map(|target| explain_target(state, job, *target, now));
    std::iter::once(first).chain(rest).collect()
}

/// Why a job is where it is.
pub fn explain_job(state: &State, job: &Job, now: UnixMillis) -> Reason {
    job::reason(state, job, now)
}

/// Why a task is where it is; none when the job has no such task.
pub fn explain_task(state: &State, job: &Job, task: TaskIx, now: UnixMillis) -> Option<Reason> {
    task::reason(state, job, task, now)
}

fn explain_target(state: &State, job: &Job, target: u32, now: UnixMillis) -> Option<Explanation> {
    let name = job.plan.target(target)?.name.clone();
    let tasks: Vec<TaskIx> = job.layout.tasks_of_target(&job.plan, target).collect();
    let standing = standing(job, &tasks);
    let reason = match standing.task {
        Some(task) => task::reason(state, job, task, now)?,
        None => Reason::new(ReasonCode::NoTask, "no phase of the job runs on it".to_owned()),
    };
    Some(reason.about(name, standing.state.to_string()))
}
