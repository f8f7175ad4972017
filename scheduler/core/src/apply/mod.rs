//! `apply`: the only thing that changes [`State`], live and on replay.
//!
//! An event that does not fit the state is an error that names both; the state is then as it was, or the process must stop:
//! a journal whose facts contradict each other cannot be worked on.

mod event;
mod illegal;
mod job;
mod name;
mod task;

pub use event::{Plans, apply};
pub use illegal::Illegal;
pub use name::name_of;
