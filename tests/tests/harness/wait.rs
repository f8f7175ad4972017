//! Waiting for a condition, with a deadline. No test sleeps for a time that somebody guessed.

use std::time::{Duration, Instant};

/// How long anything may take that is not measured: far above what a loaded machine needs, below the end that the test runner sets.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks; short, because most conditions come true within milliseconds.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until the condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(LOOK);
    }
}
