//! What a tool is.
//!
//! A tool is a folder: a manifest (`tool.yaml`) and, for most, a script beside it. This crate knows the tools that are shipped inside
//! the program and those in the user's folders, gives each a digest of its content, checks them, turns checked parameters into
//! an environment, and holds the tools that need no script.
//!
//! | room | what is in it |
//! |---|---|
//! | [`catalogue`] | every tool that can be used, shipped or the user's |
//! | [`check`] | what is wrong with a tool |
//! | [`folder`] | a tool as files, and its digest |
//! | [`package`] | a tool as it arrives at a runner |
//! | [`mod@invocation`] | checked parameters as environment, JSON and staged files |
//! | [`builtin`] | `http`, `ping`, `wait-http`, `wait-tcp`: compiled in, run as processes |
//! | [`flow`] | `assert`, `fail`, `fetch`, `set-var`, `sleep`: evaluated by the runner, no process |
//! | [`markdown`] | the reference of all tools |

pub mod builtin;
pub mod catalogue;
pub mod check;
pub mod flow;
pub mod folder;
pub mod invocation;
pub mod markdown;
pub mod package;
mod shipped;

pub use catalogue::{Catalogue, CatalogueError, Origin, Tool, check_package};
pub use check::{Finding, Severity};
pub use invocation::{Invocation, invocation};
