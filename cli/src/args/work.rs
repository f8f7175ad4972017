//! Arguments that say what is to be done: a job file or a command, on which targets, with what.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};

/// `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoexec run roll.yaml -i hosts.yaml -p version=1.27\n  autoexec run -t 'web[01-40]' -i hosts.yaml --batches '1 10%' -- uptime"
)]
pub(crate) struct RunArgs {
    /// What and where.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Run the plan with this digest, and nothing else
    #[arg(
        long,
        value_name = "DIGEST",
        conflicts_with_all = ["job", "command", "inventory", "targets", "exclude", "params", "batches", "parallel", "timeout",
            "become_user", "user", "key", "transport", "host_key", "budget", "between", "name", "seed", "tools"]
    )]
    pub(crate) plan: Option<String>,
    /// Submit it and leave; `autoexec watch` joins it
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
}

/// `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec plan roll.yaml -i hosts.yaml -p version=1.27")]
pub(crate) struct PlanArgs {
    /// What and where.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// What and where.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WorkArgs {
    /// The job file; `-` reads it from standard input
    pub(crate) job: Option<PathBuf>,
    /// Instead of a job file: the command to run on each target
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "job")]
    pub(crate) command: Vec<String>,
    /// The inventory file
    #[arg(long, short = 'i', value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
    /// Which targets: a selector, or host names when there is no inventory
    #[arg(long = "targets", short = 't', value_name = "SELECTOR")]
    pub(crate) targets: Option<String>,
    /// Which targets not: a selector
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) exclude: Option<String>,
    /// A parameter; `name=@FILE` reads it from a file, `name=@@text` begins with an @
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub(crate) params: Vec<NameValue>,
    /// A secret parameter: asked for, or from env:VARIABLE or file:PATH
    #[arg(long = "secret", value_name = "NAME[=SOURCE]")]
    pub(crate) secrets: Vec<SecretArg>,
    /// Roll in batches, such as '1 5% 25% *2'
    #[arg(long, value_name = "BATCHES")]
    pub(crate) batches: Option<String>,
    /// What happens between batches: continue, confirm or pause-on-failure
    #[arg(long, value_name = "MODE")]
    pub(crate) between: Option<String>,
    /// When it stops itself, such as failed=2%,unreachable=3
    #[arg(long, value_name = "BUDGET")]
    pub(crate) budget: Option<String>,
    /// Targets that are worked on at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) parallel: Option<u32>,
    /// Time of one step, such as 5m
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// The user that steps run as on the target
    #[arg(long = "become", value_name = "USER")]
    pub(crate) become_user: Option<String>,
    /// The user to log in as
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// The private key to log in with
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<String>,
    /// How targets are reached: ssh, local or sim
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport: Option<String>,
    /// How host keys are checked: verify, accept-new or no
    #[arg(long, value_name = "CHECK")]
    pub(crate) host_key: Option<String>,
    /// Seed of random orders [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Name of the job
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Folder of your own tools; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) tools: Vec<PathBuf>,
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameValue {
    /// The parameter.
    pub(crate) name: String,
    /// Its value as typed.
    pub(crate) value: String,
}

impl FromStr for NameValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Self { name: name.trim().to_owned(), value: value.to_owned() })
            }
            Some(_) | None => Err("write it as NAME=VALUE".to_owned()),
        }
    }
}

/// A secret parameter and where its value comes from; the value itself is never an argument, because everyone can read those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretArg {
    /// The parameter.
    pub(crate) name: String,
    /// Where its value comes from.
    pub(crate) source: SecretSource,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// The terminal, without echo.
    Prompt,
    /// A variable of the environment.
    Variable(String),
    /// A file; one line end at its end does not count.
    File(PathBuf),
    /// Something else was written. It is refused later and not by clap, which would repeat it: it may be the secret itself.
    Misspelt,
}

