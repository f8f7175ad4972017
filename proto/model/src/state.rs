//! Where a job and a task stand. Which step from one state to another is legal is decided in `autoexec-core`, in one place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::outcome::Verdict;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Accepted; starts at a later time.
    Scheduled,
    /// Accepted; not begun.
    Queued,
    /// Working.
    Running,
    /// Waiting for a person: a confirmation, or the verdict on an interrupted task.
    Waiting,
    /// Asked to pause; running steps finish.
    Pausing,
    /// Nothing is granted until someone resumes it.
    Paused,
    /// Asked to end; running steps finish or are stopped.
    Stopping,
    /// Ended; every target succeeded, was skipped, or its failure was ignored.
    Succeeded,
    /// Ended with failures.
    Failed,
    /// Ended because a person asked.
    Cancelled,
    /// Ended because a policy stopped it.
    Aborted,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Pausing,
        Self::Paused,
        Self::Stopping,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Aborted,
    ];

    /// Whether the job has ended. A final job can still be retried, which makes it run again.
    pub fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Aborted => true,
            Self::Scheduled
            | Self::Queued
            | Self::Running
            | Self::Waiting
            | Self::Pausing
            | Self::Paused
            | Self::Stopping => false,
        }
    }

    /// The word for it in messages and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where a task stands. Who holds its lease is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Not granted. Why is always derivable: see `explain`.
    Waiting,
    /// It was started and the evidence was lost; an operator says how it ended, or retries it.
    Unresolved,
    /// A runner holds its lease and has not said that it began.
    Granted,
    /// A runner has begun it.
    Running,
    /// A runner was told to stop it and has not said how it ended.
    Stopping,
    /// Over.
    Done(Verdict),
}

impl TaskState {
    /// Whether a runner holds a lease for it.
    pub fn is_live(self) -> bool {
        match self {
            Self::Granted | Self::Running | Self::Stopping => true,
            Self::Waiting | Self::Unresolved | Self::Done(_) => false,
        }
    }

    /// The word for it in messages and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unresolved => "unresolved",
            Self::Granted => "granted",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Done(verdict) => verdict.word(),
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
