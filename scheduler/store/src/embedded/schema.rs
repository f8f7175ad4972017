//! The tables of `store.db`, their version, and how an older one becomes this one.
//!
//! A minor step only adds: an older program may still read and write. A major step changes meaning: an older program must not
//! open it, and this one migrates it. Fails with `NotAStore` and `NewerFormat`, and as SQLite fails.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::layout::Layout;
use crate::error::{During, Result, StoreError};

/// Tells our databases from others.
const MAGIC: &str = "autoexec-store";
/// The format that this program writes: major, minor.
pub(crate) const FORMAT: (u32, u32) = (1, 0);

/// Steps from older formats, each from its `from` to `to`, in order. Format 1.0 is the first, so there are none yet.
const MIGRATIONS: &[Migration] = &[];

struct Migration {
    from: (u32, u32),
    to: (u32, u32),
    sql: &'static str,
}

const TABLES: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row holds the events of one job in one commit. job NULL: events of no job.
CREATE TABLE events(
    seq INTEGER PRIMARY KEY, job INTEGER, first_no INTEGER NOT NULL, count INTEGER NOT NULL,
    size INTEGER NOT NULL, checksum BLOB NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX events_job ON events(job, first_no, count, size);

CREATE TABLE jobs(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, final INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, finished_ms INTEGER, plan TEXT, labels TEXT NOT NULL, summary TEXT NOT NULL);
CREATE INDEX jobs_created ON jobs(created_ms DESC, id DESC);
CREATE INDEX jobs_live ON jobs(id) WHERE final = 0;
CREATE INDEX jobs_ended ON jobs(coalesce(finished_ms, created_ms), id) WHERE final = 1;
CREATE INDEX jobs_plan ON jobs(plan);

CREATE TABLE plans(
    digest TEXT PRIMARY KEY, stored_ms INTEGER NOT NULL, raw_size INTEGER NOT NULL,
    size INTEGER NOT NULL, checksum BLOB NOT NULL, body BLOB NOT NULL);

-- Where each piece of output lies. inner: where it begins in the decompressed frame at position.
CREATE TABLE pieces(
    job INTEGER NOT NULL, task INTEGER NOT NULL, attempt INTEGER NOT NULL, step INTEGER NOT NULL, stream INTEGER NOT NULL,
    offset INTEGER NOT NULL, len INTEGER NOT NULL, segment INTEGER NOT NULL, position INTEGER NOT NULL, inner INTEGER NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(job, task, attempt, step, stream, offset)) WITHOUT ROWID;
-- bytes: how much of the file acknowledged commits name. The highest number of a job is its active segment.
CREATE TABLE segments(job INTEGER NOT NULL, segment INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(job, segment)) WITHOUT ROWID;

CREATE TABLE secrets(job INTEGER NOT NULL, name TEXT NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY(job, name)) WITHOUT ROWID;

CREATE TABLE blobs(digest TEXT PRIMARY KEY, bytes INTEGER NOT NULL, stored_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blob_uses(digest TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY(digest, job)) WITHOUT ROWID;
CREATE INDEX blob_uses_job ON blob_uses(job);
";

/// What the database says about itself.
pub(crate) struct Identity {
    pub(crate) instance: String,
    pub(crate) created_ms: u64,
    pub(crate) format: (u32, u32),
}

/// True when the database has no tables at all: just made, or a crash came before they were committed.
pub(crate) fn is_blank(conn: &Connection, layout: &Layout) -> Result<bool> {
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .during("read the schema", &layout.db())?;
    Ok(tables == 0)
}

/// Makes the tables in one transaction.
pub(crate) fn create(conn: &mut Connection, layout: &Layout, instance: &str, now_ms: u64) -> Result<()> {
    let db = layout.db();
    // Must precede the first table: it decides where SQLite keeps the map of free pages.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL").during("set auto_vacuum", &db)?;
    set_wal(conn, layout)?;
    let tx = begin(conn, layout)?;
    tx.execute_batch(TABLES).during("create the tables", &db)?;
    set_meta(&tx, layout, "magic", MAGIC)?;
    set_meta(&tx, layout, "format", &format!("{}.{}", FORMAT.0, FORMAT.1))?;
    set_meta(&tx, layout, "instance", instance)?;
    set_meta(&tx, layout, "created_ms", &now_ms.to_string())?;
    set_meta(&tx, layout, "clean", "1")?;
    tx.commit().during("create the tables", &db)
}

/// Switches to the write-ahead log, where readers do not wait for the writer.
pub(crate) fn set_wal(conn: &Connection, layout: &Layout) -> Result<()> {
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .map(|_| ())
        .during("switch to WAL", &layout.db())
}

/// Reads who the database is and refuses what is not ours or is newer.
pub(crate) fn identify(conn: &Connection, layout: &Layout) -> Result<Identity> {
    let not_a_store = |found: String| StoreError::NotAStore { path: layout.root().to_owned(), found };
    let has_meta: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'meta'", [], |row| row.get(0))
        .during("read the schema", &layout.db())?;
    if has_meta == 0 || meta(conn, layout, "magic")?.as_deref() != Some(MAGIC) {
        return Err(not_a_store("store.db is a database of something else".to_owned()));
    }
    let text = meta(conn, layout, "format")?.unwrap_or_default();
    let format = parse_format(&text).ok_or_else(|| not_a_store(format!("its format is {text:?}")))?;
    if format.0 > FORMAT.0 {
        return Err(StoreError::NewerFormat { path: layout.root().to_owned(), found: format, known: FORMAT });
    }
    let instance = meta(conn, layout, "instance")?.unwrap_or_default();
    let created_ms = meta(conn, layout, "created_ms")?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Identity { instance, created_ms, format })
}

/// Brings an older format up to this one, each step in its own transaction. Returns true when there was something to do.
pub(crate) fn migrate(conn: &mut Connection, layout: &Layout, from: (u32, u32)) -> Result<bool> {
    run_migrations(conn, layout, from, MIGRATIONS)
}

fn run_migrations(conn: &mut Connection, layout: &Layout, from: (u32, u32), steps: &[Migration]) -> Result<bool> {
    let mut at = from;
    for step in steps {
        if step.from != at {
            continue;
        }
        let tx = begin(conn, layout)?;
        tx.execute_batch(step.sql).during("migrate the tables", &layout.db())?;
        set_meta(&tx, layout, "format", &format!("{}.{}", step.to.0, step.to.1))?;
        tx.commit().during("migrate the tables", &layout.db())?;
        tracing::info!(from = ?step.from, to = ?step.to, "store migrated");
        at = step.to;
    }
    Ok(at != from)
}

/// A transaction that is a writer from the beginning, so that it cannot fail half way for want of the lock.
pub(crate) fn begin<'a>(conn: &'a mut Connection, layout: &Layout) -> Result<Transaction<'a>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate).during("begin a transaction", &layout.db())
}

