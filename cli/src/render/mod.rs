//! How things look. Pure: from what the scheduler answered to text, with colours in it that `ui` may take out again.

pub(crate) mod acted;
pub(crate) mod check;
pub(crate) mod daemon;
pub(crate) mod end;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod json;
pub(crate) mod line;
pub(crate) mod live;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod report;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod style;
mod table;
pub(crate) mod targets;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod tools;

use autoexec_model::id::UnixMillis;
use jiff::tz::TimeZone;

/// What a look depends on, so that the same input always looks the same.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Columns that a line may take.
    pub(crate) width: usize,
    /// The time now.
    pub(crate) now: UnixMillis,
    /// Where the reader lives.
    pub(crate) zone: TimeZone,
    /// How the program is called in commands that are suggested.
    pub(crate) program: String,
}
