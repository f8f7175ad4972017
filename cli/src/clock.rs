//! The only place of the command line that reads the clock; everything else is told what time it is.

use std::time::SystemTime;

use autoexec_model::id::UnixMillis;

/// The time now; 1970 on a machine whose clock is before it.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is a driver: ages and elapsed times are shown against the clock"
)]
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
