//! Output: chunks by offset, sent twice, overlapping, over several segments.

use std::fs;

use autoexec_store::{Commit, EmbeddedStore, Store, StoreError, StreamKey};

use crate::fixture::{Home, NOW, append, chunk, events, noise, small_segments, stdout, texts, whole};

#[test]
fn chunks_become_streams() {
    let home = Home::new();
    let mut store = home.open();
    let (a, b) = (stdout(1, 0), StreamKey { stream: 2, ..stdout(1, 0) });
    let other = StreamKey { attempt: 2, ..a };
    let appended = append(&mut store, |c| {
        c.output =
            vec![chunk(a, 0, "hello "), chunk(b, 0, [0xff, 0, 1]), chunk(a, 6, "world"), chunk(other, 0, "again")]
    });
    assert_eq!((appended.output_bytes, appended.duplicate_bytes), (19, 0));
    append(&mut store, |c| c.output = vec![chunk(a, 11, "!\n")]);
    store.close().unwrap();
    let store = home.open();
    let reader = store.reader();
    assert_eq!(whole(reader, &a, 4), b"hello world!\n");
    assert_eq!(whole(reader, &b, 100), [0xff, 0, 1]);
    assert_eq!(
        (reader.output_len(&a).unwrap(), reader.output_len(&other).unwrap(), reader.output_len(&stdout(9, 9)).unwrap()),
        (13, 5, 0)
    );
    let page = reader.read_output(&a, 8, 4).unwrap();
    assert_eq!((page.chunks, page.next_offset, page.len), (vec![(8, b"rld".to_vec()), (11, b"!".to_vec())], 12, 13));
    let page = reader.read_output(&a, 99, 4).unwrap();
    assert_eq!((page.chunks.len(), page.next_offset), (0, 13), "beyond the end there is nothing");
    let streams: Vec<(StreamKey, u64)> = reader.outputs_of(1).unwrap().into_iter().map(|s| (s.key, s.len)).collect();
    assert_eq!(streams, [(a, 13), (b, 3), (other, 5)]);
}

#[test]
fn duplicates_are_skipped_overlaps_cut_and_gaps_refused() {
    let home = Home::new();
    let mut store = home.open();
    let key = stdout(1, 0);
    append(&mut store, |c| c.output = vec![chunk(key, 0, "abc")]);
    let twice = append(&mut store, |c| {
        c.output = vec![chunk(key, 0, "abc"), chunk(key, 1, "bcdef"), chunk(key, 2, "cdef"), chunk(key, 0, "")]
    });
    assert_eq!((twice.output_bytes, twice.duplicate_bytes), (3, 3 + 2 + 4));
    let mut commit = Commit::new(NOW);
    commit.events.push(events(1, &["with it"]));
    commit.output = vec![chunk(key, 6, "g"), chunk(key, 8, "i")];
    let error = store.append(commit).unwrap_err();
    assert!(matches!(error, StoreError::OutputGap { stored: 7, offset: 8, .. }) && error.is_refusal(), "{error}");
    assert_eq!(
        error.to_string(),
        "gap in output of job 1 task 0 attempt 1 step 0 stream 1: 7 bytes are stored, but the chunk begins at 8"
    );
    assert_eq!(texts(store.reader().read_job(1)), [""; 0], "nothing of the refused commit is there");
    assert_eq!(whole(store.reader(), &key, 100), b"abcdef");
    append(&mut store, |c| c.output = vec![chunk(key, 6, "g")]);
    assert_eq!(whole(store.reader(), &key, 100), b"abcdefg");
    let mut commit = Commit::new(NOW);
    commit.output = vec![chunk(key, 7, vec![0; (1 << 20) + 1])];
    assert!(matches!(store.append(commit), Err(StoreError::TooLarge { .. })));
}

#[test]
fn many_small_chunks_make_one_frame_and_few_rows() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        for line in 0..1000_u64 {
            for task in 0..3 {
                c.output.push(chunk(stdout(1, task), line * 10, format!("line {line:04}\n")));
            }
        }
    });
    let (stats, verified) = (store.reader().stats().unwrap(), store.reader().verify().unwrap());
    assert_eq!((stats.output_pieces, verified.frames), (3, 1));
    assert!(stats.output_bytes < 10_000, "30,000 bytes that repeat themselves take {} on disk", stats.output_bytes);
}

#[test]
fn segments_roll_and_read_as_one() {
    let home = Home::new();
    let (mut store, _) = EmbeddedStore::open(&home.path(), &small_segments()).unwrap();
    let key = stdout(1, 0);
    let content = noise(40_000, 1);
    for (n, part) in content.chunks(1000).enumerate() {
        append(&mut store, |c| c.output = vec![chunk(key, n as u64 * 1000, part)]);
    }
    let files = fs::read_dir(home.path().join("outputs/1")).unwrap().count();
    assert!(files > 5, "{files}");
    assert!(whole(store.reader(), &key, 777) == content);
    drop(store);
    let (mut store, report) = EmbeddedStore::open(&home.path(), &small_segments()).unwrap();
    assert_eq!(report.repairs, []);
    append(&mut store, |c| c.output = vec![chunk(key, 40_000, "end")]);
    assert_eq!(whole(store.reader(), &key, 1 << 20)[39_999..], [content[39_999], b'e', b'n', b'd']);
    let verified = store.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty(), "{verified:?}");
}

#[test]
fn a_large_commit_is_cut_into_frames_and_segments() {
    let home = Home::new();
    let (mut store, _) = EmbeddedStore::open(&home.path(), &small_segments()).unwrap();
    let content = noise(3_500_000, 2);
    append(&mut store, |c| {
        for task in 0..2 {
            c.output.extend(
                content.chunks(1 << 16).enumerate().map(|(n, part)| chunk(stdout(1, task), (n << 16) as u64, part)),
            );
        }
    });
    for task in 0..2 {
        assert!(whole(store.reader(), &stdout(1, task), 1 << 20) == content);
    }
    let verified = store.reader().verify().unwrap();
    assert!(verified.is_sound() && verified.frames >= 7, "{verified:?}");
}

#[test]
fn open_files_are_bounded_and_jobs_come_back_after_theirs_was_closed() {
    let home = Home::new();
    let mut store = home.open();
    for round in 0..2 {
        for job in 0..150 {
            append(&mut store, |c| c.output = vec![chunk(stdout(job, 0), round * 2, format!("{round}\n"))]);
            assert!(store.open_segments() <= 64);
        }
    }
    append(&mut store, |c| c.output = (0..150).map(|job| chunk(stdout(job, 0), 4, "2\n")).collect());
    assert!(store.open_segments() <= 64);
    for job in 0..150 {
        assert_eq!(whole(store.reader(), &stdout(job, 0), 100), b"0\n1\n2\n");
    }
}
