//! What a client asks of the scheduler and what it is answered, apart from the [`crate::view`]s.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{Stream, ToolPackage};
use crate::id::{AttemptId, Digest, JobId, UnixMillis};
use crate::view::{JobRow, TargetRow};

/// A job to plan: everything that the plan depends on travels with it, so that the scheduler reads no file of the client.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The job file, or the command of an ad-hoc job.
    pub job: JobSource,
    /// The inventory file; none when the targets are named in `targets`.
    pub inventory: Option<Source>,
    /// `-t`: a selector, or plain host names when there is no inventory.
    pub targets: Option<String>,
    /// `--exclude`: a selector.
    pub exclude: Option<String>,
    /// `-p name=value`, as typed.
    pub params: Vec<(String, String)>,
    /// `--secret name`: values that were not on a command line. Secret parameters are taken from here only.
    pub secrets: Vec<(String, String)>,
    /// Content of files that parameters of type `file` name, by parameter.
    pub files: Vec<ParamFile>,
    /// What the command line says over the job file.
    pub overrides: Overrides,
    /// Tools of the client that the scheduler may not have.
    pub tools: Vec<ToolPackage>,
}

impl std::fmt::Debug for PlanRequest {
    /// Parameters may be secret: only their names are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let params: Vec<&String> = self.params.iter().map(|(name, _)| name).collect();
        f.debug_struct("PlanRequest")
            .field("job", &self.job)
            .field("targets", &self.targets)
            .field("params", &params)
            .field("overrides", &self.overrides)
            .finish_non_exhaustive()
    }
}

/// Where the job comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum JobSource {
    /// A job file.
    File(Source),
    /// `autoexec run -t SELECTOR -- COMMAND`.
    Command {
        /// The command's words. One word is a script; more are quoted and joined.
        words: Vec<String>,
    },
}

impl Default for JobSource {
    fn default() -> Self {
        Self::Command { words: Vec::new() }
    }
}

/// A text file as the client read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its path as the user typed it, for messages.
    pub name: String,
    /// Its bytes; checked for UTF-8 by the scheduler so that the error is one like all others.
    pub bytes: Vec<u8>,
}

