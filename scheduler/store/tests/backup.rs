//! A backup is a store: it opens, it is sound, and it equals the original at one moment, also while the writer goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use autoexec_store::{
    BlobUse, EmbeddedReader, EmbeddedStore, JobQuery, OpenOptions, RetainPolicy, Store, StoreError, StoreReader,
};

use crate::fixture::{
    Home, NOW, append, chunk, collect, events, job, noise, plan, secret, small_segments, stdout, whole,
};

fn filled(home: &Home) -> (EmbeddedStore, String) {
    let (mut store, _) = EmbeddedStore::open(&home.path(), &small_segments()).unwrap();
    let digest = store.put_blob(&mut &noise(5000, 9)[..], NOW).unwrap();
    for n in 0..20 {
        append(&mut store, |c| {
            c.events = vec![events(n % 4, &[&format!("event {n}")]), events(None, &["global"])];
            c.output = vec![chunk(stdout(n % 4, 0), n / 4 * 1500, noise(1500, n))];
            c.jobs = vec![job(n % 4, "running", n % 4 == 3)];
            c.plans = vec![plan("aa", "plan")];
            c.secrets = vec![secret(1, "password", "x")];
            c.blob_uses = vec![BlobUse { job: 1, digest: digest.clone() }];
        });
    }
    (store, digest)
}

fn assert_same(a: &dyn StoreReader, b: &dyn StoreReader) {
    assert_eq!(collect(a.read_all(0)), collect(b.read_all(0)));
    assert_eq!(collect(a.read_live().unwrap()), collect(b.read_live().unwrap()));
    assert_eq!(a.jobs(&JobQuery::default()).unwrap(), b.jobs(&JobQuery::default()).unwrap());
    assert_eq!(a.plan("aa").unwrap(), b.plan("aa").unwrap());
    for id in 0..4 {
        assert_eq!(a.outputs_of(id).unwrap(), b.outputs_of(id).unwrap());
        assert!(whole(a, &stdout(id, 0), 4000) == whole(b, &stdout(id, 0), 4000));
    }
}

#[test]
fn a_backup_opens_and_equals() {
    let home = Home::new();
    let (store, digest) = filled(&home);
    let target = home.dir.path().join("new/backup");
    let report = store.reader().backup(&target).unwrap();
    assert_eq!((report.jobs, report.events, report.blobs), (4, 40, 1));
    assert!(report.segments >= 8 && report.bytes > 35_000, "{report:?}");
    assert!(matches!(store.reader().backup(&target), Err(StoreError::NotEmpty { .. })));
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o700);

    let (copy, opened) = EmbeddedStore::open(&target, &OpenOptions::new(NOW)).unwrap();
    assert!(opened.clean && opened.repairs.is_empty() && !opened.created, "{opened:?}");
    assert_same(store.reader(), copy.reader());
    assert!(copy.reader().blob(&digest, 9999).unwrap().unwrap() == noise(5000, 9));
    assert_eq!(copy.secrets(1).unwrap()["password"].expose(), b"x");
    let verified = copy.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty() && verified.secrets == 1, "{verified:?}");
}

#[test]
fn the_daemon_holds_the_store_while_others_verify_measure_and_copy() {
    let home = Home::new();
    let (mut store, _) = filled(&home);
    let path = home.path();
    let target = home.dir.path().join("backup");
    let copying = {
        let target = target.clone();
        std::thread::spawn(move || {
            let reader = EmbeddedReader::open(&path).unwrap();
            for n in 0..5 {
                reader.backup(&target.join(n.to_string())).unwrap();
                let verified = reader.verify().unwrap();
                assert!(verified.is_sound(), "{verified:?}");
                assert!(reader.stats().unwrap().events >= 40);
            }
        })
    };
    // The writer appends and retention removes, until the other thread is through.
    let (mut n, mut final_job) = (0, 100);
    while !copying.is_finished() {
        append(&mut store, |c| {
            c.events = vec![events(0, &[&format!("more {n}")])];
            c.output = vec![chunk(stdout(0, 1), n * 700, noise(700, n)), chunk(stdout(final_job, 0), 0, noise(700, n))];
            c.jobs = vec![job(final_job, "succeeded", true)];
        });
        if n % 10 == 9 {
            let policy = RetainPolicy { max_age_ms: Some(0), max_bytes: None, loose_max_age_ms: 1 << 40, max_jobs: 5 };
            store.retain(NOW + 3_600_000, &policy).unwrap();
        }
        n += 1;
        final_job += 1;
    }
    copying.join().unwrap();
    for n in 0..5 {
        let (copy, opened) = EmbeddedStore::open(&target.join(n.to_string()), &OpenOptions::new(NOW)).unwrap();
        assert_eq!(opened.repairs, []);
        let verified = copy.reader().verify().unwrap();
        assert!(verified.is_sound() && verified.notes.is_empty(), "{verified:?}");
        // What the backup has of job 0 is a beginning of what the original has.
        let (part, all) = (collect(copy.reader().read_job(0)), collect(store.reader().read_job(0)));
        assert!(part.len() >= 5 && all.starts_with(&part));
        assert!(whole(store.reader(), &stdout(0, 1), 4000).starts_with(&whole(copy.reader(), &stdout(0, 1), 4000)));
    }
}

#[test]
fn an_unfinished_backup_does_not_open_and_a_damaged_original_is_told() {
    let home = Home::new();
    let (store, _) = filled(&home);
    fs::remove_file(home.path().join("outputs/2/000001.seg")).unwrap();
    let target = home.dir.path().join("backup");
    let error = store.reader().backup(&target).unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { table: "outputs", place, .. } if place == "job 2 segment 1"),
        "{error}"
    );
    assert!(matches!(
        EmbeddedStore::open(&target, &OpenOptions::new(NOW)),
        Err(StoreError::Incomplete { missing: "store.db", .. })
    ));
}

#[test]
fn stats_count_what_is_there() {
    let home = Home::new();
    let (store, _) = filled(&home);
    let stats = store.reader().stats().unwrap();
    assert_eq!((stats.jobs, stats.live_jobs, stats.events, stats.event_rows), (4, 3, 40, 40));
    assert_eq!((stats.plans, stats.blobs, stats.blob_bytes, stats.output_pieces), (1, 1, 5000, 20));
    assert_eq!((stats.oldest_job_ms, stats.newest_job_ms), (Some(NOW), Some(NOW + 3)));
    assert!(
        stats.output_bytes > 30_000 && stats.db_bytes > 4096 && stats.wal_bytes > 0 && stats.segments >= 8,
        "{stats:?}"
    );
}
