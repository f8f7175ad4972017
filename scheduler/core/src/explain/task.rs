//! Why a task is where it is.

use autoexec_model::api::Operation;
use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::outcome::Verdict;
use autoexec_model::state::{JobState, TaskState};

use super::job::{gate_reason, paused};
use super::next::{cancel, commands, ignore, resolve, retry, retry_failed, selector};
use super::reason::{Reason, ReasonCode};
use super::runners::{self, lasted};
use super::stage;
use crate::layout::Cell;
use crate::state::{Job, Runner, State, Task};
use crate::view;

pub(super) fn reason(state: &State, job: &Job, ix: TaskIx, now: UnixMillis) -> Option<Reason> {
    let task = job.task(ix)?;
    let cell = job.layout.cell(ix)?;
    Some(match task.state {
        TaskState::Waiting => waiting(state, job, ix, cell, now),
        TaskState::Unresolved => unresolved(job, ix),
        TaskState::Granted => held(state, task, now, ReasonCode::GrantedNotStarted, |runner| {
            format!("runner {runner} has it and has not begun{}", since(task.granted_at, now))
        }),
        TaskState::Running => held(state, task, now, ReasonCode::Running, |runner| {
            format!("it runs by runner {runner}{}, phase `{}`", since(task.started_at, now), stage::phase(job, cell))
        }),
        TaskState::Stopping => held(state, task, now, ReasonCode::TaskStopping, |runner| {
            format!("runner {runner} was told to stop it and has not said how it ended")
        }),
        TaskState::Done(verdict) => done(job, ix, task, verdict),
    })
}

fn waiting(state: &State, job: &Job, ix: TaskIx, cell: &Cell, now: UnixMillis) -> Reason {
    match job.state {
        JobState::Scheduled => Reason::new(ReasonCode::Scheduled, "the job starts at a later time".to_owned()),
        JobState::Queued => Reason::new(ReasonCode::Queued, "the job has not begun".to_owned()),
        JobState::Stopping => Reason::new(ReasonCode::Stopping, "the job ends, so that it is not started".to_owned()),
        JobState::Pausing => Reason::new(ReasonCode::Pausing, "the job is being paused".to_owned())
            .next(commands(job, &[Operation::Resume, cancel()])),
        JobState::Paused => paused(job, job.gate, now),
        JobState::Waiting | JobState::Running => match job.gate {
            Some(gate) => gate_reason(job, gate, now),
            None => turn(state, job, ix, cell, now),
        },
        JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Aborted => {
            Reason::new(ReasonCode::NeverStarted, "the job ended before its turn came".to_owned())
                .next(commands(job, &[retry_failed()]))
        }
    }
}

/// Why the turn of a task of a running job has not come.
fn turn(state: &State, job: &Job, ix: TaskIx, cell: &Cell, now: UnixMillis) -> Reason {
    let advancing = || Reason::new(ReasonCode::Advancing, "the scheduler moves it on in this turn".to_owned());
    let Some(index) = job.layout.cell_index(ix) else { return advancing() };
    let Some(at) = stage::current(job) else { return advancing() };
    if job.layout.stage_of_cell(index) > job.stage {
        return not_reached(job, cell, (at.group, at.batch));
    }
    if !job.begun || job.layout.stage_of_cell(index) < job.stage {
        return advancing();
    }
    let live = job.tallies.get(index).map_or(0, |tally| tally.live);
    let window = job.window(cell.group, cell.phase);
    if live >= window {
        let sentence = format!("{live} of {window} tasks of phase `{}` are in flight", stage::phase(job, cell));
        let wider = Operation::Parallel { parallel: window.saturating_mul(2) };
        let narrowed_by_phase = job.parallel.get(&cell.group).is_some_and(|group| *group > window);
        let next = if narrowed_by_phase { Vec::new() } else { commands(job, &[wider]) };
        return Reason::new(ReasonCode::WindowFull, sentence).next(next);
    }
    runners::shortage(state, now).unwrap_or_else(advancing)
}

fn not_reached(job: &Job, cell: &Cell, now_at: (u32, u32)) -> Reason {
    let (group, batch) = now_at;
    let (waiting, live, unresolved) = stage::open(job);
    let left = waiting + live + unresolved;
    let now_name = stage::batch(job, group, batch);
    if cell.group != group {
        let sentence = format!(
            "group `{}` comes after group `{}`, which is not over",
            stage::group(job, cell.group),
            stage::group(job, group)
        );
        return Reason::new(ReasonCode::GroupNotReached, sentence);
    }
    if cell.batch != batch {
        let sentence = format!("it is in {}; {now_name} is not over", stage::batch(job, cell.group, cell.batch));
        return Reason::new(ReasonCode::BatchNotReached, sentence);
    }
    let sentence = format!(
        "phase `{}` begins when {} is over on all targets of {now_name}; still open: {left}",
        stage::phase(job, cell),
        stage::phases(job)
    );
    Reason::new(ReasonCode::PhaseNotReached, sentence)
}

