//! The log of the local scheduler: a file beside its store, bounded at each start, whose end is shown when a start fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A log larger than this is begun anew; it is for looking into what happened today.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Lines that are shown when a start fails.
const TAIL_LINES: usize = 12;

/// Bytes that are read to find them.
const TAIL_BYTES: u64 = 16 * 1024;

/// Its path.
pub(super) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("daemon.log")
}

/// Opens it for a new scheduler.
pub(super) fn open(state_dir: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path(state_dir))?;
    if file.metadata()?.len() > MAX_BYTES {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Its size now, so that only what a new scheduler writes is shown.
pub(super) fn size(state_dir: &Path) -> u64 {
    fs::metadata(path(state_dir)).map_or(0, |found| found.len())
}

/// The last lines that were written after `from`; empty when it cannot be read.
pub(super) fn tail(state_dir: &Path, from: u64) -> Vec<String> {
    let read = || -> io::Result<String> {
        let mut file = File::open(path(state_dir))?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(len.saturating_sub(TAIL_BYTES)).min(len)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(TAIL_LINES)).map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_end_is_shown_and_a_huge_log_begins_anew() {
        let temp = tempfile::tempdir().expect("a folder");
        let mut file = open(temp.path()).expect("opened");
        for line in 0..40 {
            writeln!(file, "line {line}").expect("written");
        }
        let shown = tail(temp.path(), 0);
        assert_eq!((shown.len(), shown.last().map(String::as_str)), (TAIL_LINES, Some("line 39")));
        let from = size(temp.path());
        writeln!(file, "new").expect("written");
        assert_eq!(tail(temp.path(), from), ["new"]);
        file.set_len(MAX_BYTES + 1).expect("grown");
        open(temp.path()).expect("opened again");
        assert_eq!(size(temp.path()), 0);
        assert_eq!(tail(&temp.path().join("none"), 0), Vec::<String>::new());
    }
}
