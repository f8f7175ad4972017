//! Which transition an event is: of the runners, of a job, or of tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use autoexec_model::event::{Event, Fact};
use autoexec_model::id::{Digest, RunnerId, UnixMillis};
use autoexec_model::plan::Plan;

use super::{Illegal, job, name_of, task};
use crate::state::{Runner, State};

/// The plans that submitted jobs name.
pub type Plans = BTreeMap<Digest, Arc<Plan>>;

/// Makes the event true.
///
/// # Errors
/// When the event does not fit the state.
pub fn apply(state: &mut State, event: &Event, plans: &Plans) -> Result<(), Illegal> {
    let name = name_of(&event.fact);
    match &event.fact {
        Fact::SchedulerStarted { .. } => {
            for runner in &mut state.runners {
                if runner.connected {
                    runner.connected = false;
                    runner.since = event.at;
                }
            }
            Ok(())
        }
        Fact::RunnerConnected { runner, capacity, labels, version } => {
            let hello = Runner {
                id: runner.clone(),
                connected: true,
                since: event.at,
                capacity: *capacity,
                live: 0,
                labels: labels.clone(),
                version: version.clone(),
            };
            connect(state, hello);
            Ok(())
        }
        Fact::RunnerDisconnected { runner } => disconnect(state, runner, event.at, name),
        Fact::JobSubmitted(submitted) => {
            let job = event.job.ok_or(Illegal::Nameless { fact: name })?;
            if state.jobs.contains_key(&job) {
                return Err(Illegal::Job { fact: name, job, state: "there already".to_owned() });
            }
            let plan =
                plans.get(&submitted.plan).ok_or_else(|| Illegal::NoPlan { job, plan: submitted.plan.clone() })?;
            job::submit(state, job, submitted, Arc::clone(plan), event.at);
            Ok(())
        }
        Fact::TasksGranted { runner, .. } | Fact::AttemptsStarted { runner, .. } => {
            let index =
                state.runner_index(runner).ok_or_else(|| Illegal::NoRunner { fact: name, runner: runner.clone() })?;
            on_job(state, event, name, Some(index))
        }
        Fact::JobStarted
        | Fact::StageStarted { .. }
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
        | Fact::ParallelAmended { .. } => on_job(state, event, name, None),
    }
}

fn connect(state: &mut State, hello: Runner) {
    match state.runners.iter_mut().find(|runner| runner.id == hello.id) {
        Some(known) => {
            let live = known.live;
            *known = Runner { live, ..hello };
        }
        None => state.runners.push(hello),
    }
}

fn disconnect(state: &mut State, id: &RunnerId, at: UnixMillis, fact: &'static str) -> Result<(), Illegal> {
    let runner = state
        .runners
        .iter_mut()
        .find(|runner| runner.id == *id)
        .ok_or_else(|| Illegal::NoRunner { fact, runner: id.clone() })?;
    if runner.connected {
        runner.connected = false;
        runner.since = at;
    }
    Ok(())
}

fn on_job(state: &mut State, event: &Event, name: &'static str, runner: Option<u16>) -> Result<(), Illegal> {
    let id = event.job.ok_or(Illegal::Nameless { fact: name })?;
    let job = state.jobs.get_mut(&id).ok_or(Illegal::NoJob { fact: name, job: id })?;
    job.revision += 1;
    let mut change = task::Change { job, runners: &mut state.runners, at: event.at, fact: name };
    match &event.fact {
        Fact::TasksGranted { leases, .. } => change.grant(leases, runner),
        Fact::AttemptsStarted { tasks, .. } => change.start(tasks),
        Fact::AttemptFinished { task, n, report } => change.finish(*task, *n, report),
        Fact::AttemptInterrupted { task, n, report, again } => change.interrupt(*task, *n, report, *again),
        Fact::LeasesEnded { tasks, .. } => change.end_leases(tasks),
        Fact::StopsRequested { tasks } => change.stop(tasks),
        Fact::TasksRetried { tasks, .. } => change.retry(tasks),
        Fact::TaskDecided { task, verdict, outputs, .. } => change.decide(*task, *verdict, outputs),
        Fact::StageStarted { stage } => change.begin_stage(*stage),
        Fact::JobFinished { state } => change.finish_job(*state),
        Fact::JobStarted
        | Fact::BudgetExceeded { .. }
        | Fact::GateHeld { .. }
        | Fact::GatePassed { .. }
        | Fact::PauseRequested { .. }
        | Fact::JobPaused
        | Fact::JobResumed { .. }
        | Fact::StopRequested { .. }
        | Fact::ParallelAmended { .. } => job::change(change.job, event, name),
        Fact::SchedulerStarted { .. }
        | Fact::RunnerConnected { .. }
        | Fact::RunnerDisconnected { .. }
        | Fact::JobSubmitted(_) => Err(Illegal::Nameless { fact: name }),
    }
}
