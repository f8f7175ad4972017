//! Makes files and index agree again when the store is opened, and says what had to be done.
//!
//! A segment longer than acknowledged is cut. A segment shorter than acknowledged has lost bytes: the pieces behind its last
//! whole frame are marked lost, their offsets stay, and readers are told. Files that nothing names are removed. Only the active
//! segment of each job is looked at, because only it was being written.

use std::fs::File;
use std::path::PathBuf;

use rusqlite::Connection;

use super::super::files;
use super::super::layout::{Layout, segment_number};
use super::super::schema::{begin, from_db, to_db};
use super::frame::{HEAD, Place, parse_head};
use crate::error::{During, Result};
use crate::report::Repair;

/// Checks and repairs the outputs.
pub(crate) fn repair(conn: &mut Connection, layout: &Layout, clean: bool) -> Result<Vec<Repair>> {
    let mut repairs = Vec::new();
    for (job, segment, bytes) in active_segments(conn, layout)? {
        repair_segment(conn, layout, (job, segment, bytes), &mut repairs)?;
    }
    remove_orphans(conn, layout, &mut repairs)?;
    for (_, path) in files::list(&layout.incoming())? {
        files::remove_if_there(&path)?;
    }
    if !clean {
        remove_orphan_blobs(conn, layout, &mut repairs)?;
    }
    Ok(repairs)
}

/// Blobs that were renamed into place but never recorded, or whose record retention removed just before a crash.
fn remove_orphan_blobs(conn: &Connection, layout: &Layout, repairs: &mut Vec<Repair>) -> Result<()> {
    let mut known = conn.prepare("SELECT 1 FROM blobs WHERE digest = ?1").during("look for a blob", &layout.db())?;
    for (digest, path) in blob_files(layout)? {
        if !known.exists([&digest]).during("look for a blob", &layout.db())? {
            let bytes = files::size_if_there(&path)?.unwrap_or(0);
            files::remove_if_there(&path)?;
            repairs.push(Repair::Orphan { path: layout.relative(&path), bytes });
        }
    }
    Ok(())
}

/// The files that are named like blobs.
pub(crate) fn blob_files(layout: &Layout) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (folder, path) in files::list(&layout.blobs())? {
        if folder.len() == 2 {
            found.extend(
                files::list(&path)?.into_iter().filter(|(name, _)| name.len() == 64 && name.starts_with(&folder)),
            );
        }
    }
    Ok(found)
}

/// The active segment of each job, with its acknowledged length.
fn active_segments(conn: &Connection, layout: &Layout) -> Result<Vec<(u64, u32, u64)>> {
    let op = "list the active segments";
    // SQLite gives the other columns of the row that has the maximum.
    let mut statement =
        conn.prepare("SELECT job, max(segment), bytes FROM segments GROUP BY job").during(op, &layout.db())?;
    let rows = statement
        .query_map([], |row| Ok((from_db(row.get(0)?), row.get(1)?, from_db(row.get(2)?))))
        .during(op, &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during(op, &layout.db())
}

fn repair_segment(
    conn: &mut Connection,
    layout: &Layout,
    (job, segment, bytes): (u64, u32, u64),
    repairs: &mut Vec<Repair>,
) -> Result<()> {
    let path = layout.segment(job, segment);
    let size = files::size_if_there(&path)?.unwrap_or(0);
    if size == bytes {
        return Ok(());
    }
    files::make_dir(&layout.job_outputs(job))?;
    let file = files::open_rw(&path).during("open", &path)?;
    if size > bytes {
        file.set_len(bytes).and_then(|()| file.sync_all()).during("cut", &path)?;
        repairs.push(Repair::OutputTail { job, segment, bytes: size - bytes });
        return Ok(());
    }
    let whole = last_whole_frame(&file, layout, (job, segment), size);
    let tx = begin(conn, layout)?;
    let pieces = tx
        .execute(
            "UPDATE pieces SET lost = 1 WHERE job = ?1 AND segment = ?2 AND position >= ?3 AND lost = 0",
            (to_db(job), segment, to_db(whole)),
        )
        .during("mark lost output", &layout.db())?;
    tx.execute("UPDATE segments SET bytes = ?3 WHERE job = ?1 AND segment = ?2", (to_db(job), segment, to_db(whole)))
        .during("mark lost output", &layout.db())?;
    tx.commit().during("mark lost output", &layout.db())?;
    file.set_len(whole).and_then(|()| file.sync_all()).during("cut", &path)?;
    repairs.push(Repair::OutputLost { job, segment, bytes: bytes - whole, pieces: pieces as u64 });
    Ok(())
}

/// Where the last frame ends that is there as a whole.
fn last_whole_frame(file: &File, layout: &Layout, (job, segment): (u64, u32), size: u64) -> u64 {
    use std::os::unix::fs::FileExt;
    let mut position = 0;
    let mut head = [0; HEAD];
    loop {
        let place = Place { job, segment, position };
        let next = file
            .read_exact_at(&mut head, position)
            .ok()
            .and_then(|()| parse_head(&head, place).ok())
            .map(|head| position + head.frame_len());
        match next {
            Some(next) if next <= size => position = next,
            Some(_) | None => {
                tracing::warn!(path = %layout.segment(job, segment).display(), position, size, "segment is shorter than acknowledged");
                return position;
            }
        }
    }
}

/// Segment files and job folders that no commit names: made just before a crash, or left by a crash in retention.
fn remove_orphans(conn: &Connection, layout: &Layout, repairs: &mut Vec<Repair>) -> Result<()> {
    for (name, dir) in files::list(&layout.outputs())? {
        let Ok(job) = name.parse::<u64>() else {
            continue;
        };
        let newest: Option<u32> = conn
            .query_row("SELECT max(segment) FROM segments WHERE job = ?1", [to_db(job)], |row| row.get(0))
            .during("find the active segment", &layout.db())?;
        for (name, path) in files::list(&dir)? {
            if segment_number(&name).is_some_and(|number| newest.is_none_or(|newest| number > newest)) {
                let bytes = files::size_if_there(&path)?.unwrap_or(0);
                files::remove_if_there(&path)?;
                repairs.push(Repair::Orphan { path: layout.relative(&path), bytes });
            }
        }
        if newest.is_none() && files::list(&dir)?.is_empty() {
            files::remove_dir_if_there(&dir)?;
        }
    }
    Ok(())
}
