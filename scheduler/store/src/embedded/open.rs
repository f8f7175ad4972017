//! Opening: the lock, the checks, the repairs, in an order that a crash at any point leaves something that opens again.
//!
//! Lock first, because the rest changes files. Then the log is looked at, before SQLite repairs it in silence. Then identity and
//! version, the key, the outputs. Last, the mark "not closed" is made durable.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::layout::Layout;
use super::lock::{self, Lock};
use super::output::repair;
use super::schema::{self, FORMAT, from_db, to_db};
use super::secrets::{self, Key, fill_random};
use super::{blobs, files, wal};
use crate::error::{During, Result, StoreError};
use crate::report::{OpenReport, Repair};

/// How long a statement waits for SQLite's own locks; only a checkpoint beside a reader ever waits.
const BUSY: Duration = Duration::from_secs(10);
/// The log is cut back to this size after a checkpoint, so that one large commit does not keep disk space for ever.
const WAL_KEEP: i64 = 16 << 20;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The time of creation, when the store is new: milliseconds since 1970.
    pub now_ms: u64,
    /// A segment of output is closed at this size and the next begun. Default 64 MiB: few files, and a backup copies no huge ones.
    pub segment_bytes: u64,
}

impl OpenOptions {
    /// The defaults, at a time.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self { now_ms, segment_bytes: 64 << 20 }
    }
}

/// What opening gives to the store.
pub(crate) struct Opened {
    pub(crate) conn: Connection,
    pub(crate) layout: Layout,
    pub(crate) lock: Lock,
    pub(crate) key: Key,
    pub(crate) next_seq: u64,
    pub(crate) report: OpenReport,
}

/// Opens or makes a store.
pub(crate) fn open(dir: &Path, options: &OpenOptions) -> Result<Opened> {
    files::make_dirs(dir)?;
    let layout = Layout::new(dir);
    let lock = lock::take(&layout)?;
    let log = wal::inspect(&layout)?;
    let is_new = refuse_remains(&layout)?;
    for part in [layout.outputs(), layout.blobs(), layout.incoming()] {
        files::make_dir(&part)?;
    }
    if is_new {
        drop(files::open_rw(&layout.db()).during("create", &layout.db())?);
    }
    let mut conn = connect(&layout)?;
    let created = schema::is_blank(&conn, &layout)?;
    if created {
        create(&mut conn, &layout, options)?;
    }
    let (identity, migrated_from) = identify(&mut conn, &layout)?;
    let key = key(&conn, &layout)?;
    let clean = schema::meta(&conn, &layout, "clean")?.as_deref() == Some("1");
    let mut repairs = Vec::new();
    if log.torn_bytes > 0 {
        repairs.push(Repair::Journal { bytes: log.torn_bytes });
    }
    repairs.extend(repair::repair(&mut conn, &layout, clean)?);
    schema::set_meta(&conn, &layout, "clean", "0")?;
    checkpoint(&conn, &layout)?;
    let report = OpenReport {
        created,
        clean,
        instance: identity.instance,
        created_ms: identity.created_ms,
        format: identity.format,
        migrated_from,
        events: count(&conn, &layout, "SELECT coalesce(sum(count), 0) FROM events")?,
        live_jobs: count(&conn, &layout, "SELECT count(*) FROM jobs WHERE final = 0")?,
        repairs,
    };
    log_report(dir, &report);
    let next_seq = next_seq(&conn, &layout)?;
    Ok(Opened { conn, layout, lock, key, next_seq, report })
}

/// A second connection that can only read.
pub(crate) fn connect_reader(layout: &Layout) -> Result<Connection> {
    if files::size_if_there(&layout.db())?.unwrap_or(0) == 0 {
        return Err(StoreError::NotAStore { path: layout.root().to_owned(), found: "there is no store.db".to_owned() });
    }
    let conn = connect(layout)?;
    schema::identify(&conn, layout)?;
    conn.pragma_update(None, "query_only", true).during("make the reader read-only", &layout.db())?;
    // A reader that is closed last must leave the log to the next writer, which looks at it.
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .during("configure the reader", &layout.db())?;
    Ok(conn)
}

