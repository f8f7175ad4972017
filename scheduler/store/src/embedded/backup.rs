//! An online copy: the database at one moment, the segments up to what that moment acknowledges, the blobs and the key.
//!
//! The database is written under a temporary name and renamed last, so an unfinished backup does not open as a store. Jobs and blobs that
//! retention removes while the copy runs are left out of it. Fails with `NotEmpty`, and as SQLite and files fail.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::files;
use super::layout::Layout;
use super::open::{connect_reader, count};
use super::retain::delete_job;
use super::schema::{begin, from_db, set_meta, to_db};
use crate::error::{During, Result, StoreError};
use crate::report::BackupReport;

/// Pages copied at once.
const STEP_PAGES: i32 = 1024;
/// How often a busy source is asked again, 50 ms apart: a reader in WAL mode is busy only while the log is recovered.
const BUSY_TRIES: u32 = 200;

/// Copies the store into an empty or new directory.
pub(crate) fn backup(layout: &Layout, to_dir: &Path) -> Result<BackupReport> {
    files::make_dirs(to_dir)?;
    if !files::list(to_dir)?.is_empty() {
        return Err(StoreError::NotEmpty { path: to_dir.to_owned() });
    }
    let target = Layout::new(to_dir);
    for part in [target.outputs(), target.blobs(), target.incoming()] {
        files::make_dir(&part)?;
    }
    let unfinished = to_dir.join("store.db.unfinished");
    let mut copy = copy_database(layout, &unfinished)?;
    let mut report = BackupReport::default();
    copy_segments(layout, &target, &mut copy, &mut report)?;
    copy_blobs(layout, &target, &mut copy, &mut report)?;
    copy_file(&layout.key(), &target.key(), u64::MAX)?.ok_or_else(|| missing_key(layout))?;
    set_meta(&copy, &target, "clean", "1")?;
    report.jobs = count(&copy, &target, "SELECT count(*) FROM jobs")?;
    report.events = count(&copy, &target, "SELECT coalesce(sum(count), 0) FROM events")?;
    copy.close().map_err(|(_, error)| error).during("close", &unfinished)?;
    File::open(&unfinished).and_then(|file| file.sync_all()).during("sync", &unfinished)?;
    report.bytes += files::size_if_there(&unfinished)?.unwrap_or(0);
    fs::rename(&unfinished, target.db()).during("rename into place", &target.db())?;
    for dir in [target.outputs(), target.blobs(), to_dir.to_owned()] {
        files::sync_dir(&dir)?;
    }
    tracing::info!(path = %to_dir.display(), jobs = report.jobs, events = report.events, bytes = report.bytes, "backup made");
    Ok(report)
}

fn missing_key(layout: &Layout) -> StoreError {
    StoreError::Incomplete { path: layout.root().to_owned(), missing: "secret.key", found: "a database".to_owned() }
}

/// Copies the database inside one read transaction, so that the writer can go on and the copy is of one moment.
fn copy_database(layout: &Layout, path: &Path) -> Result<Connection> {
    let source = connect_reader(layout)?;
    let tx = source.unchecked_transaction().during("begin reading", &layout.db())?;
    // The snapshot is taken by the first read, not by the beginning of the transaction.
    count(&tx, layout, "SELECT count(*) FROM meta")?;
    drop(files::create_new(path).during("create", path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(path, flags).during("open", path)?;
    let backup = Backup::new(&tx, &mut copy).during("begin the copy", path)?;
    let mut tries = 0;
    loop {
        match backup.step(STEP_PAGES).during("copy the database to", path)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if tries < BUSY_TRIES => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            _ => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the database stays busy"))
                    .during("copy the database to", path);
            }
        }
    }
    drop(backup);
    // While it is worked on, the copy has a plain journal: no side files that a rename would leave behind.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).during("configure", path)?;
    Ok(copy)
}

fn copy_segments(layout: &Layout, target: &Layout, copy: &mut Connection, report: &mut BackupReport) -> Result<()> {
    for (job, segment, bytes) in segments(copy, target)? {
        let dir = target.job_outputs(job);
        files::make_dir(&dir)?;
        match copy_file(&layout.segment(job, segment), &target.segment(job, segment), bytes)? {
            Some(copied) if copied == bytes => {
                report.segments += 1;
                report.bytes += copied;
                files::sync_dir(&dir)?;
            }
            Some(_) | None => leave_out_job(layout, target, copy, (job, segment))?,
        }
    }
    Ok(())
}

/// A segment is missing: either retention removed the job since the snapshot, or the store is damaged.
fn leave_out_job(layout: &Layout, target: &Layout, copy: &mut Connection, (job, segment): (u64, u32)) -> Result<()> {
    let live = connect_reader(layout)?;
    let known: i64 = live
        .query_row("SELECT count(*) FROM segments WHERE job = ?1", [to_db(job)], |row| row.get(0))
        .during("look for a job", &layout.db())?;
    if known > 0 {
        return Err(StoreError::corrupt(
            "outputs",
            format!("job {job} segment {segment}"),
            "the file is missing or shorter than acknowledged",
        ));
    }
    let tx = begin(copy, target)?;
    delete_job(&tx, target, job)?;
    tx.commit().during("leave a removed job out", &target.db())?;
    files::remove_dir_if_there(&target.job_outputs(job))
}

fn copy_blobs(layout: &Layout, target: &Layout, copy: &mut Connection, report: &mut BackupReport) -> Result<()> {
    let digests: Vec<String> = {
        let mut statement = copy.prepare("SELECT digest FROM blobs").during("list blobs", &target.db())?;
        let rows = statement.query_map([], |row| row.get(0)).during("list blobs", &target.db())?;
        rows.collect::<rusqlite::Result<_>>().during("list blobs", &target.db())?
    };
    for digest in digests {
        let path = target.blob(&digest);
        let folder = path.parent().unwrap_or_else(|| target.root());
        files::make_dir(folder)?;
        match copy_file(&layout.blob(&digest), &path, u64::MAX)? {
            Some(bytes) => {
                report.blobs += 1;
                report.bytes += bytes;
                files::sync_dir(folder)?;
            }
            None => {
                let live = connect_reader(layout)?;
                let known = live
                    .prepare("SELECT 1 FROM blobs WHERE digest = ?1")
                    .and_then(|mut s| s.exists([&digest]))
                    .during("look for a blob", &layout.db())?;
                if known {
                    return Err(StoreError::corrupt("blobs", digest, "the file is missing"));
                }
                copy.execute("DELETE FROM blobs WHERE digest = ?1", [&digest])
                    .during("leave a removed blob out", &target.db())?;
            }
        }
    }
    Ok(())
}

fn segments(conn: &Connection, layout: &Layout) -> Result<Vec<(u64, u32, u64)>> {
    let mut statement = conn
        .prepare("SELECT job, segment, bytes FROM segments ORDER BY job, segment")
        .during("list segments", &layout.db())?;
    let rows = statement
        .query_map([], |row| Ok((from_db(row.get(0)?), row.get(1)?, from_db(row.get(2)?))))
        .during("list segments", &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during("list segments", &layout.db())
}

/// Copies at most `limit` bytes of a file and syncs them; `None` when the file is not there.
fn copy_file(from: &Path, to: &Path, limit: u64) -> Result<Option<u64>> {
    let source = match File::open(from) {
        Ok(source) => source,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).during("open", from),
    };
    let mut file = files::create_new(to).during("create", to)?;
    let bytes = io::copy(&mut source.take(limit), &mut file)
        .and_then(|bytes| file.sync_all().map(|()| bytes))
        .during("copy to", to)?;
    Ok(Some(bytes))
}
