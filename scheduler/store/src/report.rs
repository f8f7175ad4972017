//! What the store tells about itself: what was found on opening, what verify saw, what a backup holds, what retention removed.
//!
//! Plain data for the caller to print; nothing here can fail.

use std::fmt;
use std::path::PathBuf;

/// What was found when the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// True when the directory was empty and a store was made in it.
    pub created: bool,
    /// False when the last process did not close the store: it was killed, it crashed or the machine lost power.
    pub clean: bool,
    /// Eight random hex digits, made with the store; the prefix that tells two stores' jobs apart.
    pub instance: String,
    /// When the store was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// The format, major and minor.
    pub format: (u32, u32),
    /// The format before this opening, when it was older.
    pub migrated_from: Option<(u32, u32)>,
    /// Events in the journal.
    pub events: u64,
    /// Jobs that are not over.
    pub live_jobs: u64,
    /// What was repaired; empty after a clean shutdown.
    pub repairs: Vec<Repair>,
}

/// One repair made on opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The write-ahead log ended in the middle of a commit, which was never acknowledged. The tail was dropped.
    Journal {
        /// Bytes dropped.
        bytes: u64,
    },
    /// A segment held bytes that no acknowledged commit names. They were cut off.
    OutputTail {
        /// The job.
        job: u64,
        /// The segment's number.
        segment: u32,
        /// Bytes dropped.
        bytes: u64,
    },
    /// A segment is shorter than acknowledged commits say: output is lost. Offsets stay as they were and readers are told.
    OutputLost {
        /// The job.
        job: u64,
        /// The segment's number.
        segment: u32,
        /// Bytes of the segment that are missing or had to be cut.
        bytes: u64,
        /// Pieces of output that can no longer be read.
        pieces: u64,
    },
    /// A file that nothing refers to was removed: a crash came between making it and committing it.
    Orphan {
        /// The file, relative to the store.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal { bytes } => write!(f, "dropped an unfinished commit of {bytes} bytes from the journal"),
            Self::OutputTail { job, segment, bytes } => {
                write!(f, "cut {bytes} unacknowledged bytes from output segment {segment} of job {job}")
            }
            Self::OutputLost { job, segment, bytes, pieces } => {
                write!(
                    f,
                    "output segment {segment} of job {job} lost {bytes} acknowledged bytes: {pieces} pieces of output cannot be read any more"
                )
            }
            Self::Orphan { path, bytes } => {
                write!(f, "removed {} ({bytes} bytes), which nothing refers to", path.display())
            }
        }
    }
}

/// What may be removed. Jobs that are not over are never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainPolicy {
    /// Final jobs that ended longer ago than this are removed; `None` keeps them whatever their age.
    pub max_age_ms: Option<u64>,
    /// While events, outputs, plans and blobs together are larger, the oldest final job is removed; `None` sets no limit.
    pub max_bytes: Option<u64>,
    /// Plans and blobs that no job names are kept this long after they were last stored, so that a printed plan can still be run.
    pub loose_max_age_ms: u64,
    /// At most this many jobs are removed by one call, so that the writer is not held up; call again while `more` is set.
    pub max_jobs: u32,
}

impl Default for RetainPolicy {
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        Self { max_age_ms: Some(90 * DAY_MS), max_bytes: Some(20 << 30), loose_max_age_ms: DAY_MS, max_jobs: 100 }
    }
}

/// What retention removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetainReport {
    /// Jobs removed, oldest first.
    pub jobs: Vec<u64>,
    /// Plans removed.
    pub plans: u64,
    /// Blobs removed.
    pub blobs: u64,
    /// Bytes of events, output, plans and blobs removed.
    pub bytes: u64,
    /// True when the policy would remove more than one call may.
    pub more: bool,
    /// Bytes kept after the call, counted as `max_bytes` counts.
    pub bytes_kept: u64,
}

/// What `verify` saw. Reads only; nothing is repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Rows of the journal whose checksum and numbering were checked.
    pub event_rows: u64,
    /// Events in them.
    pub events: u64,
    /// Plans checked.
    pub plans: u64,
    /// Frames of output checked.
    pub frames: u64,
    /// Pieces of output that readers are told are lost.
    pub lost_pieces: u64,
    /// Blobs whose digest was recomputed.
    pub blobs: u64,
    /// Secrets that open with the key.
    pub secrets: u64,
    /// Damage, one line each with table and place. At most [`VerifyReport::PROBLEMS_MAX`] are kept.
    pub problems: Vec<String>,
    /// Damage beyond that limit.
    pub more_problems: u64,
    /// Harmless things worth knowing: files that nothing refers to, an unfinished tail.
    pub notes: Vec<String>,
}

impl VerifyReport {
    /// As many problems as a person reads; the rest is counted.
    pub const PROBLEMS_MAX: usize = 1000;

    /// True when no damage was seen.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn problem(&mut self, text: impl Into<String>) {
        if self.problems.len() < Self::PROBLEMS_MAX {
            self.problems.push(text.into());
        } else {
            self.more_problems += 1;
        }
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        if self.notes.len() < Self::PROBLEMS_MAX {
            self.notes.push(text.into());
        }
    }
}

/// What a backup holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Jobs in it.
    pub jobs: u64,
    /// Events in it.
    pub events: u64,
    /// Segment files copied.
    pub segments: u64,
    /// Blobs copied.
    pub blobs: u64,
    /// Bytes written, the database included.
    pub bytes: u64,
}

/// How much the store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// The store's instance id.
    pub instance: String,
    /// Jobs, and how many of them are not over.
    pub jobs: u64,
    /// Jobs that are not over.
    pub live_jobs: u64,
    /// Events.
    pub events: u64,
    /// Rows that hold them.
    pub event_rows: u64,
    /// Output streams' pieces in the index.
    pub output_pieces: u64,
    /// Bytes of events, compressed.
    pub event_bytes: u64,
    /// Bytes of output on disk, compressed.
    pub output_bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Plans, and their bytes, compressed.
    pub plans: u64,
    /// Bytes of plans, compressed.
    pub plan_bytes: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes of blobs.
    pub blob_bytes: u64,
    /// Size of `store.db`.
    pub db_bytes: u64,
    /// Size of `store.db-wal`.
    pub wal_bytes: u64,
    /// When the oldest job was submitted, in milliseconds since 1970.
    pub oldest_job_ms: Option<u64>,
    /// When the newest job was submitted.
    pub newest_job_ms: Option<u64>,
}
