//! Times and lengths of time: local and short for people, RFC 3339 for programs.

use autoexec_model::id::UnixMillis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Look;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A length of time in at most six columns: `640ms`, `3.2s`, `42s`, `1m03s`, `2h05m`, `3d04h`.
pub(crate) fn span(millis: u64) -> String {
    match millis {
        0..SECOND => format!("{millis}ms"),
        SECOND..10_000 => format!("{}.{}s", millis / SECOND, millis % SECOND / 100),
        10_000..MINUTE => format!("{}s", millis / SECOND),
        MINUTE..HOUR => format!("{}m{:02}s", millis / MINUTE, millis % MINUTE / SECOND),
        HOUR..DAY => format!("{}h{:02}m", millis / HOUR, millis % HOUR / MINUTE),
        DAY.. => format!("{}d{:02}h", millis / DAY, millis % DAY / HOUR),
    }
}

/// From a beginning to an end, or to now; nothing before the beginning.
pub(crate) fn took(started: Option<UnixMillis>, finished: Option<UnixMillis>, look: &Look) -> Option<String> {
    started.map(|started| span(finished.unwrap_or(look.now).since(started)))
}

/// Date and time where the reader lives; without the date when it is today.
pub(crate) fn local(at: UnixMillis, look: &Look) -> String {
    let (Some(at), Some(now)) = (timestamp(at), timestamp(look.now)) else { return format!("@{}", at.0) };
    let (at, now) = (at.to_zoned(look.zone.clone()), now.to_zoned(look.zone.clone()));
    if at.date() == now.date() {
        at.strftime("%H:%M:%S").to_string()
    } else {
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// The time of day where the reader lives.
pub(crate) fn clock(at: UnixMillis, look: &Look) -> String {
    timestamp(at)
        .map_or_else(|| format!("@{}", at.0), |at| at.to_zoned(look.zone.clone()).strftime("%H:%M:%S").to_string())
}

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    timestamp(at).map_or_else(
        || format!("@{}", at.0),
        |at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// None for what no calendar holds.
fn timestamp(at: UnixMillis) -> Option<Timestamp> {
    i64::try_from(at.0).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn spans_are_short() {
        let shown: Vec<String> =
            [0, 640, 3_249, 9_999, 42_999, 63_000, 7_500_000, 273_600_000].into_iter().map(span).collect();
        assert_eq!(shown, ["0ms", "640ms", "3.2s", "9.9s", "42s", "1m03s", "2h05m", "3d04h"]);
    }

    #[test]
    fn the_date_is_shown_when_it_is_not_today() {
        let look = sample::look(80);
        assert_eq!(local(sample::at(0), &look), "12:00:00");
        assert_eq!(local(UnixMillis(sample::at(0).0 - DAY), &look), "2026-03-13 12:00:00");
        assert_eq!(clock(UnixMillis(sample::at(0).0 - DAY), &look), "12:00:00");
    }

    #[test]
    fn programs_get_rfc_3339() {
        assert_eq!(rfc3339(UnixMillis(1_773_489_600_007)), "2026-03-14T12:00:00.007Z");
        assert_eq!(rfc3339(UnixMillis(u64::MAX)), "@18446744073709551615");
    }
}
