//! Retention: the oldest final jobs go, with everything that only they need.
//!
//! One transaction per job, then its files: a crash in between leaves files that nothing names, which opening removes. A job that is
//! not over is never touched, because every query here says `final = 1`. Fails as SQLite and files fail; what was removed stays removed.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::files;
use super::layout::Layout;
use super::open::count;
use super::schema::{begin, from_db, to_db};
use crate::error::{During, Result};
use crate::report::{RetainPolicy, RetainReport};

/// Free pages given back to the file system by one call: 64 MiB at 4 KiB a page, so that the writer is not held up long.
const VACUUM_PAGES: u32 = 16_384;

/// Removes what the policy says.
pub(crate) fn retain(
    conn: &mut Connection,
    layout: &Layout,
    now_ms: u64,
    policy: &RetainPolicy,
) -> Result<RetainReport> {
    let mut report = RetainReport::default();
    let loose_before = now_ms.saturating_sub(policy.loose_max_age_ms);
    // Loose plans and blobs first: they may make enough room.
    sweep_loose(conn, layout, loose_before, &mut report)?;
    let mut kept = total_bytes(conn, layout)?;
    loop {
        let Some(job) = oldest_removable(conn, layout, now_ms, policy, kept)? else {
            break;
        };
        if report.jobs.len() >= policy.max_jobs as usize {
            report.more = true;
            break;
        }
        let tx = begin(conn, layout)?;
        let bytes = delete_job(&tx, layout, job)?;
        tx.commit().during("remove a job", &layout.db())?;
        files::remove_dir_if_there(&layout.job_outputs(job))?;
        tracing::info!(job, bytes, "job removed by retention");
        let before = report.bytes;
        report.bytes += bytes;
        report.jobs.push(job);
        sweep_loose(conn, layout, loose_before, &mut report)?;
        kept = kept.saturating_sub(report.bytes - before);
    }
    report.bytes_kept = kept;
    vacuum(conn, layout)?;
    Ok(report)
}

/// Removes every row of a job, whatever its state: for jobs that are gone in the original, a backup calls this too.
/// Returns the bytes of its events and output.
pub(crate) fn delete_job(tx: &Transaction<'_>, layout: &Layout, job: u64) -> Result<u64> {
    let bytes: i64 = tx
        .query_row(
            "SELECT coalesce((SELECT sum(size) FROM events WHERE job = ?1), 0) + coalesce((SELECT sum(bytes) FROM segments WHERE job = ?1), 0)",
            [to_db(job)],
            |row| row.get(0),
        )
        .during("measure a job", &layout.db())?;
    for sql in [
        "DELETE FROM events WHERE job = ?1",
        "DELETE FROM pieces WHERE job = ?1",
        "DELETE FROM segments WHERE job = ?1",
        "DELETE FROM secrets WHERE job = ?1",
        "DELETE FROM blob_uses WHERE job = ?1",
        "DELETE FROM jobs WHERE id = ?1",
    ] {
        tx.execute(sql, [to_db(job)]).during("remove a job", &layout.db())?;
    }
    Ok(from_db(bytes))
}

/// Everything that `max_bytes` counts.
fn total_bytes(conn: &Connection, layout: &Layout) -> Result<u64> {
    count(
        conn,
        layout,
        "SELECT coalesce((SELECT sum(size) FROM events), 0) + coalesce((SELECT sum(bytes) FROM segments), 0)
              + coalesce((SELECT sum(size) FROM plans), 0) + coalesce((SELECT sum(bytes) FROM blobs), 0)",
    )
}

/// The oldest final job, when the policy does not keep it.
fn oldest_removable(
    conn: &Connection,
    layout: &Layout,
    now_ms: u64,
    policy: &RetainPolicy,
    kept: u64,
) -> Result<Option<u64>> {
    // A final job without an end time is as old as its submission.
    let oldest: Option<(i64, i64)> = conn
        .query_row(
            "SELECT id, coalesce(finished_ms, created_ms) FROM jobs WHERE final = 1 ORDER BY coalesce(finished_ms, created_ms), id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .during("find the oldest job", &layout.db())?;
    let Some((id, ended)) = oldest else {
        return Ok(None);
    };
    let too_old = policy.max_age_ms.is_some_and(|age| from_db(ended) < now_ms.saturating_sub(age));
    let too_much = policy.max_bytes.is_some_and(|max| kept > max);
    Ok((too_old || too_much).then(|| from_db(id)))
}

/// Removes plans and blobs that no job names and that are old enough.
fn sweep_loose(conn: &mut Connection, layout: &Layout, before_ms: u64, report: &mut RetainReport) -> Result<()> {
    let op = "remove what no job names";
    let tx = begin(conn, layout)?;
    let plans = returned::<i64>(
        &tx,
        layout,
        "DELETE FROM plans WHERE stored_ms <= ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE plan = plans.digest) RETURNING size",
        before_ms,
    )?;
    let blobs = returned::<String>(
        &tx,
        layout,
        "DELETE FROM blobs WHERE stored_ms <= ?1 AND NOT EXISTS (SELECT 1 FROM blob_uses WHERE digest = blobs.digest) RETURNING digest",
        before_ms,
    )?;
    tx.commit().during(op, &layout.db())?;
    report.plans += plans.len() as u64;
    report.bytes += plans.into_iter().map(from_db).sum::<u64>();
    report.blobs += blobs.len() as u64;
    for digest in blobs {
        let path = layout.blob(&digest);
        report.bytes += files::size_if_there(&path)?.unwrap_or(0);
        files::remove_if_there(&path)?;
    }
    Ok(())
}

fn returned<T: rusqlite::types::FromSql>(
    tx: &Transaction<'_>,
    layout: &Layout,
    sql: &str,
    before_ms: u64,
) -> Result<Vec<T>> {
    let op = "remove what no job names";
    let mut statement = tx.prepare_cached(sql).during(op, &layout.db())?;
    let rows = statement.query_map(params![to_db(before_ms)], |row| row.get(0)).during(op, &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during(op, &layout.db())
}

fn vacuum(conn: &Connection, layout: &Layout) -> Result<()> {
    let op = "give free pages back";
    let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})")).during(op, &layout.db())?;
    let mut rows = statement.query([]).during(op, &layout.db())?;
    // One step per page; the rows are empty.
    while rows.next().during(op, &layout.db())?.is_some() {}
    Ok(())
}