/// One value of the `meta` table.
pub(crate) fn meta(conn: &Connection, layout: &Layout, name: &str) -> Result<Option<String>> {
    conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .during("read the meta table", &layout.db())
}

/// Sets one value of the `meta` table.
pub(crate) fn set_meta(conn: &Connection, layout: &Layout, name: &str, value: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO meta(name, value) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        [name, value],
    )
    .map(|_| ())
    .during("write the meta table", &layout.db())
}

fn parse_format(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A number for the database. Ids are checked before; times and sizes beyond the range are cut to it.
pub(crate) fn to_db(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number from the database. A negative one can only come from damage and becomes 0, which the checks then find.
pub(crate) fn from_db(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_order_and_only_those_that_are_needed() {
        let layout = Layout::new(std::path::Path::new("/nowhere"));
        let mut conn = Connection::open_in_memory().unwrap();
        create(&mut conn, &layout, "00000000", 1).unwrap();
        set_meta(&conn, &layout, "format", "0.8").unwrap();
        let steps = [
            Migration { from: (0, 7), to: (0, 8), sql: "CREATE TABLE never(x)" },
            Migration { from: (0, 8), to: (0, 9), sql: "CREATE TABLE a(x)" },
            Migration { from: (0, 9), to: (1, 0), sql: "INSERT INTO a VALUES (7)" },
        ];
        assert!(run_migrations(&mut conn, &layout, (0, 8), &steps).unwrap());
        let x: i64 = conn.query_row("SELECT x FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(x, 7);
        assert_eq!(identify(&conn, &layout).unwrap().format, (1, 0));
        assert!(conn.prepare("SELECT * FROM never").is_err());
    }
}
