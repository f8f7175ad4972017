//! The error of `apply`: an event and a state that contradict each other, both named.

use autoexec_model::id::{Digest, JobId, RunnerId};

use crate::state::Job;

/// An event that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// It is about a job that is not there.
    #[error("`{fact}` is about job {job}, which is not known")]
    NoJob {
        /// Name of the fact.
        fact: &'static str,
        /// The job.
        job: JobId,
    },
    /// It names no job, and it must.
    #[error("`{fact}` names no job")]
    Nameless {
        /// Name of the fact.
        fact: &'static str,
    },
    /// The plan of a submitted job is not there.
    #[error("job {job} was submitted with plan {plan}, which is not stored")]
    NoPlan {
        /// The job.
        job: JobId,
        /// The plan.
        plan: Digest,
    },
    /// It is about a runner that never said hello.
    #[error("`{fact}` is about runner `{runner}`, which is not known")]
    NoRunner {
        /// Name of the fact.
        fact: &'static str,
        /// The runner.
        runner: RunnerId,
    },
    /// The job is in a state in which this cannot happen.
    #[error("`{fact}` cannot happen to job {job}, which is {state}")]
    Job {
        /// Name of the fact.
        fact: &'static str,
        /// The job.
        job: JobId,
        /// Its state.
        state: String,
    },
    /// The task is in a state in which this cannot happen.
    #[error("`{fact}` cannot happen to task {task} of job {job}, which is {state}")]
    Task {
        /// Name of the fact.
        fact: &'static str,
        /// The job.
        job: JobId,
        /// The task.
        task: u32,
        /// Its state, or `not there`.
        state: String,
    },
}

impl Illegal {
    /// The job is in a state in which this cannot happen.
    pub(super) fn job(fact: &'static str, job: &Job) -> Self {
        let begun = if job.begun { "in" } else { "before" };
        let gate = job.gate.map(|gate| format!(", held by {gate:?}")).unwrap_or_default();
        Self::Job { fact, job: job.id, state: format!("{} {begun} stage {}{gate}", job.state, job.stage) }
    }
}
