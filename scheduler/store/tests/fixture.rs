//! A store in a temporary directory, and short ways to make commits and read them back.

use std::fs;
use std::path::{Path, PathBuf};

use autoexec_store::{
    Appended, Commit, EmbeddedStore, EventBatch, JobSummary, OpenOptions, OpenReport, OutputChunk, PlanBlob, Record,
    Records, Secret, SecretPut, Store, StreamKey,
};
use tempfile::TempDir;

/// The time of all tests.
pub(crate) const NOW: u64 = 1_760_000_000_000;

/// A store and its directory.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// In memory where the system offers it, for tests that open small stores hundreds of times: a busy disk would make them slow.
    pub(crate) fn in_memory() -> Self {
        tempfile::tempdir_in("/dev/shm").map_or_else(|_| Self::new(), |dir| Self { dir })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub(crate) fn open(&self) -> EmbeddedStore {
        self.open_with_report().0
    }

    pub(crate) fn open_with_report(&self) -> (EmbeddedStore, OpenReport) {
        EmbeddedStore::open(&self.path(), &OpenOptions::new(NOW)).unwrap()
    }
}

/// Opens with segments of a few KiB, so that they roll.
pub(crate) fn small_segments() -> OpenOptions {
    OpenOptions { segment_bytes: 4096, ..OpenOptions::new(NOW) }
}

pub(crate) fn events(job: impl Into<Option<u64>>, records: &[&str]) -> EventBatch {
    EventBatch { job: job.into(), records: records.iter().map(|r| r.as_bytes().to_vec()).collect() }
}

pub(crate) fn stdout(job: u64, task: u64) -> StreamKey {
    StreamKey { job, task, attempt: 1, step: 0, stream: 1 }
}

pub(crate) fn chunk(stream: StreamKey, offset: u64, bytes: impl AsRef<[u8]>) -> OutputChunk {
    OutputChunk { stream, offset, bytes: bytes.as_ref().to_vec() }
}

pub(crate) fn secret(job: u64, name: &str, value: &str) -> SecretPut {
    SecretPut { job, name: name.to_owned(), value: Secret::new(value.as_bytes().to_vec()) }
}

pub(crate) fn plan(digest: &str, text: &str) -> PlanBlob {
    PlanBlob { digest: digest.to_owned(), bytes: text.as_bytes().to_vec() }
}

pub(crate) fn job(id: u64, state: &str, is_final: bool) -> JobSummary {
    JobSummary {
        id,
        name: format!("job-{id}"),
        state: state.to_owned(),
        is_final,
        created_ms: NOW + id,
        finished_ms: is_final.then_some(NOW + id + 1),
        plan_digest: None,
        labels: "{}".to_owned(),
        summary: "{}".to_owned(),
    }
}

/// Appends a commit built by a closure.
pub(crate) fn append(store: &mut EmbeddedStore, fill: impl FnOnce(&mut Commit)) -> Appended {
    let mut commit = Commit::new(NOW);
    fill(&mut commit);
    store.append(commit).unwrap()
}

pub(crate) fn append_events(store: &mut EmbeddedStore, job: impl Into<Option<u64>>, records: &[&str]) -> Appended {
    let batch = events(job, records);
    append(store, |commit| commit.events.push(batch))
}

pub(crate) fn collect(records: Records<'_>) -> Vec<Record> {
    records.collect::<Result<_, _>>().unwrap()
}

/// The records as text.
pub(crate) fn texts(records: Records<'_>) -> Vec<String> {
    collect(records).into_iter().map(|r| String::from_utf8(r.bytes).unwrap()).collect()
}

/// A whole stream, page by page; it must have no lost ranges.
pub(crate) fn whole(store: &dyn autoexec_store::StoreReader, key: &StreamKey, page: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let at = bytes.len() as u64;
        let found = store.read_output(key, at, page).unwrap();
        assert_eq!(found.lost, []);
        if found.chunks.is_empty() {
            assert_eq!(found.next_offset, found.len);
            return bytes;
        }
        for (offset, part) in found.chunks {
            assert_eq!(offset, bytes.len() as u64);
            bytes.extend_from_slice(&part);
        }
        assert_eq!(found.next_offset, bytes.len() as u64);
    }
}

/// Copies a store's directory as a power cut would leave it: the files as they are now, while the store is open.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else if entry.file_name() != "store.db-shm" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// The chain of causes as an operator would read it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
