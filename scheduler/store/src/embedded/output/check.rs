//! Compares segments with the index, both ways, for verify. Changes nothing.
//!
//! Damage becomes lines of the report; a complaint about a job that retention removed meanwhile is dropped.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use rusqlite::{Connection, params};

use super::super::layout::Layout;
use super::super::schema::{from_db, to_db};
use super::frame::{self, Place};
use super::reading::read_frame;
use crate::commit::StreamKey;
use crate::error::{During, Result, StoreError};
use crate::report::VerifyReport;

/// Checks every segment that the database names.
pub(crate) fn all_segments(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    let op = "list segments";
    let mut statement =
        conn.prepare("SELECT job, segment, bytes FROM segments ORDER BY job, segment").during(op, &layout.db())?;
    let rows = statement
        .query_map([], |row| Ok((from_db(row.get(0)?), row.get(1)?, from_db(row.get(2)?))))
        .during(op, &layout.db())?;
    let segments = rows.collect::<rusqlite::Result<Vec<(u64, u32, u64)>>>().during(op, &layout.db())?;
    for (job, segment, bytes) in segments {
        let mut found = VerifyReport::default();
        check_segment(conn, layout, (job, segment, bytes), &mut found)?;
        let complains = !found.problems.is_empty();
        if complains && !is_known(conn, layout, job)? {
            continue;
        }
        report.frames += found.frames;
        report.lost_pieces += found.lost_pieces;
        found.problems.into_iter().for_each(|line| report.problem(line));
        found.notes.into_iter().for_each(|line| report.note(line));
    }
    Ok(())
}

fn is_known(conn: &Connection, layout: &Layout, job: u64) -> Result<bool> {
    conn.prepare_cached("SELECT 1 FROM segments WHERE job = ?1 LIMIT 1")
        .and_then(|mut s| s.exists([to_db(job)]))
        .during("look for a job", &layout.db())
}

/// Walks the frames of a segment and compares their directories with the index, both ways.
fn check_segment(
    conn: &Connection,
    layout: &Layout,
    (job, segment, bytes): (u64, u32, u64),
    report: &mut VerifyReport,
) -> Result<()> {
    let path = layout.segment(job, segment);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            report.problem(format!("outputs, job {job} segment {segment}: the file is missing"));
            return Ok(());
        }
        Err(e) => return Err(e).during("open", &path),
    };
    let size = file.metadata().during("look at", &path)?.len();
    if size > bytes {
        report.note(format!("outputs, job {job} segment {segment}: {} bytes behind the acknowledged ones: a write in progress, or cut at the next opening", size - bytes));
    }
    let mut index = index_of(conn, layout, (job, segment, bytes), report)?;
    let mut position = 0;
    while position < bytes {
        let place = Place { job, segment, position };
        match check_frame(&file, layout, place, &mut index, report)? {
            Some(length) => position += length,
            None => {
                report.problem(format!(
                    "outputs, {place}: the rest of the segment cannot be followed, {} bytes",
                    bytes - position
                ));
                return Ok(());
            }
        }
    }
    if position != bytes {
        report.problem(format!(
            "segments, job {job} segment {segment}: {bytes} bytes are acknowledged, but a frame ends at {position}"
        ));
    }
    for ((position, _), (key, offset, _)) in index {
        report.problem(format!("pieces, {key} offset {offset}: no such piece in segment {segment} byte {position}"));
    }
    Ok(())
}

type Index = HashMap<(u64, u32), (StreamKey, u64, u32)>;

/// The pieces of a segment by place, up to the acknowledged length.
fn index_of(
    conn: &Connection,
    layout: &Layout,
    (job, segment, bytes): (u64, u32, u64),
    report: &mut VerifyReport,
) -> Result<Index> {
    let op = "read the index of outputs";
    let mut statement = conn
        .prepare_cached("SELECT task, attempt, step, stream, offset, len, position, inner, lost FROM pieces WHERE job = ?1 AND segment = ?2")
        .during(op, &layout.db())?;
    let mut rows = statement.query(params![to_db(job), segment]).during(op, &layout.db())?;
    let mut index = Index::new();
    while let Some(row) = rows.next().during(op, &layout.db())? {
        let mut read = || -> rusqlite::Result<()> {
            let position = from_db(row.get(6)?);
            if row.get(8)? {
                report.lost_pieces += 1;
            } else if position < bytes {
                let key = StreamKey {
                    job,
                    task: from_db(row.get(0)?),
                    attempt: row.get(1)?,
                    step: row.get(2)?,
                    stream: row.get(3)?,
                };
                index.insert((position, row.get(7)?), (key, from_db(row.get(4)?), row.get(5)?));
            }
            Ok(())
        };
        read().during(op, &layout.db())?;
    }
    Ok(index)
}

/// Checks one frame and takes its pieces out of the index. Gives its length, or `None` when even that cannot be known.
fn check_frame(
    file: &File,
    layout: &Layout,
    place: Place,
    index: &mut Index,
    report: &mut VerifyReport,
) -> Result<Option<u64>> {
    let bytes = match read_frame(file, layout, place) {
        Ok(bytes) => bytes,
        Err(error @ StoreError::Corrupt { .. }) => {
            report.problem(error.to_string());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    report.frames += 1;
    match frame::decode(&bytes, place) {
        Ok((entries, _)) => {
            for entry in entries {
                if index.remove(&(place.position, entry.inner)) != Some((entry.key, entry.offset, entry.len)) {
                    report.problem(format!(
                        "pieces, {} offset {}: {place} holds it, but the index says otherwise",
                        entry.key, entry.offset
                    ));
                }
            }
        }
        Err(problem) => {
            report.problem(format!("outputs, {place}: {problem}"));
            // Named once above; the pieces in it would repeat the same.
            index.retain(|&(position, _), _| position != place.position);
        }
    }
    Ok(Some(bytes.len() as u64))
}
