//! One commit: checked, its output written and synced, then one transaction.
//!
//! Everything that can refuse a commit is asked before anything is written. A failure after that point stops the store: what is
//! on disk is then known only after opening it again.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, params};

use super::layout::Layout;
use super::output::intake::{self, Intake};
use super::output::writer::{OutputWriter, Written};
use super::schema::{begin, to_db};
use super::secrets::Key;
use super::{blobs, codec, jobs, journal, plans, secrets};
use crate::api::Appended;
use crate::commit::{Commit, EventBatch, JobSummary, PLAN_MAX, RECORD_MAX, SECRET_MAX, TEXT_MAX};
use crate::error::{During, Result, StoreError};

/// A commit that was found good, in the form in which it is stored.
pub(crate) struct Prepared {
    commit: Commit,
    intake: Intake,
    /// Records by job, in the order in which the jobs appear.
    events: Vec<EventBatch>,
}

/// Checks a commit against the limits and against what is stored. Changes nothing.
pub(crate) fn prepare(conn: &Connection, layout: &Layout, mut commit: Commit) -> Result<Prepared> {
    check_sizes(&commit)?;
    plans::check_new(conn, layout, &commit.plans)?;
    for summary in &commit.jobs {
        check_plan_of(conn, layout, summary, &commit)?;
    }
    for blob_use in &commit.blob_uses {
        blobs::check_stored(conn, layout, &blob_use.digest)?;
    }
    let intake = intake::take_in(conn, layout, std::mem::take(&mut commit.output))?;
    let events = group_by_job(std::mem::take(&mut commit.events));
    Ok(Prepared { commit, intake, events })
}

/// Writes and syncs the output of a commit.
pub(crate) fn write_output(conn: &Connection, writer: &mut OutputWriter, prepared: &Prepared) -> Result<Written> {
    writer.write(conn, &prepared.intake)
}

/// The transaction. `next_seq` is the row for the first events.
pub(crate) fn commit(
    conn: &mut Connection,
    layout: &Layout,
    key: &Key,
    (prepared, written, next_seq): (&Prepared, &Written, u64),
) -> Result<Appended> {
    let tx = begin(conn, layout)?;
    let mut appended = Appended {
        first_seq: next_seq,
        next_seq,
        output_bytes: prepared.intake.new_bytes,
        duplicate_bytes: prepared.intake.duplicate_bytes,
        events: 0,
    };
    for batch in &prepared.events {
        insert_events(&tx, layout, batch, &mut appended)?;
    }
    insert_pieces(&tx, layout, written)?;
    plans::insert(&tx, layout, &prepared.commit.plans, prepared.commit.now_ms)?;
    for summary in &prepared.commit.jobs {
        jobs::put(&tx, layout, summary)?;
    }
    for secret in &prepared.commit.secrets {
        secrets::put(&tx, layout, key, secret)?;
    }
    for blob_use in &prepared.commit.blob_uses {
        blobs::insert_use(&tx, layout, blob_use)?;
    }
    tx.commit().during("commit", &layout.db())?;
    Ok(appended)
}

/// Overwrites what a failed commit may have left at the end of the log, so that it does not come back on opening. Best effort: on a full or
/// broken disk it may fail too, but then SQLite's end-of-commit mark is missing or the commit is there as a whole.
pub(crate) fn drown_failed_commit(conn: &Connection, layout: &Layout) {
    let result = super::schema::set_meta(conn, layout, "clean", "0");
    tracing::debug!(ok = result.is_ok(), "overwrote the tail of the log after a failed append");
}

