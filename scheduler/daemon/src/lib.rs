//! The scheduler as a process: the engine with its journal, and the services in front of it.

mod clock;
mod engine;
mod grpc;
mod idle;
mod serve;
mod shelf;

pub use engine::EngineError;
pub use serve::{SchedulerOptions, ServeError, serve};
