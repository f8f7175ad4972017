//! Tails cut at any byte: the store opens, says what it repaired, and every commit before the tail is whole.

use std::fs::{self, OpenOptions as Files};
use std::path::Path;

use autoexec_store::{EmbeddedStore, OpenOptions, OpenReport, Repair, Store};

use crate::fixture::{Home, NOW, append, append_events, chunk, copy_dir, events, stdout, texts, whole};

/// A store with three commits, still open, so that its log is as a power cut would find it.
struct Subject {
    home: Home,
    _store: EmbeddedStore,
    /// Length of the log after each commit.
    log: Vec<u64>,
    /// Length of the segment after each commit.
    segment: Vec<u64>,
}

const LOG: &str = "store.db-wal";
const SEGMENT: &str = "outputs/7/000001.seg";

fn subject() -> Subject {
    let home = Home::in_memory();
    let mut store = home.open();
    let (mut log, mut segment) = (Vec::new(), Vec::new());
    for n in 0..3_u64 {
        append(&mut store, |c| {
            c.events = vec![events(7, &[&format!("event {n}"), "second"])];
            c.output = vec![chunk(stdout(7, 0), n * 10, format!("output {n}\n\n"))];
        });
        log.push(fs::metadata(home.path().join(LOG)).unwrap().len());
        segment.push(fs::metadata(home.path().join(SEGMENT)).unwrap().len());
    }
    Subject { home, _store: store, log, segment }
}

fn cut(path: &Path, len: u64) {
    Files::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn open(path: &Path) -> (EmbeddedStore, OpenReport) {
    EmbeddedStore::open(path, &OpenOptions::new(NOW)).unwrap()
}

/// Opens a copy of the subject and checks that exactly `commits` commits are there, whole, and that the store goes on.
fn check(path: &Path, commits: usize) -> OpenReport {
    let (mut store, report) = open(path);
    assert!(!report.clean);
    let expected: Vec<String> = (0..commits).flat_map(|n| [format!("event {n}"), "second".to_owned()]).collect();
    assert_eq!(texts(store.reader().read_job(7)), expected);
    let output: String = (0..commits).map(|n| format!("output {n}\n\n")).collect();
    assert_eq!(String::from_utf8(whole(store.reader(), &stdout(7, 0), 100)).unwrap(), output);
    append(&mut store, |c| c.output = vec![chunk(stdout(7, 0), output.len() as u64, "more")]);
    append_events(&mut store, 7, &["more"]);
    let verified = store.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty(), "{verified:?}");
    store.close().unwrap();
    let (_, again) = open(path);
    assert!(again.clean && again.repairs.is_empty(), "repaired once and for all: {again:?}");
    report
}

/// Every length of a file from `from` on. All lengths near the borders of frames; inside a page, whose bytes are all alike to the
/// log's checksum (the unit tests of the log cut at every single byte), one in 61.
fn lengths(from: u64, to: u64) -> impl Iterator<Item = u64> {
    (from..to).filter(move |len| {
        let in_frame = (len - 32) % (24 + 4096);
        !(27..=4116).contains(&in_frame) || len % 61 == 0
    })
}

#[test]
fn the_log_may_end_at_any_byte_of_the_last_commits() {
    let subject = subject();
    for len in lengths(subject.log[0], subject.log[2]) {
        let copy = subject.home.dir.path().join("copy");
        copy_dir(&subject.home.path(), &copy);
        cut(&copy.join(LOG), len);
        let commits = subject.log.iter().filter(|&&end| end <= len).count();
        let report = check(&copy, commits);
        let mut expected = vec![];
        if len > subject.log[commits - 1] {
            expected.push(Repair::Journal { bytes: len - subject.log[commits - 1] });
        }
        // The output of the lost commits is there, but nothing names it.
        expected.push(Repair::OutputTail {
            job: 7,
            segment: 1,
            bytes: subject.segment[2] - subject.segment[commits - 1],
        });
        assert_eq!(report.repairs, expected, "log cut at {len}");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn a_segment_may_have_any_number_of_unacknowledged_bytes_behind() {
    let subject = subject();
    let whole_segment = fs::read(subject.home.path().join(SEGMENT)).unwrap();
    // The last commit is not in the log; its frame is in the file up to some byte.
    let second = usize::try_from(subject.segment[1]).unwrap();
    for len in second..=whole_segment.len() {
        let copy = subject.home.dir.path().join("copy");
        copy_dir(&subject.home.path(), &copy);
        cut(&copy.join(LOG), subject.log[1]);
        cut(&copy.join(SEGMENT), len as u64);
        let report = check(&copy, 2);
        let expected = if len == second {
            vec![]
        } else {
            vec![Repair::OutputTail { job: 7, segment: 1, bytes: (len - second) as u64 }]
        };
        assert_eq!(report.repairs, expected, "segment cut at {len}");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn acknowledged_output_that_is_cut_off_is_told_and_its_offsets_stay() {
    let subject = subject();
    for len in subject.segment[0]..subject.segment[2] {
        let copy = subject.home.dir.path().join("copy");
        copy_dir(&subject.home.path(), &copy);
        cut(&copy.join(SEGMENT), len);
        let frames = subject.segment.iter().filter(|&&end| end <= len).count();
        let (mut store, report) = open(&copy);
        let bytes = subject.segment[2] - subject.segment[frames - 1];
        assert_eq!(
            report.repairs,
            [Repair::OutputLost { job: 7, segment: 1, bytes, pieces: 3 - frames as u64 }],
            "segment cut at {len}"
        );
        assert_eq!(texts(store.reader().read_job(7)).len(), 6, "the events are all there");
        let key = stdout(7, 0);
        assert_eq!(store.reader().output_len(&key).unwrap(), 30, "a runner that was told 30 goes on at 30");
        append(&mut store, |c| c.output = vec![chunk(key, 30, "after\n")]);
        let page = store.reader().read_output(&key, 0, 100).unwrap();
        let kept: Vec<(u64, Vec<u8>)> = (0..frames as u64)
            .map(|n| (n * 10, format!("output {n}\n\n").into_bytes()))
            .chain([(30, b"after\n".to_vec())])
            .collect();
        let lost = frames as u64 * 10..30;
        assert_eq!((page.chunks, page.lost, page.next_offset, page.len), (kept, vec![lost], 36, 36));
        let verified = store.reader().verify().unwrap();
        assert!(verified.is_sound() && verified.lost_pieces == 3 - frames as u64, "{verified:?}");
        store.close().unwrap();
        assert_eq!(open(&copy).1.repairs, [], "told once");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn files_made_just_before_a_crash_are_removed() {
    let home = Home::in_memory();
    let mut store = home.open();
    append(&mut store, |c| c.output = vec![chunk(stdout(1, 0), 0, "a")]);
    drop(store);
    fs::write(home.path().join("outputs/1/000002.seg"), "rolled, not committed").unwrap();
    fs::create_dir(home.path().join("outputs/2")).unwrap();
    fs::write(home.path().join("outputs/2/000001.seg"), "first frame of a job, not committed").unwrap();
    let (store, report) = home.open_with_report();
    assert_eq!(report.repairs.len(), 2, "{report:?}");
    assert!(report.repairs.iter().all(|r| matches!(r, Repair::Orphan { .. })));
    assert!(!home.path().join("outputs/2").exists());
    assert_eq!(whole(store.reader(), &stdout(1, 0), 9), b"a");
}
