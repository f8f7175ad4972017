//! Why a job is where it is.

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::event::Gate;
use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::outcome::Verdict;
use autoexec_model::state::{JobState, TaskState};

use super::next::{cancel, commands, ignore, resolve, retry, retry_failed, selector};
use super::reason::{Reason, ReasonCode};
use super::runners::{self, left};
use super::stage;
use crate::state::{Job, Runner, State, Task};
use crate::view;

pub(super) fn reason(state: &State, job: &Job, now: UnixMillis) -> Reason {
    match (job.state, job.gate) {
        (JobState::Scheduled, _) => {
            let sentence = "it starts at a later time".to_owned();
            Reason::new(ReasonCode::Scheduled, sentence).next(commands(job, &[cancel()]))
        }
        (JobState::Queued, _) => {
            let sentence = "it was accepted and begins at the scheduler's next turn".to_owned();
            Reason::new(ReasonCode::Queued, sentence).next(commands(job, &[cancel()]))
        }
        (JobState::Running | JobState::Waiting, Some(gate)) => gate_reason(job, gate, now),
        (JobState::Running | JobState::Waiting, None) => running(state, job, now),
        (JobState::Paused, gate) => paused(job, gate, now),
        (JobState::Pausing, _) => {
            let sentence = format!("a person paused it; {}", unfinished(state, job, now));
            Reason::new(ReasonCode::Pausing, sentence).next(commands(job, &[Operation::Resume, cancel()]))
        }
        (JobState::Stopping, _) => stopping(state, job, now),
        (JobState::Succeeded, _) => succeeded(job),
        (JobState::Failed | JobState::Cancelled | JobState::Aborted, _) => ended(job),
    }
}

/// Why a paused job is paused: a gate, or a person, whatever gate it stood at.
pub(super) fn paused(job: &Job, gate: Option<Gate>, now: UnixMillis) -> Reason {
    match gate {
        Some(Gate::Failure) => gate_reason(job, Gate::Failure, now),
        Some(Gate::Soak { .. } | Gate::Confirm | Gate::Unresolved) | None => {
            let sentence = "a person paused the job; nothing new is started".to_owned();
            Reason::new(ReasonCode::Paused, sentence).next(commands(job, &[Operation::Resume, cancel()]))
        }
    }
}

/// Why a gate holds the job; tasks behind it wait for the same reason.
pub(super) fn gate_reason(job: &Job, gate: Gate, now: UnixMillis) -> Reason {
    let done = stage::current(job).map_or_else(|| "its work".to_owned(), |at| stage::batch(job, at.group, at.batch));
    match gate {
        Gate::Soak { until } => {
            let sentence = format!("{done} is over and soaks for another {}", left(until, now));
            Reason::new(ReasonCode::GateSoak, sentence)
        }
        Gate::Confirm => {
            let sentence = format!("{done} is over; the next batch waits for a confirmation");
            let next = commands(job, &[Operation::Confirm, Operation::Reject, cancel()]);
            Reason::new(ReasonCode::GateConfirm, sentence).next(next)
        }
        Gate::Failure => {
            let failed = batch_failures(job);
            let (sentence, operations) = if failed.is_empty() {
                let sentence =
                    format!("targets of {done} failed; a person has dealt with them, and the job waits to be resumed");
                (sentence, vec![Operation::Resume, cancel()])
            } else {
                let sentence = format!("{failed} failed in {done}, and the group pauses then");
                (sentence, vec![Operation::Resume, retry(&failed), ignore(&failed), cancel()])
            };
            Reason::new(ReasonCode::GateFailure, sentence).next(commands(job, &operations))
        }
        Gate::Unresolved => unresolved(job),
    }
}

/// Targets that failed in the batch of the current stage, folded.
fn batch_failures(job: &Job) -> String {
    let Some(at) = stage::current(job) else { return String::new() };
    let cells = job.layout.cells.iter().filter(|cell| cell.group == at.group && cell.batch == at.batch);
    let failed = cells.flat_map(|cell| (cell.first..cell.first + cell.len).map(TaskIx)).filter(|task| {
        job.task(*task)
            .is_some_and(|task| matches!(task.state, TaskState::Done(Verdict::Failed) | TaskState::Unresolved))
    });
    view::fold(job, failed.filter_map(|task| job.layout.target(&job.plan, task)))
}

fn unresolved(job: &Job) -> Reason {
    let open: Vec<TaskIx> = tasks_in(job, |task| task.state == TaskState::Unresolved).collect();
    let targets = view::fold(job, open.iter().filter_map(|task| job.layout.target(&job.plan, *task)));
    let once = open.iter().any(|task| job.layout.target(&job.plan, *task).is_none());
    let (who, operations) = match (targets.is_empty(), once) {
        (false, false) => {
            (targets.clone(), vec![resolve(&targets, true), resolve(&targets, false), retry(&targets), cancel()])
        }
        (false, true) => {
            (format!("{targets} and a phase that runs once"), vec![resolve(&targets, true), retry_failed(), cancel()])
        }
        (true, true | false) => ("a phase that runs once".to_owned(), vec![retry_failed(), cancel()]),
    };
    let sentence = format!("{who} was started, then the evidence was lost; a person must say how it ended");
    Reason::new(ReasonCode::Unresolved, sentence).next(commands(job, &operations))
}

