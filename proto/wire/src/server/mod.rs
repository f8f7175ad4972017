//! What a scheduler implements, in model types, and the glue that serves it.
//!
//! The adapters here decode, delegate and encode; a message that cannot be read is refused with the path of the field before
//! anyone behind the traits sees it.

mod adapters;
mod api;
mod serve;
mod sizes;

pub use api::{AdminApi, FleetApi, JobsApi, Replies, RunnersApi};
pub use serve::{router, serve_unix};
