//! Jobs, for clients: plan, submit, list, show, operate.

use std::sync::Arc;

use autoexec_core::decide::Input;
use autoexec_core::view;
use autoexec_model::api::{
    JobRef, JobsPage, JobsQuery, Operation, OutputPiece, OutputQuery, PlanReply, PlanRequest, RetryWhat, SubmitReply,
    SubmitRequest, SubmitWhat, TargetsPage, TargetsQuery, WatchUpdate,
};
use autoexec_model::id::JobId;
use autoexec_model::plan::Plan;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_model::selector::Selector;
use autoexec_model::view::{Explanation, JobRow, JobView};
use autoexec_store::JobQuery;
use autoexec_store::api::JobCursor;
use autoexec_wire::server::{JobsApi, Replies};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{Services, clusters, output, watch};
use crate::engine::Engine;

/// Jobs of one page when the client does not say.
const PAGE: u32 = 50;

/// Targets of one page when the client does not say, and at most.
const TARGETS: u32 = 1_000;
const MAX_TARGETS: u32 = 10_000;

/// Jobs in memory that a name or `last` is looked for in; older ones are found by number.
const RECENT: u32 = 1_000;

impl JobsApi for Services {
    async fn plan(&self, request: PlanRequest) -> Result<PlanReply, Refusal> {
        self.activity.touch();
        let planned = self.make_plan(request).await?;
        self.engine.keep_plan(planned.digest.clone(), Arc::clone(&planned.plan)).await?;
        let plan = serde_json::to_value(&*planned.plan)
            .map_err(|error| Refusal::new(Code::Internal, format!("the plan cannot be encoded: {error}")))?;
        Ok(PlanReply { digest: planned.digest, plan, report: planned.report })
    }

    async fn submit(&self, request: SubmitRequest) -> Result<SubmitReply, Refusal> {
        self.activity.touch();
        let (digest, plan, secrets) = match request.what {
            SubmitWhat::Plan(what) => {
                let planned = self.make_plan(*what).await?;
                (planned.digest, planned.plan, planned.secrets)
            }
            SubmitWhat::Digest { digest, secrets } => self.known_plan(&digest, secrets).await?,
        };
        let reply = SubmitReply {
            job: JobId(0),
            plan_digest: digest.clone(),
            targets: plan.targets.len() as u32,
            batches: plan.groups.iter().map(|group| group.batches.len().max(1) as u32).sum(),
            warnings: plan.warnings.clone(),
            known: false,
        };
        let input = Input::Submit {
            name: plan.name.clone(),
            plan,
            digest,
            by: request.by,
            idempotency_key: request.idempotency_key.clone(),
        };
        let events = self.engine.submit(input, secrets).await?;
        match (events.first().and_then(|event| event.job), request.idempotency_key) {
            (Some(job), _) => Ok(SubmitReply { job, ..reply }),
            (None, Some(key)) => {
                let job = self.engine.query(move |engine| engine.state.keys.get(&key).copied()).await?;
                let job =
                    job.ok_or_else(|| Refusal::new(Code::Internal, "a job that was submitted before is not known"))?;
                Ok(SubmitReply { job, known: true, ..reply })
            }
            (None, None) => Err(Refusal::new(Code::Internal, "the job was not accepted")),
        }
    }

    async fn jobs(&self, query: JobsQuery) -> Result<JobsPage, Refusal> {
        self.activity.touch();
        let limit = if query.limit == 0 { PAGE } else { query.limit.min(1_000) };
        let before = query.before.unwrap_or(u64::MAX);
        let read = move |reader: &dyn autoexec_store::StoreReader| {
            let after = match query.before {
                Some(id) => Some(cursor_of(reader, id)?),
                None => None,
            };
            reader.jobs(&JobQuery { states: query.states, name_glob: query.name, is_final: None, after, limit })
        };
        let page = self.read_store(read).await?;
        let more = page.next.is_some();
        let mut rows: Vec<JobRow> = page
            .jobs
            .iter()
            .filter(|job| job.id < before)
            .filter_map(|job| serde_json::from_str(&job.summary).ok())
            .collect();
        // What is live has moved on since its summary was written.
        let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
        let fresh = self
            .engine
            .query(move |engine| -> BTreeMap<u64, JobRow> {
                let known = ids.into_iter().filter_map(|id| engine.state.jobs.get(&JobId(id)));
                known.map(|job| (job.id.0, view::job_row(job))).collect()
            })
            .await?;
        for row in &mut rows {
            if let Some(now) = fresh.get(&row.id) {
                *row = now.clone();
            }
        }
        Ok(JobsPage { rows, more })
    }

