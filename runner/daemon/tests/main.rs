//! Tests of the runner against the real world: one binary, one module for each part.

#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "tests skip loudly and fail by panicking")]

mod attempt;
mod ssh;
mod sshd;
