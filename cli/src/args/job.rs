//! Arguments of the verbs that read: jobs, show, watch, output, explain.

use autoexec_model::api::JobRef;
use autoexec_model::grant::Stream;
use clap::{Args, ValueEnum};

/// One job and nothing else.
#[derive(Debug, Args)]
pub(crate) struct JobArg {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
}

/// `jobs`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec jobs --state running --state waiting")]
pub(crate) struct JobsArgs {
    /// Only jobs in this state; may be repeated
    #[arg(long = "state", value_name = "STATE")]
    pub(crate) states: Vec<String>,
    /// Only jobs whose name matches this glob
    #[arg(long, value_name = "GLOB")]
    pub(crate) name: Option<String>,
    /// At most so many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Only jobs with a smaller number than this
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<u64>,
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec show last --targets --format json")]
pub(crate) struct ShowArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Each target too
    #[arg(long)]
    pub(crate) targets: bool,
    /// Only targets that this selector matches; implies --targets
    #[arg(long, short = 't', value_name = "SELECTOR")]
    pub(crate) select: Option<String>,
    /// Only targets with this verdict, or that are `waiting`, `running` or `unresolved`; implies --targets
    #[arg(long = "verdict", value_name = "VERDICT")]
    pub(crate) verdicts: Vec<String>,
    /// What the steps published, with the targets
    #[arg(long)]
    pub(crate) outputs: bool,
}

/// `output`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec output last web07 --stream stderr")]
pub(crate) struct OutputArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// Only targets that this selector matches
    pub(crate) target: Option<String>,
    /// Only this stream: stdout or stderr
    #[arg(long, value_enum, value_name = "STREAM", hide_possible_values = true)]
    pub(crate) stream: Option<StreamArg>,
    /// Only this phase
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    /// Only this attempt of each task [default: the last]
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
    /// Stay until the job ends
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,
    /// Put the name of the target before each line
    #[arg(long)]
    pub(crate) prefix: bool,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamArg {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl From<StreamArg> for Stream {
    fn from(arg: StreamArg) -> Self {
        match arg {
            StreamArg::Stdout => Self::Stdout,
            StreamArg::Stderr => Self::Stderr,
        }
    }
}

/// `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec explain 17 web07")]
pub(crate) struct ExplainArgs {
    /// The job: its number, `last`, or its name
    pub(crate) job: JobRef,
    /// One target of it
    pub(crate) target: Option<String>,
}
