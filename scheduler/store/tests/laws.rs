//! A law: whatever chunks of a stream arrive, in whatever order and however often, the stored stream is a prefix of the true one,
//! a commit with a gap changes nothing, and the length never goes back.

use autoexec_store::{Commit, EmbeddedStore, Store, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixture::{Home, NOW, chunk, small_segments, stdout, whole};

const LENGTH: usize = 6000;

fn truth(stream: usize) -> Vec<u8> {
    (0..LENGTH).map(|n| ((n * 31 + stream * 7) ^ (n >> 5)) as u8).collect()
}

/// How a chunk lies to what is stored: before it, overlapping it, right behind it, or with a gap.
#[derive(Debug, Clone)]
struct Piece {
    stream: usize,
    back: usize,
    ahead: usize,
    len: usize,
}

fn piece() -> impl Strategy<Value = Piece> {
    let ahead = prop_oneof![19 => Just(0_usize), 1 => 1..5_usize];
    (0..3_usize, prop_oneof![Just(0_usize), 0..400_usize], ahead, 0..500_usize)
        .prop_map(|(stream, back, ahead, len)| Piece { stream, back, ahead, len })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn stored_streams_are_prefixes_of_the_true_ones(commits in vec((vec(piece(), 1..8), prop::bool::weighted(0.1)), 1..20), page in 1..700_usize) {
        let home = Home::in_memory();
        let mut store = EmbeddedStore::open(&home.path(), &small_segments()).unwrap().0;
        let mut stored = [0_usize; 3];
        for (pieces, reopen) in commits {
            let (mut expected, mut gap) = (stored, false);
            let mut commit = Commit::new(NOW);
            for Piece { stream, back, ahead, len } in pieces {
                let at = (expected[stream].saturating_sub(back) + ahead).min(LENGTH);
                let end = (at + len).min(LENGTH);
                commit.output.push(chunk(stdout(1 + stream as u64 / 2, stream as u64), at as u64, &truth(stream)[at..end]));
                gap |= at > expected[stream];
                if !gap {
                    expected[stream] = expected[stream].max(end);
                }
            }
            match store.append(commit) {
                Ok(_) => {
                    prop_assert!(!gap);
                    stored = expected;
                }
                Err(StoreError::OutputGap { .. }) => prop_assert!(gap),
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
            if reopen {
                drop(store);
                let (again, report) = EmbeddedStore::open(&home.path(), &small_segments()).unwrap();
                prop_assert_eq!(report.repairs, vec![]);
                store = again;
            }
            for (stream, &len) in stored.iter().enumerate() {
                let key = stdout(1 + stream as u64 / 2, stream as u64);
                prop_assert_eq!(store.reader().output_len(&key).unwrap(), len as u64);
            }
        }
        for (stream, &len) in stored.iter().enumerate() {
            let key = stdout(1 + stream as u64 / 2, stream as u64);
            prop_assert!(whole(store.reader(), &key, page) == truth(stream)[..len]);
        }
        let verified = store.reader().verify().unwrap();
        prop_assert!(verified.is_sound() && verified.notes.is_empty(), "{:?}", verified);
    }
}
