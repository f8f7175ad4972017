//! The mind of autoexec, pure: no clock, no files, no network, no randomness.
//!
//! ```text
//! decide(state, input, now) -> events | refusal     what should happen? changes nothing
//! apply(state, event)                               what is true now; the only mutation, live and on replay
//! react(state, event) -> effects                    what must the outside do because of it?
//! outstanding(state) -> effects                     what is still owed after a restart? from state alone
//! ```
//!
//! The driver's contract: decide, apply, append; effects and replies only after their events are durable; when an append
//! fails, the process stops.

pub mod apply;
pub mod decide;
pub mod explain;
pub mod invariant;
pub mod layout;
pub mod plan;
pub mod react;
pub mod state;
pub mod view;
