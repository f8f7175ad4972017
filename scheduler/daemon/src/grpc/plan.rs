//! Planning: on a thread of its own, because a plan of ten thousand targets takes longer than a message may wait.

use std::sync::Arc;

use autoexec_core::plan::plan_request;
use autoexec_model::api::{ParamFile, PlanRequest, ReportLine};
use autoexec_model::id::Digest;
use autoexec_model::plan::{Plan, PlanFile};
use autoexec_model::refusal::{Code, Refusal};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Services;

/// A plan with all that belongs to it.
pub(super) struct Made {
    pub(super) plan: Arc<Plan>,
    pub(super) digest: Digest,
    pub(super) secrets: Map<String, Value>,
    pub(super) report: Vec<ReportLine>,
}

impl Services {
    /// Plans a request and keeps the tools and files that the plan names.
    pub(super) async fn make_plan(&self, request: PlanRequest) -> Result<Made, Refusal> {
        let shelf = Arc::clone(&self.shelf);
        let work = move || {
            let catalogue = shelf.catalogue(&request.tools)?;
            let files = request.files.iter().map(|file| (file.param.clone(), describe(file))).collect();
            let planned = plan_request(&request, &files, &catalogue.index())
                .map_err(|diagnostics| Refusal::new(Code::Invalid, diagnostics.to_string().trim_end().to_owned()))?;
            shelf.keep_tools(&planned.plan, &catalogue)?;
            for (param, file) in &planned.plan.files {
                let given = request.files.iter().find(|given| given.param == *param);
                let given = given
                    .ok_or_else(|| Refusal::new(Code::Internal, format!("file of parameter `{param}` is not there")))?;
                shelf.keep_file(&file.sha256, &given.bytes)?;
            }
            let report = autoexec_core::plan::report(&planned.plan, &planned.digest);
            Ok(Made { report, digest: planned.digest, secrets: planned.secrets, plan: Arc::new(planned.plan) })
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::new(Code::Internal, format!("planning failed: {error}")))?
    }
}

/// A file as a plan names it.
fn describe(file: &ParamFile) -> PlanFile {
    let sha256 = Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    PlanFile { name: file.name.clone(), sha256, size: file.bytes.len() as u64 }
}
