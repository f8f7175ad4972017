//! Opening the store and making the state from it: replay through the same `apply` that runs live.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use autoexec_core::apply::{Plans, apply};
use autoexec_core::state::State;
use autoexec_model::event::{Event, Fact};
use autoexec_model::id::{Digest, JobId};
use autoexec_model::plan::Plan;
use autoexec_store::api::JobQuery;
use autoexec_store::{EmbeddedStore, OpenOptions, Record, Store, StoreReader};
use serde_json::Value;
use tokio::sync::watch;

use super::{Engine, EngineError, Lines};
use crate::clock;

/// Final jobs whose idempotency keys are remembered over a restart.
const REMEMBERED_KEYS: u32 = 1_000;

impl Engine {
    /// Opens the store in `dir` and makes the state from it.
    ///
    /// # Errors
    /// When the store cannot be opened or read, or its facts contradict each other.
    pub(crate) fn open(dir: &Path, changes: watch::Sender<u64>) -> Result<Self, EngineError> {
        let now = clock::now();
        let (store, report) = EmbeddedStore::open(dir, &OpenOptions::new(now.0)).map_err(EngineError::Read)?;
        let mut recovery: Vec<String> = report.repairs.iter().map(ToString::to_string).collect();
        if !report.clean && !report.created {
            recovery.insert(0, "the last process did not close the store; it was checked".to_owned());
        }
        let mut engine = Self {
            state: State::default(),
            plans: Plans::new(),
            store,
            instance: report.instance,
            lines: Lines::default(),
            progress: HashMap::new(),
            recovery,
            started_at: now,
            sessions: BTreeMap::new(),
            streams: BTreeMap::new(),
            secrets: BTreeMap::new(),
            lengths: HashMap::new(),
            summarised: BTreeMap::new(),
            wake: BTreeSet::new(),
            final_jobs: VecDeque::new(),
            changes,
        };
        engine.replay()?;
        engine.remember_final_jobs()?;
        Ok(engine)
    }

    fn replay(&mut self) -> Result<(), EngineError> {
        let records: Vec<Record> =
            self.store.reader().read_live().and_then(Iterator::collect).map_err(EngineError::Read)?;
        let count = records.len();
        for record in records {
            let event = decode(&record)?;
            load_plan(self.store.reader(), &event, &mut self.plans)?;
            apply(&mut self.state, &event, &self.plans).map_err(EngineError::Illegal)?;
            self.lines.note(&self.state, &event);
        }
        for job in self.state.jobs.values() {
            self.summarised.insert(job.id, job.state);
        }
        if count > 0 {
            tracing::info!(events = count, jobs = self.state.jobs.len(), "state made from the journal");
        }
        Ok(())
    }

    /// Finds the next job number and the idempotency keys of jobs that are over.
    fn remember_final_jobs(&mut self) -> Result<(), EngineError> {
        let query = JobQuery { limit: REMEMBERED_KEYS, ..JobQuery::default() };
        let page = self.store.reader().jobs(&query).map_err(EngineError::Read)?;
        for summary in page.jobs {
            self.state.next_job = self.state.next_job.max(summary.id + 1);
            let value: Value = serde_json::from_str(&summary.summary).unwrap_or_default();
            if let Some(key) = value.get("idempotency_key").and_then(Value::as_str) {
                self.state.keys.entry(key.to_owned()).or_insert(JobId(summary.id));
            }
        }
        Ok(())
    }

    /// Makes sure that a job is in memory. A final one is read from the store; `false` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read or contradicts itself.
    pub(crate) fn load(&mut self, job: JobId) -> Result<bool, EngineError> {
        if self.state.jobs.contains_key(&job) {
            if self.state.jobs.get(&job).is_some_and(|job| job.state.is_final()) {
                self.keep(job);
            }
            return Ok(true);
        }
        let records: Vec<Record> =
            self.store.reader().read_job(job.0).collect::<Result<_, _>>().map_err(EngineError::Read)?;
        if records.is_empty() {
            return Ok(false);
        }
        // A state of its own, so that replaying old grants does not touch what the living runners hold.
        let mut scratch = State { runners: self.state.runners.clone(), ..State::default() };
        for record in records {
            let event = decode(&record)?;
            load_plan(self.store.reader(), &event, &mut self.plans)?;
            apply(&mut scratch, &event, &self.plans).map_err(EngineError::Illegal)?;
            self.lines.note(&scratch, &event);
        }
        let Some(loaded) = scratch.jobs.remove(&job) else { return Ok(false) };
        self.summarised.insert(job, loaded.state);
        self.state.jobs.insert(job, loaded);
        self.keep(job);
        Ok(true)
    }

    /// A plan that the store knows, by its digest or the beginning of it.
    pub(crate) fn find_plan(&self, digest: &str) -> Result<Vec<Digest>, EngineError> {
        if self.store.reader().plan(digest).map_err(EngineError::Read)?.is_some() {
            return Ok(vec![Digest(digest.to_owned())]);
        }
        let plans = self.store.reader().plans(10_000).map_err(EngineError::Read)?;
        Ok(plans.into_iter().filter(|plan| plan.digest.starts_with(digest)).map(|plan| Digest(plan.digest)).collect())
    }

    /// A plan by its digest. It stays in memory only when a job has it.
    pub(crate) fn plan(&self, digest: &Digest) -> Result<Option<Arc<Plan>>, EngineError> {
        let mut plans: Plans =
            self.plans.get(digest).map(|plan| (digest.clone(), Arc::clone(plan))).into_iter().collect();
        read_plan(self.store.reader(), digest, &mut plans)?;
        Ok(plans.remove(digest))
    }
}

fn decode(record: &Record) -> Result<Event, EngineError> {
    serde_json::from_slice(&record.bytes).map_err(|source| EngineError::Record {
        number: record.number,
        whose: record.job.map_or_else(|| "the scheduler".to_owned(), |job| format!("job {job}")),
        source,
    })
}

fn load_plan(reader: &dyn StoreReader, event: &Event, plans: &mut Plans) -> Result<(), EngineError> {
    match &event.fact {
        Fact::JobSubmitted(submitted) => read_plan(reader, &submitted.plan, plans),
        _ => Ok(()),
    }
}

fn read_plan(reader: &dyn StoreReader, digest: &Digest, plans: &mut Plans) -> Result<(), EngineError> {
    if plans.contains_key(digest) {
        return Ok(());
    }
    if let Some(bytes) = reader.plan(&digest.0).map_err(EngineError::Read)? {
        let plan: Plan =
            serde_json::from_slice(&bytes).map_err(|source| EngineError::Plan { digest: digest.0.clone(), source })?;
        plans.insert(digest.clone(), Arc::new(plan));
    }
    Ok(())
}
