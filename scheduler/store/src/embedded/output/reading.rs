//! Reads output by offset: the index says which frames, each frame is checked whole before a byte of it is given out.
//!
//! Fails with `Corrupt` and the frame's place when a frame is damaged or gone. Ranges that a repair gave up are told, not skipped.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rusqlite::{Connection, Row, params};

use super::super::layout::Layout;
use super::super::schema::{from_db, to_db};
use super::frame::{self, HEAD, Place};
use super::intake::stored_len;
use crate::api::{OutputPage, StreamInfo};
use crate::commit::StreamKey;
use crate::error::{During, Result, StoreError};

/// Most bytes that one read gives; callers page.
const READ_MAX: usize = 8 << 20;

/// One row of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexRow {
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) segment: u32,
    pub(crate) position: u64,
    pub(crate) inner: u64,
    pub(crate) lost: bool,
}

/// The file and the frame that were read last: neighbouring pieces often share them.
#[derive(Default)]
struct Cache {
    file: Option<(u32, File)>,
    frame: Option<(Place, Vec<u8>)>,
}

/// Reads from an offset on.
pub(crate) fn read(conn: &Connection, layout: &Layout, key: &StreamKey, from: u64, max: usize) -> Result<OutputPage> {
    let max = max.clamp(1, READ_MAX);
    let len = stored_len(conn, layout, key)?;
    let mut page = OutputPage { next_offset: from.min(len), len, ..OutputPage::default() };
    let mut left = max;
    let mut cache = Cache::default();
    while page.next_offset < len && left > 0 {
        let Some(row) = piece_at(conn, layout, key, page.next_offset)? else {
            return gone_or_corrupt(conn, layout, key, &page);
        };
        let end = row.offset + row.len;
        if row.lost {
            push_lost(&mut page, end);
            continue;
        }
        let place = Place { job: key.job, segment: row.segment, position: row.position };
        let raw = match cache.frame(layout, place) {
            Err(StoreError::Corrupt { .. }) if stored_len(conn, layout, key)? == 0 => {
                return Ok(OutputPage::default());
            }
            other => other?,
        };
        let skip = page.next_offset - row.offset;
        let bytes = slice(raw, row.inner + skip, (row.len - skip).min(left as u64))
            .ok_or_else(|| StoreError::corrupt("pieces", place.to_string(), "the index points beyond the frame"))?;
        left -= bytes.len();
        page.chunks.push((page.next_offset, bytes.to_vec()));
        page.next_offset += bytes.len() as u64;
    }
    Ok(page)
}

/// The streams of a job with their lengths.
pub(crate) fn streams(conn: &Connection, layout: &Layout, job: u64) -> Result<Vec<StreamInfo>> {
    let op = "list the outputs of a job";
    let mut statement = conn
        .prepare_cached("SELECT task, attempt, step, stream, max(offset + len) FROM pieces WHERE job = ?1 GROUP BY task, attempt, step, stream")
        .during(op, &layout.db())?;
    let rows = statement
        .query_map([to_db(job)], |row| {
            let key = StreamKey {
                job,
                task: from_db(row.get(0)?),
                attempt: row.get(1)?,
                step: row.get(2)?,
                stream: row.get(3)?,
            };
            Ok(StreamInfo { key, len: from_db(row.get(4)?) })
        })
        .during(op, &layout.db())?;
    rows.collect::<rusqlite::Result<_>>().during(op, &layout.db())
}

/// The piece that holds an offset.
fn piece_at(conn: &Connection, layout: &Layout, key: &StreamKey, offset: u64) -> Result<Option<IndexRow>> {
    let op = "read the index of outputs";
    let mut statement = conn
        .prepare_cached(
            "SELECT offset, len, segment, position, inner, lost FROM pieces \
             WHERE job = ?1 AND task = ?2 AND attempt = ?3 AND step = ?4 AND stream = ?5 AND offset <= ?6 ORDER BY offset DESC LIMIT 1",
        )
        .during(op, &layout.db())?;
    let mut rows = statement
        .query(params![to_db(key.job), to_db(key.task), key.attempt, key.step, key.stream, to_db(offset)])
        .during(op, &layout.db())?;
    let row = rows.next().during(op, &layout.db())?.map(index_row).transpose().during(op, &layout.db())?;
    Ok(row.filter(|row| offset < row.offset + row.len))
}

/// A row with the columns `offset, len, segment, position, inner, lost`.
pub(crate) fn index_row(row: &Row<'_>) -> rusqlite::Result<IndexRow> {
    Ok(IndexRow {
        offset: from_db(row.get(0)?),
        len: from_db(row.get(1)?),
        segment: row.get(2)?,
        position: from_db(row.get(3)?),
        inner: from_db(row.get(4)?),
        lost: row.get(5)?,
    })
}

/// Retention may remove the job between two looks; then there is nothing to read. Otherwise a piece is missing in the index.
fn gone_or_corrupt(conn: &Connection, layout: &Layout, key: &StreamKey, page: &OutputPage) -> Result<OutputPage> {
    if stored_len(conn, layout, key)? == 0 {
        return Ok(OutputPage::default());
    }
    Err(StoreError::corrupt("pieces", format!("{key} offset {}", page.next_offset), "the index has a gap"))
}

fn push_lost(page: &mut OutputPage, end: u64) {
    match page.lost.last_mut() {
        Some(range) if range.end == page.next_offset => range.end = end,
        Some(_) | None => page.lost.push(page.next_offset..end),
    }
    page.next_offset = end;
}

fn slice(raw: &[u8], at: u64, len: u64) -> Option<&[u8]> {
    let at = usize::try_from(at).ok()?;
    let len = usize::try_from(len).ok()?;
    raw.get(at..at.checked_add(len)?).filter(|bytes| !bytes.is_empty())
}

impl Cache {
    fn frame(&mut self, layout: &Layout, place: Place) -> Result<&[u8]> {
        if self.frame.as_ref().is_none_or(|(cached, _)| *cached != place) {
            let path = layout.segment(place.job, place.segment);
            let file = match self.file.take() {
                Some((segment, file)) if segment == place.segment => file,
                Some(_) | None => match File::open(&path) {
                    Ok(file) => file,
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {
                        return Err(StoreError::corrupt("outputs", place.to_string(), "the segment file is missing"));
                    }
                    Err(e) => return Err(e).during("open", &path),
                },
            };
            let frame = read_frame(&file, layout, place)?;
            let (_, raw) = frame::decode(&frame, place)
                .map_err(|problem| StoreError::corrupt("outputs", place.to_string(), problem))?;
            self.file = Some((place.segment, file));
            self.frame = Some((place, raw));
        }
        Ok(self.frame.as_ref().map_or(&[], |(_, raw)| raw))
    }
}

/// The bytes of one frame; as many as its head says and no more than a frame may have.
pub(crate) fn read_frame(file: &File, layout: &Layout, place: Place) -> Result<Vec<u8>> {
    let corrupt = |problem: String| StoreError::corrupt("outputs", place.to_string(), problem);
    let path = layout.segment(place.job, place.segment);
    let mut frame = vec![0; HEAD];
    let read = |buffer: &mut [u8], at: u64| match file.read_exact_at(buffer, at) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(corrupt("the file ends inside a frame".to_owned())),
        other => other.during("read", &path),
    };
    read(&mut frame, place.position)?;
    let head = frame::parse_head(&frame, place).map_err(corrupt)?;
    frame.resize(HEAD + head.body_len, 0);
    read(&mut frame[HEAD..], place.position + HEAD as u64)?;
    Ok(frame)
}
