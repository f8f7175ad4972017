//! Checks everything that was written, and changes nothing.
//!
//! Damage becomes lines of the report with table and place; only failures to look at all (no permission, disk errors) are errors.
//! While a writer runs, retention may remove what is being checked: a complaint about a job that is gone by then is dropped.

use std::io;

use rusqlite::{Connection, params};

use super::journal::{self, Chain};
use super::layout::{Layout, segment_number};
use super::output::check;
use super::output::repair::blob_files;
use super::schema::{from_db, to_db};
use super::{blobs, files, plans, secrets};
use crate::error::{During, Result, StoreError};
use crate::report::VerifyReport;

/// Checks the whole store.
pub(crate) fn verify(conn: &Connection, layout: &Layout) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    tolerate(database(conn, layout, &mut report), &mut report)?;
    tolerate(events(conn, layout, &mut report), &mut report)?;
    tolerate(all_plans(conn, layout, &mut report), &mut report)?;
    tolerate(check::all_segments(conn, layout, &mut report), &mut report)?;
    tolerate(all_blobs(conn, layout, &mut report), &mut report)?;
    tolerate(all_secrets(conn, layout, &mut report), &mut report)?;
    tolerate(stray_files(conn, layout, &mut report), &mut report)?;
    tracing::info!(problems = report.problems.len(), events = report.events, frames = report.frames, "store verified");
    Ok(report)
}

/// Damage that ends one check is a line; the other checks go on.
fn tolerate(result: Result<()>, report: &mut VerifyReport) -> Result<()> {
    match result {
        Err(error @ StoreError::Corrupt { .. }) => {
            report.problem(error.to_string());
            Ok(())
        }
        other => other,
    }
}

fn database(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    let op = "check the database";
    let mut statement = conn.prepare("PRAGMA integrity_check(100)").during(op, &layout.db())?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0)).during(op, &layout.db())?;
    for line in lines {
        let line = line.during(op, &layout.db())?;
        if line != "ok" {
            report.problem(format!("store.db: {line}"));
        }
    }
    Ok(())
}

fn events(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    let op = "check the journal";
    let mut statement = conn
        .prepare("SELECT seq, job, first_no, count, checksum, body FROM events NOT INDEXED ORDER BY seq")
        .during(op, &layout.db())?;
    let rows = statement.query_map([], journal::event_row).during(op, &layout.db())?;
    let mut chain = Chain::new(true);
    for row in rows {
        let row = row.during(op, &layout.db())?;
        report.event_rows += 1;
        report.events += row.count;
        if let Err(problem) = chain.follow(&row) {
            report.problem(format!("events, {}: {problem}", journal::place(row.seq, row.job)));
        }
        if let Err(error) = row.records() {
            report.problem(error.to_string());
        }
    }
    Ok(())
}

fn all_plans(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    for digest in strings(conn, layout, "SELECT digest FROM plans ORDER BY digest")? {
        report.plans += 1;
        if let Err(error @ StoreError::Corrupt { .. }) = plans::get(conn, layout, &digest) {
            report.problem(error.to_string());
        }
    }
    for digest in strings(
        conn,
        layout,
        "SELECT DISTINCT plan FROM jobs WHERE plan IS NOT NULL AND plan NOT IN (SELECT digest FROM plans)",
    )? {
        report.problem(format!("jobs: plan {digest} is named by a job but not stored"));
    }
    Ok(())
}

fn all_blobs(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    for digest in strings(conn, layout, "SELECT digest FROM blobs ORDER BY digest")? {
        report.blobs += 1;
        let checked = match blobs::open(conn, layout, &digest) {
            Ok(Some(mut reader)) => io::copy(&mut reader, &mut io::sink()),
            Ok(None) => continue,
            Err(error @ StoreError::Corrupt { .. }) => {
                report.problem(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        match checked {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                report.problem(format!("blobs, {digest}: the bytes do not match the digest"))
            }
            other => drop(other.during("read", &layout.blob(&digest))?),
        }
    }
    for digest in
        strings(conn, layout, "SELECT DISTINCT digest FROM blob_uses WHERE digest NOT IN (SELECT digest FROM blobs)")?
    {
        report.problem(format!("blobs: {digest} is needed by a job but not stored"));
    }
    Ok(())
}

fn all_secrets(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    let key = match secrets::read_key(layout) {
        Ok(key) => key,
        Err(error @ (StoreError::KeyPermissions { .. } | StoreError::KeyMalformed { .. })) => {
            report.problem(error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let op = "check the secrets";
    let mut statement = conn.prepare("SELECT job, name, nonce, sealed FROM secrets").during(op, &layout.db())?;
    let mut rows = statement.query([]).during(op, &layout.db())?;
    while let Some(row) = rows.next().during(op, &layout.db())? {
        let columns = || -> rusqlite::Result<(i64, String, Vec<u8>, Vec<u8>)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let (job, name, nonce, sealed) = columns().during(op, &layout.db())?;
        match secrets::open(&key, from_db(job), &name, (&nonce, &sealed)) {
            Ok(_) => report.secrets += 1,
            Err(error) => report.problem(format!("secrets: {error}")),
        }
    }
    Ok(())
}

/// Files that nothing names. Harmless, so they are notes.
fn stray_files(conn: &Connection, layout: &Layout, report: &mut VerifyReport) -> Result<()> {
    for (name, dir) in files::list(&layout.outputs())? {
        for (file, path) in files::list(&dir)? {
            let known = match (name.parse::<u64>(), segment_number(&file)) {
                (Ok(job), Some(segment)) => conn
                    .prepare_cached("SELECT 1 FROM segments WHERE job = ?1 AND segment = ?2")
                    .and_then(|mut s| s.exists(params![to_db(job), segment]))
                    .during("look for a segment", &layout.db())?,
                (Ok(_) | Err(_), _) => false,
            };
            if !known {
                report.note(format!("{}: nothing refers to this file", layout.relative(&path).display()));
            }
        }
    }
    for (digest, path) in blob_files(layout)? {
        let known = conn
            .prepare_cached("SELECT 1 FROM blobs WHERE digest = ?1")
            .and_then(|mut s| s.exists([&digest]))
            .during("look for a blob", &layout.db())?;
        if !known {
            report.note(format!("{}: nothing refers to this file", layout.relative(&path).display()));
        }
    }
    Ok(())
}

fn strings(conn: &Connection, layout: &Layout, sql: &str) -> Result<Vec<String>> {
    let mut statement = conn.prepare(sql).during("list what is stored", &layout.db())?;
    let rows = statement.query_map([], |row| row.get(0)).during("list what is stored", &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during("list what is stored", &layout.db())
}
