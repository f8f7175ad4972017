//! Real shells, real processes, real kills. Shells that are not installed are skipped with a loud line, but dash and
//! bash must be there.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod become_user;
mod bytes;
mod host;
mod kill;
mod login;
mod parser;
mod run;
mod survive;
mod trouble;
