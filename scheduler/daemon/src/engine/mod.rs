//! The engine: one thread that owns the state and the store's writer.
//!
//! ```text
//! messages ──> decide, apply ──┐ (many messages)
//!                              ├─> one durable append ──> effects, messages to runners, replies
//!              settle ─────────┘
//! ```
//!
//! A reader sees durable facts only, because queries are answered between turns. When an append fails, or a fact does not
//! fit the state, the engine ends and with it the process: it must never act on a fact that could vanish.

mod error;
mod grants;
mod handle;
mod lines;
mod message;
mod pending;
mod recover;
mod runners;
mod settle;
mod turn;

pub use error::EngineError;

pub(crate) use handle::{Handle, INBOX, internal};
pub(crate) use lines::Lines;
pub(crate) use message::{Message, Submission};
pub(crate) use pending::{Pending, key as stream_key};
pub(crate) use turn::Engine;
use turn::Session;
