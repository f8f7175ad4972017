//! Events come back as they were appended, in order, and only those that are asked for.

use autoexec_store::{Commit, EmbeddedReader, EventBatch, Store, StoreError, StoreReader};

use crate::fixture::{Home, NOW, append, append_events, collect, events, job, noise, texts};

#[test]
fn events_come_back_in_order_after_reopening() {
    let home = Home::new();
    let mut store = home.open();
    append_events(&mut store, 7, &["a", "b"]);
    append_events(&mut store, None, &["global"]);
    let appended = append(&mut store, |c| c.events = vec![events(8, &["x"]), events(7, &["c"]), events(8, &["", "z"])]);
    assert_eq!((appended.events, appended.next_seq - appended.first_seq), (4, 2), "one row per job and commit");
    store.close().unwrap();

    let (store, report) = home.open_with_report();
    assert!(report.clean && !report.created && report.repairs.is_empty(), "{report:?}");
    assert_eq!(report.events, 7);
    assert_eq!(texts(store.reader().read_job(7)), ["a", "b", "c"]);
    assert_eq!(texts(store.reader().read_job(8)), ["x", "", "z"]);
    assert_eq!(texts(store.reader().read_all(0)), ["a", "b", "global", "x", "", "z", "c"]);
    let numbers: Vec<u64> = collect(store.reader().read_job(7)).iter().map(|r| r.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(texts(store.reader().read_job(99)), [""; 0]);
}

#[test]
fn reading_continues_where_an_append_said() {
    let home = Home::new();
    let mut store = home.open();
    let first = append_events(&mut store, 1, &["a"]);
    append_events(&mut store, 2, &["b"]);
    assert_eq!(texts(store.reader().read_all(first.next_seq)), ["b"]);
}

#[test]
fn a_start_replays_only_jobs_that_are_not_over() {
    let home = Home::new();
    let mut store = home.open();
    for id in 1..=3 {
        append_events(&mut store, id, &[&format!("job {id}")]);
    }
    append_events(&mut store, None, &["global"]);
    append(&mut store, |c| c.jobs = vec![job(1, "succeeded", true), job(2, "running", false)]);
    append_events(&mut store, 2, &["more of 2"]);
    assert_eq!(
        texts(store.reader().read_live().unwrap()),
        ["job 2", "job 3", "global", "more of 2"],
        "job 3 has no summary, so it counts as live"
    );

    append(&mut store, |c| c.jobs = vec![job(1, "running", false)]);
    assert_eq!(texts(store.reader().read_live().unwrap())[0], "job 1", "a retried job is live again");
}

#[test]
fn large_and_binary_records_survive_and_too_large_ones_are_refused() {
    let home = Home::new();
    let mut store = home.open();
    let random = noise(3_000_000, 1);
    let many: Vec<Vec<u8>> = (0..12).map(|_| random.clone()).collect();
    let appended = append(&mut store, |c| c.events.push(EventBatch { job: Some(1), records: many.clone() }));
    assert!(appended.next_seq - appended.first_seq > 1, "36 MB do not fit into one row");
    let back: Vec<Vec<u8>> = collect(store.reader().read_job(1)).into_iter().map(|r| r.bytes).collect();
    assert!(back == many);

    let mut commit = Commit::new(NOW);
    commit.events = vec![events(2, &["small"]), EventBatch { job: Some(2), records: vec![vec![0; (16 << 20) + 1]] }];
    let error = store.append(commit).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }) && error.is_refusal(), "{error}");
    assert_eq!(texts(store.reader().read_job(2)), [""; 0], "nothing of a refused commit is there");
    append_events(&mut store, 2, &["the store goes on"]);
}

#[test]
fn an_id_that_the_database_cannot_hold_is_refused() {
    let home = Home::new();
    let mut store = home.open();
    let mut commit = Commit::new(NOW);
    commit.events.push(events(1 << 63, &["a"]));
    assert!(matches!(store.append(commit), Err(StoreError::NumberTooLarge { what: "job", .. })));
    append_events(&mut store, (1 << 63) - 1, &["largest"]);
    assert_eq!(texts(store.reader().read_job((1 << 63) - 1)), ["largest"]);
}

#[test]
fn an_empty_commit_is_nothing() {
    let home = Home::new();
    let mut store = home.open();
    let before = append_events(&mut store, 1, &["a"]);
    let after = append(&mut store, |_| {});
    assert_eq!((after.first_seq, after.events), (before.next_seq, 0));
    let after = append(&mut store, |c| c.events.push(events(1, &[])));
    assert_eq!(after.events, 0);
    assert_eq!(texts(store.reader().read_all(0)), ["a"]);
}

#[test]
fn a_reader_on_another_thread_sees_what_is_acknowledged_while_the_writer_goes_on() {
    let home = Home::new();
    let mut store = home.open();
    append_events(&mut store, 1, &["0"]);
    let reader = store.new_reader().unwrap();
    let (ask, asked) = std::sync::mpsc::channel::<usize>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        for at_least in asked {
            let seen = texts(reader.read_job(1));
            assert!(seen.len() >= at_least, "{} of {at_least}", seen.len());
            assert!(seen.iter().enumerate().all(|(n, text)| *text == n.to_string()));
            tell.send(seen.len()).unwrap();
        }
    });
    for n in 1..50 {
        append_events(&mut store, 1, &[&n.to_string()]);
        ask.send(n + 1).unwrap();
    }
    drop(ask);
    assert_eq!(told.iter().last(), Some(50));
    thread.join().unwrap();
    drop(store);
    let reader = EmbeddedReader::open(&home.path()).unwrap();
    assert_eq!(texts(reader.read_job(1)).len(), 50, "also after the writer is gone");
}
