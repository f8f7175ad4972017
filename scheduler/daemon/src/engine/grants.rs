//! Making grants: what a runner must know to execute tasks, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use autoexec_core::state::Job;
use autoexec_core::view;
use autoexec_model::event::LeaseFact;
use autoexec_model::grant::{Grant, GrantAttempt, GrantFile, Resume, Stream};
use autoexec_model::id::{AttemptId, JobId, TaskIx};
use autoexec_store::Store as _;
use serde_json::{Map, Value};

use super::{Engine, stream_key};

/// Attempts of one message, so that a message stays far below the limit of the stream.
const ATTEMPTS_PER_GRANT: usize = 250;

impl Engine {
    /// Grants for leases of a job, one for each phase and portion of attempts.
    pub(super) fn grants(&mut self, job: JobId, leases: &[LeaseFact]) -> Vec<Grant> {
        let secrets = self.secrets_of(job);
        let Some(known) = self.state.jobs.get(&job) else { return Vec::new() };
        let mut by_cell: BTreeMap<usize, Vec<&LeaseFact>> = BTreeMap::new();
        for lease in leases {
            if let Some(cell) = known.layout.cell_index(lease.task) {
                by_cell.entry(cell).or_default().push(lease);
            }
        }
        let mut grants = Vec::new();
        for (cell, leases) in by_cell {
            for portion in leases.chunks(ATTEMPTS_PER_GRANT) {
                grants.extend(self.grant(known, cell, portion, &secrets));
            }
        }
        grants
    }

    fn grant(&self, job: &Job, cell: usize, leases: &[&LeaseFact], secrets: &Map<String, Value>) -> Option<Grant> {
        let cell = job.layout.cells.get(cell)?;
        let phase = job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize)?;
        let mut params = job.plan.params.clone();
        params.extend(secrets.iter().map(|(name, value)| (name.clone(), value.clone())));
        let files = job.plan.files.iter().map(|(param, file)| GrantFile {
            param: param.clone(),
            name: file.name.clone(),
            sha256: file.sha256.clone(),
            size: file.size,
        });
        Some(Grant {
            instance: self.instance.clone(),
            job_name: job.submitted.name.clone(),
            phase: phase.clone(),
            params,
            secrets: secrets.keys().cloned().collect(),
            files: files.collect(),
            attempts: leases.iter().filter_map(|lease| self.attempt(job, lease)).collect(),
            all: view::values_of_all(job, phase),
        })
    }

    fn attempt(&self, job: &Job, lease: &LeaseFact) -> Option<GrantAttempt> {
        let task = job.task(lease.task)?;
        let target = job.layout.target(&job.plan, lease.task);
        let attempt = AttemptId { job: job.id, task: lease.task, n: lease.n };
        let len = |stream| {
            let key = stream_key(job.id, u64::from(lease.task.0), lease.n, stream);
            self.store.reader().output_len(&key).unwrap_or(0)
        };
        let resume = task.started_at.map(|started_at| Resume {
            started_at,
            step: self.progress.get(&attempt).copied().unwrap_or(0),
            stdout: len(Stream::Stdout),
            stderr: len(Stream::Stderr),
        });
        Some(GrantAttempt {
            attempt,
            epoch: lease.epoch,
            target: target.and_then(|target| job.plan.target(target)).cloned(),
            phases: earlier_outputs(job, lease.task, target),
            resume,
            // Every new attempt is one more epoch; more epochs than attempts means that a lease ended before its attempt did.
            again: lease.epoch.0 > lease.n,
        })
    }

    fn secrets_of(&mut self, job: JobId) -> Arc<Map<String, Value>> {
        if let Some(known) = self.secrets.get(&job) {
            return Arc::clone(known);
        }
        let opened = match self.store.secrets(job.0) {
            Ok(opened) => opened,
            Err(error) => {
                // Not remembered: a store that is repaired gives them to the next attempt.
                tracing::error!(%job, %error, "secrets of the job cannot be opened");
                return Arc::default();
            }
        };
        let map: Map<String, Value> = opened
            .iter()
            // What does not parse was never written by us; an empty value fails the step that reads it, and says so.
            .map(|(name, secret)| (name.clone(), serde_json::from_slice(secret.expose()).unwrap_or_default()))
            .collect();
        let map = Arc::new(map);
        self.secrets.insert(job, Arc::clone(&map));
        map
    }
}

/// Outputs that a task may read: of earlier phases on the same target, and of phases that ran once.
fn earlier_outputs(job: &Job, task: TaskIx, target: Option<u32>) -> Map<String, Value> {
    let Some(cell) = job.layout.cell_index(task) else { return Map::new() };
    let once = job
        .layout
        .cells
        .iter()
        .take(cell)
        .filter(|cell| cell.position.is_none() && cell.len == 1)
        .map(|cell| TaskIx(cell.first));
    let of_target = target.into_iter().flat_map(|target| job.layout.tasks_of_target(&job.plan, target));
    let earlier = of_target.filter(|other| job.layout.cell_index(*other).is_some_and(|other| other < cell));
    let tasks: Vec<TaskIx> = once.chain(earlier).collect();
    view::outputs_of(job, &tasks)
}