/// Moves the log into the database and empties it.
pub(crate) fn checkpoint(conn: &Connection, layout: &Layout) -> Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).during("checkpoint", &layout.db())
}

/// Makes a fresh row number durable, because rows at the end of the journal were removed.
pub(crate) fn keep_next_seq(conn: &Connection, layout: &Layout, next_seq: u64) -> Result<()> {
    schema::set_meta(conn, layout, "next_seq", &next_seq.to_string())
}

/// One number from a query.
pub(crate) fn count(conn: &Connection, layout: &Layout, sql: &str) -> Result<u64> {
    conn.query_row(sql, [], |row| row.get(0).map(from_db)).during("count", &layout.db())
}

fn connect(layout: &Layout) -> Result<Connection> {
    let db = layout.db();
    let conn = Connection::open_with_flags(&db, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .during("open", &db)?;
    conn.busy_timeout(BUSY).during("configure", &db)?;
    // As many as the store has statements; SQLite would otherwise parse them again and again.
    conn.set_prepared_statement_cache_capacity(64);
    for (name, value) in
        [("synchronous", "FULL"), ("trusted_schema", "OFF"), ("cell_size_check", "ON"), ("temp_store", "MEMORY")]
    {
        conn.pragma_update(None, name, value).during("configure", &db)?;
    }
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_KEEP, |_| Ok(())).during("configure", &db)?;
    Ok(conn)
}

/// True for a new store. Refuses a directory that lost its database but kept what the database names.
fn refuse_remains(layout: &Layout) -> Result<bool> {
    if files::size_if_there(&layout.db())?.unwrap_or(0) > 0 || files::size_if_there(&layout.wal())?.unwrap_or(0) > 0 {
        return Ok(false);
    }
    let outputs = files::list(&layout.outputs())?.len();
    let blobs = repair::blob_files(layout)?.len();
    if outputs + blobs == 0 {
        return Ok(true);
    }
    let found = format!("outputs of {outputs} jobs and {blobs} blobs");
    Err(StoreError::Incomplete { path: layout.root().to_owned(), missing: "store.db", found })
}

fn create(conn: &mut Connection, layout: &Layout, options: &OpenOptions) -> Result<()> {
    if files::size_if_there(&layout.key())?.is_none() {
        secrets::create_key(layout)?;
    }
    let mut instance = [0; 4];
    fill_random(&mut instance)?;
    schema::create(conn, layout, &blobs::hex(&instance), options.now_ms)?;
    files::sync_dir(layout.root())
}

fn identify(conn: &mut Connection, layout: &Layout) -> Result<(schema::Identity, Option<(u32, u32)>)> {
    let found = schema::identify(conn, layout)?;
    if found.format < FORMAT && schema::migrate(conn, layout, found.format)? {
        let from = found.format;
        return Ok((schema::identify(conn, layout)?, Some(from)));
    }
    Ok((found, None))
}

/// The key; a new one when it is missing and nothing was sealed with it.
fn key(conn: &Connection, layout: &Layout) -> Result<Key> {
    if files::size_if_there(&layout.key())?.is_none() {
        let sealed = count(conn, layout, "SELECT count(*) FROM secrets")?;
        if sealed > 0 {
            let found = format!("{sealed} sealed secrets");
            return Err(StoreError::Incomplete { path: layout.root().to_owned(), missing: "secret.key", found });
        }
        secrets::create_key(layout)?;
    }
    secrets::read_key(layout)
}

/// Row numbers never come back, even when retention removed the last rows: a cursor would see old numbers with new events.
fn next_seq(conn: &Connection, layout: &Layout) -> Result<u64> {
    let kept = schema::meta(conn, layout, "next_seq")?.and_then(|text| text.parse().ok()).unwrap_or(1);
    Ok(count(conn, layout, "SELECT coalesce(max(seq), 0) + 1 FROM events")?.max(kept).min(from_db(to_db(u64::MAX))))
}

fn log_report(dir: &Path, report: &OpenReport) {
    tracing::info!(
        path = %dir.display(), created = report.created, clean = report.clean, instance = report.instance, events = report.events,
        live_jobs = report.live_jobs, repairs = report.repairs.len(), "store opened"
    );
    for repair in &report.repairs {
        tracing::warn!(%repair, "store repaired");
    }
}
