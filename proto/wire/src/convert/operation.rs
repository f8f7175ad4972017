//! What an operator may do to a job.

use autoexec_model::api::{Operation, RetryWhat};

use crate::field::FieldError;
use crate::pb;
use crate::pb::operation::Operation as Kind;
use crate::pb::retry::What;

as_field!(Operation, Operation);

impl TryFrom<pb::Operation> for Operation {
    type Error = FieldError;

    fn try_from(message: pb::Operation) -> Result<Self, FieldError> {
        Ok(match message.operation.ok_or_else(|| FieldError::missing("operation"))? {
            Kind::Pause(pb::Pause {}) => Self::Pause,
            Kind::Resume(pb::Resumption {}) => Self::Resume,
            Kind::Cancel(pb::Cancel { reason }) => Self::Cancel { reason },
            Kind::Retry(pb::Retry { what }) => Self::Retry {
                what: match what.ok_or_else(|| FieldError::missing("what").inside("retry"))? {
                    What::Failed(pb::RetryFailed {}) => RetryWhat::Failed,
                    What::All(pb::RetryAll {}) => RetryWhat::All,
                    What::Targets(targets) => RetryWhat::Targets(targets),
                },
            },
            Kind::Confirm(pb::Confirm {}) => Self::Confirm,
            Kind::Reject(pb::Reject {}) => Self::Reject,
            Kind::Skip(pb::Skip { targets }) => Self::Skip { targets },
            Kind::Ignore(pb::Ignore { targets }) => Self::Ignore { targets },
            Kind::Resolve(pb::Resolve { targets, succeeded }) => Self::Resolve { targets, succeeded },
            Kind::Parallel(pb::Parallel { parallel }) => Self::Parallel { parallel },
        })
    }
}

impl From<Operation> for pb::Operation {
    fn from(operation: Operation) -> Self {
        let kind = match operation {
            Operation::Pause => Kind::Pause(pb::Pause {}),
            Operation::Resume => Kind::Resume(pb::Resumption {}),
            Operation::Cancel { reason } => Kind::Cancel(pb::Cancel { reason }),
            Operation::Retry { what } => Kind::Retry(pb::Retry {
                what: Some(match what {
                    RetryWhat::Failed => What::Failed(pb::RetryFailed {}),
                    RetryWhat::All => What::All(pb::RetryAll {}),
                    RetryWhat::Targets(targets) => What::Targets(targets),
                }),
            }),
            Operation::Confirm => Kind::Confirm(pb::Confirm {}),
            Operation::Reject => Kind::Reject(pb::Reject {}),
            Operation::Skip { targets } => Kind::Skip(pb::Skip { targets }),
            Operation::Ignore { targets } => Kind::Ignore(pb::Ignore { targets }),
            Operation::Resolve { targets, succeeded } => Kind::Resolve(pb::Resolve { targets, succeeded }),
            Operation::Parallel { parallel } => Kind::Parallel(pb::Parallel { parallel }),
        };
        Self { operation: Some(kind) }
    }
}
