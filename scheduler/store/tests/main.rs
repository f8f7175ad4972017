//! Tests of the embedded store on real files: what goes in comes out, whatever is killed, cut, flipped or full in between.

#![expect(clippy::unwrap_used, reason = "tests: clippy knows only functions marked as tests, not the ones they call")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod backup;
mod blobs;
mod crash;
mod damage;
mod fixture;
mod format;
mod full;
mod jobs;
mod journal;
mod laws;
mod opening;
mod output;
mod retention;
mod secrets;
mod torn;
