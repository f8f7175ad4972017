//! The local scheduler: where it lives, how it is started and joined. Several command lines at once end with one of it.

mod folder;
mod join;
mod log;
mod place;
pub(crate) mod serve;
mod start;

pub(crate) use folder::prepare;
pub(crate) use join::{Link, join, join_if_running};
pub(crate) use place::{Place, Surroundings};
pub(crate) use start::stop;
