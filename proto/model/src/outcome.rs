//! How an attempt ended, told apart by what is known: a command that failed is not a host that could not be reached, and
//! neither is an attempt whose evidence was lost.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How one attempt, or one step of it, ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The tool ran to its end with this exit code.
    Exited {
        /// 0 to 255.
        code: i32,
    },
    /// The tool was ended by a signal that we did not send.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The step's time was up; the tool was stopped.
    TimedOut,
    /// The tool could not be started on a host that could be reached.
    FailedToStart,
    /// The host could not be reached: nothing was started there.
    Unreachable,
    /// It was started, then the evidence was lost: nobody knows how it ended.
    Interrupted,
    /// We stopped it, and checked that nothing of it is left.
    Killed,
    /// We tried to stop it and could not make sure that it is gone.
    KillUnconfirmed,
    /// A policy, a lock or a newer epoch refused it: nothing was started.
    Rejected,
    /// A person cancelled it before it was started.
    Cancelled,
}

/// The classes that budgets and counts know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeClass {
    /// Ended well.
    Succeeded,
    /// Ran and failed, or could not be started on a host that was reached.
    Failed,
    /// Never started there: the host could not be reached.
    Unreachable,
    /// Stopped because its time was up.
    TimedOut,
    /// Started, and nobody knows how it ended, or whether it did.
    Interrupted,
    /// Stopped or refused by a person or a policy; not the target's fault, so no budget counts it.
    Stopped,
}

impl OutcomeClass {
    /// Every class, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Succeeded, Self::Failed, Self::Unreachable, Self::TimedOut, Self::Interrupted, Self::Stopped];

    /// The word for it in messages, budgets and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
        }
    }
}

impl Outcome {
    /// Its class. Exit codes other than 0 are failures here; a step that accepts other codes reports `Exited {{ code: 0 }}`'s
    /// class through its verdict, not through this function.
    pub fn class(&self) -> OutcomeClass {
        match self {
            Self::Exited { code: 0 } => OutcomeClass::Succeeded,
            Self::Exited { .. } | Self::Signalled { .. } | Self::FailedToStart => OutcomeClass::Failed,
            Self::TimedOut => OutcomeClass::TimedOut,
            Self::Unreachable => OutcomeClass::Unreachable,
            // What we could not end may still run: nobody knows, and a budget must see it.
            Self::Interrupted | Self::KillUnconfirmed => OutcomeClass::Interrupted,
            Self::Killed | Self::Rejected | Self::Cancelled => OutcomeClass::Stopped,
        }
    }

    /// The word for it in JSON and in tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exited { .. } => "exited",
            Self::Signalled { .. } => "signalled",
            Self::TimedOut => "timed_out",
            Self::FailedToStart => "failed_to_start",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
            Self::KillUnconfirmed => "kill_unconfirmed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// The exit code, when there is one.
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Exited { code } => Some(*code),
            Self::Signalled { .. }
            | Self::TimedOut
            | Self::FailedToStart
            | Self::Unreachable
            | Self::Interrupted
            | Self::Killed
            | Self::KillUnconfirmed
            | Self::Rejected
            | Self::Cancelled => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit {code}"),
            Self::Signalled { signal } => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::FailedToStart => f.write_str("failed to start"),
            Self::Unreachable | Self::Interrupted | Self::Killed | Self::Rejected | Self::Cancelled => {
                f.write_str(self.word())
            }
            Self::KillUnconfirmed => f.write_str("kill unconfirmed"),
        }
    }
}

/// What one finished attempt amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every step did what it should.
    Succeeded,
    /// It did not.
    Failed,
    /// It failed, and the policy or an operator says carry on.
    Ignored,
    /// Not run, because a condition, an operator or an earlier success said so.
    Skipped,
    /// A person stopped it.
    Cancelled,
    /// A policy stopped it.
    Aborted,
}

impl Verdict {
    /// Every verdict, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Succeeded, Self::Failed, Self::Ignored, Self::Skipped, Self::Cancelled, Self::Aborted];

    /// The word for it in messages and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
