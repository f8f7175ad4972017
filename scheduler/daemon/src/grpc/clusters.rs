//! Identical outputs: targets grouped by verdict, outcome and the digest of what they said.

use std::collections::BTreeMap;

use autoexec_core::state::Job;
use autoexec_core::view::{self, standing};
use autoexec_model::grant::Stream;
use autoexec_model::id::{AttemptId, JobId, TaskIx};
use autoexec_model::outcome::Verdict;
use autoexec_model::refusal::Refusal;
use autoexec_model::state::TaskState;
use autoexec_model::view::ClusterView;

use super::Services;
use crate::engine::stream_key;

/// Bytes of a sample.
const SAMPLE: usize = 2 * 1024;

/// Clusters of one answer; the rest would not be read.
const MAX_CLUSTERS: usize = 200;

struct Found {
    failed: bool,
    view: ClusterView,
    message: String,
    attempts: Vec<AttemptId>,
}

/// The clusters of a job, largest first.
pub(super) async fn clusters(services: &Services, job: JobId) -> Result<Vec<ClusterView>, Refusal> {
    let found = services.engine.on_job(job, |_, job| group(job)).await?;
    services
        .read_store(move |reader| {
            let mut views = Vec::with_capacity(found.len());
            for cluster in found {
                let mut sample = Vec::new();
                for attempt in &cluster.attempts {
                    for stream in [Stream::Stdout, Stream::Stderr] {
                        let key = stream_key(attempt.job, u64::from(attempt.task.0), attempt.n, stream);
                        let room = SAMPLE.saturating_sub(sample.len());
                        if room == 0 {
                            break;
                        }
                        // Of a failure the end says more than the beginning.
                        let from =
                            if cluster.failed { reader.output_len(&key)?.saturating_sub(room as u64) } else { 0 };
                        let page = reader.read_output(&key, from, room)?;
                        sample.extend(page.chunks.into_iter().flat_map(|(_, bytes)| bytes).take(room));
                    }
                }
                let mut view = cluster.view;
                view.sample = String::from_utf8_lossy(&sample).into_owned();
                if view.sample.trim().is_empty() {
                    view.sample = cluster.message;
                }
                views.push(view);
            }
            Ok(views)
        })
        .await
}

fn group(job: &Job) -> Vec<Found> {
    type Key = (String, String, String);
    let mut groups: BTreeMap<Key, Vec<Option<u32>>> = BTreeMap::new();
    let subjects: Vec<Option<u32>> =
        if job.plan.targets.is_empty() { vec![None] } else { (0..job.plan.targets.len() as u32).map(Some).collect() };
    for subject in subjects {
        let tasks = tasks_of(job, subject);
        let now = standing(job, &tasks);
        let TaskState::Done(verdict) = now.state else { continue };
        let report = now.task.and_then(|task| job.task(task)?.report.as_deref());
        let outcome = report.map_or_else(String::new, |report| report.outcome.to_string());
        let digests: Vec<&str> = tasks
            .iter()
            .filter_map(|task| job.task(*task)?.report.as_deref()?.cluster.as_ref())
            .map(|digest| digest.0.as_str())
            .collect();
        groups.entry((verdict.word().to_owned(), outcome, digests.concat())).or_default().push(subject);
    }
    let mut found: Vec<Found> =
        groups.into_iter().map(|((verdict, outcome, _), members)| one(job, verdict, outcome, &members)).collect();
    found.sort_by(|a, b| b.view.size.cmp(&a.view.size).then_with(|| a.view.targets.cmp(&b.view.targets)));
    found.truncate(MAX_CLUSTERS);
    found
}

fn one(job: &Job, verdict: String, outcome: String, members: &[Option<u32>]) -> Found {
    let first = members.first().copied().flatten();
    let tasks = tasks_of(job, first);
    let message = standing(job, &tasks)
        .task
        .and_then(|task| job.task(task)?.report.as_deref().map(|report| report.message.clone()))
        .unwrap_or_default();
    let attempts = tasks
        .iter()
        .filter_map(|task| Some(AttemptId { job: job.id, task: *task, n: job.task(*task)?.n }))
        .filter(|attempt| attempt.n > 0)
        .collect();
    let targets =
        if first.is_none() { "runner".to_owned() } else { view::fold(job, members.iter().copied().flatten()) };
    let view = ClusterView { size: members.len() as u32, targets, verdict, outcome, sample: String::new() };
    Found { failed: view.verdict == Verdict::Failed.word(), view, message, attempts }
}

fn tasks_of(job: &Job, subject: Option<u32>) -> Vec<TaskIx> {
    match subject {
        Some(target) => job.layout.tasks_of_target(&job.plan, target).collect(),
        None => (0..job.tasks.len() as u32).map(TaskIx).collect(),
    }
}