    async fn show(&self, job: JobRef, with_clusters: bool) -> Result<JobView, Refusal> {
        self.activity.touch();
        let id = self.find(job).await?;
        let mut view = self.engine.on_job(id, |_, job| view::job_view(job)).await?;
        if with_clusters {
            view.clusters = clusters::clusters(self, id).await?;
        }
        Ok(view)
    }

    async fn targets(&self, query: TargetsQuery) -> Result<TargetsPage, Refusal> {
        self.activity.touch();
        let limit = if query.limit == 0 { TARGETS } else { query.limit.min(MAX_TARGETS) };
        let selector = query.targets.as_deref().map(parse_selector).transpose()?;
        self.engine
            .on_job(JobId(query.job), move |engine, job| {
                let rows = view::target_rows(&engine.state, job, query.outputs);
                let wanted = |index: usize, row: &autoexec_model::view::TargetRow| {
                    let target = job.plan.targets.get(index);
                    let selected =
                        selector.as_ref().zip(target).is_none_or(|(selector, target)| selector.matches(target));
                    let verdict = query.verdicts.is_empty() || query.verdicts.contains(&row.verdict);
                    selected && verdict && changed_after(job, index as u32, query.since)
                };
                let rows: Vec<_> = rows.into_iter().enumerate().filter(|(index, row)| wanted(*index, row)).collect();
                let total = rows.len() as u32;
                let page = rows.into_iter().skip(query.offset as usize).take(limit as usize).map(|(_, row)| row);
                TargetsPage { rows: page.collect(), total, revision: job.revision }
            })
            .await
    }

    async fn watch(&self, job: u64, since: u64) -> Result<Replies<WatchUpdate>, Refusal> {
        self.activity.touch();
        watch::watch(self, JobId(job), since).await
    }

    async fn output(&self, query: OutputQuery) -> Result<Replies<OutputPiece>, Refusal> {
        self.activity.touch();
        output::output(self, query).await
    }

    async fn explain(&self, job: JobRef, target: Option<String>) -> Result<Vec<Explanation>, Refusal> {
        self.activity.touch();
        let id = self.find(job).await?;
        let now = crate::clock::now();
        let targets = match &target {
            Some(text) => Some(self.select(id, text).await?),
            None => None,
        };
        self.engine
            .on_job(id, move |engine, job| autoexec_core::explain::explain(&engine.state, job, targets.as_deref(), now))
            .await
    }

    async fn operate(&self, job: u64, operation: Operation, by: String) -> Result<JobView, Refusal> {
        self.activity.touch();
        let id = JobId(job);
        let targets = match &operation {
            Operation::Skip { targets }
            | Operation::Ignore { targets }
            | Operation::Resolve { targets, .. }
            | Operation::Retry { what: RetryWhat::Targets(targets) } => self.select(id, targets).await?,
            Operation::Pause
            | Operation::Resume
            | Operation::Cancel { .. }
            | Operation::Retry { what: RetryWhat::Failed | RetryWhat::All }
            | Operation::Confirm
            | Operation::Reject
            | Operation::Parallel { .. } => {
                // Brings a final job into memory, so that it can be retried.
                self.engine.on_job(id, |_, _| ()).await?;
                Vec::new()
            }
        };
        self.engine.decide(Input::Operate { job: id, operation, targets, by }).await?;
        self.engine.on_job(id, |_, job| view::job_view(job)).await
    }
}

impl Services {
    /// The job that a reference means.
    pub(super) async fn find(&self, job: JobRef) -> Result<JobId, Refusal> {
        match job {
            JobRef::Id(id) => Ok(JobId(id)),
            JobRef::Last => {
                let page = self.read_store(|reader| reader.jobs(&JobQuery { limit: 1, ..JobQuery::default() })).await?;
                let last = page.jobs.first().map(|job| JobId(job.id));
                last.ok_or_else(|| {
                    Refusal::new(Code::NotFound, "there is no job yet").hint("`autoexec run` starts one")
                })
            }
            JobRef::Name(name) => {
                let wanted = name.clone();
                let page =
                    self.read_store(|reader| reader.jobs(&JobQuery { limit: RECENT, ..JobQuery::default() })).await?;
                let found = page.jobs.iter().find(|job| job.name == wanted).map(|job| JobId(job.id));
                found.ok_or_else(|| {
                    let near =
                        autoexec_model::diagnostic::nearest(&name, page.jobs.iter().map(|job| job.name.as_str()));
                    let refusal = Refusal::new(Code::NotFound, format!("there is no job named `{name}`"));
                    match near {
                        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                        None => refusal.hint("`autoexec jobs` lists the jobs"),
                    }
                })
            }
        }
    }