fn unresolved(job: &Job, ix: TaskIx) -> Reason {
    let sentence = "it was started, then the evidence was lost; a person must say how it ended".to_owned();
    let operations = match job.layout.target(&job.plan, ix) {
        Some(_) => {
            let name = selector(job.subject(ix));
            vec![resolve(&name, true), resolve(&name, false), retry(&name)]
        }
        None => vec![retry_failed(), cancel()],
    };
    Reason::new(ReasonCode::Unresolved, sentence).next(commands(job, &operations))
}

/// The reason of a task that a runner holds.
fn held(state: &State, task: &Task, now: UnixMillis, code: ReasonCode, sentence: impl Fn(String) -> String) -> Reason {
    let runner: Option<&Runner> = task.runner.and_then(|index| state.runner(index));
    match runner {
        Some(runner) if !runner.connected => {
            let begun =
                if task.started_at.is_some() { "it had begun and goes on there; " } else { "it had not begun; " };
            runners::away(runner, now, begun)
        }
        Some(runner) => Reason::new(code, sentence(format!("`{}`", runner.id))),
        None => Reason::new(code, sentence("that is not known".to_owned())),
    }
}

fn since(at: Option<UnixMillis>, now: UnixMillis) -> String {
    at.map_or_else(String::new, |at| format!(" for {}", lasted(at, now)))
}

fn done(job: &Job, ix: TaskIx, task: &Task, verdict: Verdict) -> Reason {
    let phase = view::phase_name(job, ix);
    let said = task
        .report
        .as_ref()
        .map(|report| if report.message.is_empty() { report.outcome.to_string() } else { report.message.clone() });
    let again = || match job.layout.target(&job.plan, ix) {
        Some(_) => retry(&selector(job.subject(ix))),
        None => retry_failed(),
    };
    match verdict {
        Verdict::Succeeded => Reason::new(ReasonCode::Done, format!("phase `{phase}` succeeded")),
        Verdict::Failed => {
            let what = said.unwrap_or_else(|| "an operator said so".to_owned());
            let mut operations = vec![again()];
            if job.layout.target(&job.plan, ix).is_some() {
                operations.push(ignore(&selector(job.subject(ix))));
            }
            Reason::new(ReasonCode::Failed, format!("phase `{phase}` failed: {what}")).next(commands(job, &operations))
        }
        Verdict::Ignored => {
            let what = said.unwrap_or_else(|| "an operator said so".to_owned());
            Reason::new(ReasonCode::Ignored, format!("phase `{phase}` failed and that does not count: {what}"))
        }
        Verdict::Skipped => {
            let by = if task.n > 0 && task.report.is_some() { "a condition or an operator" } else { "an operator" };
            Reason::new(ReasonCode::Skipped, format!("{by} said that phase `{phase}` is not run"))
        }
        Verdict::Cancelled | Verdict::Aborted => not_run(job, ix, task, verdict).next(commands(job, &[again()])),
    }
}

/// Why a task is over without having come to its own end.
fn not_run(job: &Job, ix: TaskIx, task: &Task, verdict: Verdict) -> Reason {
    let phase = view::phase_name(job, ix);
    let target = job.layout.target(&job.plan, ix);
    let earlier = target.and_then(|target| {
        job.layout
            .tasks_of_target(&job.plan, target)
            .take_while(|earlier| *earlier != ix)
            .find(|earlier| job.task(*earlier).is_some_and(ended_badly))
    });
    if let Some(earlier) = earlier {
        let sentence = format!(
            "phase `{phase}` is not run because phase `{}` did not succeed on it",
            view::phase_name(job, earlier)
        );
        return Reason::new(ReasonCode::DroppedEarlier, sentence);
    }
    let why = view::reason(job);
    let why = if why.is_empty() { "the job ended".to_owned() } else { why };
    if !was_stopped(task) {
        return Reason::new(ReasonCode::NeverStarted, format!("phase `{phase}` never began: {why}"));
    }
    let code = if verdict == Verdict::Cancelled { ReasonCode::Cancelled } else { ReasonCode::Aborted };
    Reason::new(code, format!("phase `{phase}` was stopped: {why}"))
}

/// Whether an attempt of it ended in a way that leaves its target out of what follows.
fn ended_badly(task: &Task) -> bool {
    match task.state {
        TaskState::Unresolved | TaskState::Done(Verdict::Failed) => true,
        TaskState::Done(Verdict::Cancelled | Verdict::Aborted) => was_stopped(task),
        TaskState::Waiting
        | TaskState::Granted
        | TaskState::Running
        | TaskState::Stopping
        | TaskState::Done(Verdict::Succeeded | Verdict::Ignored | Verdict::Skipped) => false,
    }
}

/// Whether its verdict is that of an attempt, and not of a job that ended before its turn.
fn was_stopped(task: &Task) -> bool {
    task.report.as_ref().is_some_and(|report| task.state == TaskState::Done(report.verdict))
}
