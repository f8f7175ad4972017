//! Blobs: whole or not at all, checked when read.

use std::fs;
use std::io::Read;

use autoexec_store::{BlobUse, Commit, Store, StoreError};

use crate::fixture::{Home, NOW, append, chain};

#[test]
fn a_blob_comes_back_by_its_digest() {
    let home = Home::new();
    let mut store = home.open();
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = store.put_blob(&mut &content[..], NOW).unwrap();
    assert_eq!(store.put_blob(&mut &content[..], NOW + 1).unwrap(), digest, "twice is the same");
    let empty = store.put_blob(&mut &b""[..], NOW).unwrap();
    store.close().unwrap();
    let store = home.open();
    assert_eq!(store.reader().blob(&digest, 1 << 20).unwrap().unwrap(), content);
    assert_eq!(store.reader().blob(&empty, 0).unwrap().unwrap(), b"");
    let mut streamed = Vec::new();
    store.reader().open_blob(&digest).unwrap().unwrap().read_to_end(&mut streamed).unwrap();
    assert!(streamed == content);
    assert!(matches!(store.reader().blob(&digest, 999_999), Err(StoreError::TooLarge { size: 1_000_000, .. })));
    assert_eq!(store.reader().blob(&"0".repeat(64), 1).unwrap(), None);
    assert!(matches!(store.reader().blob("../../etc/passwd", 1), Err(StoreError::BlobName { .. })));
    assert_eq!(store.reader().verify().unwrap().blobs, 2);
}

#[test]
fn another_thread_stages_and_the_writer_adopts() {
    let home = Home::new();
    let mut store = home.open();
    let inbox = store.blob_inbox();
    let staged: Vec<_> = (0..4)
        .map(|n| {
            let inbox = inbox.clone();
            std::thread::spawn(move || inbox.stage(&mut format!("blob {n}").as_bytes(), 100).unwrap())
        })
        .map(|thread| thread.join().unwrap())
        .collect();
    for (n, staged) in staged.into_iter().enumerate() {
        let digest = staged.digest().to_owned();
        assert_eq!(store.reader().blob(&digest, 100).unwrap(), None, "not there before it is adopted");
        assert_eq!(store.adopt_blob(staged, NOW).unwrap(), digest);
        assert_eq!(store.reader().blob(&digest, 100).unwrap().unwrap(), format!("blob {n}").as_bytes());
    }
    let error = inbox.stage(&mut &[0; 101][..], 100).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: 100, .. }));
    drop(inbox.stage(&mut &b"never adopted"[..], 100).unwrap());
    assert_eq!(fs::read_dir(home.path().join("blobs/incoming")).unwrap().count(), 0, "dropped blobs leave nothing");
}

#[test]
fn what_a_crash_left_of_blobs_is_removed() {
    let home = Home::new();
    let mut store = home.open();
    let digest = store.put_blob(&mut &b"kept"[..], NOW).unwrap();
    drop(store);
    fs::write(home.path().join("blobs/incoming/0-1"), "half").unwrap();
    let orphan = "ab".repeat(32);
    fs::create_dir_all(home.path().join("blobs/ab")).unwrap();
    fs::write(home.path().join("blobs/ab").join(&orphan), "renamed but not recorded").unwrap();
    let (store, report) = home.open_with_report();
    assert_eq!(report.repairs.len(), 1, "{report:?}");
    assert!(report.repairs[0].to_string().contains(&orphan));
    assert_eq!(fs::read_dir(home.path().join("blobs/incoming")).unwrap().count(), 0);
    assert_eq!(store.reader().blob(&digest, 9).unwrap().unwrap(), b"kept");
}

#[test]
fn a_damaged_or_missing_blob_is_told_and_healed_by_storing_it_again() {
    let home = Home::new();
    let mut store = home.open();
    let digest = store.put_blob(&mut &b"content"[..], NOW).unwrap();
    let path = home.path().join("blobs").join(&digest[..2]).join(&digest);
    for damage in [&b"c0ntent"[..], b"conten", b"content and more"] {
        fs::write(&path, damage).unwrap();
        let error = store.reader().blob(&digest, 100).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { table: "blobs", .. }), "{}", chain(&error));
        assert_eq!(store.reader().verify().unwrap().problems.len(), 1);
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.reader().blob(&digest, 100), Err(StoreError::Corrupt { .. })));
    store.put_blob(&mut &b"content"[..], NOW).unwrap();
    assert_eq!(store.reader().blob(&digest, 100).unwrap().unwrap(), b"content");
    assert!(store.reader().verify().unwrap().is_sound());
}

#[test]
fn only_stored_blobs_can_be_used() {
    let home = Home::new();
    let mut store = home.open();
    let digest = store.put_blob(&mut &b"x"[..], NOW).unwrap();
    append(&mut store, |c| c.blob_uses = vec![BlobUse { job: 1, digest: digest.clone() }, BlobUse { job: 1, digest }]);
    let mut commit = Commit::new(NOW);
    commit.blob_uses.push(BlobUse { job: 1, digest: "0".repeat(64) });
    let error = store.append(commit).unwrap_err();
    assert!(matches!(error, StoreError::BlobMissing { .. }) && error.is_refusal());
}
