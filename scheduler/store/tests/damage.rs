//! Damage in the middle is never skipped and never returned as data: reading and verify name the place.

use std::fs;

use autoexec_store::{EmbeddedReader, EmbeddedStore, OpenOptions, Store, StoreError, StoreReader, StreamKey};
use rusqlite::Connection;

use crate::fixture::{
    Home, NOW, append, append_events, chunk, copy_dir, events, job, noise, plan, stdout, texts, whole,
};

fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).position(|w| w == needle).unwrap()
}

#[test]
fn a_flipped_byte_in_an_event_is_told_with_row_and_job() {
    let home = Home::new();
    let mut store = home.open();
    append_events(&mut store, 1, &["before"]);
    append_events(&mut store, 2, &["the one that is damaged"]);
    append_events(&mut store, 2, &["behind"]);
    append_events(&mut store, 1, &["after"]);
    store.close().unwrap();
    let db = home.path().join("store.db");
    let mut bytes = fs::read(&db).unwrap();
    let at = find(&bytes, b"one that is damaged");
    bytes[at] ^= 1;
    fs::write(&db, bytes).unwrap();

    let store = home.open();
    let mut records = store.reader().read_job(2);
    let error = records.next().unwrap().unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { table: "events", place, .. } if place == "seq 2 of job 2"),
        "{error}"
    );
    assert!(error.to_string().contains("restore the latest backup"), "it says what to do: {error}");
    assert!(records.next().is_none(), "nothing behind the damage is given out");
    assert_eq!(texts(store.reader().read_job(1)), ["before", "after"]);
    let all: Vec<_> = store.reader().read_all(0).collect();
    assert!(all.len() == 2 && all[1].is_err());
    let verified = store.reader().verify().unwrap();
    assert_eq!(verified.problems.len(), 1, "{verified:?}");
    assert!(verified.problems[0].contains("seq 2 of job 2"));
}

#[test]
fn a_row_that_is_missing_moved_or_changed_is_told() {
    for sql in [
        "DELETE FROM events WHERE seq = 2",
        "UPDATE events SET seq = 9 WHERE seq = 2",
        "UPDATE events SET job = 8 WHERE seq = 2",
        "UPDATE events SET count = 2 WHERE seq = 2",
        "UPDATE events SET body = x'0100000000' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 1",
    ] {
        let home = Home::new();
        let mut store = home.open();
        for text in ["a", "b", "c"] {
            append_events(&mut store, 7, &[text]);
        }
        store.close().unwrap();
        Connection::open(home.path().join("store.db")).unwrap().execute(sql, []).unwrap();
        let store = home.open();
        let reader = store.reader();
        for records in [reader.read_job(7), reader.read_all(0), reader.read_live().unwrap()] {
            assert!(records.last().unwrap().is_err(), "{sql}");
        }
        assert!(!reader.verify().unwrap().is_sound(), "{sql}");
    }
}

