//! Looks at SQLite's write-ahead log before SQLite does, to say what SQLite repairs in silence.
//!
//! SQLite replays the log up to the last whole commit and ignores the rest. That is right for a torn tail, which no caller
//! was told is durable. It is wrong for a damaged byte in the middle, where acknowledged commits would vanish without a word. Every
//! commit is synced before the next begins, so only the last commit in the log can be torn: if two or more ends of commits
//! follow the first bad frame, the damage is in the middle and opening must fail.
//!
//! ```text
//! log   = header 32 bytes: magic, version, page size, n, salt1, salt2, checksum(8)
//! frame = page number, pages after commit (0: not the end of one), salt1, salt2, checksum(8), page
//! ```
//!
//! Frames with other salts are left over from an earlier use of the file and mean nothing.

use std::fs::File;
use std::io::{self, BufReader, Read};

use super::layout::Layout;
use crate::error::{During, Result, StoreError};

const HEADER: usize = 32;
const FRAME_HEAD: usize = 24;
const MAGIC: u32 = 0x377f_0682;

/// What the log holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct WalState {
    /// Bytes after the last whole commit that belong to an unfinished one.
    pub(crate) torn_bytes: u64,
}

/// Reads the log. Fails with `Corrupt` when acknowledged commits stand behind damage.
pub(crate) fn inspect(layout: &Layout) -> Result<WalState> {
    let path = layout.wal();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(WalState::default()),
        Err(e) => return Err(e).during("open", &path),
    };
    let length = file.metadata().during("look at", &path)?.len();
    scan_log(BufReader::with_capacity(1 << 16, file), length).during("read", &path)?
}

/// The outer error is that of reading, the inner one is damage.
fn scan_log(mut log: impl Read, length: u64) -> io::Result<Result<WalState>> {
    let mut header = [0; HEADER];
    if read_full(&mut log, &mut header)? < HEADER {
        return Ok(Ok(WalState { torn_bytes: length }));
    }
    let Some(mut scan) = Scan::new(&header) else {
        // A damaged or unfinished header. If frames of whole commits stand behind it, they would be lost.
        let commits_behind = length > (HEADER + FRAME_HEAD) as u64;
        return Ok(if commits_behind { Err(middle("header", 0)) } else { Ok(WalState { torn_bytes: length }) });
    };
    let mut frame = vec![0; FRAME_HEAD + scan.page_size];
    loop {
        let got = read_full(&mut log, &mut frame)?;
        if got == 0 {
            return Ok(scan.finish());
        }
        scan.step(frame.get(..got).unwrap_or_default());
    }
}

/// Walks over the frames.
struct Scan {
    big_endian: bool,
    page_size: usize,
    salts: [u8; 8],
    sum: (u32, u32),
    position: u64,
    /// End of the last whole commit.
    good_end: u64,
    /// Where the first frame stands that should be valid and is not.
    bad_at: Option<u64>,
    /// Ends of commits seen behind it.
    commits_behind: u32,
    /// End of the last frame that carries this log's salts.
    ours_end: u64,
}

impl Scan {
    fn new(header: &[u8; HEADER]) -> Option<Self> {
        let magic = be32(header, 0);
        let page_size = be32(header, 8) as usize;
        if magic & !1 != MAGIC || !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return None;
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&header[16..24]);
        let big_endian = magic & 1 == 1;
        let sum = roll((0, 0), &header[..24], big_endian);
        let end = HEADER as u64;
        let scan = Self {
            big_endian,
            page_size,
            salts,
            sum,
            position: end,
            good_end: end,
            bad_at: None,
            commits_behind: 0,
            ours_end: end,
        };
        ((be32(header, 24), be32(header, 28)) == sum).then_some(scan)
    }

    fn step(&mut self, frame: &[u8]) {
        let start = self.position;
        self.position += frame.len() as u64;
        let whole = frame.len() == FRAME_HEAD + self.page_size;
        let ours = frame.get(8..16) == Some(&self.salts[..]);
        if !whole || !ours {
            // A short frame at the end is a torn write only when it directly follows ours; otherwise it is the tail of an old file.
            if !whole && start == self.ours_end {
                self.bad_at.get_or_insert(start);
                self.ours_end = self.position;
            }
            return;
        }
        let ends_commit = be32(frame, 4) != 0;
        if self.bad_at.is_none() && start == self.ours_end {
            let sum = roll(roll(self.sum, &frame[..8], self.big_endian), &frame[FRAME_HEAD..], self.big_endian);
            if (be32(frame, 16), be32(frame, 20)) == sum {
                self.sum = sum;
                self.ours_end = self.position;
                if ends_commit {
                    self.good_end = self.position;
                }
                return;
            }
        }
        self.bad_at.get_or_insert(start);
        self.ours_end = self.position;
        self.commits_behind += u32::from(ends_commit);
    }

    fn finish(self) -> Result<WalState> {
        match self.bad_at {
            Some(at) if self.commits_behind >= 2 => Err(middle("frame", at)),
            Some(_) | None => Ok(WalState { torn_bytes: self.ours_end - self.good_end }),
        }
    }
}

