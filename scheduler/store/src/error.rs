//! How the store can fail: one variant per failed operation, with what it acted on.
//!
//! Three situations are told apart because an operator does something different about each: no space left
//! ([`StoreError::Full`]), not writable ([`StoreError::ReadOnly`]) and damaged ([`StoreError::Corrupt`]).
//! A commit that is refused because of what it says ([`StoreError::is_refusal`]) changed nothing and the store goes on;
//! after any other failure of an append the store answers only [`StoreError::Stopped`].

use std::io;
use std::path::{Path, PathBuf};

use crate::commit::StreamKey;

/// Result of every operation of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What the operating system or SQLite said; the source of several variants.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A file operation failed.
    #[error(transparent)]
    Io(io::Error),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system has no space left (or the user's quota is used up).
    #[error("no space left while trying to {op} {}", path.display())]
    Full {
        op: &'static str,
        path: PathBuf,
        #[source]
        source: Cause,
    },
    /// The file system or the file cannot be written.
    #[error("no permission, or a read-only file system: cannot {op} {}", path.display())]
    ReadOnly {
        op: &'static str,
        path: PathBuf,
        #[source]
        source: Cause,
    },
    /// A file operation failed in another way.
    #[error("cannot {op} {}", path.display())]
    File {
        op: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// SQLite failed in another way.
    #[error("cannot {op} in {}", path.display())]
    Database {
        op: &'static str,
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// Stored data is not what was written.
    #[error("damaged store: {table}, {place}: {problem}; {advice}")]
    Corrupt { table: &'static str, place: String, problem: String, advice: &'static str },

    /// Another process holds the directory.
    #[error("{} is in use by {}", path.display(), holder(*.pid))]
    Locked { path: PathBuf, pid: Option<u32> },
    /// The database in the directory was not made by autoexec.
    #[error("{} is not an autoexec store: {found}", path.display())]
    NotAStore { path: PathBuf, found: String },
    /// The store was written by a newer program.
    #[error("{} has format {}.{}, newer than {}.{} which this program knows; use the newer program", path.display(), found.0, found.1, known.0, known.1)]
    NewerFormat { path: PathBuf, found: (u32, u32), known: (u32, u32) },
    /// The directory holds parts of a store, but a part without which it cannot be opened is missing.
    #[error("{} has {found} but no {missing}; restore {missing} from a backup, or choose an empty directory", path.display())]
    Incomplete { path: PathBuf, missing: &'static str, found: String },
    /// The key file can be read by others, or is not ours.
    #[error("{} has mode {mode:04o}, but a key may be readable by its owner only; run chmod 600 on it and change the secrets if someone else could read it", path.display())]
    KeyPermissions { path: PathBuf, mode: u32 },
    /// The key file does not hold a key.
    #[error("{} is not a key file of autoexec; restore it from a backup", path.display())]
    KeyMalformed { path: PathBuf },
    /// The operating system gave no random bytes.
    #[error("cannot get random bytes from the operating system: {reason}")]
    Entropy { reason: String },
    /// A secret could not be sealed.
    #[error("cannot seal secret {name:?} of job {job}")]
    Seal { job: u64, name: String },
    /// A sealed secret does not open with this key: the key file was replaced, or the row is damaged.
    #[error(
        "cannot open secret {name:?} of job {job}: secret.key is not the key it was sealed with, or the row is damaged; restore secret.key, or submit the job again"
    )]
    Unseal { job: u64, name: String },

    /// Output does not follow what is stored.
    #[error("gap in output of {stream}: {stored} bytes are stored, but the chunk begins at {offset}")]
    OutputGap { stream: StreamKey, stored: u64, offset: u64 },
    /// Something in a commit is larger than the store takes.
    #[error("{what} has {size} bytes, more than {limit}")]
    TooLarge { what: &'static str, size: u64, limit: u64 },
    /// A number does not fit into the database (ids, offsets and times end at 2^63 - 1).
    #[error("{what} {value} is above 2^63 - 1")]
    NumberTooLarge { what: &'static str, value: u64 },
    /// The same digest was given for other bytes.
    #[error("plan {digest} is already stored with other content")]
    PlanConflict { digest: String },
    /// A summary names a plan that is neither stored nor in the commit.
    #[error("job {job} names plan {digest}, which is not stored")]
    PlanMissing { job: u64, digest: String },
    /// A blob is named that is not stored.
    #[error("blob {digest} is not stored")]
    BlobMissing { digest: String },
    /// A blob's name is not 64 lower-case hex digits.
    #[error("{digest:?} is not the digest of a blob: 64 lower-case hex digits are expected")]
    BlobName { digest: String },
    /// The bytes that a caller hands over as a blob could not be read from their source.
    #[error("cannot read the bytes of the new blob")]
    BlobSource {
        #[source]
        source: io::Error,
    },
    /// The directory for a backup holds something already.
    #[error("{} is not empty; a backup goes into an empty or new directory", path.display())]
    NotEmpty { path: PathBuf },
    /// An earlier append failed, so what is durable is known only after opening the store again.
    #[error("the store stopped after a failed write; open it again")]
    Stopped,
}

impl StoreError {
    /// True when a commit was refused because of what it says: nothing was written and the store goes on.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::OutputGap { .. }
                | Self::TooLarge { .. }
                | Self::NumberTooLarge { .. }
                | Self::PlanConflict { .. }
                | Self::PlanMissing { .. }
                | Self::BlobMissing { .. }
                | Self::BlobName { .. }
                | Self::BlobSource { .. }
                | Self::NotEmpty { .. }
        )
    }

    /// A damaged row or frame, with the usual advice.
    pub(crate) fn corrupt(table: &'static str, place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Corrupt {
            table,
            place: place.into(),
            problem: problem.into(),
            advice: "stop the scheduler, keep a copy of the directory, run store verify for the whole extent and restore the latest backup",
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Names the operation and the file of a failure, and tells full, read-only and damaged apart.
pub(crate) trait During<T> {
    /// `op` is a verb with its object, as in "cannot {op} PATH".
    fn during(self, op: &'static str, path: &Path) -> Result<T>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, op: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::Full { op, path, source: Cause::Io(source) }
                }
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    StoreError::ReadOnly { op, path, source: Cause::Io(source) }
                }
                _ => StoreError::File { op, path, source },
            }
        })
    }
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, op: &'static str, path: &Path) -> Result<T> {
        use rusqlite::ErrorCode;
        self.map_err(|source| {
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => StoreError::Full { op, path, source: Cause::Sqlite(source) },
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    StoreError::ReadOnly { op, path, source: Cause::Sqlite(source) }
                }
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    StoreError::corrupt("store.db", op, source.to_string())
                }
                _ => StoreError::Database { op, path, source },
            }
        })
    }
}
