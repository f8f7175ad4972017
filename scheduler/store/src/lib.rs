//! The store: the durable journal, the jobs' summaries, plans, outputs, secrets and blobs of one scheduler.
//!
//! What an event means is not known here: a record is bytes that the caller made. The store promises that a [`Commit`]
//! is durable as a whole or not there at all, that nothing acknowledged changes silently (every row and every frame has a
//! checksum), and that a torn tail after a crash is repaired and said in the [`OpenReport`].
//!
//! ```text
//!   scheduler thread ── append(Commit) ──> EmbeddedStore ──┬─ outputs/<job>/*.seg   written and synced first
//!                                                          └─ store.db              one transaction, synced: the moment of truth
//!   other threads ───── EmbeddedReader (own connection, never blocks the writer)
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`commit`] | what goes in: events, output, secrets, plans, summaries |
//! | [`api`] | the traits [`Store`] and [`StoreReader`], and what comes out |
//! | [`report`] | what open, verify, backup, stats and retention tell |
//! | [`error`] | how it can fail |
//! | [`embedded`] | SQLite and files in one directory |
//!
//! The API blocks. Call it from one dedicated thread, and give each other thread a reader of its own.

pub mod api;
pub mod commit;
pub mod embedded;
pub mod error;
pub mod report;

pub use api::{
    Appended, BlobReader, JobCursor, JobPage, JobQuery, OutputPage, PlanInfo, Record, Records, SecretMap, Store,
    StoreReader, StreamInfo,
};
pub use commit::{BlobUse, Commit, EventBatch, JobSummary, OutputChunk, PlanBlob, Secret, SecretPut, StreamKey};
pub use embedded::{BlobInbox, EmbeddedReader, EmbeddedStore, OpenOptions, StagedBlob};
pub use error::{Result, StoreError};
pub use report::{BackupReport, OpenReport, Repair, RetainPolicy, RetainReport, StoreStats, VerifyReport};
