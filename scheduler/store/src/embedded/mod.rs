//! The embedded store: SQLite for everything that must agree, files for what is large, all in one directory.
//!
//! ```text
//! DIR/store.db        journal, summaries, plans, index of outputs, sealed secrets (SQLite, WAL, synchronous=FULL)
//! DIR/outputs/JOB/    000001.seg, 000002.seg, ...: frames of compressed output, append only
//! DIR/blobs/ab/ab..   files by digest; DIR/blobs/incoming/ holds the ones being written
//! DIR/secret.key      the key that seals secrets, mode 0600
//! DIR/lock            held by the one writer; says its process id
//! ```
//!
//! Order of durability: frames are written and synced before the transaction that names them. So the database never names bytes
//! that are not there, and bytes that it does not name are a torn tail, cut on opening.

mod append;
mod backup;
mod blobs;
mod codec;
mod files;
mod jobs;
mod journal;
mod layout;
mod lock;
mod open;
mod output;
mod plans;
mod reader;
mod retain;
mod schema;
mod secrets;
mod stats;
mod store;
mod verify;
mod wal;

pub use blobs::{BlobInbox, StagedBlob};
pub use open::OpenOptions;
pub use reader::EmbeddedReader;
pub use store::EmbeddedStore;
