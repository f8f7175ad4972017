//! One frame of a segment: a head, then a directory and the bytes it names, compressed together.
//!
//! ```text
//! head (48) = "AXFR" | major u8 | minor u8 | flags u16 | job u64 | segment u32 | raw length u32 | body length u32 | entries u32
//!             | checksum 16 over the head before it, the frame's position, and the body
//! raw       = entries * (task u64 | attempt u32 | step u32 | stream u8 | offset u64 | length u32) | bytes
//! body      = zstd(raw)                                      all numbers little-endian
//! ```
//!
//! The directory makes a segment readable without the database, and lets verify compare the two. Decoding trusts nothing and
//! fails with a sentence that the caller puts into `Corrupt`.

use super::super::codec::{CHECKSUM, checksum, u32_at, u64_at};
use crate::commit::StreamKey;

const MAGIC: &[u8; 4] = b"AXFR";
const MAJOR: u8 = 1;
const MINOR: u8 = 0;
/// Bytes of the head.
pub(crate) const HEAD: usize = 48;
const SUMMED: usize = HEAD - CHECKSUM;
const ENTRY: usize = 29;
/// Most bytes of a frame before compression: a read of a few bytes decompresses one frame, and holds it in memory.
pub(crate) const RAW_MAX: usize = 1 << 20;
/// Output repeats itself; level 3 halves what level 1 leaves, at a speed far above a disk's.
const LEVEL: i32 = 3;

/// Where a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) job: u64,
    pub(crate) segment: u32,
    pub(crate) position: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "job {} segment {} byte {}", self.job, self.segment, self.position)
    }
}

/// One entry of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: StreamKey,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    /// Where its bytes begin in the raw frame.
    pub(crate) inner: u32,
}

/// What the head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) raw_len: usize,
    pub(crate) body_len: usize,
    entries: usize,
}

impl Head {
    /// Bytes of the frame in the file.
    pub(crate) fn frame_len(&self) -> u64 {
        (HEAD + self.body_len) as u64
    }
}

/// Collects pieces until the frame is full.
#[derive(Debug, Default)]
pub(crate) struct FrameBuilder {
    entries: Vec<(StreamKey, u64, u32)>,
    data: Vec<u8>,
}

impl FrameBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes as many of the bytes as fit and says how many; 0 means that the frame is full.
    pub(crate) fn push(&mut self, key: StreamKey, offset: u64, bytes: &[u8]) -> usize {
        let used = (self.entries.len() + 1) * ENTRY + self.data.len();
        let taken = bytes.len().min(RAW_MAX.saturating_sub(used));
        if taken > 0 {
            self.data.extend_from_slice(&bytes[..taken]);
            self.entries.push((key, offset, as_u32(taken)));
        }
        taken
    }

    /// The frame as it goes into the file, and its entries for the index.
    pub(crate) fn finish(
        &self,
        place: Place,
        zstd: &mut zstd::bulk::Compressor<'static>,
    ) -> std::io::Result<(Vec<u8>, Vec<Entry>)> {
        let mut raw = Vec::with_capacity(self.entries.len() * ENTRY + self.data.len());
        let mut entries = Vec::with_capacity(self.entries.len());
        let mut inner = self.entries.len() * ENTRY;
        for &(key, offset, len) in &self.entries {
            raw.extend_from_slice(&key.task.to_le_bytes());
            raw.extend_from_slice(&key.attempt.to_le_bytes());
            raw.extend_from_slice(&key.step.to_le_bytes());
            raw.push(key.stream);
            raw.extend_from_slice(&offset.to_le_bytes());
            raw.extend_from_slice(&len.to_le_bytes());
            entries.push(Entry { key, offset, len, inner: as_u32(inner) });
            inner += len as usize;
        }
        raw.extend_from_slice(&self.data);
        let body = zstd.compress(&raw)?;
        let mut frame = Vec::with_capacity(HEAD + body.len());
        frame.extend_from_slice(MAGIC);
        frame.extend_from_slice(&[MAJOR, MINOR, 0, 0]);
        frame.extend_from_slice(&place.job.to_le_bytes());
        frame.extend_from_slice(&place.segment.to_le_bytes());
        frame.extend_from_slice(&as_u32(raw.len()).to_le_bytes());
        frame.extend_from_slice(&as_u32(body.len()).to_le_bytes());
        frame.extend_from_slice(&as_u32(self.entries.len()).to_le_bytes());
        let sum = checksum(&[&frame, &place.position.to_le_bytes()], &body);
        frame.extend_from_slice(&sum);
        frame.extend_from_slice(&body);
        Ok((frame, entries))
    }
}

/// The compressor for frames; its memory is reused.
pub(crate) fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    zstd::bulk::Compressor::new(LEVEL)
}

/// Reads a head and checks that it belongs here.
pub(crate) fn parse_head(head: &[u8], place: Place) -> Result<Head, String> {
    if head.len() < HEAD {
        return Err("the frame is cut off".to_owned());
    }
    if head[..4] != MAGIC[..] {
        return Err("no frame begins here".to_owned());
    }
    if head[4] != MAJOR {
        return Err(format!("the frame has version {}, this program knows {MAJOR}", head[4]));
    }
    if u64_at(head, 8) != place.job || u32_at(head, 16) != place.segment {
        return Err(format!("the frame belongs to job {} segment {}", u64_at(head, 8), u32_at(head, 16)));
    }
    let (raw_len, body_len, entries) =
        (u32_at(head, 20) as usize, u32_at(head, 24) as usize, u32_at(head, 28) as usize);
    // zstd may make incompressible bytes a little larger.
    if raw_len > RAW_MAX || body_len > RAW_MAX + RAW_MAX / 8 || entries * ENTRY > raw_len {
        return Err(format!("the frame says {raw_len} raw bytes, {body_len} bytes and {entries} entries"));
    }
    Ok(Head { raw_len, body_len, entries })
}

/// Checks a whole frame and decompresses it: its entries, and the raw bytes that they point into.
pub(crate) fn decode(frame: &[u8], place: Place) -> Result<(Vec<Entry>, Vec<u8>), String> {
    let head = parse_head(frame, place)?;
    let body = frame.get(HEAD..HEAD + head.body_len).ok_or("the frame is cut off")?;
    if checksum(&[&frame[..SUMMED], &place.position.to_le_bytes()], body)[..] != frame[SUMMED..HEAD] {
        return Err("the checksum does not match".to_owned());
    }
    let raw = zstd::bulk::decompress(body, head.raw_len).map_err(|e| format!("the frame does not decompress: {e}"))?;
    let mut entries = Vec::with_capacity(head.entries);
    let mut inner = head.entries * ENTRY;
    for entry in raw.chunks_exact(ENTRY).take(head.entries) {
        let key = StreamKey {
            job: place.job,
            task: u64_at(entry, 0),
            attempt: u32_at(entry, 8),
            step: u32_at(entry, 12),
            stream: entry[16],
        };
        let len = u32_at(entry, 25);
        entries.push(Entry { key, offset: u64_at(entry, 17), len, inner: as_u32(inner) });
        inner += len as usize;
    }
    if inner == raw.len() && raw.len() == head.raw_len {
        Ok((entries, raw))
    } else {
        Err("the directory does not match the bytes".to_owned())
    }
}

/// Lengths inside a frame are at most [`RAW_MAX`] and a bit.
fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