fn running(state: &State, job: &Job, now: UnixMillis) -> Reason {
    let advancing = || Reason::new(ReasonCode::Advancing, "the scheduler moves it on in this turn".to_owned());
    let Some(at) = stage::current(job).filter(|_| job.begun) else { return advancing() };
    let (waiting, live, unresolved) = stage::open(job);
    if live == 0 {
        return match runners::shortage(state, now) {
            Some(reason) if waiting > 0 => reason,
            Some(_) | None => advancing(),
        };
    }
    let holders = holders(state, job);
    if let Some(runner) = holders.first().filter(|_| holders.iter().all(|runner| !runner.connected)) {
        return runners::away(runner, now, "every task that runs is held by a runner that is away; ");
    }
    let place = stage::batch(job, at.group, at.batch);
    let more = |count: u32, word: &str| if count > 0 { format!(", {count} {word}") } else { String::new() };
    let (waiting, unresolved) = (more(waiting, "waiting"), more(unresolved, "unresolved"));
    let sentence = format!("{place} is in phase {}: {live} running{waiting}{unresolved}", stage::phases(job));
    Reason::new(ReasonCode::Running, sentence)
}

fn stopping(state: &State, job: &Job, now: UnixMillis) -> Reason {
    let why = job.end.as_ref().map_or("it was asked to end", |end| end.reason.as_str());
    let sentence = format!("{why}; {}", unfinished(state, job, now));
    Reason::new(ReasonCode::Stopping, sentence).next(commands(job, &[cancel()]))
}

/// What a pausing or stopping job still waits for.
fn unfinished(state: &State, job: &Job, now: UnixMillis) -> String {
    let live = job.live();
    let tasks = if live == 1 { "1 task has".to_owned() } else { format!("{live} tasks have") };
    let away: Vec<String> = holders(state, job)
        .into_iter()
        .filter(|runner| !runner.connected)
        .map(|runner| format!("runner `{}` has been away for {}", runner.id, runners::lasted(runner.since, now)))
        .collect();
    let away = if away.is_empty() { String::new() } else { format!(" ({})", away.join(", ")) };
    format!("{tasks} not ended yet{away}")
}

/// The runners that hold tasks of the job.
fn holders<'a>(state: &'a State, job: &Job) -> Vec<&'a Runner> {
    let holds =
        |index: usize| job.tasks.iter().any(|task| task.state.is_live() && task.runner.map(usize::from) == Some(index));
    state.runners.iter().enumerate().filter(|(index, _)| holds(*index)).map(|(_, runner)| runner).collect()
}

fn succeeded(job: &Job) -> Reason {
    let ignored: u32 = job.tallies.iter().map(|tally| tally.with(Verdict::Ignored)).sum();
    if ignored > 0 {
        let sentence = format!("everything is done; failures that do not count: {ignored}");
        let again = Operation::Retry { what: RetryWhat::All };
        return Reason::new(ReasonCode::Done, sentence).next(commands(job, &[again]));
    }
    Reason::new(ReasonCode::Done, "everything is done".to_owned())
}

/// Why a job did not succeed.
fn ended(job: &Job) -> Reason {
    let code = match job.state {
        JobState::Cancelled => ReasonCode::Cancelled,
        JobState::Aborted if job.exceeded.is_empty() => ReasonCode::Aborted,
        JobState::Aborted => ReasonCode::BudgetExceeded,
        JobState::Scheduled
        | JobState::Queued
        | JobState::Running
        | JobState::Waiting
        | JobState::Pausing
        | JobState::Paused
        | JobState::Stopping
        | JobState::Succeeded
        | JobState::Failed => ReasonCode::Failed,
    };
    let sentence = match &job.end {
        Some(end) => end.reason.clone(),
        None => first_failure(job).unwrap_or_else(|| "not everything succeeded".to_owned()),
    };
    let unresolved = tasks_in(job, |task| task.state == TaskState::Unresolved);
    let lost = view::fold(job, unresolved.filter_map(|task| job.layout.target(&job.plan, task)));
    let mut next = Vec::new();
    if !lost.is_empty() {
        next.extend([resolve(&lost, true), resolve(&lost, false)]);
    }
    next.push(retry_failed());
    Reason::new(code, sentence).next(commands(job, &next))
}

/// `web3 failed in phase `install`: exit 3`, and how many more.
fn first_failure(job: &Job) -> Option<String> {
    let mut failed =
        tasks_in(job, |task| matches!(task.state, TaskState::Done(Verdict::Failed) | TaskState::Unresolved));
    let first = failed.next()?;
    let more = failed.count();
    let message =
        job.task(first)?.report.as_ref().map(|report| report.message.as_str()).filter(|text| !text.is_empty());
    let subject = job.subject(first);
    let subject = if job.layout.target(&job.plan, first).is_some() { selector(subject) } else { subject.to_owned() };
    let said = message.map(|text| format!(": {text}")).unwrap_or_default();
    let more = if more == 0 { String::new() } else { format!("; failures besides: {more}") };
    Some(format!("{subject} failed in phase `{}`{said}{more}", view::phase_name(job, first)))
}

fn tasks_in<'a>(job: &'a Job, wanted: impl Fn(&Task) -> bool + 'a) -> impl Iterator<Item = TaskIx> + 'a {
    job.tasks.iter().enumerate().filter(move |(_, task)| wanted(task)).map(|(index, _)| TaskIx(index as u32))
}