#[test]
fn no_flipped_byte_of_a_segment_is_ever_returned_as_output() {
    let home = Home::new();
    let mut store = home.open();
    let keys: Vec<StreamKey> = (0..3).map(|task| stdout(1, task)).collect();
    let content: Vec<Vec<u8>> = (0..3).map(|n| noise(60 + 10 * n, n as u64)).collect();
    for (key, bytes) in keys.iter().zip(&content) {
        append(&mut store, |c| c.output = vec![chunk(*key, 0, bytes)]);
    }
    store.close().unwrap();
    let segment = home.path().join("outputs/1/000001.seg");
    let good = fs::read(&segment).unwrap();
    let reader = EmbeddedReader::open(&home.path()).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        fs::write(&segment, &bad).unwrap();
        let mut damaged = 0;
        for (key, bytes) in keys.iter().zip(&content) {
            match reader.read_output(key, 0, 1000) {
                Ok(page) => assert_eq!(page.chunks, [(0, bytes.clone())], "byte {at}"),
                Err(StoreError::Corrupt { table: "outputs", place, .. }) => {
                    damaged += 1;
                    assert!(place.starts_with("job 1 segment 1 byte "), "{place}");
                }
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
        assert_eq!(damaged, 1, "byte {at} belongs to one frame");
        assert!(!reader.verify().unwrap().is_sound(), "byte {at}");
    }
    fs::write(&segment, &good).unwrap();
    assert!(reader.verify().unwrap().is_sound());
    fs::remove_file(&segment).unwrap();
    assert!(matches!(reader.read_output(&keys[0], 0, 10), Err(StoreError::Corrupt { .. })));
    assert!(reader.verify().unwrap().problems[0].contains("the file is missing"));
}

#[test]
fn an_index_that_disagrees_with_the_segment_is_told() {
    for sql in [
        "UPDATE pieces SET offset = 5 WHERE task = 1",
        "UPDATE pieces SET inner = inner + 1 WHERE task = 1",
        "DELETE FROM pieces WHERE task = 1",
        "UPDATE pieces SET task = 5 WHERE task = 1",
        "INSERT INTO pieces VALUES (1, 9, 1, 0, 1, 0, 3, 1, 0, 29, 0)",
        "UPDATE segments SET bytes = bytes - 1",
    ] {
        let home = Home::new();
        let mut store = home.open();
        append(&mut store, |c| {
            c.output = (0..3).map(|task| chunk(stdout(1, task), 0, format!("output {task}"))).collect()
        });
        store.close().unwrap();
        Connection::open(home.path().join("store.db")).unwrap().execute(sql, []).unwrap();
        let reader = EmbeddedReader::open(&home.path()).unwrap();
        assert!(!reader.verify().unwrap().is_sound(), "{sql}");
    }
}

#[test]
fn damage_in_the_middle_of_the_log_is_not_taken_for_a_torn_tail() {
    let home = Home::new();
    let mut store = home.open();
    for n in 0..4 {
        append_events(&mut store, 7, &[&format!("event number {n}")]);
    }
    let copy = home.dir.path().join("copy");
    copy_dir(&home.path(), &copy);
    let log = copy.join("store.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    let at = find(&bytes, b"event number 1");
    bytes[at] ^= 1;
    fs::write(&log, bytes).unwrap();
    let error = EmbeddedStore::open(&copy, &OpenOptions::new(NOW)).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { table: "store.db-wal", .. }), "{error}");
    assert!(log.exists(), "nothing was changed");
}

#[test]
fn a_damaged_plan_is_told_and_healed_by_storing_it_again() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        c.plans = vec![plan("aa", "the plan"), plan("bb", "another")];
        c.jobs = vec![job(1, "running", false)];
    });
    store.close().unwrap();
    let conn = Connection::open(home.path().join("store.db")).unwrap();
    conn.execute("UPDATE plans SET body = (SELECT body FROM plans WHERE digest = 'bb'), checksum = (SELECT checksum FROM plans WHERE digest = 'bb')", []).unwrap();
    drop(conn);
    let mut store = home.open();
    assert!(
        matches!(store.reader().plan("aa"), Err(StoreError::Corrupt { table: "plans", .. })),
        "the bytes of another plan are not this plan"
    );
    assert_eq!(store.reader().plan("bb").unwrap().unwrap(), b"another");
    assert_eq!(store.reader().verify().unwrap().problems.len(), 1);
    append(&mut store, |c| c.plans = vec![plan("aa", "the plan")]);
    assert_eq!(store.reader().plan("aa").unwrap().unwrap(), b"the plan");
    assert!(store.reader().verify().unwrap().is_sound());
}

#[test]
fn a_broken_page_of_the_database_is_told_by_verify() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        c.events = (1..200).map(|id| events(id, &[&"x".repeat(50)])).collect();
        c.jobs = (1..200).map(|id| job(id, "running", false)).collect();
    });
    store.close().unwrap();
    let db = home.path().join("store.db");
    let good = fs::read(&db).unwrap();
    let conn = Connection::open(&db).unwrap();
    let page: u32 =
        conn.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs_created'", [], |row| row.get(0)).unwrap();
    drop(conn);
    let mut bad = good;
    bad[(page as usize - 1) * 4096..][..64].fill(0x5a);
    fs::write(&db, bad).unwrap();
    let reader = EmbeddedReader::open(&home.path()).unwrap();
    let verified = reader.verify().unwrap();
    assert!(verified.problems.iter().any(|p| p.starts_with("store.db: ")), "{verified:?}");
    assert_eq!(verified.events, 199, "the other checks go on");
    drop(reader);
    assert_eq!(whole(home.open().reader(), &stdout(1, 0), 1), b"");
}
