//! When the local scheduler leaves: nothing is live, nobody watches, and nobody has asked for anything for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock;

/// Who uses the scheduler, and when someone last did.
#[derive(Default)]
pub(crate) struct Activity {
    last: AtomicU64,
    held: AtomicUsize,
}

/// As long as one lives, somebody watches.
pub(crate) struct Hold(Arc<Activity>);

impl Activity {
    /// Somebody asked for something.
    pub(crate) fn touch(&self) {
        self.last.store(clock::now().0, Ordering::Relaxed);
    }

    /// Somebody watches until the result is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.held.fetch_add(1, Ordering::Relaxed);
        Hold(Arc::clone(self))
    }

    /// Whether nobody has used it for so long.
    pub(crate) fn is_idle_for(&self, time: Duration) -> bool {
        let since = clock::now().0.saturating_sub(self.last.load(Ordering::Relaxed));
        self.held.load(Ordering::Relaxed) == 0 && u128::from(since) >= time.as_millis()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}
