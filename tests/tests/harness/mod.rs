//! What the end-to-end tests share: the built program, a place of its own for each test, private servers, and waiting with a deadline.
//!
//! Everything here fails by panicking with what was seen: a test that cannot be set up is a failed test, unless the machine lacks
//! something that only an administrator can give; then `skip` says so loudly.

mod binary;
mod fleet;
mod processes;
mod sandbox;
mod sshd;
mod wait;

pub(crate) use fleet::{Fleet, Silent, closed_port};
pub(crate) use processes::{alive, command_lines, signal};
pub(crate) use sandbox::{Ran, Sandbox, text, word};
pub(crate) use sshd::{Setup, Sshd, is_root, run_tool};
pub(crate) use wait::wait_until;

/// Says that a test proves nothing here, and why.
pub(crate) fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}
