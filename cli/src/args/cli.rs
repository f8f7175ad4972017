//! The verbs and what holds for all of them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    AmendArgs, CancelArgs, DaemonArgs, DemoArgs, ExplainArgs, JobArg, JobsArgs, OutputArgs, PickArgs, PlanArgs,
    ResolveArgs, RetryArgs, RunArgs, SchemaArgs, ShowArgs, StoreVerbArgs, TargetVerb, ToolExecArgs, ToolVerb, UpArgs,
};

/// Runs operations work on fleets: a job, its targets, and how to roll it out.
#[derive(Debug, Parser)]
#[command(
    name = "autoexec",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Example:\n  autoexec run -t 'web[01-40]' --batches '1 10% *2' -- uptime\n\n\
                  Exit codes: 0 succeeded, 1 job failed, 2 usage, 3 succeeded with ignored failures,\n\
                  4 scheduler unreachable, 5 waiting for a person, 70 bug, 130 interrupted"
)]
pub(crate) struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What holds for every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How results are printed: human, plain (line by line, for scripts) or json
    #[arg(long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Option<Format>,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorWhen::Auto, hide_possible_values = true)]
    pub(crate) color: ColorWhen,
    /// Folder of the local scheduler [default: ~/.local/state/autoexec]
    #[arg(long, global = true, value_name = "DIR", env = "AUTOEXEC_STATE_DIR", hide_env_values = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Talk to the scheduler on this unix socket and start none
    #[arg(long, global = true, value_name = "PATH", env = "AUTOEXEC_SOCKET", hide_env_values = true)]
    pub(crate) socket: Option<PathBuf>,
    /// Talk to the demonstration's own scheduler
    #[arg(long, global = true)]
    pub(crate) demo: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One thing per line, fields separated by tabs, never coloured.
    Plain,
    /// JSON.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On terminals, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a job file, a command, or a plan, and follow it
    Run(Box<RunArgs>),
    /// Print what a job would do, and do nothing
    Plan(Box<PlanArgs>),
    /// List jobs, newest first
    Jobs(JobsArgs),
    /// Show one job
    Show(ShowArgs),
    /// Follow a job until it ends
    #[command(after_help = "Example:\n  autoexec watch last")]
    Watch(JobArg),
    /// Print what targets printed
    Output(OutputArgs),
    /// Say why a job or a target is where it is, and how to move it on
    Explain(ExplainArgs),
    /// Start nothing new; what runs finishes
    #[command(after_help = "Example:\n  autoexec pause 17")]
    Pause(JobArg),
    /// Go on with a paused job
    #[command(after_help = "Example:\n  autoexec resume 17")]
    Resume(JobArg),
    /// Stop a job and everything it runs
    Cancel(CancelArgs),
    /// Run again what did not succeed
    Retry(RetryArgs),
    /// Let a waiting job go on past its gate
    #[command(after_help = "Example:\n  autoexec confirm 17")]
    Confirm(JobArg),
    /// Stop a waiting job at its gate
    #[command(after_help = "Example:\n  autoexec reject 17")]
    Reject(JobArg),
    /// Do not run some targets of a job
    #[command(after_help = "Example:\n  autoexec skip 17 'web[07,12]'")]
    Skip(PickArgs),
    /// Say that the failure of some targets does not count
    #[command(after_help = "Example:\n  autoexec ignore 17 web07")]
    Ignore(PickArgs),
    /// Say how interrupted targets ended
    Resolve(ResolveArgs),
    /// Change how many targets a job works on at once
    Amend(AmendArgs),
    /// List or check targets
    #[command(subcommand)]
    Target(TargetVerb),
    /// List, explain or check tools
    #[command(subcommand)]
    Tool(ToolVerb),
    /// Verify, back up, measure or prune the store
    #[command(subcommand)]
    Store(StoreVerbArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print the completions for a shell
    #[command(
        after_help = "Example:\n  autoexec completions bash > ~/.local/share/bash-completion/completions/autoexec"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Roll a job over simulated targets, live
    Demo(DemoArgs),
    /// Start the local scheduler, or stop it
    Up(UpArgs),
    /// The local scheduler itself
    #[command(hide = true)]
    Daemon(DaemonArgs),
    /// One shipped tool that runs on the runner
    #[command(hide = true)]
    ToolExec(ToolExecArgs),
}
