//! Values with holes: `{{ params.version }}` in texts, bare expressions in `when:`.
//!
//! A thin, strict wrapper of minijinja. An unknown name is an error that says what exists beside it, never an empty text.
//! Work is bounded: steps of evaluation, depth, size of template and of result. Templates read no file, no clock, no
//! environment. [`Engine::check`] finds, without any value, what can be known beforehand: syntax, unknown filters, and which
//! names a template reads, so that a planner can refuse a job before it begins.

mod engine;
mod error;
mod filters;
mod references;
mod scan;
mod words;

#[cfg(test)]
mod tests;

pub use engine::{Engine, is_template};
pub use error::{TemplateError, TemplateErrorKind};
pub use references::References;

/// Largest result of one template, in bytes: it must fit in a message and in an environment.
pub const MAX_OUTPUT: usize = 1024 * 1024;

/// Largest template, in bytes; a job file itself is at most 4 MiB.
pub const MAX_TEMPLATE: usize = 1024 * 1024;
