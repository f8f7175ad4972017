//! `decide`: what should happen because of an input? It changes nothing; it answers with events, or says no.
//!
//! The driver applies the events, then asks for [`Input::Advance`] and [`Input::Dispatch`] until both are silent: one input
//! may end a task, thereby a stage, thereby open a gate, begin the next stage and give out its tasks.

mod advance;
mod budget;
mod dispatch;
mod input;
mod operate;
mod report;

use autoexec_model::event::{Event, Fact};
use autoexec_model::id::UnixMillis;

use crate::state::Job;

pub(crate) use advance::{batch_failed, final_state};
pub(crate) use budget::{reason_to_stop, sentence as budget_sentence};
pub(crate) use dispatch::{free, gives_out};
pub use input::{Input, decide, job_for};
pub use operate::is_legal;
pub use report::held;

/// How long a runner may be away before tasks that it had not begun are given to another, in milliseconds. Longer than a
/// restart of a runner, shorter than an operator's patience.
pub const LEASE_MILLIS: u64 = 30_000;

/// An event about a job.
fn about(job: &Job, at: UnixMillis, fact: Fact) -> Event {
    Event { at, job: Some(job.id), fact }
}
