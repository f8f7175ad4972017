//! One attempt: the steps of a phase on one target, in order, and what they add up to.
//!
//! An attempt keeps nothing on disk. It is begun again from its first step after a restart of the runner: every step meets
//! its own fence, finds what it did, and the attempt arrives where it was.

mod command;
mod context;
mod execute;
mod fetch;
mod run;
mod simulate;
mod step;

pub(crate) use context::Context;
pub(crate) use run::{Attempt, execute};
