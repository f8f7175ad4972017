//! What goes into the store: one [`Commit`] is everything that must become durable together.
//!
//! Plain data. The limits here keep every buffer of the store bounded; a commit beyond them is refused before anything is written.

use std::fmt;

use zeroize::Zeroizing;

/// Largest record, in bytes. Events carry facts, not output; the largest is a submission with its job file.
pub const RECORD_MAX: usize = 16 << 20;
/// Largest output chunk, in bytes. The protocol sends at most 64 KiB; the rest is room for callers that join chunks.
pub const CHUNK_MAX: usize = 1 << 20;
/// Largest plan, in bytes before compression: 10,000 targets with their variables stay far below.
pub const PLAN_MAX: usize = 256 << 20;
/// Largest secret, in bytes: a key or a certificate chain.
pub const SECRET_MAX: usize = 1 << 20;
/// Largest name, state, labels or summary text of a job, in bytes.
pub const TEXT_MAX: usize = 4 << 20;

/// Everything that becomes durable in one transaction.
///
/// Events of one job keep their order. Between jobs the order inside one commit is the order in which each job appears
/// first, because the events of one job are stored as one row.
#[derive(Debug, Default, Clone)]
pub struct Commit {
    /// When this happens, in milliseconds since 1970. Kept with plans; nothing else is derived from it.
    pub now_ms: u64,
    /// Records to append to the journal.
    pub events: Vec<EventBatch>,
    /// Output to append; chunks of one stream in the order of their offsets.
    pub output: Vec<OutputChunk>,
    /// Secrets to seal; a secret of the same job and name is replaced.
    pub secrets: Vec<SecretPut>,
    /// Plans to keep; storing the same plan twice is a cheap no-op.
    pub plans: Vec<PlanBlob>,
    /// Summaries to insert or replace.
    pub jobs: Vec<JobSummary>,
    /// Jobs that need blobs, so that retention keeps them.
    pub blob_uses: Vec<BlobUse>,
}

impl Commit {
    /// An empty commit made at `now_ms`.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self { now_ms, ..Self::default() }
    }

    /// True when there is nothing to store; appending it is a no-op.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.output.is_empty()
            && self.secrets.is_empty()
            && self.plans.is_empty()
            && self.jobs.is_empty()
            && self.blob_uses.is_empty()
    }
}

/// Records of one job, or of none (facts about the scheduler as a whole).
#[derive(Debug, Clone)]
pub struct EventBatch {
    /// The job, at most 2^63 - 1.
    pub job: Option<u64>,
    /// Serialised events, each at most [`RECORD_MAX`] bytes.
    pub records: Vec<Vec<u8>>,
}

/// The address of one output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    /// The job.
    pub job: u64,
    /// The task inside the job, at most 2^63 - 1.
    pub task: u64,
    /// The n-th execution of the task.
    pub attempt: u32,
    /// The step inside the phase.
    pub step: u32,
    /// Which stream; the caller's numbering, for example 1 for stdout and 2 for stderr.
    pub stream: u8,
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "job {} task {} attempt {} step {} stream {}",
            self.job, self.task, self.attempt, self.step, self.stream
        )
    }
}

/// Bytes of one stream at an offset. What is already stored is skipped; a gap refuses the commit.
#[derive(Debug, Clone)]
pub struct OutputChunk {
    /// Whose output.
    pub stream: StreamKey,
    /// Where in the stream the bytes begin.
    pub offset: u64,
    /// The bytes, at most [`CHUNK_MAX`].
    pub bytes: Vec<u8>,
}

/// A value that never shows in logs and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the value over.
    #[must_use]
    pub fn new(value: Vec<u8>) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A secret of a job, sealed before it is stored.
#[derive(Debug, Clone)]
pub struct SecretPut {
    /// The job that may use it.
    pub job: u64,
    /// Its name, which is not secret.
    pub name: String,
    /// The value, at most [`SECRET_MAX`] bytes.
    pub value: Secret,
}

/// A plan, addressed by the digest that the planner computed.
#[derive(Debug, Clone)]
pub struct PlanBlob {
    /// The plan's digest; the store does not recompute it, because only the planner knows its canonical form.
    pub digest: String,
    /// The serialised plan, at most [`PLAN_MAX`] bytes.
    pub bytes: Vec<u8>,
}

/// What lists show about a job, and whether it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// The job, at most 2^63 - 1.
    pub id: u64,
    /// The job's name.
    pub name: String,
    /// The state in words.
    pub state: String,
    /// True when the job is over: it is not replayed at start, and retention may remove it.
    pub is_final: bool,
    /// When it was submitted, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ended.
    pub finished_ms: Option<u64>,
    /// The plan it runs; must be stored before or in the same commit.
    pub plan_digest: Option<String>,
    /// Labels as JSON text; opaque here.
    pub labels: String,
    /// Everything else as JSON text; opaque here.
    pub summary: String,
}

/// A job needs a blob.
#[derive(Debug, Clone)]
pub struct BlobUse {
    /// The job.
    pub job: u64,
    /// The blob's digest.
    pub digest: String,
}