fn middle(what: &str, at: u64) -> StoreError {
    StoreError::Corrupt {
        table: "store.db-wal",
        place: format!("{what} at byte {at}"),
        problem: "damaged, and acknowledged commits stand behind it".to_owned(),
        advice: "keep a copy of the directory and restore the latest backup; removing store.db-wal opens the store without everything in it",
    }
}

/// SQLite's checksum of the log, over pairs of words.
fn roll(mut sum: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |b: &[u8]| {
        let four = [b[0], b[1], b[2], b[3]];
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for pair in bytes.chunks_exact(8) {
        sum.0 = sum.0.wrapping_add(word(&pair[..4])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word(&pair[4..])).wrapping_add(sum.0);
    }
    sum
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Reads until the buffer is full or the file ends.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A real log with some commits: its bytes, and where each commit ends.
    fn real_log() -> (Vec<u8>, Vec<u64>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; CREATE TABLE t(x)").unwrap();
        let log = dir.path().join("store.db-wal");
        let mut ends = Vec::new();
        for n in 0..4 {
            conn.execute("INSERT INTO t VALUES (zeroblob(?1))", [n * 900]).unwrap();
            ends.push(std::fs::metadata(&log).unwrap().len());
        }
        (std::fs::read(&log).unwrap(), ends)
    }

    fn look(bytes: &[u8]) -> Result<WalState> {
        scan_log(bytes, bytes.len() as u64).unwrap()
    }

    #[test]
    fn a_log_cut_at_any_byte_of_the_last_commits_is_torn_there_and_never_damaged() {
        let (log, ends) = real_log();
        assert_eq!(look(&log).unwrap(), WalState { torn_bytes: 0 });
        for cut in usize::try_from(ends[0]).unwrap()..log.len() {
            let good = ends.iter().copied().filter(|&end| end <= cut as u64).max().unwrap();
            assert_eq!(look(&log[..cut]).unwrap().torn_bytes, cut as u64 - good, "cut at {cut}");
        }
        for cut in 0..HEADER {
            assert_eq!(look(&log[..cut]).unwrap().torn_bytes, cut as u64);
        }
    }

    #[test]
    fn damage_before_the_last_commit_is_refused_with_its_place_and_damage_in_the_last_is_a_torn_tail() {
        let (log, ends) = real_log();
        let last = usize::try_from(ends[ends.len() - 2]).unwrap();
        for at in 0..log.len() {
            let mut bytes = log.clone();
            bytes[at] ^= 0x10;
            // A frame's own mark and salts say what it is; one wrong bit there can make it look like another kind of frame.
            let in_salt_or_mark = at >= HEADER && (at - HEADER) % (FRAME_HEAD + 1024) < 16;
            match look(&bytes) {
                Err(StoreError::Corrupt { table, place, .. }) => {
                    assert_eq!(table, "store.db-wal");
                    assert!(
                        at < last || in_salt_or_mark,
                        "byte {at} is in the last commit, but was called damage: {place}"
                    );
                }
                Ok(state) => assert!(at >= last && state.torn_bytes > 0 || in_salt_or_mark, "byte {at}: {state:?}"),
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
    }

    #[test]
    fn frames_of_an_earlier_use_of_the_file_mean_nothing() {
        let (log, ends) = real_log();
        let (other, _) = real_log();
        let mut bytes = log[..usize::try_from(ends[0]).unwrap()].to_vec();
        bytes.extend_from_slice(&other[bytes.len()..]);
        assert_eq!(look(&bytes).unwrap(), WalState { torn_bytes: 0 });
    }
}
