//! Invariants of one step: the state before an event, the event, the state after.

use autoexec_model::event::{Event, Fact, LeaseFact};
use autoexec_model::id::TaskIx;
use autoexec_model::outcome::Verdict;
use autoexec_model::plan::BetweenMode;
use autoexec_model::state::{JobState, TaskState};

use super::{Rule, Violation};
use crate::decide::{batch_failed, gives_out, reason_to_stop};
use crate::state::{Job, State, Task};

/// What a step breaks; empty when all is well. Cheap for all events: only the job of the event is looked at.
pub fn check_step(before: &State, event: &Event, after: &State) -> Vec<Violation> {
    let Some(id) = event.job else { return Vec::new() };
    let mut found = Vec::new();
    let mut say = |rule, what| found.push(Violation { rule, job: Some(id), what });
    let (Some(old), Some(new)) = (before.jobs.get(&id), after.jobs.get(&id)) else { return Vec::new() };
    done_is_final(old, &event.fact, new, &mut say);
    match &event.fact {
        Fact::TasksGranted { leases, .. } => {
            granted(old, leases, &mut say);
            windows(new, after, leases, &mut say);
        }
        Fact::AttemptsStarted { tasks, .. } => started(old, tasks, &mut say),
        Fact::StageStarted { stage } => stage_started(old, *stage, &mut say),
        Fact::JobSubmitted(_)
        | Fact::JobStarted
        | Fact::AttemptFinished { .. }
        | Fact::AttemptInterrupted { .. }
        | Fact::LeasesEnded { .. }
        | Fact::StopsRequested { .. }
        | Fact::BudgetExceeded { .. }
        | Fact::GateHeld { .. }
        | Fact::GatePassed { .. }
        | Fact::PauseRequested { .. }
        | Fact::JobPaused
        | Fact::JobResumed { .. }
        | Fact::StopRequested { .. }
        | Fact::JobFinished { .. }
        | Fact::TasksRetried { .. }
        | Fact::TaskDecided { .. }
        | Fact::ParallelAmended { .. }
        | Fact::SchedulerStarted { .. }
        | Fact::RunnerConnected { .. }
        | Fact::RunnerDisconnected { .. } => {}
    }
    found
}

fn done_is_final(old: &Job, fact: &Fact, new: &Job, say: &mut impl FnMut(Rule, String)) {
    let retried = matches!(fact, Fact::TasksRetried { .. });
    // Whoever ignores or skips the last failure of a job that is over says that it succeeded.
    let forgiven = matches!(fact, Fact::TaskDecided { .. })
        && matches!(old.state, JobState::Failed | JobState::Aborted)
        && new.state == JobState::Succeeded;
    if old.state.is_final() && new.state != old.state && !retried && !forgiven {
        say(Rule::DoneIsFinal, format!("it was {} and is {}", old.state, new.state));
    }
    for (index, (was, is)) in old.tasks.iter().zip(&new.tasks).enumerate() {
        let asked = asked_for(fact, TaskIx(index as u32));
        let kept = match was.state {
            TaskState::Done(Verdict::Succeeded) => is.state == was.state && is.n == was.n,
            TaskState::Done(_) => asked || is.state == was.state,
            TaskState::Waiting
            | TaskState::Unresolved
            | TaskState::Granted
            | TaskState::Running
            | TaskState::Stopping => true,
        };
        if !kept {
            say(Rule::DoneIsFinal, format!("task {index} was {} and is {}", was.state, is.state));
        }
        if is.n < was.n || is.epoch < was.epoch {
            say(Rule::OneLiveLeasePerTask, format!("the attempt or the epoch of task {index} went back"));
        }
    }
}

/// Whether a person asked to change this task.
fn asked_for(fact: &Fact, ix: TaskIx) -> bool {
    if let Fact::TasksRetried { tasks, .. } = fact {
        return tasks.contains(&ix);
    }
    matches!(fact, Fact::TaskDecided { task, .. } if *task == ix)
}

