//! Appends frames to segment files and syncs them, before the database names them.
//!
//! At most [`OPEN_MAX`] files stay open; the least recently used one is closed first. A job's file is opened at the end of what the
//! database acknowledges and anything behind it is cut, so a frame whose commit failed is overwritten by the next.
//! Fails as files fail; the store then stops, because it no longer knows what is on disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use rusqlite::{Connection, OptionalExtension};

use super::super::files;
use super::super::layout::Layout;
use super::super::schema::{from_db, to_db};
use super::frame::{self, Entry, FrameBuilder, Place};
use super::intake::Intake;
use crate::commit::StreamKey;
use crate::error::{During, Result};

/// Files kept open: enough for the jobs of a busy scheduler, few against the usual limit of 1,024.
const OPEN_MAX: usize = 64;

/// One piece that the index must name.
pub(crate) struct Piece {
    pub(crate) place: Place,
    pub(crate) entry: Entry,
}

/// What one commit wrote: pieces for the index, and the new length of each touched segment.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) segments: Vec<(u64, u32, u64)>,
}

struct Active {
    file: File,
    segment: u32,
    len: u64,
    used: u64,
}

/// The open segment files.
pub(crate) struct OutputWriter {
    layout: Layout,
    segment_max: u64,
    open: HashMap<u64, Active>,
    tick: u64,
    zstd: zstd::bulk::Compressor<'static>,
}

impl OutputWriter {
    pub(crate) fn new(layout: Layout, segment_max: u64) -> Result<Self> {
        let zstd = frame::compressor().during("prepare compression for", &layout.outputs())?;
        Ok(Self { layout, segment_max, open: HashMap::new(), tick: 0, zstd })
    }

    /// Writes what is new and syncs every touched file.
    pub(crate) fn write(&mut self, conn: &Connection, intake: &Intake) -> Result<Written> {
        let mut written = Written::default();
        let mut job_runs: Vec<(StreamKey, u64, &[u8])> = Vec::new();
        let mut runs = intake.runs.iter().peekable();
        while let Some((key, run)) = runs.next() {
            job_runs.push((*key, run.offset, &run.bytes));
            if runs.peek().is_none_or(|(next, _)| next.job != key.job) {
                self.write_job(conn, key.job, &job_runs, &mut written)?;
                job_runs.clear();
            }
        }
        Ok(written)
    }

    /// Closes all files, because retention removed some of them; they are opened again when needed.
    pub(crate) fn close_files(&mut self) {
        self.open.clear();
    }

    fn write_job(
        &mut self,
        conn: &Connection,
        job: u64,
        runs: &[(StreamKey, u64, &[u8])],
        written: &mut Written,
    ) -> Result<()> {
        let mut active = self.activate(conn, job)?;
        let mut builder = FrameBuilder::default();
        for &(key, mut offset, mut bytes) in runs {
            while !bytes.is_empty() {
                let taken = builder.push(key, offset, bytes);
                bytes = &bytes[taken..];
                offset += taken as u64;
                if taken == 0 {
                    self.write_frame(job, &mut active, &builder, written)?;
                    builder = FrameBuilder::default();
                    if active.len >= self.segment_max {
                        self.finish_segment(job, &active, written)?;
                        active = self.create_segment(job, active.segment + 1)?;
                    }
                }
            }
        }
        if !builder.is_empty() {
            self.write_frame(job, &mut active, &builder, written)?;
        }
        self.finish_segment(job, &active, written)?;
        self.open.insert(job, active);
        Ok(())
    }

    fn write_frame(
        &mut self,
        job: u64,
        active: &mut Active,
        builder: &FrameBuilder,
        written: &mut Written,
    ) -> Result<()> {
        let place = Place { job, segment: active.segment, position: active.len };
        let path = self.layout.segment(job, active.segment);
        let (frame, entries) = builder.finish(place, &mut self.zstd).during("compress output for", &path)?;
        active.file.write_all(&frame).during("append output to", &path)?;
        active.len += frame.len() as u64;
        written.pieces.extend(entries.into_iter().map(|entry| Piece { place, entry }));
        Ok(())
    }

    fn finish_segment(&self, job: u64, active: &Active, written: &mut Written) -> Result<()> {
        active.file.sync_data().during("sync", &self.layout.segment(job, active.segment))?;
        written.segments.push((job, active.segment, active.len));
        Ok(())
    }

    /// The job's segment, at the place where the next frame goes; a full one is left and the next begun.
    fn activate(&mut self, conn: &Connection, job: u64) -> Result<Active> {
        self.tick += 1;
        let active = match self.open.remove(&job) {
            Some(active) => active,
            None => self.open_segment(conn, job)?,
        };
        let mut active =
            if active.len >= self.segment_max { self.create_segment(job, active.segment + 1)? } else { active };
        active.used = self.tick;
        Ok(active)
    }

    fn open_segment(&mut self, conn: &Connection, job: u64) -> Result<Active> {
        self.make_room();
        let newest: Option<(u32, i64)> = conn
            .prepare_cached("SELECT segment, bytes FROM segments WHERE job = ?1 ORDER BY segment DESC LIMIT 1")
            .and_then(|mut s| s.query_row([to_db(job)], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .during("find the active segment", &self.layout.db())?;
        let Some((segment, len)) = newest else {
            return self.create_segment(job, 1);
        };
        let (len, path) = (from_db(len), self.layout.segment(job, segment));
        let mut file = files::open_rw(&path).during("open", &path)?;
        file.set_len(len).and_then(|()| file.seek(SeekFrom::Start(len))).during("cut", &path)?;
        Ok(Active { file, segment, len, used: self.tick })
    }

    /// A new file, whose name is durable before the database names it. One that is there holds nothing acknowledged.
    fn create_segment(&mut self, job: u64, segment: u32) -> Result<Active> {
        let dir = self.layout.job_outputs(job);
        if !dir.is_dir() {
            files::make_dir(&dir)?;
            files::sync_dir(&self.layout.outputs())?;
        }
        let path = self.layout.segment(job, segment);
        let file = files::open_rw(&path).during("create", &path)?;
        file.set_len(0).during("cut", &path)?;
        files::sync_dir(&dir)?;
        Ok(Active { file, segment, len: 0, used: self.tick })
    }

    fn make_room(&mut self) {
        while self.open.len() >= OPEN_MAX {
            let Some(oldest) = self.open.iter().min_by_key(|(_, active)| active.used).map(|(&job, _)| job) else {
                return;
            };
            self.open.remove(&oldest);
        }
    }

    /// How many files are open now.
    pub(crate) fn open_files(&self) -> usize {
        self.open.len()
    }
}
