//! Reading the journal: rows in order, each checked before a record of it is given out.
//!
//! A row whose checksum, length or number is wrong ends the reading with `Corrupt`: table, row, job. A row that is missing is found by the
//! numbers of the events, which have no gaps inside a job. Rows are fetched one at a time, so memory holds one commit's events of one job.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::codec;
use super::layout::Layout;
use super::schema::{from_db, to_db};
use crate::api::{Record, Records};
use crate::commit::RECORD_MAX;
use crate::error::{During, Result, StoreError};

/// Most raw bytes of one row. A commit with more events of one job is cut into several rows, so that reading stays bounded.
pub(crate) const ROW_MAX: usize = RECORD_MAX + (1 << 20);
const COLUMNS: &str = "seq, job, first_no, count, checksum, body";

/// One row as it is stored.
pub(crate) struct EventRow {
    pub(crate) seq: u64,
    pub(crate) job: Option<u64>,
    pub(crate) first_no: u64,
    pub(crate) count: u64,
    pub(crate) checksum: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl EventRow {
    /// What the checksum must be.
    pub(crate) fn expected_checksum(&self) -> [u8; codec::CHECKSUM] {
        row_checksum((self.seq, self.job, self.first_no, self.count), &self.body)
    }

    /// Checks the row and cuts it into records.
    pub(crate) fn records(self) -> Result<Vec<Record>> {
        if self.expected_checksum()[..] != self.checksum[..] {
            return Err(self.corrupt("the checksum does not match"));
        }
        let raw = codec::unpack(&self.body, ROW_MAX).map_err(|problem| self.corrupt(problem))?;
        let parts = codec::split_records(&raw, self.count).map_err(|problem| self.corrupt(problem))?;
        Ok((self.first_no..)
            .zip(parts)
            .map(|(number, bytes)| Record { seq: self.seq, job: self.job, number, bytes })
            .collect())
    }

    fn corrupt(&self, problem: impl Into<String>) -> StoreError {
        StoreError::corrupt("events", place(self.seq, self.job), problem)
    }
}

/// The checksum covers what the row says about itself.
pub(crate) fn row_checksum(
    (seq, job, first_no, count): (u64, Option<u64>, u64, u64),
    body: &[u8],
) -> [u8; codec::CHECKSUM] {
    let job = job.map_or([0; 9], |job| {
        let mut bytes = [1; 9];
        bytes[1..].copy_from_slice(&job.to_le_bytes());
        bytes
    });
    codec::checksum(&[&seq.to_le_bytes(), &job, &first_no.to_le_bytes(), &count.to_le_bytes()], body)
}

/// The number of the next event of a job.
pub(crate) fn next_number(conn: &Connection, layout: &Layout, job: Option<u64>) -> Result<u64> {
    let next: Option<i64> = conn
        .prepare_cached("SELECT first_no + count FROM events WHERE job IS ?1 ORDER BY first_no DESC LIMIT 1")
        .and_then(|mut s| s.query_row([job.map(to_db)], |row| row.get(0)).optional())
        .during("find a job's last event", &layout.db())?;
    Ok(next.map_or(0, from_db))
}

/// The records of one job, or of none.
pub(crate) fn read_job<'a>(conn: &'a Connection, layout: &'a Layout, job: Option<u64>) -> Records<'a> {
    let job_db = job.map(to_db);
    let sql = format!("SELECT {COLUMNS} FROM events WHERE job IS ?1 AND first_no >= ?2 ORDER BY first_no LIMIT 1");
    let fetch = move |chain: &Chain| {
        let from = to_db(chain.next(job).unwrap_or(0));
        conn.prepare_cached(&sql)
            .and_then(|mut s| s.query_row((job_db, from), event_row).optional())
            .during("read the events of a job", &layout.db())
    };
    Box::new(RowReader::new(fetch, true))
}

/// All records from a row on.
pub(crate) fn read_all<'a>(conn: &'a Connection, layout: &'a Layout, from_seq: u64) -> Records<'a> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1");
    let mut from = from_seq;
    let fetch = move |_: &Chain| {
        let row = conn
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([to_db(from)], event_row).optional())
            .during("read the journal", &layout.db())?;
        if let Some(row) = &row {
            from = row.seq + 1;
        }
        Ok(row)
    };
    Box::new(RowReader::new(fetch, from_seq <= 1))
}

