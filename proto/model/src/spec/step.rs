//! Steps: one use of a tool, or a script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::small::{BecomeSpec, Interpreter, RetriesSpec};
use crate::diagnostic::Located;
use crate::millis::Millis;
use crate::plan::{OnFailure, Place};
use crate::yaml::Entries;

/// One use of a tool (`tool` and `with`) or a script (`run`). Exactly one of the two is written.
///
/// A script is no template: values reach it through `env`, `args` and `stdin`, so that no shell ever evaluates them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Its name for later steps (`steps.<id>.stdout`), unique in its phase; derived from the tool when nothing is said.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub id: Option<Located<String>>,
    /// What people read instead of the id.
    #[serde(default)]
    pub name: Option<String>,
    /// Only for health checks: where it runs. When nothing is said, where the tool runs, and a script on the target.
    #[serde(default)]
    pub on: Option<Located<Place>>,
    /// The tool to use.
    #[serde(default)]
    pub tool: Option<Located<String>>,
    /// Parameters of the tool; texts in them are templates.
    #[serde(default)]
    pub with: Entries<Located<Value>>,
    /// The script to run.
    #[serde(default)]
    pub run: Option<Located<String>>,
    /// What runs the script: `bash -eu` or `[python3, -u]`; `sh` when nothing is said.
    #[serde(default)]
    pub interpreter: Option<Located<Interpreter>>,
    /// Environment; values are templates.
    #[serde(default)]
    pub env: Entries<Located<String>>,
    /// Arguments of the script; each is a template.
    #[serde(default)]
    pub args: Vec<Located<String>>,
    /// Standard input of the script; a template.
    #[serde(default)]
    pub stdin: Option<Located<String>>,
    /// Whose rights it runs with: a user, `{user, method, password}`, or `false` for nobody else's.
    #[serde(rename = "become", default)]
    pub become_user: Option<Located<BecomeSpec>>,
    /// Folder it runs in; a template. The home of the user that it runs as when nothing is said.
    #[serde(default)]
    pub workdir: Option<Located<String>>,
    /// Longest time of one try.
    #[serde(default)]
    pub timeout: Option<Located<Millis>>,
    /// How often and when it is tried again: a number, or `{max, delay, backoff, max_delay}`.
    #[serde(default)]
    pub retries: Option<Located<RetriesSpec>>,
    /// What its failure means.
    #[serde(default)]
    pub on_failure: Option<OnFailure>,
    /// Whether running it again after an interruption is harmless; for a tool, what the tool says when nothing is said.
    #[serde(default)]
    pub idempotent: Option<bool>,
    /// Expression; the step is skipped when it is false.
    #[serde(default)]
    pub when: Option<Located<String>>,
    /// Exit codes that count as success; only 0 when nothing is said.
    #[serde(default)]
    pub success_codes: Option<Located<Vec<i32>>>,
    /// Whether its output is thrown away instead of kept.
    #[serde(default)]
    pub no_log: bool,
}
