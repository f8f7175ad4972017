//! A store written in format 1.0 must load for ever: `tests/golden/store-1.0` was made once and is never made again.
//!
//! To keep a later format too: run this test with `AUTOEXEC_STORE_GOLDEN=DIR`, which writes the same content there, and commit it beside the old one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autoexec_store::{BlobUse, EmbeddedStore, JobSummary, OpenOptions, Store, StreamKey};

use crate::fixture::{NOW, append, chunk, copy_dir, events, job, noise, plan, secret, stdout, texts, whole};

const BLOB: &[u8] = b"a file parameter\n";

/// What is in a golden store; written by the format of its time.
fn write(path: &Path) {
    let (mut store, _) =
        EmbeddedStore::open(path, &OpenOptions { segment_bytes: 2048, ..OpenOptions::new(NOW) }).unwrap();
    let digest = store.put_blob(&mut &BLOB[..], NOW).unwrap();
    append(&mut store, |c| {
        c.plans = vec![plan("plan-1", &"targets: [a, b, c]\n".repeat(20))];
        c.jobs = vec![
            JobSummary {
                plan_digest: Some("plan-1".to_owned()),
                labels: r#"{"team":"ops"}"#.to_owned(),
                ..job(1, "running", false)
            },
            job(2, "succeeded", true),
        ];
        c.events = vec![
            events(1, &["submitted", &"a long event ".repeat(30)]),
            events(2, &["submitted", "ended"]),
            events(None, &["scheduler started"]),
        ];
        c.secrets = vec![secret(1, "password", "golden")];
        c.blob_uses = vec![BlobUse { job: 1, digest }];
    });
    for n in 0..4 {
        append(&mut store, |c| {
            c.events = vec![events(1, &[&format!("event {n}")])];
            c.output = vec![
                chunk(stdout(1, 3), n * 1000, noise(1000, n)),
                chunk(StreamKey { stream: 2, ..stdout(1, 3) }, n * 3, "ab\n"),
            ];
        });
    }
    store.close().unwrap();
    fs::remove_file(path.join("lock")).unwrap();
}

#[test]
fn a_store_of_format_1_0_loads() {
    if let Some(path) = std::env::var_os("AUTOEXEC_STORE_GOLDEN") {
        write(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    copy_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store-1.0"), &path);
    // Version control keeps neither the mode of the key nor empty directories.
    fs::set_permissions(path.join("secret.key"), fs::Permissions::from_mode(0o600)).unwrap();

    let (mut store, report) = EmbeddedStore::open(&path, &OpenOptions::new(NOW + 1)).unwrap();
    assert!(report.clean && report.repairs.is_empty(), "{report:?}");
    assert_eq!((report.created_ms, report.events, report.live_jobs), (NOW, 9, 1));
    let reader = store.reader();
    let long = "a long event ".repeat(30);
    assert_eq!(texts(reader.read_job(1)), ["submitted", &long, "event 0", "event 1", "event 2", "event 3"]);
    assert_eq!(texts(reader.read_job(2)), ["submitted", "ended"]);
    assert_eq!(texts(reader.read_live().unwrap()).len(), 7);
    assert_eq!(reader.job(1).unwrap().unwrap().labels, r#"{"team":"ops"}"#);
    assert_eq!(reader.plan("plan-1").unwrap().unwrap(), "targets: [a, b, c]\n".repeat(20).as_bytes());
    let output: Vec<u8> = (0..4).flat_map(|n| noise(1000, n)).collect();
    assert!(whole(reader, &stdout(1, 3), 999) == output);
    assert_eq!(whole(reader, &StreamKey { stream: 2, ..stdout(1, 3) }, 99), b"ab\nab\nab\nab\n");
    assert_eq!(reader.blob(&blake3::hash(BLOB).to_hex(), 99).unwrap().unwrap(), BLOB);
    assert_eq!(store.secrets(1).unwrap()["password"].expose(), b"golden");
    let verified = reader.verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty() && verified.frames == 4, "{verified:?}");
    append(&mut store, |c| c.output = vec![chunk(stdout(1, 3), 4000, "it can be written to")]);
}