fn check_sizes(commit: &Commit) -> Result<()> {
    for batch in &commit.events {
        check_id("job", batch.job.unwrap_or(0))?;
        for record in &batch.records {
            check_size("a record", record.len(), RECORD_MAX)?;
        }
    }
    for chunk in &commit.output {
        check_id("job", chunk.stream.job)?;
        check_id("task", chunk.stream.task)?;
        check_id("the end of an output", chunk.offset.saturating_add(chunk.bytes.len() as u64))?;
    }
    for secret in &commit.secrets {
        check_id("job", secret.job)?;
        check_size("a secret", secret.value.expose().len(), SECRET_MAX)?;
        check_size("the name of a secret", secret.name.len(), TEXT_MAX)?;
    }
    for plan in &commit.plans {
        check_size("a plan", plan.bytes.len(), PLAN_MAX)?;
    }
    for job in &commit.jobs {
        check_id("job", job.id)?;
        let text = job.name.len() + job.state.len() + job.labels.len() + job.summary.len();
        check_size("the summary of a job", text, TEXT_MAX)?;
    }
    commit.blob_uses.iter().try_for_each(|blob_use| check_id("job", blob_use.job))
}

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size > limit { Err(StoreError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
}

fn check_id(what: &'static str, value: u64) -> Result<()> {
    i64::try_from(value).map(|_| ()).map_err(|_| StoreError::NumberTooLarge { what, value })
}

fn check_plan_of(conn: &Connection, layout: &Layout, summary: &JobSummary, commit: &Commit) -> Result<()> {
    let Some(digest) = &summary.plan_digest else {
        return Ok(());
    };
    if commit.plans.iter().any(|plan| plan.digest == *digest) || plans::is_stored(conn, layout, digest)? {
        return Ok(());
    }
    Err(StoreError::PlanMissing { job: summary.id, digest: digest.clone() })
}

/// One batch per job; a job that appears again joins its first batch.
fn group_by_job(batches: Vec<EventBatch>) -> Vec<EventBatch> {
    let mut grouped: Vec<EventBatch> = Vec::with_capacity(batches.len());
    let mut places = HashMap::new();
    for batch in batches {
        match places.get(&batch.job) {
            Some(&at) => {
                let first: &mut EventBatch = &mut grouped[at];
                first.records.extend(batch.records);
            }
            None => {
                places.insert(batch.job, grouped.len());
                grouped.push(batch);
            }
        }
    }
    grouped
}

/// Stores the records of one job: one row, or several when they are more than a row may hold.
fn insert_events(tx: &Transaction<'_>, layout: &Layout, batch: &EventBatch, appended: &mut Appended) -> Result<()> {
    if batch.records.is_empty() {
        return Ok(());
    }
    let mut number = journal::next_number(tx, layout, batch.job)?;
    let (mut raw, mut count) = (Vec::new(), 0);
    for record in &batch.records {
        if count > 0 && raw.len() + record.len() + 4 > journal::ROW_MAX {
            insert_row(tx, layout, (appended.next_seq, batch.job, number, count), &raw)?;
            (number, appended.next_seq) = (number + count, appended.next_seq + 1);
            raw.clear();
            count = 0;
        }
        codec::push_record(&mut raw, record);
        count += 1;
    }
    insert_row(tx, layout, (appended.next_seq, batch.job, number, count), &raw)?;
    appended.next_seq += 1;
    appended.events += batch.records.len() as u64;
    Ok(())
}

fn insert_row(tx: &Transaction<'_>, layout: &Layout, identity: (u64, Option<u64>, u64, u64), raw: &[u8]) -> Result<()> {
    let body = codec::pack(raw);
    let checksum = journal::row_checksum(identity, &body);
    let (seq, job, first_no, count) = identity;
    tx.prepare_cached(
        "INSERT INTO events(seq, job, first_no, count, size, checksum, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .and_then(|mut s| {
        s.execute(params![
            to_db(seq),
            job.map(to_db),
            to_db(first_no),
            to_db(count),
            to_db(body.len() as u64),
            checksum,
            body
        ])
    })
    .map(|_| ())
    .during("append events", &layout.db())
}

fn insert_pieces(tx: &Transaction<'_>, layout: &Layout, written: &Written) -> Result<()> {
    let op = "index output";
    if written.pieces.is_empty() {
        return Ok(());
    }
    let mut piece = tx
        .prepare_cached(
            "INSERT INTO pieces(job, task, attempt, step, stream, offset, len, segment, position, inner) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .during(op, &layout.db())?;
    for p in &written.pieces {
        let (key, entry) = (&p.entry.key, &p.entry);
        piece
            .execute(params![
                to_db(key.job),
                to_db(key.task),
                key.attempt,
                key.step,
                key.stream,
                to_db(entry.offset),
                entry.len,
                p.place.segment,
                to_db(p.place.position),
                entry.inner
            ])
            .during(op, &layout.db())?;
    }
    let mut segment = tx
        .prepare_cached("INSERT INTO segments(job, segment, bytes) VALUES (?1, ?2, ?3) ON CONFLICT(job, segment) DO UPDATE SET bytes = excluded.bytes")
        .during(op, &layout.db())?;
    for &(job, number, bytes) in &written.segments {
        segment.execute(params![to_db(job), number, to_db(bytes)]).during(op, &layout.db())?;
    }
    Ok(())
}
