//! The endings of an execution, as seen from one channel.
//!
//! An ending is not an error of ours: a caller acts on each of them, so all are values of one enum.

use bytes::Bytes;

/// How watching an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The script ended by itself.
    Exited {
        /// Its exit code; a shell reports death by signal N as 128 + N (see [`likely_signal`]).
        code: u32,
        /// What it wrote to `$AUTOEXEC_OUTPUT`, if anything.
        result: Option<ToolResult>,
    },
    /// It was killed by the kill command, before it began or while it ran.
    Killed {
        /// The script's own code, when it still ended by itself.
        code: Option<u32>,
    },
    /// It had begun, and its end left no trace: nobody knows.
    Lost {
        /// Why, for people.
        reason: String,
    },
    /// The host does not know the key.
    Unknown,
    /// It did not begin.
    Refused(Refusal),
    /// The channel ended before the supervisor had finished; attach again.
    ChannelLost {
        /// What is known about the start.
        begun: Begun,
        /// Why, for people.
        reason: String,
    },
    /// Something else than the supervisor answered: no shell, a forced command, a broken login.
    NotSupervised {
        /// What is known about the start.
        begun: Begun,
        /// What was said instead, shortened.
        said: String,
        /// The exit code of what ran instead, if it ended.
        code: Option<u32>,
    },
}

/// What a lost channel tells about the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The payload had not been handed over, so it cannot have begun through this channel.
    No,
    /// It may have begun: attach to find out.
    Maybe,
    /// It has begun.
    Yes,
}

/// What a tool published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The beginning, at most 1 MiB.
    pub bytes: Bytes,
    /// The real length in bytes.
    pub total: u64,
}

/// Why an execution did not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// The host's words.
    pub text: String,
}

/// Kinds of [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The disk is full, or the user's quota.
    DiskFull,
    /// No usable base directory, or one that another user has taken.
    Directory,
    /// A file or directory could not be written for another reason.
    Write,
    /// The payload was cut; the key is still free.
    Cut,
    /// The other user could not be become: wrong password, not allowed, no sudo.
    Become,
    /// The interpreter is not on the host.
    Interpreter,
    /// The working directory cannot be entered.
    Workdir,
    /// The worker died before it began; the key is closed.
    Worker,
}

impl Refusal {
    pub(crate) fn parse(reason: &str) -> Self {
        let (word, rest) = reason.split_once(' ').unwrap_or((reason, ""));
        let full = ["No space left", "quota exceeded", "Quota exceeded"].iter().any(|text| reason.contains(text));
        let kind = match word {
            "write" | "mkdir" | "base" if full => RefusalKind::DiskFull,
            "base" => RefusalKind::Directory,
            "cut" => RefusalKind::Cut,
            "become" => RefusalKind::Become,
            "interpreter" => RefusalKind::Interpreter,
            "workdir" => RefusalKind::Workdir,
            "worker" | "lost" => RefusalKind::Worker,
            _ => RefusalKind::Write,
        };
        let text = match kind {
            RefusalKind::DiskFull => format!("disk full: {rest}"),
            RefusalKind::Cut => "the connection ended while the payload was sent".to_owned(),
            RefusalKind::Directory | RefusalKind::Write | RefusalKind::Become => rest.to_owned(),
            RefusalKind::Interpreter | RefusalKind::Workdir | RefusalKind::Worker => reason.to_owned(),
        };
        Self { kind, text }
    }
}

/// The signal that an exit code of a shell stands for, most likely: 137 is 9. A script can exit with 137 by itself.
pub fn likely_signal(code: u32) -> Option<u32> {
    // ksh93 reports 256 + N, every other shell 128 + N.
    [256, 128].into_iter().filter_map(|base| code.checked_sub(base)).find(|n| (1..=64).contains(n))
}
