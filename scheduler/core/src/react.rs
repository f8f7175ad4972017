//! What the outside must do because of a fact, and what is still owed after a restart.
//!
//! `react` follows one event; `outstanding` works from the state alone. What `react` asks for live, `outstanding` asks for
//! again after a crash, so every effect is harmless when it is done twice.

use autoexec_model::event::{Event, Fact, Gate, LeaseFact};
use autoexec_model::id::TaskIx;
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, UnixMillis};
use autoexec_model::state::TaskState;
use std::collections::BTreeMap;

use crate::state::{Job, State};

/// Something that the outside must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send leases of one job to a runner.
    Grant {
        /// To whom.
        runner: RunnerId,
        /// Of which job.
        job: JobId,
        /// Which.
        leases: Vec<LeaseFact>,
    },
    /// Tell a runner to stop an attempt.
    Stop {
        /// Whom.
        runner: RunnerId,
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
    },
    /// Look again at this instant.
    WakeAt {
        /// When.
        at: UnixMillis,
    },
    /// The job is over: its secrets are dropped and it may be forgotten by those who held something for it.
    JobOver {
        /// Which.
        job: JobId,
    },
}

/// What the outside must do because of an event that has just been applied.
pub fn react(state: &State, event: &Event) -> Vec<Effect> {
    match (&event.fact, event.job) {
        (Fact::TasksGranted { runner, leases }, Some(job)) => {
            vec![Effect::Grant { runner: runner.clone(), job, leases: leases.clone() }]
        }
        (Fact::StopsRequested { tasks }, Some(job)) => state
            .jobs
            .get(&job)
            .map(|job| tasks.iter().filter_map(|task| stop(state, job, *task)).collect())
            .unwrap_or_default(),
        (Fact::GateHeld { gate: Gate::Soak { until }, .. }, _) => vec![Effect::WakeAt { at: *until }],
        (Fact::JobFinished { .. }, Some(job)) => vec![Effect::JobOver { job }],
        (
            Fact::TasksGranted { .. }
            | Fact::StopsRequested { .. }
            | Fact::GateHeld { .. }
            | Fact::JobFinished { .. }
            | Fact::JobSubmitted(_)
            | Fact::JobStarted
            | Fact::StageStarted { .. }
            | Fact::AttemptsStarted { .. }
            | Fact::AttemptFinished { .. }
            | Fact::AttemptInterrupted { .. }
            | Fact::LeasesEnded { .. }
            | Fact::BudgetExceeded { .. }
            | Fact::GatePassed { .. }
            | Fact::PauseRequested { .. }
            | Fact::JobPaused
            | Fact::JobResumed { .. }
            | Fact::StopRequested { .. }
            | Fact::TasksRetried { .. }
            | Fact::TaskDecided { .. }
            | Fact::ParallelAmended { .. }
            | Fact::SchedulerStarted { .. }
            | Fact::RunnerConnected { .. }
            | Fact::RunnerDisconnected { .. },
            _,
        ) => Vec::new(),
    }
}

/// What is still owed, from the state alone: leases that runners must know, stops, and instants to wake at.
pub fn outstanding(state: &State) -> Vec<Effect> {
    state.jobs.values().filter(|job| !job.state.is_final()).flat_map(|job| owed(state, job)).collect()
}

fn owed(state: &State, job: &Job) -> Vec<Effect> {
    let mut grants: BTreeMap<(u16, usize), Vec<LeaseFact>> = BTreeMap::new();
    let mut effects = Vec::new();
    for (index, task) in job.tasks.iter().enumerate() {
        let ix = TaskIx(index as u32);
        match (task.state, task.runner, job.layout.cell_index(ix)) {
            (TaskState::Granted | TaskState::Running, Some(runner), Some(cell)) => {
                grants.entry((runner, cell)).or_default().push(LeaseFact { task: ix, n: task.n, epoch: task.epoch });
            }
            (TaskState::Stopping, Some(runner), Some(cell)) => {
                grants.entry((runner, cell)).or_default().push(LeaseFact { task: ix, n: task.n, epoch: task.epoch });
                effects.extend(stop(state, job, ix));
            }
            (
                TaskState::Waiting
                | TaskState::Unresolved
                | TaskState::Done(_)
                | TaskState::Granted
                | TaskState::Running
                | TaskState::Stopping,
                _,
                _,
            ) => {}
        }
    }
    if let Some(Gate::Soak { until }) = job.gate {
        effects.push(Effect::WakeAt { at: until });
    }
    let grants = grants.into_iter().filter_map(|((runner, _), leases)| {
        let runner = state.runner(runner)?.id.clone();
        Some(Effect::Grant { runner, job: job.id, leases })
    });
    // Leases come before stops, so that a runner knows what it is to stop.
    grants.chain(effects.iter().cloned()).collect()
}

fn stop(state: &State, job: &Job, task: TaskIx) -> Option<Effect> {
    let known = job.task(task)?;
    let runner = state.runner(known.runner?)?.id.clone();
    let attempt = AttemptId { job: job.id, task, n: known.n };
    Some(Effect::Stop { runner, attempt, epoch: known.epoch })
}
