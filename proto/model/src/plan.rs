//! A job resolved and frozen: targets chosen, batches cut, steps and tool digests fixed.
//!
//! A plan is plain data. `autoexec-core` alone makes and judges it. It holds no secret: a secret parameter is only named.
//! Templates stay as the engineer wrote them; the runner renders them, when the values that they read are known.
//!
//! Two plans with the same content have the same [`Plan::digest`] on every machine: the encoding has no map whose order could
//! differ, and no path, clock or random value of the machine that made it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::Digest;
use crate::millis::Millis;
use crate::outcome::OutcomeClass;
use crate::selector::Selectable;

/// Version of the plan's encoding; part of the digest.
pub const PLAN_FORMAT: u32 = 1;

/// A job resolved: everything that will happen, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_FORMAT`] of the maker.
    pub format: u32,
    /// The job's name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Values of the parameters that are not secret, checked, with defaults filled in.
    pub params: Map<String, Value>,
    /// Names of the secret parameters that were given, sorted.
    pub secrets: Vec<String>,
    /// Files given as parameters, by parameter name: content digest and size; the content travels on its own.
    pub files: BTreeMap<String, PlanFile>,
    /// Everything the job may act on, in inventory order.
    pub targets: Vec<Target>,
    /// What the selectors left out, and why.
    pub excluded: Vec<Excluded>,
    /// What happens, in order.
    pub groups: Vec<Group>,
    /// The tools it uses, by name, with the digest of their content.
    pub tools: BTreeMap<String, Digest>,
    /// Things an operator should know before running it, such as host keys that are not checked.
    pub warnings: Vec<String>,
}

/// A file that a parameter names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Its name without folders.
    pub name: String,
    /// SHA-256 of its content in lower-case hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A host that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its name in the inventory.
    pub name: String,
    /// Why, for people.
    pub reason: String,
}

/// One machine, device or service to act on. It carries references to credentials, never a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its name in the inventory: unique in the plan.
    pub name: String,
    /// Where it is reached: a host name or an address.
    pub address: String,
    /// How it is reached.
    pub transport: Transport,
    /// Port; none means the transport's default, after `~/.ssh/config` had its say.
    pub port: Option<u16>,
    /// User to log in as; none means `~/.ssh/config`, then the runner's own user.
    pub user: Option<String>,
    /// Labels, for selectors and templates.
    pub labels: BTreeMap<String, String>,
    /// Inventory groups it belongs to, with their ancestors.
    pub groups: BTreeSet<String>,
    /// Variables of the host and its groups, for templates.
    pub vars: Map<String, Value>,
    /// How the connection is made.
    pub connection: Connection,
}

/// How a runner reaches a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// SSH; nothing needs to be installed on the target.
    #[default]
    Ssh,
    /// The tagent on the target.
    Agent,
    /// The runner's own host, as the runner's own user.
    Local,
    /// A simulated target: seeded latency and failures, no host behind it.
    Sim,
}

/// How a connection is made. What is absent is left to `~/.ssh/config` and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Path of the private key on the runner, as written.
    pub key: Option<String>,
    /// Reference to the password or passphrase: a template such as `{{ params.ssh_password }}`.
    pub password: Option<String>,
    /// How host keys are checked.
    pub host_key: HostKeyCheck,
    /// Path of the known-hosts file on the runner; none means the user's own.
    pub known_hosts: Option<String>,
    /// Jump hosts, nearest to the runner first, each `[user@]host[:port]`.
    pub jump: Vec<String>,
    /// Time to connect and log in.
    pub connect_timeout: Option<Millis>,
    /// Whether `~/.ssh/config` of the runner's user is read.
    pub ssh_config: bool,
    /// Encoding of the target's output when it is not UTF-8, as an IANA name such as `gbk`.
    pub encoding: Option<String>,
    /// Folder on the target for attempts; none means `/var/tmp`, then `/tmp`.
    pub work_dir: Option<String>,
    /// Only for [`Transport::Sim`].
    pub sim: Option<SimOptions>,
}

