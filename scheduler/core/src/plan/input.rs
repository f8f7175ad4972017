//! What the planner is given and what it gives.

use std::collections::BTreeMap;

use autoexec_model::batch::BatchSpec;
use autoexec_model::budget::Budget;
use autoexec_model::diagnostic::SourceFile;
use autoexec_model::id::Digest;
use autoexec_model::inventory::Host;
use autoexec_model::millis::Millis;
use autoexec_model::plan::{BetweenMode, HostKeyCheck, Plan, PlanFile, Transport};
use autoexec_model::selector::Selector;
use autoexec_model::spec::JobSpec;
use autoexec_model::tool::ToolIndex;
use serde_json::{Map, Value};

/// Everything that a plan depends on. The same input gives the same plan, on any machine.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The job.
    pub job: &'a JobSpec,
    /// The file it was read from, so that errors can point; an empty text for a job that was typed.
    pub source: &'a SourceFile,
    /// The hosts of the inventory, in its order.
    pub hosts: &'a [Host],
    /// `-t`: narrows the targets of the job; alone when the job names none.
    pub narrow: Option<&'a Selector>,
    /// `--exclude`: what is left out.
    pub exclude: Option<&'a Selector>,
    /// Values of parameters, read as their types say; files are left out.
    pub params: &'a Map<String, Value>,
    /// Files that were given as parameters of type `file`, by parameter.
    pub files: &'a BTreeMap<String, PlanFile>,
    /// The tools that there are.
    pub tools: &'a ToolIndex,
    /// What the command line says over the job.
    pub options: &'a PlanOptions,
}

/// What the command line says over the job. What is absent is left to the job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanOptions {
    /// Name of the job.
    pub name: Option<String>,
    /// Makes every group that has targets rolling, cut like this.
    pub batches: Option<BatchSpec>,
    /// Tasks of one phase at once, for every group.
    pub parallel: Option<u32>,
    /// Longest time of one try, for every step.
    pub timeout: Option<Millis>,
    /// Whose rights every step on a target runs with.
    pub become_user: Option<String>,
    /// How host keys are checked, on every target.
    pub host_key: Option<HostKeyCheck>,
    /// User to log in as, on every target.
    pub user: Option<String>,
    /// Path of the private key, for every target.
    pub key: Option<String>,
    /// How every target is reached.
    pub transport: Option<Transport>,
    /// Who decides between batches, for every rolling group.
    pub between: Option<BetweenMode>,
    /// When every group stops itself.
    pub budget: Option<Budget>,
    /// Seed of orders that are random and name none. The caller chooses it; the plan prints it.
    pub seed: u64,
}

/// A plan with what belongs to it and may not be in it.
#[derive(Clone, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Its digest.
    pub digest: Digest,
    /// Values of the secret parameters that were given.
    pub secrets: Map<String, Value>,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.secrets.keys().collect();
        f.debug_struct("Planned")
            .field("plan", &self.plan)
            .field("digest", &self.digest)
            .field("secrets", &names)
            .finish()
    }
}
