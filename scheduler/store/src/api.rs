//! The seam: what the scheduler needs of a store, and nothing about how it is kept.
//!
//! [`Store`] is the one writer; [`StoreReader`] is what any thread may do. Both block. Each method says how it can fail;
//! in general [`StoreError::Corrupt`](crate::StoreError::Corrupt) from a read means that nothing was skipped: reading stops at the damage.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::commit::{Commit, JobSummary, Secret, StreamKey};
use crate::error::Result;
use crate::report::{BackupReport, RetainPolicy, RetainReport, StoreStats, VerifyReport};

/// The secrets of one job by name. Wiped when dropped.
pub type SecretMap = BTreeMap<String, Secret>;
/// Records in the order in which they became durable. Ends after the first error.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record>> + 'a>;
/// The bytes of a blob; reading past the end of a damaged blob gives an error instead of the end.
pub type BlobReader = Box<dyn Read + Send>;

/// The one writer of a store.
pub trait Store: Send {
    /// Makes the whole commit durable, or nothing of it.
    ///
    /// When it returns, everything is on disk. A refusal ([`is_refusal`](crate::StoreError::is_refusal)) changed nothing and the
    /// store goes on. After any other failure nothing of the commit is visible after the store is opened again, and this store
    /// answers only [`Stopped`](crate::StoreError::Stopped): the caller must stop the process. (One exception that no program can rule
    /// out: if the disk reports a failed sync but kept the bytes, the commit may be there after all; then it is there whole.)
    fn append(&mut self, commit: Commit) -> Result<Appended>;

    /// Reads through the writer: sees every acknowledged commit.
    fn reader(&self) -> &dyn StoreReader;

    /// A reader for another thread.
    fn new_reader(&self) -> Result<Box<dyn StoreReader + Send>>;

    /// The secrets of a job, opened. Fails when one does not open with the store's key.
    fn secrets(&self, job: u64) -> Result<SecretMap>;

    /// Removes the secrets of a job; returns how many there were. For jobs that nobody can retry any more.
    fn delete_secrets(&mut self, job: u64) -> Result<u64>;

    /// Keeps a blob and returns its digest. Storing it again only renews its age.
    fn put_blob(&mut self, bytes: &mut dyn Read, now_ms: u64) -> Result<String>;

    /// Removes the oldest final jobs as the policy says, then plans and blobs that no job names. Never touches a job that is not over.
    fn retain(&mut self, now_ms: u64, policy: &RetainPolicy) -> Result<RetainReport>;
}

/// What any thread may do with a store, while the writer goes on.
pub trait StoreReader {
    /// The records of one job from the first.
    fn read_job(&self, job: u64) -> Records<'_>;
    /// All records from row `from_seq` on; 0 for the beginning.
    fn read_all(&self, from_seq: u64) -> Records<'_>;
    /// The records that a start needs: of jobs that are not over, and of no job. Jobs without a summary count as not over.
    fn read_live(&self) -> Result<Records<'_>>;

    /// The summary of a job.
    fn job(&self, id: u64) -> Result<Option<JobSummary>>;
    /// Summaries, newest first.
    fn jobs(&self, query: &JobQuery) -> Result<JobPage>;

    /// A plan by its digest.
    fn plan(&self, digest: &str) -> Result<Option<Vec<u8>>>;
    /// The plans in the store, newest first, at most `limit`.
    fn plans(&self, limit: u32) -> Result<Vec<PlanInfo>>;

    /// Output of a stream from an offset on, about `max_bytes` of it (at least one byte if there is any; at most 8 MiB).
    fn read_output(&self, stream: &StreamKey, from_offset: u64, max_bytes: usize) -> Result<OutputPage>;
    /// How many bytes of a stream are stored; 0 for a stream that is not known.
    fn output_len(&self, stream: &StreamKey) -> Result<u64>;
    /// The streams of a job, in the order of their keys.
    fn outputs_of(&self, job: u64) -> Result<Vec<StreamInfo>>;

    /// A blob as a stream; its digest is checked at the end.
    fn open_blob(&self, digest: &str) -> Result<Option<BlobReader>>;
    /// A blob of at most `max_bytes`; a larger one is refused.
    fn blob(&self, digest: &str, max_bytes: u64) -> Result<Option<Vec<u8>>>;

    /// Checks everything that can be checked without changing anything.
    fn verify(&self) -> Result<VerifyReport>;
    /// Copies a consistent state into an empty directory, which then opens as a store. It holds `secret.key` too: guard it like the store.
    fn backup(&self, to_dir: &Path) -> Result<BackupReport>;
    /// Counts and sizes.
    fn stats(&self) -> Result<StoreStats>;
}

/// What an append did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Row of the first events of the commit; meaningless when `events` is 0.
    pub first_seq: u64,
    /// Row after the last: where `read_all` continues after this commit.
    pub next_seq: u64,
    /// Events stored.
    pub events: u64,
    /// Output bytes stored, before compression.
    pub output_bytes: u64,
    /// Output bytes that were stored already and therefore skipped.
    pub duplicate_bytes: u64,
}

/// One event as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The row it is in; events of one job in one commit share it.
    pub seq: u64,
    /// The job, or none.
    pub job: Option<u64>,
    /// The event's number in its job, from 0 without gaps.
    pub number: u64,
    /// What the caller gave.
    pub bytes: Vec<u8>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Only jobs in one of these states; empty means all.
    pub states: Vec<String>,
    /// Only jobs whose name matches: `*`, `?` and `[a-z]`, case counts.
    pub name_glob: Option<String>,
    /// Only jobs that are over, or only those that are not.
    pub is_final: Option<bool>,
    /// Continue after the page that gave this cursor.
    pub after: Option<JobCursor>,
    /// Rows of a page, 1 to 1000; 0 means 100.
    pub limit: u32,
}

/// A place in the list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCursor {
    /// When the last job of the page was submitted.
    pub created_ms: u64,
    /// Its id.
    pub id: u64,
}

/// One page of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobPage {
    /// The jobs, newest first.
    pub jobs: Vec<JobSummary>,
    /// Where the next page begins; none after the last.
    pub next: Option<JobCursor>,
}

/// A plan in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanInfo {
    /// Its digest.
    pub digest: String,
    /// When it was last stored, in milliseconds since 1970.
    pub stored_ms: u64,
    /// Its size before compression.
    pub bytes: u64,
    /// Jobs that name it.
    pub jobs: u64,
}

/// A part of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputPage {
    /// Bytes with their offsets, in order.
    pub chunks: Vec<(u64, Vec<u8>)>,
    /// Ranges that were stored once but are lost (see [`Repair::OutputLost`](crate::Repair::OutputLost)).
    pub lost: Vec<Range<u64>>,
    /// Where the next page begins; equal to `len` when everything was read.
    pub next_offset: u64,
    /// How many bytes the stream has.
    pub len: u64,
}

/// A stream of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its address.
    pub key: StreamKey,
    /// How many bytes are stored.
    pub len: u64,
}