fn granted(old: &Job, leases: &[LeaseFact], say: &mut impl FnMut(Rule, String)) {
    if !gives_out(old) {
        say(Rule::BudgetRespected, format!("tasks were given out while it was {}", old.state));
    }
    if let Some(stop) = reason_to_stop(old) {
        say(Rule::BudgetRespected, format!("tasks were given out while it had to stop: {stop:?}"));
    }
    for lease in leases {
        let task = lease.task;
        let Some(known) = old.task(task) else {
            say(Rule::OneLiveLeasePerTask, format!("task {task} is not there"));
            continue;
        };
        if known.state != TaskState::Waiting || lease.epoch <= known.epoch {
            let what = format!(
                "task {task} was {} with epoch {} when epoch {} was given out",
                known.state, known.epoch, lease.epoch
            );
            say(Rule::OneLiveLeasePerTask, what);
        }
        if began(known, lease.n) {
            say(
                Rule::AttemptStartedAtMostOnce,
                format!("attempt {} of task {task} was given out after it began", lease.n),
            );
        }
        let cell = old.layout.cell_index(task);
        if cell.map(|cell| old.layout.stage_of_cell(cell)) != Some(old.stage) {
            say(Rule::NextBatchOnlyAfterGates, format!("task {task} was given out and is not in stage {}", old.stage));
        }
    }
}

/// Whether this attempt of a task is known to have begun.
fn began(task: &Task, n: u32) -> bool {
    n < task.n || (n == task.n && task.started_at.is_some())
}

fn windows(new: &Job, after: &State, leases: &[LeaseFact], say: &mut impl FnMut(Rule, String)) {
    for lease in leases {
        let Some(index) = new.layout.cell_index(lease.task) else { continue };
        let (Some(cell), Some(tally)) = (new.layout.cells.get(index), new.tallies.get(index)) else { continue };
        let window = new.window(cell.group, cell.phase);
        if tally.live > window {
            say(Rule::WindowRespected, format!("{} tasks of cell {index} are live, {window} may be", tally.live));
        }
    }
    for runner in after.runners.iter().filter(|runner| runner.connected && runner.live > runner.capacity) {
        let holder = leases.iter().any(|lease| {
            let task = new.task(lease.task).and_then(|task| task.runner);
            task.and_then(|index| after.runner(index)).is_some_and(|known| known.id == runner.id)
        });
        if holder {
            let what = format!("runner `{}` holds {} and can hold {}", runner.id, runner.live, runner.capacity);
            say(Rule::WindowRespected, what);
        }
    }
}

fn started(old: &Job, tasks: &[TaskIx], say: &mut impl FnMut(Rule, String)) {
    for task in tasks {
        let may = old.task(*task).is_some_and(|known| known.state.is_live() && known.started_at.is_none());
        if !may {
            say(Rule::AttemptStartedAtMostOnce, format!("task {task} began again, or without a lease"));
        }
    }
}

fn stage_started(old: &Job, stage: u32, say: &mut impl FnMut(Rule, String)) {
    let mut broken = |what: String| say(Rule::NextBatchOnlyAfterGates, what);
    if old.state != JobState::Running || old.gate.is_some() {
        broken(format!("stage {stage} began while it was {} at gate {:?}", old.state, old.gate));
    }
    if !old.begun {
        if stage != old.stage {
            broken(format!("stage {stage} began and {} was due", old.stage));
        }
        return;
    }
    if stage != old.stage + 1 || !old.stage_over() {
        broken(format!("stage {stage} began while stage {} was not over", old.stage));
    }
    if needs_gate(old) && !old.passed.contains(&old.stage) {
        broken(format!("stage {stage} began without the gate after stage {}", old.stage));
    }
}

/// Whether a gate stands after the stage that is over.
fn needs_gate(job: &Job) -> bool {
    let Some(stage) = job.layout.stages.get(job.stage as usize).filter(|stage| stage.before_next_batch) else {
        return false;
    };
    let Some(group) = job.plan.groups.get(stage.group as usize) else { return false };
    let soaks = !group.between.soak.is_zero();
    match group.between.mode {
        BetweenMode::Confirm => true,
        BetweenMode::PauseOnFailure => soaks || batch_failed(job, stage),
        BetweenMode::Continue => soaks,
    }
}
