//! The typed client: every request of the protocol with model types in and out.
//!
//! A [`Client`] is a handle on one connection that many calls share; cloning it is cheap. When the connection breaks, the calls
//! on it fail with [`Code::Unavailable`], and the next call connects again. Every call is bounded by a time of
//! [`crate::limits`]; streams are bounded until they begin. Nothing is tried again here: only the caller knows what may be
//! repeated.
//!
//! [`Code::Unavailable`]: autoexec_model::refusal::Code::Unavailable

mod admin;
mod call;
mod connection;
mod fleet;
mod jobs;
mod runners;

pub use call::Replies;
pub use connection::Client;
