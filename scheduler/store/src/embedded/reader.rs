//! A reader of the embedded store: its own connection, so it neither waits for the writer nor holds it up.
//!
//! It may be in the writer's process or in another one, while the writer runs or not; it changes nothing.

use std::path::Path;

use rusqlite::Connection;

use super::layout::Layout;
use super::output::{intake, reading};
use super::{backup, blobs, jobs, journal, open, plans, stats, verify};
use crate::api::{BlobReader, JobPage, JobQuery, OutputPage, PlanInfo, Records, StoreReader, StreamInfo};
use crate::commit::{JobSummary, StreamKey};
use crate::error::Result;
use crate::report::{BackupReport, StoreStats, VerifyReport};

/// Reads a store. `Send`, so that each thread can have one.
#[derive(Debug)]
pub struct EmbeddedReader {
    pub(crate) conn: Connection,
    pub(crate) layout: Layout,
}

impl EmbeddedReader {
    /// Opens a store for reading only. Takes no lock and repairs nothing: a torn tail is simply not visible.
    pub fn open(dir: &Path) -> Result<Self> {
        let layout = Layout::new(dir);
        let conn = open::connect_reader(&layout)?;
        Ok(Self { conn, layout })
    }
}

impl StoreReader for EmbeddedReader {
    fn read_job(&self, job: u64) -> Records<'_> {
        journal::read_job(&self.conn, &self.layout, Some(job))
    }

    fn read_all(&self, from_seq: u64) -> Records<'_> {
        journal::read_all(&self.conn, &self.layout, from_seq)
    }

    fn read_live(&self) -> Result<Records<'_>> {
        journal::read_live(&self.conn, &self.layout)
    }

    fn job(&self, id: u64) -> Result<Option<JobSummary>> {
        jobs::get(&self.conn, &self.layout, id)
    }

    fn jobs(&self, query: &JobQuery) -> Result<JobPage> {
        jobs::list(&self.conn, &self.layout, query)
    }

    fn plan(&self, digest: &str) -> Result<Option<Vec<u8>>> {
        plans::get(&self.conn, &self.layout, digest)
    }

    fn plans(&self, limit: u32) -> Result<Vec<PlanInfo>> {
        plans::list(&self.conn, &self.layout, limit)
    }

    fn read_output(&self, stream: &StreamKey, from_offset: u64, max_bytes: usize) -> Result<OutputPage> {
        reading::read(&self.conn, &self.layout, stream, from_offset, max_bytes)
    }

    fn output_len(&self, stream: &StreamKey) -> Result<u64> {
        intake::stored_len(&self.conn, &self.layout, stream)
    }

    fn outputs_of(&self, job: u64) -> Result<Vec<StreamInfo>> {
        reading::streams(&self.conn, &self.layout, job)
    }

    fn open_blob(&self, digest: &str) -> Result<Option<BlobReader>> {
        blobs::open(&self.conn, &self.layout, digest)
    }

    fn blob(&self, digest: &str, max_bytes: u64) -> Result<Option<Vec<u8>>> {
        blobs::get(&self.conn, &self.layout, digest, max_bytes)
    }

    fn verify(&self) -> Result<VerifyReport> {
        verify::verify(&self.conn, &self.layout)
    }

    fn backup(&self, to_dir: &Path) -> Result<BackupReport> {
        backup::backup(&self.layout, to_dir)
    }

    fn stats(&self) -> Result<StoreStats> {
        stats::stats(&self.conn, &self.layout)
    }
}