/// How a host proves that it is the one meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostKeyCheck {
    /// It must be in the known-hosts file.
    #[default]
    Verify,
    /// An unknown host is noted in the known-hosts file; a changed key is refused.
    AcceptNew,
    /// One of these keys or SHA-256 fingerprints, and no other.
    Pinned(Vec<String>),
    /// Not checked at all; shown in the plan.
    No,
}

/// How a simulated target behaves. Chances are in parts of a million so that they are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimOptions {
    /// Seed of everything random about the target, with its name.
    pub seed: u64,
    /// Shortest time of a step.
    pub latency: Millis,
    /// Added at random, up to this.
    pub jitter: Millis,
    /// Chance in a million that a step fails with exit code 1.
    pub fail_ppm: u32,
    /// Chance in a million that the target cannot be reached.
    pub unreachable_ppm: u32,
    /// Chance in a million that a step never ends by itself.
    pub hang_ppm: u32,
    /// What a step prints; a template over `target`; none means the script's `echo` words or a short line.
    pub output: Option<String>,
}

/// Phases that share targets and a strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Unique in the plan.
    pub name: String,
    /// How its targets move.
    pub strategy: Strategy,
    /// Indexes into [`Plan::targets`], in the order in which they move.
    pub targets: Vec<u32>,
    /// Sizes of the batches; their sum is the number of targets. One batch for `oneshot`; empty when there is no target.
    pub batches: Vec<u32>,
    /// The batch expression as written, for people.
    pub batch_expr: String,
    /// The order as written and, when random, its seed, for people.
    pub order: String,
    /// Tasks of one phase that may be live at once.
    pub parallel: u32,
    /// What happens between batches.
    pub between: Between,
    /// When it stops itself.
    pub budget: BudgetPlan,
    /// What is done, in order; phases that check health come last.
    pub phases: Vec<Phase>,
}

/// How the targets of a group move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// All phases start together, each over all targets.
    #[default]
    Oneshot,
    /// Batch after batch, each through all phases.
    Rolling,
}

/// What happens between batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Between {
    /// Who decides that the next batch begins.
    pub mode: BetweenMode,
    /// How long to wait first.
    pub soak: Millis,
}

/// Who decides that the next batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BetweenMode {
    /// Nobody: it goes on as long as the budget holds.
    #[default]
    Continue,
    /// A person, every time.
    Confirm,
    /// A person, when a target of the batch failed.
    PauseOnFailure,
}

/// When a group stops itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetPlan {
    /// What the limits are counted over.
    pub scope: BudgetScope,
    /// Limits by class; a class that is not named has none. The group stops when a count is **greater** than its limit.
    pub limits: Vec<BudgetLimit>,
    /// Whether nobody wrote a budget and the strategy's own default stands.
    pub by_default: bool,
}

/// The limit of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLimit {
    /// The class.
    pub class: OutcomeClass,
    /// As written: `3` or `2%`.
    pub allowance: String,
    /// In targets, for scopes whose size does not change from batch to batch; per batch otherwise, in batch order.
    pub limit: Vec<u32>,
}

/// What the limits of a budget are counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetScope {
    /// The targets of one batch.
    Batch,
    /// One phase over all batches.
    Phase,
    /// The whole group.
    #[default]
    Group,
    /// The whole job.
    Job,
}

/// An ordered list of steps, applied to each target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Unique in the plan.
    pub name: String,
    /// Where its steps run, and how often.
    pub place: Place,
    /// Whether it checks health after the work phases of a batch.
    pub health: bool,
    /// For a `runner` phase that is not a health check, in a rolling group: the batch it runs in.
    pub once_in: Option<u32>,
    /// Bare expression; the task is skipped when it is false.
    pub when: Option<String>,
    /// Narrows the group's window for this phase.
    pub parallel: Option<u32>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// Where the steps of a phase run, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// On the runner, once.
    Runner,
    /// On the runner, once per target.
    RunnerTarget,
    /// On the target.
    #[default]
    Target,
    /// On the runner against a database.
    Sql,
}