impl FromStr for SecretArg {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, source) = match text.split_once('=') {
            None => (text, SecretSource::Prompt),
            Some((name, source)) => match source.split_once(':') {
                Some(("env", variable)) if !variable.is_empty() => (name, SecretSource::Variable(variable.to_owned())),
                Some(("file", path)) if !path.is_empty() => (name, SecretSource::File(PathBuf::from(path))),
                Some(_) | None => (name, SecretSource::Misspelt),
            },
        };
        let source = if name.trim().is_empty() { SecretSource::Misspelt } else { source };
        Ok(Self { name: name.trim().to_owned(), source })
    }
}

/// `target`.
#[derive(Debug, Subcommand)]
pub(crate) enum TargetVerb {
    /// List the targets of an inventory
    Ls(TargetLsArgs),
    /// Log in to each target and say which of them work
    Check(CheckArgs),
}

/// `target ls`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec target ls -i hosts.yaml -t '@web & zone=a*'")]
pub(crate) struct TargetLsArgs {
    /// The inventory file
    #[arg(long, short = 'i', value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
    /// Only these: a selector
    #[arg(long = "targets", short = 't', value_name = "SELECTOR")]
    pub(crate) targets: Option<String>,
}

/// `target check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec target check -i hosts.yaml -t '@web'")]
pub(crate) struct CheckArgs {
    /// The inventory file
    #[arg(long, short = 'i', value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
    /// Which: a selector, or host names when there is no inventory
    #[arg(long = "targets", short = 't', value_name = "SELECTOR")]
    pub(crate) targets: Option<String>,
    /// The user to log in as
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// The private key to log in with
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<String>,
    /// How targets are reached: ssh, local or sim
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) transport: Option<String>,
    /// How host keys are checked: verify, accept-new or no
    #[arg(long, value_name = "CHECK")]
    pub(crate) host_key: Option<String>,
    /// Targets that are checked at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) parallel: Option<u32>,
    /// Time for one target
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) timeout: String,
}

/// `tool`.
#[derive(Debug, Subcommand)]
pub(crate) enum ToolVerb {
    /// List the tools
    #[command(after_help = "Example:\n  autoexec tool ls")]
    Ls,
    /// Explain a tool: its parameters and outputs
    Show(ToolNameArg),
    /// Check the folder of a tool of your own
    Check(ToolFolderArg),
}

/// `tool show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec tool show wait-http")]
pub(crate) struct ToolNameArg {
    /// Its name
    pub(crate) name: String,
}

/// `tool check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec tool check tools/rotate-logs")]
pub(crate) struct ToolFolderArg {
    /// The folder with its tool.yaml
    pub(crate) folder: PathBuf,
}

/// `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoexec schema job > job.schema.json")]
pub(crate) struct SchemaArgs {
    /// Of which format: job, inventory or tool
    #[arg(value_enum, hide_possible_values = true)]
    pub(crate) kind: SchemaWord,
}

/// A format that an engineer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaWord {
    /// Job files.
    Job,
    /// Inventories.
    Inventory,
    /// Tool manifests.
    Tool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_and_never_given() {
        let parsed = |text: &str| text.parse::<SecretArg>();
        let named = |source| Ok(SecretArg { name: "db".to_owned(), source });
        assert_eq!(parsed("db"), named(SecretSource::Prompt));
        assert_eq!(parsed("db=env:DB"), named(SecretSource::Variable("DB".to_owned())));
        assert_eq!(parsed("db=file:/run/db"), named(SecretSource::File(PathBuf::from("/run/db"))));
        for text in ["db=hunter2", "db=env:", "db=", "=env:X", ""] {
            assert_eq!(parsed(text).map(|secret| secret.source), Ok(SecretSource::Misspelt), "{text}");
        }
    }

    #[test]
    fn a_parameter_keeps_its_value_as_typed() {
        let pair: NameValue = "v= a=b ".parse().expect("a pair");
        assert_eq!((pair.name.as_str(), pair.value.as_str()), ("v", " a=b "));
        for text in ["v", "=1", ""] {
            assert!(text.parse::<NameValue>().is_err(), "{text}");
        }
    }
}
