//! The scheduler itself.

use autoexec_model::api::{DaemonInfo, RunnerRow, StoreReply, StoreVerb};

use crate::field::FieldError;
use crate::pb;
use crate::pb::store_request::Verb;

message!(DaemonInfo <=> DaemonInfo { version, pid, instance, state_dir, started_at, live_jobs, runners, recovery });
message!(RunnerRow <=> RunnerRow { name, connected, live, capacity, version });
message!(StoreReply <=> StoreReply { report, json, ok });
as_field!(StoreRequest, StoreVerb);

impl TryFrom<pb::StoreRequest> for StoreVerb {
    type Error = FieldError;

    fn try_from(message: pb::StoreRequest) -> Result<Self, FieldError> {
        Ok(match message.verb.ok_or_else(|| FieldError::missing("verb"))? {
            Verb::Verify(pb::VerifyStore {}) => Self::Verify,
            Verb::Backup(pb::BackupStore { to }) => Self::Backup { to },
            Verb::Stats(pb::StoreStats {}) => Self::Stats,
            Verb::Prune(pb::PruneStore { max_age, max_bytes }) => Self::Prune { max_age, max_bytes },
        })
    }
}

impl From<StoreVerb> for pb::StoreRequest {
    fn from(verb: StoreVerb) -> Self {
        Self {
            verb: Some(match verb {
                StoreVerb::Verify => Verb::Verify(pb::VerifyStore {}),
                StoreVerb::Backup { to } => Verb::Backup(pb::BackupStore { to }),
                StoreVerb::Stats => Verb::Stats(pb::StoreStats {}),
                StoreVerb::Prune { max_age, max_bytes } => Verb::Prune(pb::PruneStore { max_age, max_bytes }),
            }),
        }
    }
}