/// A file given as a parameter.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamFile {
    /// The parameter.
    pub param: String,
    /// File name without folders.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for ParamFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParamFile")
            .field("param", &self.param)
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// What the command line says over the job file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// `--batches`: makes every group rolling with this expression.
    pub batches: Option<String>,
    /// `--parallel`.
    pub parallel: Option<u32>,
    /// `--timeout`, as text.
    pub timeout: Option<String>,
    /// `--become USER`.
    pub become_user: Option<String>,
    /// `--host-key verify|accept-new|no`.
    pub host_key: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--key`.
    pub key: Option<String>,
    /// `--transport`.
    pub transport: Option<String>,
    /// A random seed for orders that ask for one and do not say which; chosen by the client.
    pub seed: u64,
    /// `--name`: name of the job.
    pub name: Option<String>,
    /// `--between`.
    pub between: Option<String>,
    /// `--budget`, such as `failed=2%,unreachable=3`.
    pub budget: Option<String>,
}

/// A job planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReply {
    /// Its digest; `run --plan` takes it.
    pub digest: Digest,
    /// The plan as JSON: see [`crate::plan::Plan`].
    pub plan: Value,
    /// The plan for people, line by line, without colour.
    pub report: Vec<ReportLine>,
}

/// One line of a report for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// How it is shown.
    pub kind: LineKind,
    /// Depth, in steps of two columns.
    pub indent: u32,
    /// Its text, without indent.
    pub text: String,
}

/// How a line of a report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A heading.
    Heading,
    /// Ordinary text.
    Text,
    /// Something to be careful about.
    Warning,
    /// Of less weight.
    Faint,
}

/// A job to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmitRequest {
    /// What to run.
    pub what: SubmitWhat,
    /// Who asks.
    pub by: String,
    /// A repeated submit with the same key is the same job.
    pub idempotency_key: Option<String>,
}

/// What to run.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum SubmitWhat {
    /// Plan this and run it.
    Plan(Box<PlanRequest>),
    /// Run a plan that the scheduler knows, and nothing else.
    Digest {
        /// Its digest, or the first digits of it.
        digest: String,
        /// Values of its secret parameters, which no plan holds.
        secrets: Vec<(String, String)>,
    },
}

impl std::fmt::Debug for SubmitWhat {
    /// Secrets are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plan(request) => f.debug_tuple("Plan").field(request).finish(),
            Self::Digest { digest, secrets } => {
                let secrets: Vec<&String> = secrets.iter().map(|(name, _)| name).collect();
                f.debug_struct("Digest").field("digest", digest).field("secrets", &secrets).finish()
            }
        }
    }
}

/// A job accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitReply {
    /// Its number.
    pub job: JobId,
    /// Digest of its plan.
    pub plan_digest: Digest,
    /// Targets it acts on.
    pub targets: u32,
    /// Batches it moves in.
    pub batches: u32,
    /// What an operator should know.
    pub warnings: Vec<String>,
    /// Whether it had been submitted before with the same idempotency key.
    pub known: bool,
}

/// What an operator may do to a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Operation {
    /// No new grants; running steps finish.
    Pause,
    /// Go on.
    Resume,
    /// Polite signal, grace, kill, verified.
    Cancel {
        /// Why, for the record; may be empty.
        reason: String,
    },
    /// New attempts for what did not succeed.
    Retry {
        /// Which.
        what: RetryWhat,
    },
    /// Go on past the gate.
    Confirm,
    /// Stop at the gate.
    Reject,
    /// Do not run these targets.
    Skip {
        /// Selector over the job's targets.
        targets: String,
    },
    /// Their failure does not count.
    Ignore {
        /// Selector over the job's targets.
        targets: String,
    },
    /// The operator's verdict on interrupted targets.
    Resolve {
        /// Selector over the job's targets.
        targets: String,
        /// Whether they succeeded.
        succeeded: bool,
    },
    /// Change the window of the group that is running.
    Parallel {
        /// Tasks that may be live at once.
        parallel: u32,
    },
}

/// What is retried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryWhat {
    /// Failed, aborted, cancelled and never started.
    Failed,
    /// Everything that did not succeed, skipped and ignored included.
    All,
    /// The same, of these targets only.
    Targets(String),
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsQuery {
    /// Only in these states; empty means all.
    pub states: Vec<String>,
    /// Only names that match this glob.
    pub name: Option<String>,
    /// At most so many, newest first; 1 to 1,000.
    pub limit: u32,
    /// Only jobs with a smaller number; from the last row of the page before.
    pub before: Option<u64>,
}

/// A page of jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobsPage {
    /// Newest first.
    pub rows: Vec<JobRow>,
    /// Whether there are more.
    pub more: bool,
}

/// Which targets of a job to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsQuery {
    /// The job.
    pub job: u64,
    /// Selector over the job's targets.
    pub targets: Option<String>,
    /// Only these verdicts or open states; empty means all.
    pub verdicts: Vec<String>,
    /// Only rows that changed after this revision.
    pub since: u64,
    /// Whether outputs are included.
    pub outputs: bool,
    /// At most so many; 1 to 10,000.
    pub limit: u32,
    /// Rows to leave out at the start.
    pub offset: u32,
}

/// A page of targets, in plan order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetsPage {
    /// The rows.
    pub rows: Vec<TargetRow>,
    /// Rows that match in all.
    pub total: u32,
    /// Revision of the job at the time.
    pub revision: u64,
}

/// Whose output to read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputQuery {
    /// The job.
    pub job: u64,
    /// Selector over the job's targets; none means all.
    pub targets: Option<String>,
    /// Only this phase.
    pub phase: Option<String>,
    /// Only this stream; none means both.
    pub stream: Option<Stream>,
    /// Stay until the job ends.
    pub follow: bool,
    /// Only this attempt of each task; none means the last.
    pub attempt: Option<u32>,
}

/// A piece of output of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputPiece {
    /// Whose.
    pub attempt: AttemptId,
    /// Name of the target; `runner` for a phase that runs once.
    pub target: String,
    /// The phase.
    pub phase: String,
    /// Which stream.
    pub stream: Stream,
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether this is the end of the stream.
    pub end: bool,
}

/// Something that changed in a job that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchUpdate {
    /// The job as it stands, without clusters.
    pub job: crate::view::JobView,
    /// One line for each thing that happened since the last update, for plain output: batches, gates, failures.
    pub lines: Vec<WatchLine>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchLine {
    /// When.
    pub at: UnixMillis,
    /// What, in one sentence.
    pub text: String,
    /// Whether it is bad news.
    pub bad: bool,
}

/// A tool in the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRow {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub summary: String,
    /// Where it may run.
    pub places: Vec<String>,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// Digest of its content.
    pub digest: Digest,
    /// Where it comes from: `shipped` or a folder.
    pub origin: String,
}

/// What the scheduler says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonInfo {
    /// Version of its program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Random name of its store.
    pub instance: String,
    /// Folder of its store.
    pub state_dir: String,
    /// When it began.
    pub started_at: UnixMillis,
    /// Jobs that are not final.
    pub live_jobs: u32,
    /// Runners: name, connected, attempts held, capacity.
    pub runners: Vec<RunnerRow>,
    /// What was found and repaired when the store was opened; empty when nothing was.
    pub recovery: Vec<String>,
}

/// One runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerRow {
    /// Its name.
    pub name: String,
    /// Whether its stream is open.
    pub connected: bool,
    /// Attempts it holds.
    pub live: u32,
    /// Attempts it can hold.
    pub capacity: u32,
    /// Version of its program.
    pub version: String,
}

/// What is asked of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum StoreVerb {
    /// Read everything and check it.
    Verify,
    /// Copy it, consistent, to an empty folder of the scheduler's host.
    Backup {
        /// The folder.
        to: String,
    },
    /// Sizes and numbers.
    Stats,
    /// Remove old final jobs.
    Prune {
        /// Older than so many milliseconds.
        max_age: Option<u64>,
        /// Until outputs and journal are at most so many bytes.
        max_bytes: Option<u64>,
    },
}

/// Which job is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobRef {
    /// The one with this number.
    Id(u64),
    /// The one submitted last.
    Last,
    /// The newest one with this name.
    Name(String),
}

/// The text names no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no job: write its number, `last`, or its name")]
pub struct JobRefError(pub String);

impl std::str::FromStr for JobRef {
    type Err = JobRefError;

    /// A text of digits only is always a number, never a name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || JobRefError(text.to_owned());
        if text == "last" {
            return Ok(Self::Last);
        }
        if text.is_empty() || text.trim() != text {
            return Err(refused());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(0) | Err(_) => Err(refused()),
                Ok(id) => Ok(Self::Id(id)),
            };
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl std::fmt::Display for JobRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Last => f.write_str("last"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A tool explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolHelp {
    /// Its line in the catalogue.
    pub tool: ToolRow,
    /// The manifest file's text.
    pub manifest: String,
    /// Its parameters, outputs and examples, for people.
    pub help: Vec<ReportLine>,
}

/// A tool checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReply {
    /// What was found, for people.
    pub report: Vec<ReportLine>,
    /// Whether it can be used as it is.
    pub ok: bool,
}

/// One target of an inventory, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// How it is reached.
    pub transport: crate::plan::Transport,
    /// Port, when the inventory names one.
    pub port: Option<u16>,
    /// User to log in as, when the inventory names one.
    pub user: Option<String>,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Groups it belongs to, with their ancestors.
    pub groups: std::collections::BTreeSet<String>,
}

/// What the store answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreReply {
    /// For people.
    pub report: Vec<ReportLine>,
    /// The same for programs.
    pub json: Value,
    /// Whether all is well; `verify` that found damage says no.
    pub ok: bool,
}

/// A format that an engineer writes and whose JSON Schema can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaKind {
    /// Job files.
    Job,
    /// Inventories.
    Inventory,
    /// Tool manifests.
    Tool,
}

impl SchemaKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Job, Self::Inventory, Self::Tool];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Inventory => "inventory",
            Self::Tool => "tool",
        }
    }
}

/// The text names no format that has a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has no schema: write `job`, `inventory` or `tool`")]
pub struct SchemaKindError(pub String);

impl std::str::FromStr for SchemaKind {
    type Err = SchemaKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| SchemaKindError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_named_by_number_by_last_or_by_name() {
        assert_eq!("17".parse(), Ok(JobRef::Id(17)));
        assert_eq!("last".parse(), Ok(JobRef::Last));
        assert_eq!("roll-nginx".parse(), Ok(JobRef::Name("roll-nginx".into())));
        assert_eq!("17b".parse(), Ok(JobRef::Name("17b".into())));
        for job in [JobRef::Id(u64::MAX), JobRef::Last, JobRef::Name("a b".into())] {
            assert_eq!(job.to_string().parse(), Ok(job));
        }
    }

    #[test]
    fn what_names_no_job_is_refused() {
        for text in ["", "0", " 17", "roll ", "99999999999999999999"] {
            assert_eq!(text.parse::<JobRef>(), Err(JobRefError(text.into())), "{text:?}");
        }
    }

    #[test]
    fn every_schema_is_found_by_its_word() {
        for kind in SchemaKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        assert_eq!("jobs".parse::<SchemaKind>(), Err(SchemaKindError("jobs".into())));
    }
}