    /// Indexes of the targets of a job that a selector names; none is a refusal.
    pub(super) async fn select(&self, job: JobId, text: &str) -> Result<Vec<u32>, Refusal> {
        let selector = parse_selector(text)?;
        let text = text.to_owned();
        self.engine
            .on_job(job, move |_, job| {
                let found: Vec<u32> = (0..)
                    .zip(&job.plan.targets)
                    .filter(|(_, target)| selector.matches(*target))
                    .map(|(index, _)| index)
                    .collect();
                if found.is_empty() {
                    let names = job.plan.targets.iter().map(|target| target.name.as_str());
                    let near = autoexec_model::diagnostic::nearest(&text, names);
                    let refusal = Refusal::new(Code::NotFound, format!("`{text}` matches no target of job {}", job.id));
                    return Err(match near {
                        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                        None => refusal.hint(format!("`autoexec show {} --targets` lists them", job.id)),
                    });
                }
                Ok(found)
            })
            .await?
    }

    /// A plan that the scheduler knows, with the secrets that it needs.
    async fn known_plan(
        &self,
        digest: &str,
        secrets: Vec<(String, String)>,
    ) -> Result<(autoexec_model::id::Digest, Arc<Plan>, Map<String, Value>), Refusal> {
        let wanted = digest.to_owned();
        let found = self
            .engine
            .query(move |engine: &mut Engine| {
                let found = engine.find_plan(&wanted)?;
                // Only a plan that is meant is read: the beginning of a digest may be that of thousands.
                let plan = match found.as_slice() {
                    [one] => engine.plan(one)?,
                    _ => None,
                };
                Ok((found, plan))
            })
            .await?
            .map_err(|error| crate::engine::internal(&error))?;
        let (found, plan) = found;
        let (digest, plan) = match (<[_; 1]>::try_from(found), plan) {
            (Ok([digest]), Some(plan)) => (digest, plan),
            (Err(several), _) if several.len() > 1 => {
                return Err(Refusal::new(Code::Invalid, format!("several plans begin with `{digest}`"))
                    .hint("write more of it"));
            }
            (Ok(_) | Err(_), _) => {
                return Err(Refusal::new(Code::NotFound, format!("there is no plan `{digest}`"))
                    .hint("`autoexec plan` prints the digest of a plan and keeps it"));
            }
        };
        let given: Map<String, Value> = secrets.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        if let Some(missing) = plan.secrets.iter().find(|name| !given.contains_key(*name)) {
            return Err(Refusal::new(
                Code::Invalid,
                format!("the plan needs the secret `{missing}`, which no plan holds"),
            )
            .hint(format!("give it again: `--secret {missing}`")));
        }
        if let Some(extra) = given.keys().find(|name| !plan.secrets.contains(name)) {
            return Err(Refusal::new(Code::Invalid, format!("the plan has no secret `{extra}`")));
        }
        Ok((digest, plan, given))
    }
}

/// Where the list goes on after a job. Of one that is gone the next older one that is still there says when it was submitted.
fn cursor_of(reader: &dyn autoexec_store::StoreReader, id: u64) -> Result<JobCursor, autoexec_store::StoreError> {
    if let Some(job) = reader.job(id)? {
        return Ok(JobCursor { created_ms: job.created_ms, id });
    }
    let mut after = None;
    loop {
        let page = reader.jobs(&JobQuery { after, limit: 1_000, ..JobQuery::default() })?;
        if let Some(older) = page.jobs.iter().find(|job| job.id < id) {
            return Ok(JobCursor { created_ms: older.created_ms, id });
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(JobCursor { created_ms: 0, id: 0 }),
        }
    }
}

/// Whether anything about a target changed after a revision.
fn changed_after(job: &autoexec_core::state::Job, target: u32, since: u64) -> bool {
    since == 0
        || job
            .layout
            .tasks_of_target(&job.plan, target)
            .any(|task| job.task(task).is_some_and(|task| task.changed > since))
}

fn parse_selector(text: &str) -> Result<Selector, Refusal> {
    text.parse().map_err(|error: autoexec_model::selector::SelectorError| {
        Refusal::new(Code::Invalid, format!("`{text}` is not a selector: {error}"))
    })
}
