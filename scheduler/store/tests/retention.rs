//! Retention removes the oldest final jobs with everything that only they need, and never a job that is not over.

use std::fs;

use autoexec_store::{BlobUse, EmbeddedStore, JobSummary, RetainPolicy, Store};

use crate::fixture::{Home, NOW, append, append_events, chunk, events, job, noise, plan, secret, stdout, texts, whole};

const HOUR: u64 = 3_600_000;

/// Removes by nothing; each test sets what it is about.
fn keep_all() -> RetainPolicy {
    RetainPolicy { max_age_ms: None, max_bytes: None, loose_max_age_ms: 24 * HOUR, max_jobs: 100 }
}

/// A job with events, 10 kB of output, a secret, a plan and a blob, that ended `id` hours after [`NOW`] if it is final.
fn full_job(store: &mut EmbeddedStore, id: u64, is_final: bool) -> String {
    let digest = store.put_blob(&mut &noise(1000, id)[..], NOW).unwrap();
    let summary = JobSummary {
        created_ms: NOW,
        finished_ms: is_final.then_some(NOW + id * HOUR),
        plan_digest: Some(format!("plan-{id}")),
        ..job(id, if is_final { "succeeded" } else { "running" }, is_final)
    };
    append(store, |c| {
        c.events = vec![events(id, &["submitted", "ended"])];
        c.output = vec![chunk(stdout(id, 0), 0, noise(10_000, id))];
        c.secrets = vec![secret(id, "password", "x")];
        c.plans = vec![plan(&format!("plan-{id}"), "text")];
        c.blob_uses = vec![BlobUse { job: id, digest: digest.clone() }];
        c.jobs = vec![summary];
    });
    digest
}

fn ids(store: &EmbeddedStore) -> Vec<u64> {
    let mut ids: Vec<u64> = store.reader().jobs(&Default::default()).unwrap().jobs.iter().map(|j| j.id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn by_age_the_old_final_jobs_go_with_all_they_had() {
    let home = Home::new();
    let mut store = home.open();
    let blobs: Vec<String> = (1..=4).map(|id| full_job(&mut store, id, id != 2)).collect();
    let policy = RetainPolicy { max_age_ms: Some(24 * HOUR), ..keep_all() };
    assert_eq!(store.retain(NOW + 25 * HOUR, &policy).unwrap().jobs, [0; 0], "job 1 is 24 hours old, no more");
    let report = store.retain(NOW + 27 * HOUR + 1, &policy).unwrap();
    assert_eq!((report.jobs.as_slice(), report.plans, report.blobs, report.more), (&[1, 3][..], 2, 2, false));
    assert!(report.bytes > 22_000, "{report:?}");
    assert_eq!(ids(&store), [2, 4], "job 2 is not over, job 4 is not old enough");
    assert!(!home.path().join("outputs/1").exists());
    assert_eq!(texts(store.reader().read_all(0)).len(), 4);
    assert!(store.secrets(1).unwrap().is_empty());
    let kept: Vec<bool> = blobs.iter().map(|b| store.reader().blob(b, 9999).unwrap().is_some()).collect();
    assert_eq!(kept, [false, true, false, true]);
    assert_eq!(store.reader().plans(9).unwrap().len(), 2);
    assert!(whole(store.reader(), &stdout(2, 0), 1 << 20) == noise(10_000, 2));
    let verified = store.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty(), "{verified:?}");
}

#[test]
fn by_size_the_oldest_go_until_it_fits_and_live_jobs_stay_whatever_their_size() {
    let home = Home::new();
    let mut store = home.open();
    (1..=6).for_each(|id| drop(full_job(&mut store, id, id != 1)));
    let size = |store: &EmbeddedStore| {
        let stats = store.reader().stats().unwrap();
        stats.event_bytes + stats.output_bytes + stats.plan_bytes + stats.blob_bytes
    };
    let one = size(&store) / 6;
    let policy = RetainPolicy { max_bytes: Some(one * 4 + one / 2), loose_max_age_ms: 0, ..keep_all() };
    let report = store.retain(NOW, &policy).unwrap();
    assert_eq!(report.jobs, [2, 3], "two jobs too many");
    assert_eq!(report.bytes_kept, size(&store));
    let report = store.retain(NOW, &RetainPolicy { max_bytes: Some(0), loose_max_age_ms: 0, ..keep_all() }).unwrap();
    assert_eq!((report.jobs.as_slice(), report.more), (&[4, 5, 6][..], false));
    assert_eq!(ids(&store), [1], "the live job stays though the limit is 0");
    assert!(whole(store.reader(), &stdout(1, 0), 1 << 20) == noise(10_000, 1));
}

#[test]
fn one_call_removes_a_bounded_number_of_jobs() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.jobs = (1..=7).map(|id| job(id, "failed", true)).collect());
    let policy = RetainPolicy { max_age_ms: Some(0), max_jobs: 3, ..keep_all() };
    let removed: Vec<(usize, bool)> =
        (0..3).map(|_| store.retain(NOW + HOUR, &policy).unwrap()).map(|r| (r.jobs.len(), r.more)).collect();
    assert_eq!(removed, [(3, true), (3, true), (1, false)]);
}

#[test]
fn loose_plans_and_blobs_stay_for_their_time() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| c.plans = vec![plan("printed", "but not run")]);
    let digest = store.put_blob(&mut &b"uploaded, not used"[..], NOW).unwrap();
    store.retain(NOW + 23 * HOUR, &keep_all()).unwrap();
    assert!(store.reader().plan("printed").unwrap().is_some() && store.reader().blob(&digest, 99).unwrap().is_some());
    let report = store.retain(NOW + 24 * HOUR, &keep_all()).unwrap();
    assert_eq!((report.plans, report.blobs), (1, 1));
    assert!(store.reader().plan("printed").unwrap().is_none() && store.reader().blob(&digest, 99).unwrap().is_none());
}

#[test]
fn row_numbers_do_not_come_back() {
    let home = Home::new();
    let mut store = home.open();
    let cursor = append_events(&mut store, 1, &["a"]).next_seq;
    append(&mut store, |c| c.jobs = vec![job(1, "failed", true)]);
    store.retain(NOW + HOUR, &RetainPolicy { max_age_ms: Some(0), ..keep_all() }).unwrap();
    drop(store);
    let mut store = home.open();
    assert!(append_events(&mut store, 2, &["b"]).first_seq >= cursor, "a reader with a cursor would miss it");
    assert_eq!(texts(store.reader().read_all(cursor)), ["b"]);
}

#[test]
fn the_database_shrinks_and_an_open_segment_of_a_removed_job_is_not_written_to() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        c.events =
            vec![autoexec_store::EventBatch { job: Some(1), records: (0..40).map(|n| noise(100_000, n)).collect() }];
        c.output = vec![chunk(stdout(1, 0), 0, "old")];
        c.jobs = vec![job(1, "failed", true)];
    });
    store.close().unwrap();
    let size = || fs::metadata(home.path().join("store.db")).unwrap().len();
    let before = size();
    let mut store = home.open();
    append(&mut store, |c| c.output = vec![chunk(stdout(1, 0), 3, "old")]);
    store.retain(NOW + HOUR, &RetainPolicy { max_age_ms: Some(0), ..keep_all() }).unwrap();
    append(&mut store, |c| c.output = vec![chunk(stdout(1, 0), 0, "new")]);
    assert_eq!(whole(store.reader(), &stdout(1, 0), 9), b"new");
    assert_eq!(fs::read_dir(home.path().join("outputs/1")).unwrap().count(), 1);
    store.close().unwrap();
    assert!(size() < before / 4, "{} of {before}", size());
}
