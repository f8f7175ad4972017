//! What travels to a runner: leases, attempts and the phase that they share. A runner never sees a job or a plan.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AttemptId, Digest, Epoch, RunnerId, UnixMillis};
use crate::outcome::{Outcome, Verdict};
use crate::plan::{Phase, Target};

/// Permission to execute attempts, with the phase that they share: 10,000 targets are not 10,000 copies of a script.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Random name of the scheduler's store; part of every fence.
    pub instance: String,
    /// Name of the job, for people and for templates.
    pub job_name: String,
    /// The phase, once.
    pub phase: Phase,
    /// Parameters of the job, secrets included.
    pub params: Map<String, Value>,
    /// Names in `params` whose values are masked in output and never written to disk.
    pub secrets: Vec<String>,
    /// Files that the phase may read, by parameter name.
    pub files: Vec<GrantFile>,
    /// What is executed.
    pub attempts: Vec<GrantAttempt>,
    /// Values over all targets that the phase reads: `phases.p.steps.s.key` to a map from target to value.
    pub all: Map<String, Value>,
}

impl std::fmt::Debug for Grant {
    /// Parameters may be secret: only their names are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let params: Vec<&String> = self.params.keys().collect();
        f.debug_struct("Grant")
            .field("job_name", &self.job_name)
            .field("phase", &self.phase.name)
            .field("params", &params)
            .field("attempts", &self.attempts.len())
            .finish_non_exhaustive()
    }
}

/// A file that travels beside a grant, by digest; its content is asked for when the runner does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFile {
    /// The parameter that names it.
    pub param: String,
    /// Its name without folders.
    pub name: String,
    /// SHA-256 of its content in hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
}

/// One attempt of a grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantAttempt {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Fences stale holders.
    pub epoch: Epoch,
    /// The target; none for a phase that runs once.
    pub target: Option<Target>,
    /// Outputs of earlier phases that this target may read: `phases.<phase>.steps.<step>.<key>`.
    pub phases: Map<String, Value>,
    /// Set when a runner had begun it: what is not found on the target is then lost, not new.
    pub resume: Option<Resume>,
    /// Whether a lease of this attempt was given before, so that it may have begun though nobody has said so: a stop must
    /// then reach the host.
    pub again: bool,
}

/// What the scheduler knows of an attempt that had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// When it began.
    pub started_at: UnixMillis,
    /// Index of the last step that is known to have begun.
    pub step: u32,
    /// Bytes of standard output that are stored.
    pub stdout: u64,
    /// Bytes of standard error that are stored.
    pub stderr: u64,
}

/// What a runner says of itself when it connects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerHello {
    /// Its name.
    pub runner: RunnerId,
    /// Version of its program.
    pub version: String,
    /// Attempts it can hold at once.
    pub capacity: u32,
    /// Labels, for choosing it.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Attempts it holds now.
    pub live: Vec<LiveAttempt>,
}

/// An attempt that a runner holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAttempt {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The epoch of its lease.
    pub epoch: Epoch,
    /// Bytes of standard output sent so far.
    pub stdout: u64,
    /// Bytes of standard error sent so far.
    pub stderr: u64,
}

/// Which of the two streams of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word for it on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A piece of an attempt's output. The streams of an attempt run through all its steps; offsets count the bytes as kept
/// (masked and transcoded), from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChunk {
    /// Whose output.
    pub attempt: AttemptId,
    /// Which stream.
    pub stream: Stream,
    /// Offset of the first byte.
    pub offset: u64,
    /// At most 64 KiB.
    pub bytes: Vec<u8>,
}

/// The largest piece of output in one message, in bytes.
pub const MAX_CHUNK: usize = 64 * 1024;

/// How an attempt ended, as its runner reports it and the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptReport {
    /// How it ended: that of the step that decided it.
    pub outcome: Outcome,
    /// What that amounts to under the steps' failure policies.
    pub verdict: Verdict,
    /// One sentence for people: what failed, on what, why; empty when nothing did.
    pub message: String,
    /// Which step decided it, when one did.
    pub decided_by: Option<String>,
    /// Step by step.
    pub steps: Vec<StepReport>,
    /// Digest of the normalised output of all steps: targets with the same one belong to one cluster.
    pub cluster: Option<Digest>,
    /// Bytes of standard output kept.
    pub stdout: u64,
    /// Bytes of standard error kept.
    pub stderr: u64,
    /// When it began, by the runner's clock.
    pub started_at: UnixMillis,
    /// When it ended, by the runner's clock.
    pub finished_at: UnixMillis,
}

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its id.
    pub id: String,
    /// How its last try ended; none when it was skipped or never reached.
    pub outcome: Option<Outcome>,
    /// What that amounts to.
    pub verdict: Verdict,
    /// Tries made.
    pub tries: u32,
    /// Milliseconds from its first start to its end.
    pub millis: u64,
    /// What it published, at most 256 KiB as JSON.
    pub outputs: Map<String, Value>,
    /// One sentence for people; empty when all is well.
    pub message: String,
}

/// What the scheduler tells a runner about a tool: asked for once per digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolPackage {
    /// Its name.
    pub name: String,
    /// Digest of its content.
    pub digest: Digest,
    /// The manifest file's text.
    pub manifest: String,
    /// Its files beside the manifest: name, mode, content.
    pub files: Vec<ToolFile>,
}

/// One file of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFile {
    /// Its path inside the tool's folder.
    pub name: String,
    /// Unix permission bits.
    pub mode: u32,
    /// Its content.
    pub bytes: Vec<u8>,
}
