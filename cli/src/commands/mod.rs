//! The verbs: one file each, with one function that goes straight from arguments to output.

mod amend;
mod cancel;
mod completions;
mod confirm;
mod context;
mod daemon;
mod demo;
mod dispatch;
mod explain;
mod ignore;
mod jobs;
mod output;
mod pause;
mod plan;
mod reject;
mod resolve;
mod resume;
mod retry;
mod run;
mod schema;
mod show;
mod skip;
mod store;
mod target;
mod tool;
mod tool_exec;
mod up;
mod watch;

pub(crate) use dispatch::start;
