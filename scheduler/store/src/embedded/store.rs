//! The writer of the embedded store.
//!
//! Holds the lock, the writing connection, the key and the open segments. After a failed append it answers only `Stopped`.

use std::io::Read;
use std::path::Path;

use super::append;
use super::blobs::{self, BlobInbox, StagedBlob};
use super::lock::Lock;
use super::open::{self, OpenOptions};
use super::output::writer::OutputWriter;
use super::reader::EmbeddedReader;
use super::retain;
use super::schema;
use super::secrets::{self, Key};
use crate::api::{Appended, SecretMap, Store, StoreReader};
use crate::commit::Commit;
use crate::error::{During, Result, StoreError};
use crate::report::{OpenReport, RetainPolicy, RetainReport};

/// The one writer of a store's directory.
pub struct EmbeddedStore {
    /// The writing connection, which also reads.
    read: EmbeddedReader,
    writer: OutputWriter,
    inbox: BlobInbox,
    key: Key,
    next_seq: u64,
    stopped: bool,
    /// Dropped last: nobody else may write before the connection is closed.
    _lock: Lock,
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("path", &self.read.layout.root())
            .field("next_seq", &self.next_seq)
            .finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the store in a directory, or makes one there; repairs what a crash left and tells it.
    ///
    /// Fails with `Locked` when another process has it, `NewerFormat`, `NotAStore`, `Incomplete`, `KeyPermissions`, `Corrupt`, `Full`, `ReadOnly`.
    pub fn open(dir: &Path, options: &OpenOptions) -> Result<(Self, OpenReport)> {
        let opened = open::open(dir, options)?;
        let writer = OutputWriter::new(opened.layout.clone(), options.segment_bytes)?;
        let inbox = BlobInbox::new(opened.layout.clone())?;
        let read = EmbeddedReader { conn: opened.conn, layout: opened.layout };
        let store = Self {
            read,
            writer,
            inbox,
            key: opened.key,
            next_seq: opened.next_seq,
            stopped: false,
            _lock: opened.lock,
        };
        Ok((store, opened.report))
    }

    /// Closes the store and marks it as cleanly closed. Dropping it instead loses nothing, but counts as unclean.
    pub fn close(self) -> Result<()> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        let EmbeddedReader { conn, layout } = self.read;
        schema::set_meta(&conn, &layout, "clean", "1")?;
        open::checkpoint(&conn, &layout)?;
        conn.close().map_err(|(_, error)| error).during("close", &layout.db())
    }

    /// A place where any thread can write blobs, for [`adopt_blob`](Self::adopt_blob).
    #[must_use]
    pub fn blob_inbox(&self) -> BlobInbox {
        self.inbox.clone()
    }

    /// Takes a staged blob into the store; returns its digest.
    pub fn adopt_blob(&mut self, staged: StagedBlob, now_ms: u64) -> Result<String> {
        self.check_running()?;
        blobs::adopt(&mut self.read.conn, &self.read.layout, &staged, now_ms)?;
        Ok(staged.digest().to_owned())
    }

    /// How many segment files are open; bounded.
    #[must_use]
    pub fn open_segments(&self) -> usize {
        self.writer.open_files()
    }

    fn check_running(&self) -> Result<()> {
        if self.stopped { Err(StoreError::Stopped) } else { Ok(()) }
    }

    fn write(&mut self, prepared: &append::Prepared) -> Result<Appended> {
        let EmbeddedReader { conn, layout } = &mut self.read;
        let written = append::write_output(conn, &mut self.writer, prepared)?;
        append::commit(conn, layout, &self.key, (prepared, &written, self.next_seq))
    }
}

impl Store for EmbeddedStore {
    fn append(&mut self, commit: Commit) -> Result<Appended> {
        self.check_running()?;
        if commit.is_empty() {
            return Ok(Appended { first_seq: self.next_seq, next_seq: self.next_seq, ..Appended::default() });
        }
        let prepared = match append::prepare(&self.read.conn, &self.read.layout, commit) {
            Ok(prepared) => prepared,
            Err(refusal) if refusal.is_refusal() => return Err(refusal),
            Err(error) => {
                self.stopped = true;
                return Err(error);
            }
        };
        match self.write(&prepared) {
            Ok(appended) => {
                self.next_seq = appended.next_seq;
                Ok(appended)
            }
            Err(error) => {
                self.stopped = true;
                tracing::error!(%error, "append failed, the store stops");
                append::drown_failed_commit(&self.read.conn, &self.read.layout);
                Err(error)
            }
        }
    }

    fn reader(&self) -> &dyn StoreReader {
        &self.read
    }

    fn new_reader(&self) -> Result<Box<dyn StoreReader + Send>> {
        Ok(Box::new(EmbeddedReader::open(self.read.layout.root())?))
    }

    fn secrets(&self, job: u64) -> Result<SecretMap> {
        secrets::get(&self.read.conn, &self.read.layout, &self.key, job)
    }

    fn delete_secrets(&mut self, job: u64) -> Result<u64> {
        self.check_running()?;
        secrets::delete(&self.read.conn, &self.read.layout, job)
    }

    fn put_blob(&mut self, bytes: &mut dyn Read, now_ms: u64) -> Result<String> {
        let staged = self.inbox.stage(bytes, u64::MAX)?;
        self.adopt_blob(staged, now_ms)
    }

    fn retain(&mut self, now_ms: u64, policy: &RetainPolicy) -> Result<RetainReport> {
        self.check_running()?;
        let EmbeddedReader { conn, layout } = &mut self.read;
        open::keep_next_seq(conn, layout, self.next_seq)?;
        let report = retain::retain(conn, layout, now_ms, policy);
        // Also after a failure: a removed file must not be written to through a handle that is still open.
        self.writer.close_files();
        report
    }
}
