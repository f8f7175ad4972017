//! The closed set of reasons, and one reason with its sentence and its commands.

use autoexec_model::view::Explanation;

/// Why something is where it is, as a word of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonCode {
    /// The job starts at a later time.
    Scheduled,
    /// The job was accepted and has not begun.
    Queued,
    /// The scheduler moves it on in this very turn; nobody should see it for long.
    Advancing,
    /// No runner has ever connected.
    NoRunner,
    /// The runner that is needed is away.
    RunnerOffline,
    /// Every connected runner holds as much as it can.
    RunnerFull,
    /// As many tasks of the phase are live as its window allows.
    WindowFull,
    /// An earlier group is not over.
    GroupNotReached,
    /// An earlier batch is not over.
    BatchNotReached,
    /// An earlier phase of the same batch is not over.
    PhaseNotReached,
    /// The time between two batches runs.
    GateSoak,
    /// A person must confirm the next batch.
    GateConfirm,
    /// A target of the batch failed and the group pauses then.
    GateFailure,
    /// It was started, the evidence was lost, and a person must say how it ended.
    Unresolved,
    /// A person paused the job.
    Paused,
    /// A person paused the job; what runs finishes.
    Pausing,
    /// The job ends; what runs finishes or is stopped.
    Stopping,
    /// A runner holds its lease and has not said that it began.
    GrantedNotStarted,
    /// It runs.
    Running,
    /// It was told to stop and has not said how it ended.
    TaskStopping,
    /// It is not run because its target failed before.
    DroppedEarlier,
    /// It is not run because the job ended before its turn came.
    NeverStarted,
    /// A budget was exceeded.
    BudgetExceeded,
    /// No phase of the job runs on the target.
    NoTask,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
    /// It failed, and that does not count.
    Ignored,
    /// It was not run, because a condition or an operator said so.
    Skipped,
    /// A person stopped it.
    Cancelled,
    /// A policy stopped it.
    Aborted,
}

impl ReasonCode {
    /// The word for it in JSON and in scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Advancing => "advancing",
            Self::NoRunner => "no_runner",
            Self::RunnerOffline => "runner_offline",
            Self::RunnerFull => "runner_full",
            Self::WindowFull => "window_full",
            Self::GroupNotReached => "group_not_reached",
            Self::BatchNotReached => "batch_not_reached",
            Self::PhaseNotReached => "phase_not_reached",
            Self::GateSoak => "gate_soak",
            Self::GateConfirm => "gate_confirm",
            Self::GateFailure => "gate_failure",
            Self::Unresolved => "unresolved",
            Self::Paused => "paused",
            Self::Pausing => "pausing",
            Self::Stopping => "stopping",
            Self::GrantedNotStarted => "granted_not_started",
            Self::Running => "running",
            Self::TaskStopping => "task_stopping",
            Self::DroppedEarlier => "dropped_earlier",
            Self::NeverStarted => "never_started",
            Self::BudgetExceeded => "budget_exceeded",
            Self::NoTask => "no_task",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }
}

/// Why something is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The word.
    pub code: ReasonCode,
    /// One sentence without a full stop.
    pub sentence: String,
    /// Commands or changes that move it on; empty when only time is needed.
    pub next: Vec<String>,
}

impl Reason {
    pub(super) fn new(code: ReasonCode, sentence: String) -> Self {
        Self { code, sentence, next: Vec::new() }
    }

    /// The same with what moves it on.
    pub(super) fn next(mut self, next: Vec<String>) -> Self {
        self.next = next;
        self
    }

    pub(super) fn about(self, subject: String, state: String) -> Explanation {
        Explanation { subject, state, code: self.code.word().to_owned(), reason: self.sentence, next: self.next }
    }
}
