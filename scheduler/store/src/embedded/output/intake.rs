//! Decides what of a commit's chunks is new: duplicates fall away, overlaps are cut, gaps are refused.
//!
//! Changes nothing; it only asks how much of each stream is stored. Fails with `OutputGap`, `TooLarge` and as SQLite fails.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::super::layout::Layout;
use super::super::schema::{from_db, to_db};
use crate::commit::{CHUNK_MAX, OutputChunk, StreamKey};
use crate::error::{During, Result, StoreError};

/// New bytes of one stream, adjacent chunks joined.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What a commit brings, by stream; the order of keys keeps the streams of a job together.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub(crate) runs: BTreeMap<StreamKey, Run>,
    pub(crate) new_bytes: u64,
    pub(crate) duplicate_bytes: u64,
}

/// Sorts the chunks of a commit.
pub(crate) fn take_in(conn: &Connection, layout: &Layout, chunks: Vec<OutputChunk>) -> Result<Intake> {
    let mut intake = Intake::default();
    for chunk in chunks {
        if chunk.bytes.len() > CHUNK_MAX {
            return Err(StoreError::TooLarge {
                what: "an output chunk",
                size: chunk.bytes.len() as u64,
                limit: CHUNK_MAX as u64,
            });
        }
        let stream = chunk.stream;
        let stored = match intake.runs.get(&stream) {
            Some(run) => run.offset + run.bytes.len() as u64,
            None => stored_len(conn, layout, &stream)?,
        };
        if chunk.offset > stored {
            return Err(StoreError::OutputGap { stream, stored, offset: chunk.offset });
        }
        let length = chunk.bytes.len() as u64;
        let skip = (stored - chunk.offset).min(length);
        intake.duplicate_bytes += skip;
        intake.new_bytes += length - skip;
        // skip is at most the length of the chunk, so it fits.
        let new = &chunk.bytes[usize::try_from(skip).unwrap_or(chunk.bytes.len())..];
        if !new.is_empty() {
            let run = intake.runs.entry(stream).or_insert_with(|| Run { offset: stored, bytes: Vec::new() });
            run.bytes.extend_from_slice(new);
        }
    }
    Ok(intake)
}

/// How many bytes of a stream the index knows, lost ones included: offsets never go back.
pub(crate) fn stored_len(conn: &Connection, layout: &Layout, key: &StreamKey) -> Result<u64> {
    let db = layout.db();
    let mut statement = conn
        .prepare_cached(
            "SELECT coalesce(max(end), 0) FROM (SELECT offset + len AS end FROM pieces \
             WHERE job = ?1 AND task = ?2 AND attempt = ?3 AND step = ?4 AND stream = ?5 ORDER BY offset DESC LIMIT 1)",
        )
        .during("read the length of an output", &db)?;
    let len: i64 = statement
        .query_row(params![to_db(key.job), to_db(key.task), key.attempt, key.step, key.stream], |row| row.get(0))
        .during("read the length of an output", &db)?;
    Ok(from_db(len))
}
