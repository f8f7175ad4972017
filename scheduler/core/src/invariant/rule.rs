//! The names of the invariants, and what breaks one.

use std::fmt;

use autoexec_model::id::JobId;

/// A named invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A live task has one lease, held by a known runner; leases of one task have growing epochs.
    OneLiveLeasePerTask,
    /// A success stays; anything else that is over changes only when a person says so. A final job has no open work.
    DoneIsFinal,
    /// Tasks are given out in the stage that runs only, and a batch follows when the one before is over and its gates passed.
    NextBatchOnlyAfterGates,
    /// Nothing is given out while a budget is exceeded, or while the job is anything but running.
    BudgetRespected,
    /// Every task that waits can say why.
    NoTaskWaitsWithoutReason,
    /// An attempt begins at most once, and its number is not given out again after it began.
    AttemptStartedAtMostOnce,
    /// The counts beside the tasks are those of the tasks.
    TalliesMatchTasks,
    /// The count of tasks that a runner holds is that of the tasks.
    RunnerLiveCountsMatch,
    /// No grant makes more tasks of a phase live than its window allows, or gives a runner more than it can hold.
    WindowRespected,
    /// A job waits or pauses at a gate exactly when its gate says so.
    GateFitsState,
}

impl Rule {
    /// The name of it in messages and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneLiveLeasePerTask => "one_live_lease_per_task",
            Self::DoneIsFinal => "done_is_final",
            Self::NextBatchOnlyAfterGates => "next_batch_only_after_gates",
            Self::BudgetRespected => "budget_respected",
            Self::NoTaskWaitsWithoutReason => "no_task_waits_without_reason",
            Self::AttemptStartedAtMostOnce => "attempt_started_at_most_once",
            Self::TalliesMatchTasks => "tallies_match_tasks",
            Self::RunnerLiveCountsMatch => "runner_live_counts_match",
            Self::WindowRespected => "window_respected",
            Self::GateFitsState => "gate_fits_state",
        }
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// Of which job; none when it is about a runner.
    pub job: Option<JobId>,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.job {
            Some(job) => write!(f, "{}: job {job}: {}", self.rule.name(), self.what),
            None => write!(f, "{}: {}", self.rule.name(), self.what),
        }
    }
}
