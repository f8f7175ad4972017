//! The product as its user meets it: the built program, its files, its output and its exit codes, against real servers.
//!
//! Each test has a sandbox of its own, with its own daemon. Nothing is asked of the program but what a user can ask.

mod bytes;
mod clients;
mod clusters;
mod control;
mod crash;
mod examples;
mod hard;
mod plans;
mod rollout;
mod secrets;
mod ssh;
mod store;
