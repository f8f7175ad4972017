//! Arguments of `up`, `demo` and of the hidden verbs that are our own processes.

use std::time::Duration;

use autoexec_model::millis::Millis;
use clap::Args;

/// Attempts that one runner of the local scheduler holds at once: SSH connections cost little memory, and the target's
/// sshd is the bound long before this.
const CAPACITY: u32 = 1_000;

/// `up`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec up --stop")]
pub(crate) struct UpArgs {
    /// Stay in the foreground and never leave for idleness
    #[arg(long, conflicts_with = "stop")]
    pub(crate) foreground: bool,
    /// Stop the scheduler when it is idle
    #[arg(long)]
    pub(crate) stop: bool,
    /// With --stop: stop it though jobs are live; they go on when it is started again
    #[arg(long, requires = "stop")]
    pub(crate) now: bool,
}

/// `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec demo --targets 1000 --seed 7")]
pub(crate) struct DemoArgs {
    /// How many simulated targets
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) targets: u32,
    /// The same seed gives the same latencies and failures
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) seed: u64,
}

/// `daemon`.
#[derive(Debug, Args)]
pub(crate) struct DaemonArgs {
    /// Leave after so long without work and without a client
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) idle: Option<Duration>,
    /// Names of its runners; may be repeated
    #[arg(long = "runner", value_name = "NAME", default_values_t = [String::from("local")])]
    pub(crate) runners: Vec<String>,
    /// Attempts that each runner holds at once
    #[arg(long, value_name = "N", default_value_t = CAPACITY)]
    pub(crate) capacity: u32,
}

/// `tool-exec`.
#[derive(Debug, Args)]
pub(crate) struct ToolExecArgs {
    /// The tool
    pub(crate) name: String,
}

impl Default for DaemonArgs {
    fn default() -> Self {
        Self { idle: None, runners: vec!["local".to_owned()], capacity: CAPACITY }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<Millis>().map(Millis::as_duration).map_err(|error| error.to_string())
}
