//! Typed parameters of jobs and tools: what may be given, and what a value becomes.
//!
//! A parameter is declared with a [`ParamSpec`]; [`resolve_params`] checks everything that was given against the declarations
//! and fills in the defaults. A parameter that is neither given nor required and has no default is `null`: templates can then
//! ask for it without an error, and a tool is not told about it.
//!
//! `min` and `max` bound the length of a text in characters, the number of choices of a `multiselect`, and the value of a
//! number, date, moment or length of time. Values that are secret never appear in an error.

mod check;
mod error;
mod resolve;
mod spec;
#[cfg(test)]
mod tests;
mod text;

pub use crate::plan::PlanFile as FileRef;
pub use error::{ParamError, ParamFault};
pub use resolve::{check_declarations, resolve_params};
pub use spec::{ParamOption, ParamSpec, ParamType};
