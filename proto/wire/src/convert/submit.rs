//! Jobs on their way in, plans and reports on their way out.

use autoexec_model::api::{
    JobSource, LineKind, Overrides, ParamFile, PlanReply, PlanRequest, ReportLine, Source, SubmitReply, SubmitRequest,
    SubmitWhat,
};

use super::{Encode, field};
use crate::field::FieldError;
use crate::pb;

message!(Source <=> Source { name, bytes });
message!(ParamFile <=> ParamFile { param, name, bytes });
message!(Overrides <=> Overrides {
    batches, parallel, timeout, become_user, host_key, user, key, transport, seed, name, between, budget
});
message!(PlanReply <=> PlanReply { digest, plan, report });
message!(ReportLine <=> ReportLine { kind, indent, text });
choice!(LineKind <=> LineKind { Heading, Text, Warning, Faint });
message!(SubmitReply <=> SubmitReply { job, plan_digest, targets, batches, warnings, known });
as_field!(JobSource, JobSource);
as_field!(PlanRequest, PlanRequest);
as_field!(SubmitRequest, SubmitRequest);

impl TryFrom<pb::PlanRequest> for PlanRequest {
    type Error = FieldError;

    fn try_from(message: pb::PlanRequest) -> Result<Self, FieldError> {
        let pb::PlanRequest { job, inventory, targets, exclude, params, secrets, files, overrides, tools } = message;
        Ok(Self {
            job: super::required("job", job)?,
            inventory: field("inventory", inventory)?,
            targets,
            exclude,
            params: field("params", params)?,
            secrets: field("secrets", secrets)?,
            files: field("files", files)?,
            // A client that overrides nothing may leave the message out.
            overrides: field("overrides", overrides.unwrap_or_default())?,
            tools: field("tools", tools)?,
        })
    }
}

impl From<PlanRequest> for pb::PlanRequest {
    fn from(request: PlanRequest) -> Self {
        let PlanRequest { job, inventory, targets, exclude, params, secrets, files, overrides, tools } = request;
        Self {
            job: Some(job.encode()),
            inventory: inventory.encode(),
            targets,
            exclude,
            params: params.encode(),
            secrets: secrets.encode(),
            files: files.encode(),
            overrides: Some(overrides.encode()),
            tools: tools.encode(),
        }
    }
}

impl TryFrom<pb::JobSource> for JobSource {
    type Error = FieldError;

    fn try_from(message: pb::JobSource) -> Result<Self, FieldError> {
        match message.source.ok_or_else(|| FieldError::missing("source"))? {
            pb::job_source::Source::File(source) => Ok(Self::File(field("file", source)?)),
            pb::job_source::Source::Command(pb::Command { words }) => Ok(Self::Command { words }),
        }
    }
}

impl From<JobSource> for pb::JobSource {
    fn from(source: JobSource) -> Self {
        Self {
            source: Some(match source {
                JobSource::File(source) => pb::job_source::Source::File(source.encode()),
                JobSource::Command { words } => pb::job_source::Source::Command(pb::Command { words }),
            }),
        }
    }
}

impl TryFrom<pb::SubmitRequest> for SubmitRequest {
    type Error = FieldError;

    fn try_from(message: pb::SubmitRequest) -> Result<Self, FieldError> {
        let pb::SubmitRequest { what, by, idempotency_key } = message;
        let what = match what.ok_or_else(|| FieldError::missing("what"))? {
            pb::submit_request::What::Plan(plan) => SubmitWhat::Plan(Box::new(field("plan", plan)?)),
            pb::submit_request::What::Known(pb::KnownPlan { digest, secrets }) => SubmitWhat::Digest {
                digest,
                secrets: field("secrets", secrets).map_err(|error| error.inside("known"))?,
            },
        };
        Ok(Self { what, by, idempotency_key })
    }
}

impl From<SubmitRequest> for pb::SubmitRequest {
    fn from(request: SubmitRequest) -> Self {
        let SubmitRequest { what, by, idempotency_key } = request;
        let what = match what {
            SubmitWhat::Plan(plan) => pb::submit_request::What::Plan((*plan).encode()),
            SubmitWhat::Digest { digest, secrets } => {
                pb::submit_request::What::Known(pb::KnownPlan { digest, secrets: secrets.encode() })
            }
        };
        Self { what: Some(what), by, idempotency_key }
    }
}
