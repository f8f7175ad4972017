//! Summaries of jobs: put, get, list in pages.
//!
//! Fails as SQLite fails.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::layout::Layout;
use super::schema::{from_db, to_db};
use crate::api::{JobCursor, JobPage, JobQuery};
use crate::commit::JobSummary;
use crate::error::{During, Result};

const COLUMNS: &str = "id, name, state, final, created_ms, finished_ms, plan, labels, summary";
/// Rows of a page when the caller does not say.
const PAGE: u32 = 100;
/// Most rows of a page: a page is held in memory and sent in one message.
const PAGE_MAX: u32 = 1000;

/// Inserts or replaces a summary.
pub(crate) fn put(conn: &Connection, layout: &Layout, job: &JobSummary) -> Result<()> {
    let sql = "INSERT INTO jobs(id, name, state, final, created_ms, finished_ms, plan, labels, summary) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT(id) DO UPDATE SET name = excluded.name, state = excluded.state, final = excluded.final, created_ms = excluded.created_ms,
        finished_ms = excluded.finished_ms, plan = excluded.plan, labels = excluded.labels, summary = excluded.summary";
    conn.prepare_cached(sql)
        .and_then(|mut s| {
            let finished = job.finished_ms.map(to_db);
            s.execute(params![
                to_db(job.id),
                job.name,
                job.state,
                job.is_final,
                to_db(job.created_ms),
                finished,
                job.plan_digest,
                job.labels,
                job.summary
            ])
        })
        .map(|_| ())
        .during("store the summary of a job", &layout.db())
}

/// The summary of one job.
pub(crate) fn get(conn: &Connection, layout: &Layout, id: u64) -> Result<Option<JobSummary>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))
        .and_then(|mut s| s.query_row([to_db(id)], summary).optional())
        .during("read the summary of a job", &layout.db())
}

/// One page, newest first.
pub(crate) fn list(conn: &Connection, layout: &Layout, query: &JobQuery) -> Result<JobPage> {
    let limit = if query.limit == 0 { PAGE } else { query.limit.min(PAGE_MAX) };
    let (mut conditions, mut values) = (vec!["1".to_owned()], Vec::new());
    let mut bind = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    if !query.states.is_empty() {
        let places: Vec<String> = query.states.iter().map(|state| bind(Value::Text(state.clone()))).collect();
        conditions.push(format!("state IN ({})", places.join(", ")));
    }
    if let Some(glob) = &query.name_glob {
        conditions.push(format!("name GLOB {}", bind(Value::Text(glob.clone()))));
    }
    if let Some(is_final) = query.is_final {
        conditions.push(format!("final = {}", i32::from(is_final)));
    }
    if let Some(after) = query.after {
        let (created, id) = (bind(Value::Integer(to_db(after.created_ms))), bind(Value::Integer(to_db(after.id))));
        conditions.push(format!("(created_ms, id) < ({created}, {id})"));
    }
    // One more than asked, to know whether there is a next page.
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE {} ORDER BY created_ms DESC, id DESC LIMIT {}",
        conditions.join(" AND "),
        limit + 1
    );
    let op = "list jobs";
    let mut statement = conn.prepare_cached(&sql).during(op, &layout.db())?;
    let rows = statement.query_map(params_from_iter(values), summary).during(op, &layout.db())?;
    let mut jobs = rows.collect::<rusqlite::Result<Vec<_>>>().during(op, &layout.db())?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|last| JobCursor { created_ms: last.created_ms, id: last.id });
    Ok(JobPage { jobs, next })
}

fn summary(row: &Row<'_>) -> rusqlite::Result<JobSummary> {
    Ok(JobSummary {
        id: from_db(row.get(0)?),
        name: row.get(1)?,
        state: row.get(2)?,
        is_final: row.get(3)?,
        created_ms: from_db(row.get(4)?),
        finished_ms: row.get::<_, Option<i64>>(5)?.map(from_db),
        plan_digest: row.get(6)?,
        labels: row.get(7)?,
        summary: row.get(8)?,
    })
}
