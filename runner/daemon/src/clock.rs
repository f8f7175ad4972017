//! The one place of the runner that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use autoexec_model::id::UnixMillis;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is a driver: everything else is given the time")]
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