/// One use of a tool, or a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in its phase.
    pub id: String,
    /// What is run.
    pub action: Action,
    /// Environment, values are templates.
    pub env: Vec<(String, String)>,
    /// Whose rights it runs with.
    #[serde(rename = "become")]
    pub become_user: Option<BecomePlan>,
    /// Folder it runs in, a template; none means the home of the user that it runs as.
    pub workdir: Option<String>,
    /// How long one try may take.
    pub timeout: Millis,
    /// How often and when it is tried again.
    pub retries: Retries,
    /// What a failure means.
    pub on_failure: OnFailure,
    /// Whether running it again after an interruption is harmless.
    pub idempotent: bool,
    /// Bare expression; the step is skipped when it is false.
    pub when: Option<String>,
    /// Exit codes that count as success.
    pub success_codes: Vec<i32>,
    /// Whether its output is thrown away instead of kept.
    pub no_log: bool,
    /// Whether a later phase reads its `stdout`, so that it must be kept with the outputs.
    pub keep_stdout: bool,
}

/// What a step runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// A tool of the catalogue.
    Tool {
        /// Its name.
        name: String,
        /// Digest of its content.
        digest: Digest,
        /// Parameters; strings in them are templates.
        with: Map<String, Value>,
    },
    /// A script in the job file. The script is no template: values reach it through the environment.
    Run {
        /// Its text.
        script: String,
        /// Program and leading arguments; the script's path follows.
        interpreter: Vec<String>,
        /// Arguments, templates.
        args: Vec<String>,
        /// Standard input, a template.
        stdin: Option<String>,
    },
}

/// Whose rights a step runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BecomePlan {
    /// The user.
    pub user: String,
    /// By which program.
    pub method: BecomeMethod,
    /// Reference to the password: a template such as `{{ params.sudo_password }}`.
    pub password: Option<String>,
}

/// The program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BecomeMethod {
    /// `sudo`.
    #[default]
    Sudo,
    /// `su`.
    Su,
}

/// How often and when a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// Further tries after the first.
    pub max: u32,
    /// Wait before the first of them.
    pub delay: Millis,
    /// What the wait is multiplied by each time, in thousandths: 2000 doubles it.
    pub backoff_milli: u32,
    /// The longest wait.
    pub max_delay: Millis,
}

/// What a failed step means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The task fails at once.
    #[default]
    Stop,
    /// The task goes on and its verdict is `ignored` at worst.
    Ignore,
    /// The task goes on with its further steps, and fails at its end.
    Continue,
}

impl Plan {
    /// The name of the plan's content.
    ///
    /// # Errors
    /// Only if the plan cannot be encoded, which no plan made by the planner can cause.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        Ok(Digest::of(&serde_json::to_vec(self)?))
    }

    /// The target with this index.
    pub fn target(&self, index: u32) -> Option<&Target> {
        self.targets.get(index as usize)
    }
}

impl Selectable for Target {
    fn name(&self) -> &str {
        &self.name
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    fn in_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }
}

impl Retries {
    /// No further try.
    pub const NONE: Self = Self { max: 0, delay: Millis::ZERO, backoff_milli: 1000, max_delay: Millis::ZERO };

    /// Milliseconds to wait before try `n`, where 2 is the first further try.
    pub fn delay_before(&self, n: u32) -> u64 {
        let mut wait = self.delay.as_millis();
        for _ in 2..n.min(64) {
            wait = wait.saturating_mul(u64::from(self.backoff_milli)) / 1000;
        }
        if self.max_delay == Millis::ZERO { wait } else { wait.min(self.max_delay.as_millis()) }
    }
}
