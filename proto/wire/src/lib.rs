//! The protocol of autoexec as Rust: generated code, conversions to and from [`autoexec_model`], a typed client, and the glue
//! that serves traits in model types.
//!
//! | room | what is in it |
//! |---|---|
//! | [`client`] | [`client::Client`]: every request with model types |
//! | [`server`] | traits that a scheduler implements, and [`server::router`] that serves them |
//! | [`session`] | the messages of the stream between runner and scheduler |
//! | [`field`] | errors that name the field they are about |
//! | [`status`] | [`autoexec_model::refusal::Refusal`] as a gRPC status and back |
//! | [`limits`] | the sizes and times that bound every message and call |
//! | [`pb`] | the generated types; nothing outside this crate needs them |

pub mod client;
mod convert;
pub mod field;
pub mod limits;
pub mod pb;
pub mod server;
pub mod session;
pub mod status;
