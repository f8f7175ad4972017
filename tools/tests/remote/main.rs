//! The scripts that are sent to targets, really run, under every POSIX shell of this machine.
//!
//! A machine without one of the shells tests the others and says which were missing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod check_disk;
mod check_port;
mod copy;
mod facts;
mod quality;
mod script;
mod service;
