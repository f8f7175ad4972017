//! Outcomes and reports.

use autoexec_model::grant::{AttemptReport, LiveAttempt, OutputChunk, StepReport, Stream};
use autoexec_model::id::AttemptId;
use autoexec_model::outcome::{Outcome, Verdict};

use super::rules::known;
use crate::field::FieldError;
use crate::pb;

message!(AttemptId <=> AttemptId { job, task, n });
choice!(Stream <=> Stream { Stdout, Stderr });
choice!(Verdict <=> Verdict { Succeeded, Failed, Ignored, Skipped, Cancelled, Aborted });
message!(AttemptReport <=> AttemptReport {
    verdict, message, decided_by, steps, cluster, stdout, stderr, started_at, finished_at; outcome
});
message!(StepReport <=> StepReport { id, outcome, verdict, tries, millis, outputs, message });
message!(LiveAttempt <=> LiveAttempt { epoch, stdout, stderr; attempt });
message!(OutputChunk <=> OutputChunk { stream, offset, bytes; attempt });
as_field!(Outcome, Outcome);

impl TryFrom<pb::Outcome> for Outcome {
    type Error = FieldError;

    fn try_from(message: pb::Outcome) -> Result<Self, FieldError> {
        let pb::Outcome { kind, number } = message;
        let kind = known::<pb::OutcomeKind>(kind).map_err(|error| error.inside("kind"))?;
        match kind {
            pb::OutcomeKind::Unspecified => Err(FieldError::missing("kind")),
            pb::OutcomeKind::Exited => Ok(Self::Exited { code: number }),
            pb::OutcomeKind::Signalled => Ok(Self::Signalled { signal: number }),
            pb::OutcomeKind::TimedOut => Ok(Self::TimedOut),
            pb::OutcomeKind::FailedToStart => Ok(Self::FailedToStart),
            pb::OutcomeKind::Unreachable => Ok(Self::Unreachable),
            pb::OutcomeKind::Interrupted => Ok(Self::Interrupted),
            pb::OutcomeKind::Killed => Ok(Self::Killed),
            pb::OutcomeKind::KillUnconfirmed => Ok(Self::KillUnconfirmed),
            pb::OutcomeKind::Rejected => Ok(Self::Rejected),
            pb::OutcomeKind::Cancelled => Ok(Self::Cancelled),
        }
    }
}

impl From<Outcome> for pb::Outcome {
    fn from(outcome: Outcome) -> Self {
        let (kind, number) = match outcome {
            Outcome::Exited { code } => (pb::OutcomeKind::Exited, code),
            Outcome::Signalled { signal } => (pb::OutcomeKind::Signalled, signal),
            Outcome::TimedOut => (pb::OutcomeKind::TimedOut, 0),
            Outcome::FailedToStart => (pb::OutcomeKind::FailedToStart, 0),
            Outcome::Unreachable => (pb::OutcomeKind::Unreachable, 0),
            Outcome::Interrupted => (pb::OutcomeKind::Interrupted, 0),
            Outcome::Killed => (pb::OutcomeKind::Killed, 0),
            Outcome::KillUnconfirmed => (pb::OutcomeKind::KillUnconfirmed, 0),
            Outcome::Rejected => (pb::OutcomeKind::Rejected, 0),
            Outcome::Cancelled => (pb::OutcomeKind::Cancelled, 0),
        };
        Self { kind: kind.into(), number }
    }
}
