//! Transitions of a job. Every legal pair of state and fact is here; any other is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use autoexec_model::event::{Event, Fact, Gate, Submitted};
use autoexec_model::id::{JobId, UnixMillis};
use autoexec_model::plan::Plan;
use autoexec_model::state::JobState;

use super::Illegal;
use crate::layout::Layout;
use crate::state::{End, Exceeded, Job, State, Tally, Task};

pub(super) fn submit(state: &mut State, id: JobId, submitted: &Submitted, plan: Arc<Plan>, at: UnixMillis) {
    let layout = Layout::of(&plan);
    let tallies = layout.cells.iter().map(|cell| Tally { waiting: cell.len, ..Tally::default() }).collect();
    let job = Job {
        id,
        submitted: submitted.clone(),
        tasks: vec![Task::untouched(); layout.tasks() as usize],
        plan,
        layout: Arc::new(layout),
        state: JobState::Queued,
        stage: 0,
        begun: false,
        gate: None,
        passed: BTreeSet::new(),
        end: None,
        exceeded: Vec::new(),
        tallies,
        parallel: BTreeMap::new(),
        revision: 1,
        created_at: at,
        started_at: None,
        finished_at: None,
    };
    state.next_job = state.next_job.max(id.0 + 1);
    if let Some(key) = &submitted.idempotency_key {
        state.keys.insert(key.clone(), id);
    }
    state.jobs.insert(id, job);
}

/// Facts that change the job alone.
pub(super) fn change(job: &mut Job, event: &Event, name: &'static str) -> Result<(), Illegal> {
    let next = next_state(job, &event.fact).ok_or_else(|| Illegal::job(name, job))?;
    match &event.fact {
        Fact::JobStarted => job.started_at = Some(event.at),
        Fact::BudgetExceeded { group, class, count, limit } => {
            job.exceeded.push(Exceeded { group: *group, class: *class, count: *count, limit: *limit });
        }
        Fact::GateHeld { gate, .. } => job.gate = Some(*gate),
        Fact::GatePassed { stage, .. } => {
            job.gate = None;
            job.passed.insert(*stage);
        }
        Fact::JobResumed { .. } => {
            if job.gate == Some(Gate::Failure) {
                job.gate = None;
                job.passed.insert(job.stage);
            }
        }
        Fact::StopRequested { end, reason, .. } => {
            job.gate = None;
            job.end = Some(End { state: *end, reason: reason.clone() });
        }
        Fact::ParallelAmended { group, parallel, .. } => {
            job.parallel.insert(*group, *parallel);
        }
        Fact::PauseRequested { .. } | Fact::JobPaused => {}
        Fact::JobSubmitted(_)
        | Fact::StageStarted { .. }
        | Fact::TasksGranted { .. }
        | Fact::AttemptsStarted { .. }
        | Fact::AttemptFinished { .. }
        | Fact::AttemptInterrupted { .. }
        | Fact::LeasesEnded { .. }
        | Fact::StopsRequested { .. }
        | Fact::JobFinished { .. }
        | Fact::TasksRetried { .. }
        | Fact::TaskDecided { .. }
        | Fact::SchedulerStarted { .. }
        | Fact::RunnerConnected { .. }
        | Fact::RunnerDisconnected { .. } => {}
    }
    job.state = next;
    Ok(())
}

/// The state that follows; none when the pair is illegal.
fn next_state(job: &Job, fact: &Fact) -> Option<JobState> {
    use JobState::{Cancelled, Paused, Pausing, Queued, Running, Scheduled, Stopping, Waiting};
    let state = job.state;
    match fact {
        Fact::JobStarted => matches!(state, Queued | Scheduled).then_some(Running),
        Fact::BudgetExceeded { .. } | Fact::ParallelAmended { .. } => (!state.is_final()).then_some(state),
        Fact::GateHeld { stage, .. } | Fact::GatePassed { stage, .. } if *stage != job.stage => None,
        Fact::GateHeld { gate, .. } => match (state, gate) {
            (Running, Gate::Soak { .. }) => Some(Running),
            (Running, Gate::Confirm | Gate::Unresolved) => Some(Waiting),
            (Running, Gate::Failure) => Some(Paused),
            _ => None, // not our enum: a pair; every other state cannot be held
        },
        Fact::GatePassed { .. } => (job.gate.is_some() && matches!(state, Running | Waiting)).then_some(Running),
        Fact::PauseRequested { .. } => matches!(state, Running).then_some(Pausing),
        Fact::JobPaused => matches!(state, Pausing).then_some(Paused),
        Fact::JobResumed { .. } => matches!(state, Paused | Pausing).then_some(Running),
        Fact::StopRequested { end, .. } => {
            let again = state == Stopping && *end == Cancelled;
            (again || matches!(state, Scheduled | Queued | Running | Waiting | Pausing | Paused)).then_some(Stopping)
        }
        Fact::JobSubmitted(_)
        | Fact::StageStarted { .. }
        | Fact::TasksGranted { .. }
        | Fact::AttemptsStarted { .. }
        | Fact::AttemptFinished { .. }
        | Fact::AttemptInterrupted { .. }
        | Fact::LeasesEnded { .. }
        | Fact::StopsRequested { .. }
        | Fact::JobFinished { .. }
        | Fact::TasksRetried { .. }
        | Fact::TaskDecided { .. }
        | Fact::SchedulerStarted { .. }
        | Fact::RunnerConnected { .. }
        | Fact::RunnerDisconnected { .. } => None,
    }
}
