//! Queries about jobs and their answers.

use autoexec_model::api::{
    JobRef, JobsPage, JobsQuery, OutputPiece, OutputQuery, TargetsPage, TargetsQuery, WatchLine, WatchUpdate,
};

use crate::field::FieldError;
use crate::pb;

message!(JobsQuery <=> JobsQuery { states, name, limit, before });
message!(JobsPage <=> JobsPage { rows, more });
message!(TargetsQuery <=> TargetsQuery { job, targets, verdicts, since, outputs, limit, offset });
message!(TargetsPage <=> TargetsPage { rows, total, revision });
message!(WatchUpdate <=> WatchUpdate { lines; job });
message!(WatchLine <=> WatchLine { at, text, bad });
message!(OutputQuery <=> OutputQuery { job, targets, phase, stream, follow, attempt });
message!(OutputPiece <=> OutputPiece { target, phase, stream, offset, bytes, end; attempt });
as_field!(JobRef, JobRef);

impl TryFrom<pb::JobRef> for JobRef {
    type Error = FieldError;

    fn try_from(message: pb::JobRef) -> Result<Self, FieldError> {
        match message.job.ok_or_else(|| FieldError::missing("job"))? {
            pb::job_ref::Job::Id(0) => Ok(Self::Last),
            pb::job_ref::Job::Id(id) => Ok(Self::Id(id)),
            pb::job_ref::Job::Name(name) => Ok(Self::Name(name)),
        }
    }
}

impl From<JobRef> for pb::JobRef {
    fn from(job: JobRef) -> Self {
        Self {
            job: Some(match job {
                JobRef::Id(id) => pb::job_ref::Job::Id(id),
                JobRef::Last => pb::job_ref::Job::Id(0),
                JobRef::Name(name) => pb::job_ref::Job::Name(name),
            }),
        }
    }
}
