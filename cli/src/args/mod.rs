//! The command line: what can be typed. Parsing only; what it means is the business of `commands` and `request`.
//!
//! Fails as clap does: the error on stderr, exit code 2.

mod cli;
mod job;
mod operate;
mod service;
mod store;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use cli::{Cli, ColorWhen, Format, Global, Verb};
pub(crate) use job::{ExplainArgs, JobArg, JobsArgs, OutputArgs, ShowArgs};
pub(crate) use operate::{AmendArgs, CancelArgs, PickArgs, ResolveArgs, RetryArgs, SaidVerdict};
pub(crate) use service::{DaemonArgs, DemoArgs, ToolExecArgs, UpArgs};
pub(crate) use store::StoreVerbArgs;
pub(crate) use work::{
    CheckArgs, NameValue, PlanArgs, RunArgs, SchemaArgs, SchemaWord, SecretArg, SecretSource, TargetLsArgs, TargetVerb,
    ToolVerb, WorkArgs,
};
