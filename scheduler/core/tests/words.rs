//! Facts and effects as short lines, for expectations that people can read.

use autoexec_core::apply::name_of;
use autoexec_core::react::Effect;
use autoexec_core::state::State;
use autoexec_core::view::phase_name;
use autoexec_model::event::{Event, Fact, Gate};
use autoexec_model::id::{JobId, TaskIx};

/// One fact: `1 tasks_granted r1: web1/a#1e1 web2/a#1e1`.
pub(crate) fn event(state: &State, event: &Event) -> String {
    let job = event.job.map_or_else(|| "-".to_owned(), |job| job.to_string());
    let tasks = |tasks: &[TaskIx]| -> String {
        tasks.iter().map(|task| format!(" {}", task_name(state, event.job, *task))).collect()
    };
    let more = match &event.fact {
        Fact::TasksGranted { runner, leases } => {
            let leases: String = leases
                .iter()
                .map(|lease| format!(" {}#{}e{}", task_name(state, event.job, lease.task), lease.n, lease.epoch))
                .collect();
            format!("{runner}:{leases}")
        }
        Fact::AttemptsStarted { runner, tasks: which } => format!("{runner}:{}", tasks(which)),
        Fact::AttemptFinished { task, n, report } => {
            format!("{}#{n} {} ({})", task_name(state, event.job, *task), report.verdict, report.outcome)
        }
        Fact::AttemptInterrupted { task, n, again, .. } => {
            format!("{}#{n}{}", task_name(state, event.job, *task), if *again { " again" } else { "" })
        }
        Fact::LeasesEnded { tasks: which, .. }
        | Fact::StopsRequested { tasks: which }
        | Fact::TasksRetried { tasks: which, .. } => tasks(which).trim_start().to_owned(),
        Fact::TaskDecided { task, verdict, .. } => format!("{} {verdict}", task_name(state, event.job, *task)),
        Fact::StageStarted { stage } => stage.to_string(),
        Fact::BudgetExceeded { class, count, limit, .. } => format!("{}: {count}, allowed {limit}", class.word()),
        Fact::GateHeld { stage, gate } => format!("{stage} {}", gate_word(gate)),
        Fact::GatePassed { stage, by } => format!("{stage} by {}", by.as_deref().unwrap_or("policy")),
        Fact::StopRequested { end, reason, .. } => format!("{end}: {reason}"),
        Fact::JobFinished { state } => state.to_string(),
        Fact::ParallelAmended { group, parallel, .. } => format!("group {group} to {parallel}"),
        Fact::RunnerConnected { runner, capacity, .. } => format!("{runner} for {capacity}"),
        Fact::RunnerDisconnected { runner } => runner.to_string(),
        Fact::JobSubmitted(submitted) => submitted.name.clone(),
        Fact::JobStarted
        | Fact::PauseRequested { .. }
        | Fact::JobPaused
        | Fact::JobResumed { .. }
        | Fact::SchedulerStarted { .. } => String::new(),
    };
    format!("{}\n", format!("{job} {} {more}", name_of(&event.fact)).trim_end())
}

/// One effect: `  -> grant r1: 2 leases`.
pub(crate) fn effect(state: &State, effect: &Effect) -> String {
    match effect {
        Effect::Grant { runner, leases, .. } => format!("  -> grant {runner}: {}\n", leases.len()),
        Effect::Stop { runner, attempt, epoch } => {
            format!("  -> stop {runner}: {}#{}e{epoch}\n", task_name(state, Some(attempt.job), attempt.task), attempt.n)
        }
        Effect::WakeAt { at } => format!("  -> wake at {at:?}\n"),
        Effect::JobOver { job } => format!("  -> job {job} over\n"),
    }
}

fn gate_word(gate: &Gate) -> &'static str {
    match gate {
        Gate::Soak { .. } => "soak",
        Gate::Confirm => "confirm",
        Gate::Failure => "failure",
        Gate::Unresolved => "unresolved",
    }
}

fn task_name(state: &State, job: Option<JobId>, task: TaskIx) -> String {
    let Some(job) = job.and_then(|job| state.jobs.get(&job)) else { return task.to_string() };
    format!("{}/{}", job.subject(task), phase_name(job, task))
}
