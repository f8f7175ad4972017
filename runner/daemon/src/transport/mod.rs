//! How a runner reaches a target.

pub mod ssh;

pub(crate) mod sim;
