//! What can go wrong in the command line itself, and what to do about it. Refusals of the scheduler pass through unchanged.
//!
//! One variant per failed operation; [`crate::render::failure`] prints them all in one form.

use std::io;
use std::path::PathBuf;

use autoexec_model::refusal::Refusal;

use crate::exit::Exit;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The scheduler, or the way to it, says no.
    #[error("{0}")]
    Refused(Refusal),
    /// What was typed makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to type instead.
        hint: String,
    },
    /// A file that was named cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that was named is too large to travel.
    #[error("{} holds more than {limit_mib} MiB", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The bound.
        limit_mib: u64,
    },
    /// A secret cannot be had.
    #[error("cannot get the secret `{name}`: {why}")]
    Secret {
        /// The parameter.
        name: String,
        /// Why, without its value.
        why: String,
    },
    /// The folder of the local scheduler cannot be used.
    #[error("cannot use {} as the scheduler's folder: {why}", path.display())]
    StateDir {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
        /// What to do.
        hint: String,
    },
    /// Nobody knows where the local scheduler's folder should be.
    #[error("there is no place for the local scheduler: neither HOME nor XDG_STATE_HOME is set")]
    NoHome,
    /// The local scheduler cannot be started.
    #[error("cannot start the local scheduler")]
    Spawn {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The local scheduler ended before it answered.
    #[error("the local scheduler ended at once ({status})")]
    DaemonEnded {
        /// How.
        status: String,
        /// The end of its log.
        tail: Vec<String>,
        /// The log.
        log: PathBuf,
    },
    /// The local scheduler does not answer.
    #[error("the local scheduler did not answer within {seconds} s")]
    DaemonSilent {
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        tail: Vec<String>,
        /// The log.
        log: PathBuf,
    },
    /// The connection was lost and could not be made again.
    #[error("lost the scheduler for {seconds} s while watching job {job}; the job itself goes on")]
    Lost {
        /// The job.
        job: u64,
        /// How long it was tried.
        seconds: u64,
        /// How to join it again.
        rejoin: String,
    },
    /// Standard output cannot be written to.
    #[error("cannot write to standard output")]
    Write {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The reader of standard output left, which is its right.
    #[error("the reader of standard output left")]
    ReaderLeft,
    /// The terminal cannot be used.
    #[error("cannot use the terminal")]
    Terminal {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A signal cannot be caught.
    #[error("cannot catch signals")]
    Signals {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something that must always work did not.
    #[error("{what}")]
    Bug {
        /// What.
        what: String,
    },
    /// The scheduler that runs in this process failed.
    #[error("the scheduler failed: {0}")]
    Serve(String),
}

impl Failure {
    /// A mistake of typing.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Refused(refusal) => match refusal.code.exit() {
                4 => Exit::Unreachable,
                70 => Exit::Bug,
                // not our enum: the table of refusals knows only these three numbers.
                _ => Exit::Usage,
            },
            Self::Usage { .. }
            | Self::Read { .. }
            | Self::TooLarge { .. }
            | Self::Secret { .. }
            | Self::StateDir { .. }
            | Self::NoHome
            | Self::Write { .. }
            | Self::Terminal { .. } => Exit::Usage,
            Self::Spawn { .. }
            | Self::DaemonEnded { .. }
            | Self::DaemonSilent { .. }
            | Self::Lost { .. }
            | Self::Serve(_) => Exit::Unreachable,
            Self::ReaderLeft => Exit::Succeeded,
            Self::Signals { .. } | Self::Bug { .. } => Exit::Bug,
        }
    }

    /// What to do about it, most useful first.
    pub(crate) fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Refused(refusal) => refusal.hints.clone(),
            Self::Usage { hint, .. } | Self::StateDir { hint, .. } => one(hint),
            Self::NoHome => one("name a folder with --state-dir"),
            Self::Secret { .. } => one("give it with --secret NAME=env:VARIABLE or --secret NAME=file:PATH"),
            Self::TooLarge { .. } => one("put it where the targets can fetch it, and pass its address"),
            Self::DaemonEnded { log, .. } | Self::DaemonSilent { log, .. } => {
                vec![format!("its log is {}", log.display())]
            }
            Self::Lost { rejoin, .. } => vec![rejoin.clone()],
            Self::Bug { .. } => one("this is a bug of autoexec; please report it with what you did"),
            Self::Read { .. }
            | Self::Spawn { .. }
            | Self::Write { .. }
            | Self::ReaderLeft
            | Self::Terminal { .. }
            | Self::Signals { .. }
            | Self::Serve(_) => Vec::new(),
        }
    }

    /// Lines of a log that belong to it.
    pub(crate) fn log_tail(&self) -> &[String] {
        match self {
            Self::DaemonEnded { tail, .. } | Self::DaemonSilent { tail, .. } => tail,
            Self::Refused(_)
            | Self::Usage { .. }
            | Self::Read { .. }
            | Self::TooLarge { .. }
            | Self::Secret { .. }
            | Self::StateDir { .. }
            | Self::NoHome
            | Self::Spawn { .. }
            | Self::Lost { .. }
            | Self::Write { .. }
            | Self::ReaderLeft
            | Self::Terminal { .. }
            | Self::Signals { .. }
            | Self::Bug { .. }
            | Self::Serve(_) => &[],
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
