//! Counts and sizes. Read in one transaction, so that the numbers belong together; fails as SQLite fails.

use rusqlite::Connection;

use super::files;
use super::layout::Layout;
use super::open::count;
use super::schema::{self, from_db};
use crate::error::{During, Result};
use crate::report::StoreStats;

/// Measures the store.
pub(crate) fn stats(conn: &Connection, layout: &Layout) -> Result<StoreStats> {
    let tx = conn.unchecked_transaction().during("begin reading", &layout.db())?;
    let number = |sql: &str| count(&tx, layout, sql);
    let time = |sql: &str| {
        tx.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
            .map(|ms| ms.map(from_db))
            .during("count", &layout.db())
    };
    Ok(StoreStats {
        instance: schema::meta(&tx, layout, "instance")?.unwrap_or_default(),
        jobs: number("SELECT count(*) FROM jobs")?,
        live_jobs: number("SELECT count(*) FROM jobs WHERE final = 0")?,
        events: number("SELECT coalesce(sum(count), 0) FROM events")?,
        event_rows: number("SELECT count(*) FROM events")?,
        output_pieces: number("SELECT count(*) FROM pieces")?,
        event_bytes: number("SELECT coalesce(sum(size), 0) FROM events")?,
        output_bytes: number("SELECT coalesce(sum(bytes), 0) FROM segments")?,
        segments: number("SELECT count(*) FROM segments")?,
        plans: number("SELECT count(*) FROM plans")?,
        plan_bytes: number("SELECT coalesce(sum(size), 0) FROM plans")?,
        blobs: number("SELECT count(*) FROM blobs")?,
        blob_bytes: number("SELECT coalesce(sum(bytes), 0) FROM blobs")?,
        db_bytes: files::size_if_there(&layout.db())?.unwrap_or(0),
        wal_bytes: files::size_if_there(&layout.wal())?.unwrap_or(0),
        oldest_job_ms: time("SELECT min(created_ms) FROM jobs")?,
        newest_job_ms: time("SELECT max(created_ms) FROM jobs")?,
    })
}
