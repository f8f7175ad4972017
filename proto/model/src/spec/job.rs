//! The whole job and its defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group::{GroupSpec, PhaseSpec};
use super::host_key::HostKeySpec;
use super::small::{BecomeSpec, Interpreter, RetriesSpec};
use super::step::StepSpec;
use crate::diagnostic::{Diagnosed, Located, SourceFile};
use crate::millis::Millis;
use crate::param::ParamSpec;
use crate::plan::OnFailure;
use crate::selector::Selector;
use crate::yaml::{self, Entries};

/// A job: what to do, where, and how to roll it out.
///
/// Exactly one of `groups`, `phases` and `steps` is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "autoexec job", example = example_job())]
pub struct JobSpec {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub name: Located<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What can be given when it is run.
    #[serde(default)]
    pub params: Entries<ParamSpec>,
    /// Path of the inventory, from the folder of this file; `-i` replaces it.
    #[serde(default)]
    pub inventory: Option<Located<String>>,
    /// Which targets of the inventory; `-t` narrows it. Needed when anything runs on or for a target.
    #[serde(default)]
    pub targets: Option<Located<Selector>>,
    /// What holds for every step that does not say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Phases that share targets and a strategy, one group after the other.
    #[serde(default)]
    pub groups: Option<Vec<Located<GroupSpec>>>,
    /// Phases without groups: each is a group of its own, one after the other.
    #[serde(default)]
    pub phases: Option<Vec<Located<PhaseSpec>>>,
    /// Steps without phases: one phase `main` on the targets.
    #[serde(default)]
    pub steps: Option<Vec<Located<StepSpec>>>,
}

/// What holds for every step that does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Longest time of one try of a step; `1h` when nothing is said.
    #[serde(default)]
    pub timeout: Option<Located<Millis>>,
    /// Whose rights steps on targets run with.
    #[serde(rename = "become", default)]
    pub become_user: Option<BecomeSpec>,
    /// What a failed step means; `stop` when nothing is said.
    #[serde(default)]
    pub on_failure: Option<OnFailure>,
    /// How often and when a step is tried again; never when nothing is said.
    #[serde(default)]
    pub retries: Option<RetriesSpec>,
    /// What runs scripts; `sh` when nothing is said.
    #[serde(default)]
    pub interpreter: Option<Interpreter>,
    /// How host keys are checked, for targets whose inventory does not say.
    #[serde(default)]
    pub host_key: Option<Located<HostKeySpec>>,
    /// Time to connect and log in, for targets whose inventory does not say.
    #[serde(default)]
    pub connect_timeout: Option<Located<Millis>>,
    /// Tasks of one phase at once, for groups that do not say.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parallel: Option<Located<u32>>,
    /// Environment of every step; values are templates.
    #[serde(default)]
    pub env: Entries<Located<String>>,
}

impl JobSpec {
    /// Reads a job file and checks all that can be told from it alone.
    ///
    /// # Errors
    /// The first error of shape, or every error of meaning.
    pub fn parse(src: &SourceFile) -> Diagnosed<Self> {
        let spec: Self = yaml::parse(src)?;
        let found = spec.check(src);
        found.or(spec)
    }
}

/// The JSON Schema of job files, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(JobSpec).to_value()
}

fn example_job() -> serde_json::Value {
    serde_json::json!({
        "name": "upgrade",
        "targets": "@web & zone=a*",
        "groups": [{
            "name": "rollout",
            "strategy": "rolling",
            "batches": "1 5% 25% *2",
            "budget": { "failed": "2%", "unreachable": 3 },
            "phases": [{
                "name": "install",
                "on": "target",
                "steps": [{ "id": "install", "run": "install-nginx \"$version\"", "env": { "version": "{{ params.version }}" } }],
            }],
        }],
    })
}