/// The records that a start needs. Only the numbers of the rows are held in memory.
pub(crate) fn read_live<'a>(conn: &'a Connection, layout: &'a Layout) -> Result<Records<'a>> {
    let mut rows = live_rows(conn, layout)?.into_iter();
    let sql = format!("SELECT {COLUMNS} FROM events WHERE seq = ?1");
    let fetch = move |_: &Chain| {
        for seq in rows.by_ref() {
            let row = conn
                .prepare_cached(&sql)
                .and_then(|mut s| s.query_row([to_db(seq)], event_row).optional())
                .during("read the journal", &layout.db())?;
            // A row may be gone by now: its job became final and retention removed it.
            if row.is_some() {
                return Ok(row);
            }
        }
        Ok(None)
    };
    Ok(Box::new(RowReader::new(fetch, true)))
}

/// Walks the jobs of the journal by jumping from one to the next in the index, so the cost follows the number of jobs and of
/// live rows, not the size of the journal.
fn live_rows(conn: &Connection, layout: &Layout) -> Result<Vec<u64>> {
    let op = "list the events of live jobs";
    let mut statement = conn
        .prepare_cached(
            "WITH RECURSIVE ids(job) AS (
                 SELECT min(job) FROM events WHERE job IS NOT NULL
                 UNION ALL SELECT (SELECT min(job) FROM events WHERE job > ids.job) FROM ids WHERE ids.job IS NOT NULL)
             SELECT seq FROM events WHERE job IS NULL
             UNION ALL
             SELECT events.seq FROM ids CROSS JOIN events ON events.job = ids.job
             WHERE ids.job IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = ids.job AND jobs.final = 1)",
        )
        .during(op, &layout.db())?;
    let rows = statement.query_map([], |row| row.get(0).map(from_db)).during(op, &layout.db())?;
    let mut seqs = rows.collect::<rusqlite::Result<Vec<u64>>>().during(op, &layout.db())?;
    seqs.sort_unstable();
    Ok(seqs)
}

/// A row with the columns of [`COLUMNS`].
pub(crate) fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: from_db(row.get(0)?),
        job: row.get::<_, Option<i64>>(1)?.map(from_db),
        first_no: from_db(row.get(2)?),
        count: from_db(row.get(3)?),
        checksum: row.get(4)?,
        body: row.get(5)?,
    })
}

/// A place in the journal as errors name it.
pub(crate) fn place(seq: u64, job: Option<u64>) -> String {
    job.map_or_else(|| format!("seq {seq} of no job"), |job| format!("seq {seq} of job {job}"))
}

/// Checks that the numbers of each job's events have no gap.
#[derive(Default)]
pub(crate) struct Chain {
    next: HashMap<Option<u64>, u64>,
    /// True when reading began at the beginning, so that each job must begin with 0.
    from_start: bool,
}

impl Chain {
    pub(crate) fn new(from_start: bool) -> Self {
        Self { next: HashMap::new(), from_start }
    }

    /// Notes a row; says which number was expected when it is another one.
    pub(crate) fn follow(&mut self, row: &EventRow) -> Result<(), String> {
        let expected = self.next.get(&row.job).copied().or_else(|| self.from_start.then_some(0));
        self.next.insert(row.job, row.first_no + row.count);
        match expected {
            Some(expected) if expected != row.first_no => {
                Err(format!("event {expected} is missing, the row begins with {}", row.first_no))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn next(&self, job: Option<u64>) -> Option<u64> {
        self.next.get(&job).copied()
    }
}

/// An iterator over records that fetches row after row and ends after the first error.
struct RowReader<F> {
    fetch: F,
    chain: Chain,
    ready: std::vec::IntoIter<Record>,
    done: bool,
}

impl<F: FnMut(&Chain) -> Result<Option<EventRow>>> RowReader<F> {
    fn new(fetch: F, from_start: bool) -> Self {
        Self { fetch, chain: Chain::new(from_start), ready: Vec::new().into_iter(), done: false }
    }

    fn next_row(&mut self) -> Result<Option<Vec<Record>>> {
        let Some(row) = (self.fetch)(&self.chain)? else {
            return Ok(None);
        };
        self.chain.follow(&row).map_err(|problem| row.corrupt(problem))?;
        row.records().map(Some)
    }
}

impl<F: FnMut(&Chain) -> Result<Option<EventRow>>> Iterator for RowReader<F> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.ready.next() {
                return Some(Ok(record));
            }
            if self.done {
                return None;
            }
            match self.next_row() {
                Ok(Some(records)) => self.ready = records.into_iter(),
                Ok(None) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
