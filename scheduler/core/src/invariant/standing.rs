//! Invariants of one state.

use autoexec_model::event::Gate;
use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::state::{JobState, TaskState};

use super::{Rule, Violation};
use crate::explain::{ReasonCode, explain_job, explain_task};
use crate::layout::Cell;
use crate::state::{Job, State, Tally, Task};

/// What does not hold in a state; empty when all is well.
pub fn check(state: &State) -> Vec<Violation> {
    let mut found = Vec::new();
    for job in state.jobs.values() {
        let mut say = |rule, what| found.push(Violation { rule, job: Some(job.id), what });
        leases(state, job, &mut say);
        tallies(job, &mut say);
        final_job(job, &mut say);
        gate(job, &mut say);
        reasons(state, job, &mut say);
    }
    runners(state, &mut found);
    found
}

/// What moves by itself in a state that should not: the driver has asked until nothing more happened, and yet a job or a
/// task of it says that the scheduler is about to move it on.
pub fn check_settled(state: &State, now: UnixMillis) -> Vec<Violation> {
    let mut found = Vec::new();
    for job in state.jobs.values().filter(|job| !job.state.is_final()) {
        let mut say = |what| found.push(Violation { rule: Rule::NoTaskWaitsWithoutReason, job: Some(job.id), what });
        let code = explain_job(state, job, now).code;
        if matches!(code, ReasonCode::Advancing | ReasonCode::Queued) {
            say(format!("the job stands still as {}", code.word()));
        }
        for task in first_waiting(job) {
            let advancing = explain_task(state, job, task, now).is_none_or(|why| why.code == ReasonCode::Advancing);
            if advancing {
                say(format!("task {task} waits and nothing holds it"));
            }
        }
    }
    found
}

fn leases(state: &State, job: &Job, say: &mut impl FnMut(Rule, String)) {
    for (index, task) in job.tasks.iter().enumerate().filter(|(_, task)| task.state.is_live()) {
        let holder = task.runner.and_then(|runner| state.runner(runner));
        if holder.is_none() || task.n == 0 || task.epoch.0 == 0 || task.fresh {
            say(Rule::OneLiveLeasePerTask, format!("task {index} is {} without a whole lease", task.state));
        }
        let begun = task.started_at.is_some();
        let fits = match task.state {
            TaskState::Granted => !begun,
            TaskState::Running => begun,
            TaskState::Stopping | TaskState::Waiting | TaskState::Unresolved | TaskState::Done(_) => true,
        };
        if !fits {
            say(Rule::AttemptStartedAtMostOnce, format!("task {index} is {} and begun is {begun}", task.state));
        }
    }
}

fn tallies(job: &Job, say: &mut impl FnMut(Rule, String)) {
    if job.tallies.len() != job.layout.cells.len() || job.tasks.len() != job.layout.tasks() as usize {
        say(Rule::TalliesMatchTasks, "there is not one tally for each cell and one task for each place".to_owned());
    }
    for (index, (cell, tally)) in job.layout.cells.iter().zip(&job.tallies).enumerate() {
        let mut counted = Tally { hint: tally.hint, ..Tally::default() };
        tasks_of(job, cell).for_each(|(_, task)| counted.count(task, true));
        if counted != *tally {
            say(Rule::TalliesMatchTasks, format!("cell {index} counts {tally:?}, its tasks are {counted:?}"));
        }
        let first = tasks_of(job, cell).position(|(_, task)| task.state == TaskState::Waiting);
        if first.is_some_and(|first| (first as u32) < tally.hint) {
            say(Rule::TalliesMatchTasks, format!("cell {index} has a waiting task before its hint {}", tally.hint));
        }
    }
}

fn final_job(job: &Job, say: &mut impl FnMut(Rule, String)) {
    if !job.state.is_final() {
        return;
    }
    let open = job.tasks.iter().filter(|task| task.state.is_live() || task.state == TaskState::Waiting).count();
    if open > 0 || job.gate.is_some() || job.finished_at.is_none() {
        say(Rule::DoneIsFinal, format!("it is {} with open tasks ({open}), a gate, or without an end", job.state));
    }
}

fn gate(job: &Job, say: &mut impl FnMut(Rule, String)) {
    let fits = match (job.state, job.gate) {
        (JobState::Waiting, Some(Gate::Confirm | Gate::Unresolved)) => true,
        (JobState::Waiting, Some(Gate::Soak { .. } | Gate::Failure) | None) => false,
        (JobState::Paused, Some(Gate::Failure)) => true,
        (JobState::Running | JobState::Pausing | JobState::Paused, Some(Gate::Soak { .. }) | None) => true,
        (JobState::Running | JobState::Pausing, Some(Gate::Confirm | Gate::Failure | Gate::Unresolved))
        | (JobState::Paused, Some(Gate::Confirm | Gate::Unresolved)) => false,
        (
            JobState::Scheduled
            | JobState::Queued
            | JobState::Stopping
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Aborted,
            gate,
        ) => gate.is_none(),
    };
    if !fits {
        say(Rule::GateFitsState, format!("it is {} and its gate is {:?}", job.state, job.gate));
    }
}

fn reasons(state: &State, job: &Job, say: &mut impl FnMut(Rule, String)) {
    // Only the sentence is looked at, so the instant does not matter.
    let now = UnixMillis(0);
    for task in first_waiting(job) {
        if explain_task(state, job, task, now).is_none_or(|why| why.sentence.is_empty()) {
            say(Rule::NoTaskWaitsWithoutReason, format!("task {task} waits without a reason"));
        }
    }
}

fn runners(state: &State, found: &mut Vec<Violation>) {
    for (index, runner) in state.runners.iter().enumerate() {
        let holds = |task: &&Task| task.state.is_live() && task.runner.map(usize::from) == Some(index);
        let live = state.jobs.values().flat_map(|job| &job.tasks).filter(holds).count();
        if live != runner.live as usize {
            let what = format!("runner `{}` counts {} tasks and holds {live}", runner.id, runner.live);
            found.push(Violation { rule: Rule::RunnerLiveCountsMatch, job: None, what });
        }
    }
}

/// The first waiting task of each cell: tasks of one cell wait for the same reason.
fn first_waiting(job: &Job) -> impl Iterator<Item = TaskIx> + '_ {
    job.layout.cells.iter().filter_map(|cell| {
        tasks_of(job, cell).find(|(_, task)| task.state == TaskState::Waiting).map(|(index, _)| index)
    })
}

fn tasks_of<'a>(job: &'a Job, cell: &Cell) -> impl Iterator<Item = (TaskIx, &'a Task)> + use<'a> {
    (cell.first..cell.first + cell.len).map(TaskIx).filter_map(|task| Some((task, job.task(task)?)))
}
