//! Names of facts, for errors, logs and tests.

use autoexec_model::event::Fact;

/// The name of a fact, as the journal writes it.
pub fn name_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::JobSubmitted(_) => "job_submitted",
        Fact::JobStarted => "job_started",
        Fact::StageStarted { .. } => "stage_started",
        Fact::TasksGranted { .. } => "tasks_granted",
        Fact::AttemptsStarted { .. } => "attempts_started",
        Fact::AttemptFinished { .. } => "attempt_finished",
        Fact::AttemptInterrupted { .. } => "attempt_interrupted",
        Fact::LeasesEnded { .. } => "leases_ended",
        Fact::StopsRequested { .. } => "stops_requested",
        Fact::BudgetExceeded { .. } => "budget_exceeded",
        Fact::GateHeld { .. } => "gate_held",
        Fact::GatePassed { .. } => "gate_passed",
        Fact::PauseRequested { .. } => "pause_requested",
        Fact::JobPaused => "job_paused",
        Fact::JobResumed { .. } => "job_resumed",
        Fact::StopRequested { .. } => "stop_requested",
        Fact::JobFinished { .. } => "job_finished",
        Fact::TasksRetried { .. } => "tasks_retried",
        Fact::TaskDecided { .. } => "task_decided",
        Fact::ParallelAmended { .. } => "parallel_amended",
        Fact::SchedulerStarted { .. } => "scheduler_started",
        Fact::RunnerConnected { .. } => "runner_connected",
        Fact::RunnerDisconnected { .. } => "runner_disconnected",
    }
}
