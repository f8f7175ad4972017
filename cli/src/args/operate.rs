//! Arguments of the verbs that change a job.

use autoexec_model::api::JobRef;
use clap::{Args, ValueEnum};

/// `cancel`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec cancel 17 --reason 'wrong version'")]
pub(crate) struct CancelArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
}

/// `retry`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec retry 17 -t 'web[07,12]'")]
pub(crate) struct RetryArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Everything that did not succeed, skipped and ignored targets included [default: what failed or never started]
    #[arg(long, conflicts_with = "targets")]
    pub(crate) all: bool,
    /// Only targets that this selector matches
    #[arg(long, short = 't', value_name = "SELECTOR")]
    pub(crate) targets: Option<String>,
}

/// `skip` and `ignore`.
#[derive(Debug, Args)]
pub(crate) struct PickArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Which of its targets: a selector
    pub(crate) targets: String,
}

/// `resolve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec resolve 17 web07 --as succeeded")]
pub(crate) struct ResolveArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Which of its targets: a selector
    pub(crate) targets: String,
    /// How they ended: succeeded or failed
    #[arg(long = "as", value_enum, value_name = "VERDICT", hide_possible_values = true)]
    pub(crate) verdict: SaidVerdict,
}

/// What an operator may say of an interrupted target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SaidVerdict {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
}

/// `amend`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec amend 17 --parallel 100")]
pub(crate) struct AmendArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Tasks that may be live at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) parallel: u32,
}
