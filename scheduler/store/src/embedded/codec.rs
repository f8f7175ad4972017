//! How many small records become one compressed, checked value: the body of a row, or of a plan.
//!
//! ```text
//! body = version u8 | encoding u8 (0 as is, 1 zstd) | raw length u32 | payload
//! records = (length u32 | bytes)*            all numbers little-endian
//! ```
//!
//! Decoding trusts nothing: lengths are bounded before memory is taken. It fails with a sentence that the caller puts into `Corrupt`.

/// Version of the body. A new one gets a new arm in [`unpack`].
const VERSION: u8 = 1;
const AS_IS: u8 = 0;
const ZSTD: u8 = 1;
const HEAD: usize = 6;
/// Below this many bytes compression costs more than it saves.
const WORTH_IT: usize = 96;
/// Level 1: the journal is written more often than read.
const LEVEL: i32 = 1;
/// Bytes of a checksum: enough to find damage by accident, which is its purpose.
pub(crate) const CHECKSUM: usize = 16;

/// Turns bytes into a body. Bytes that do not shrink are kept as they are.
pub(crate) fn pack(raw: &[u8]) -> Vec<u8> {
    let packed = if raw.len() >= WORTH_IT {
        zstd::bulk::compress(raw, LEVEL).ok().filter(|p| p.len() < raw.len())
    } else {
        None
    };
    let (encoding, payload) = packed.as_deref().map_or((AS_IS, raw), |p| (ZSTD, p));
    let mut body = Vec::with_capacity(HEAD + payload.len());
    body.push(VERSION);
    body.push(encoding);
    // The callers' limits are far below 4 GiB; a longer one could not be unpacked and is caught by the length check there.
    body.extend_from_slice(&u32::try_from(raw.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(payload);
    body
}

/// Turns a body back; `limit` bounds the memory that a damaged length could ask for.
pub(crate) fn unpack(body: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let (head, payload) = body.split_at_checked(HEAD).ok_or("the body is shorter than its head")?;
    if head[0] != VERSION {
        return Err(format!("the body has version {}, this program knows {VERSION}", head[0]));
    }
    let length = u32_at(head, 2) as usize;
    if length > limit {
        return Err(format!("the body says {length} bytes, more than {limit}"));
    }
    let raw = match head[1] {
        AS_IS => payload.to_vec(),
        ZSTD => zstd::bulk::decompress(payload, length).map_err(|e| format!("the body does not decompress: {e}"))?,
        other => return Err(format!("the body has encoding {other}")),
    };
    if raw.len() == length { Ok(raw) } else { Err(format!("the body says {length} bytes and has {}", raw.len())) }
}

/// Puts one record behind the others.
pub(crate) fn push_record(raw: &mut Vec<u8>, record: &[u8]) {
    raw.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
    raw.extend_from_slice(record);
}

/// Cuts the records apart; there must be exactly `count`.
pub(crate) fn split_records(mut raw: &[u8], count: u64) -> Result<Vec<Vec<u8>>, String> {
    let mut records = Vec::new();
    while let Some((head, rest)) = raw.split_at_checked(4) {
        let (record, rest) =
            rest.split_at_checked(u32_at(head, 0) as usize).ok_or("a record is longer than its row")?;
        records.push(record.to_vec());
        raw = rest;
    }
    if raw.is_empty() && records.len() as u64 == count {
        Ok(records)
    } else {
        Err(format!("{} records where {count} are expected", records.len()))
    }
}

/// The checksum of a value together with what identifies it, so that a value in the wrong place is damage too.
pub(crate) fn checksum(identity: &[&[u8]], body: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new();
    for part in identity {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    let mut short = [0; CHECKSUM];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM]);
    short
}

/// A little-endian number inside a slice; 0 beyond its end, where the caller has checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// As [`u32_at`], for eight bytes.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}
