//! How one target stands: the sum of its tasks.

use autoexec_model::id::TaskIx;
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::state::TaskState;

use crate::state::Job;

/// How a target stands, and the task that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The state of the task that matters most.
    pub state: TaskState,
    /// That task; none when the target has no task at all.
    pub task: Option<TaskIx>,
}

impl Standing {
    /// The class of the outcome that decided it, when an attempt ended.
    pub fn class(&self, job: &Job) -> Option<OutcomeClass> {
        let task = self.task.and_then(|task| job.task(task))?;
        match task.state {
            TaskState::Done(Verdict::Succeeded) => Some(OutcomeClass::Succeeded),
            TaskState::Done(Verdict::Failed) | TaskState::Unresolved => task.failure_class(),
            TaskState::Done(Verdict::Ignored | Verdict::Cancelled) => {
                task.report.as_ref().map(|report| report.outcome.class())
            }
            TaskState::Done(Verdict::Skipped | Verdict::Aborted)
            | TaskState::Waiting
            | TaskState::Granted
            | TaskState::Running
            | TaskState::Stopping => None,
        }
    }
}

/// How the subjects of a job stand: its targets, or its once-only tasks when it has no target.
pub fn subject_standings(job: &Job) -> Vec<Standing> {
    if job.plan.targets.is_empty() {
        return (0..job.tasks.len() as u32).map(|task| standing(job, &[TaskIx(task)])).collect();
    }
    (0..job.plan.targets.len() as u32)
        .map(|target| standing_of(job, job.layout.tasks_of_target(&job.plan, target)))
        .collect()
}

/// How these tasks of one target stand together.
pub fn standing(job: &Job, tasks: &[TaskIx]) -> Standing {
    standing_of(job, tasks.iter().copied())
}

/// How a target stands as far as one group is concerned.
pub fn standing_in_group(job: &Job, group: u32, target: u32) -> Standing {
    let tasks = job.layout.tasks_of_target(&job.plan, target);
    standing_of(job, tasks.filter(|task| job.layout.cell(*task).is_some_and(|cell| cell.group == group)))
}

fn standing_of(job: &Job, tasks: impl Iterator<Item = TaskIx>) -> Standing {
    let mut best: Option<(u8, Standing)> = None;
    for task in tasks {
        let Some(known) = job.task(task) else { continue };
        let rank = rank(known.state);
        // Of equals the later task speaks: the last phase that succeeded, the phase that comes next is the first that waits.
        let wins =
            best.as_ref().is_none_or(|(held, _)| rank > *held || (rank == *held && known.state != TaskState::Waiting));
        if wins {
            best = Some((rank, Standing { state: known.state, task: Some(task) }));
        }
    }
    best.map_or(Standing { state: TaskState::Done(Verdict::Skipped), task: None }, |(_, standing)| standing)
}

fn rank(state: TaskState) -> u8 {
    match state {
        TaskState::Granted | TaskState::Running | TaskState::Stopping => 8,
        TaskState::Unresolved => 7,
        TaskState::Done(Verdict::Failed) => 6,
        TaskState::Waiting => 5,
        TaskState::Done(Verdict::Cancelled) => 4,
        TaskState::Done(Verdict::Aborted) => 3,
        TaskState::Done(Verdict::Ignored) => 2,
        TaskState::Done(Verdict::Succeeded) => 1,
        TaskState::Done(Verdict::Skipped) => 0,
    }
}
