//! A full disk and a read-only one, on a small file system of their own. Mounting needs root; without it the tests say that they were skipped.

use std::path::Path;
use std::process::Command;

use autoexec_store::{Commit, EmbeddedStore, OpenOptions, Store, StoreError};
use tempfile::TempDir;

use crate::fixture::{NOW, append_events, chain, chunk, collect, events, noise, stdout, whole};

/// A tmpfs, unmounted when dropped.
struct Mount {
    dir: TempDir,
}

impl Mount {
    /// `None` when this user may not mount.
    fn new(test: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { dir }),
            other => {
                eprintln!("SKIPPED {test}: cannot mount a tmpfs here: {other:?}");
                None
            }
        }
    }

    fn remount(&self, options: &str) {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.dir.path()).status().unwrap();
        assert!(done.success());
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _done = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

fn open(mount: &Mount) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(&mount.path().join("store"), &OpenOptions::new(NOW)).map(|(store, _)| store)
}

/// Appends commits made by `make` until one fails; returns how many were acknowledged and the error.
fn fill(store: &mut EmbeddedStore, make: impl Fn(u64) -> Commit) -> (u64, StoreError) {
    for n in 0..10_000 {
        if let Err(error) = store.append(make(n)) {
            return (n, error);
        }
    }
    panic!("the disk does not become full");
}

fn check_full(name: &str, make: impl Fn(u64) -> Commit, check: impl Fn(&EmbeddedStore, u64)) {
    let Some(mount) = Mount::new(name) else {
        return;
    };
    let mut store = open(&mount).unwrap();
    let (acknowledged, error) = fill(&mut store, make);
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().starts_with("no space left while trying to "), "{}", chain(&error));
    assert!(acknowledged > 3, "{acknowledged}");
    assert!(matches!(
        store.append(Commit { events: vec![events(1, &["x"])], ..Commit::new(NOW) }),
        Err(StoreError::Stopped)
    ));
    assert!(matches!(store.put_blob(&mut &b"x"[..], NOW), Err(StoreError::Stopped | StoreError::Full { .. })));
    assert_eq!(
        store.reader().read_all(0).count() as u64,
        store.reader().stats().unwrap().events,
        "what is there can be read"
    );
    assert!(matches!(store.close(), Err(StoreError::Stopped)));

    mount.remount("size=32m");
    let mut store = open(&mount).unwrap();
    check(&store, acknowledged);
    let verified = store.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty(), "{verified:?}");
    append_events(&mut store, 9, &["it goes on"]);
}

#[test]
fn events_that_do_not_fit_are_not_there_and_all_before_them_are() {
    let make = |n: u64| {
        let mut commit = Commit::new(NOW);
        commit.events = vec![autoexec_store::EventBatch {
            job: Some(1),
            records: vec![n.to_string().into_bytes(), noise(20_000, n)],
        }];
        commit
    };
    check_full("events on a full disk", make, |store, acknowledged| {
        let records = collect(store.reader().read_job(1));
        assert_eq!(records.len() as u64, acknowledged * 2);
        assert_eq!(records[records.len() - 2].bytes, (acknowledged - 1).to_string().into_bytes());
    });
}

#[test]
fn output_that_does_not_fit_is_not_there_and_all_before_it_is() {
    let make = |n: u64| {
        let mut commit = Commit::new(NOW);
        commit.events = vec![events(1, &[&n.to_string()])];
        commit.output = vec![chunk(stdout(1, 0), n * 50_000, noise(50_000, n))];
        commit
    };
    check_full("output on a full disk", make, |store, acknowledged| {
        assert_eq!(collect(store.reader().read_job(1)).len() as u64, acknowledged);
        let expected: Vec<u8> = (0..acknowledged).flat_map(|n| noise(50_000, n)).collect();
        assert!(whole(store.reader(), &stdout(1, 0), 1 << 20) == expected);
    });
}

#[test]
fn a_read_only_file_system_is_told_apart() {
    let Some(mount) = Mount::new("a read-only file system") else {
        return;
    };
    open(&mount).unwrap().close().unwrap();
    mount.remount("ro");
    let error = open(&mount).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    mount.remount("rw");
    open(&mount).unwrap();
}
