//! Command lines for the host: fixed text, a key and numbers, nothing else.
//!
//! Each is one line, `exec sh -c '<program>' ax <words>`, that sh, bash, dash, ash, ksh, csh and fish read the same way.
//! The programs are the `.sh` files beside this one; `base.sh` begins each of them.

use super::minify::minify;
use crate::execution::{Become, BecomeMethod};
use crate::files::Digest;
use crate::key::ExecKey;
use std::fmt::{self, Write as _};
use std::sync::LazyLock;
use std::time::Duration;

const BASE: &str = concat!(include_str!("both.sh"), include_str!("base.sh"));
static RUN: LazyLock<String> = LazyLock::new(|| minify(&[BASE, include_str!("run.sh")]));
static KILL: LazyLock<String> = LazyLock::new(|| minify(&[BASE, include_str!("kill.sh")]));
static REMOVE: LazyLock<String> = LazyLock::new(|| minify(&[BASE, include_str!("remove.sh")]));
static PUSH: LazyLock<String> = LazyLock::new(|| minify(&[BASE, include_str!("push.sh")]));
static FETCH: LazyLock<String> = LazyLock::new(|| minify(&[BASE, include_str!("fetch.sh")]));
static WORK: LazyLock<String> = LazyLock::new(|| minify(&[include_str!("both.sh"), include_str!("work.sh")]));

/// The default for [`StartOptions::cap`]: 64 MiB of each stream.
pub const MAX_SENT: u64 = 64 << 20;

/// The directory cannot be the supervisor's base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a base directory is an absolute path of A-Z a-z 0-9 . _ - and /, not {0:?}")]
pub struct BadDirectory(pub String);

/// How far the two streams have been received: absolute positions in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Of standard output.
    pub stdout: u64,
    /// Of standard error.
    pub stderr: u64,
}

/// What a start needs besides its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOptions {
    /// For a start that repeats one whose fate is not known: how long ago the first try was. A host that was booted
    /// since may have lost the fence together with its disk cache, so it answers "lost" and starts nothing.
    pub first_try: Option<Duration>,
    /// Bytes of each stream that are kept and sent; what is written beyond is dropped and counted.
    pub cap: u64,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self { first_try: None, cap: MAX_SENT }
    }
}

/// Makes the command lines for one kind of host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supervisor {
    directory: Option<String>,
}

impl Supervisor {
    /// For hosts where the usual places are used: `$AUTOEXEC_DIR`, else `/var/tmp`, else `/tmp`.
    pub fn new() -> Self {
        Self::default()
    }

    /// For hosts where everything is kept below this directory, which must exist.
    pub fn in_directory(path: &str) -> Result<Self, BadDirectory> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        if path.starts_with('/') && path.len() <= 1024 && path.bytes().all(plain) {
            Ok(Self { directory: Some(path.to_owned()) })
        } else {
            Err(BadDirectory(path.to_owned()))
        }
    }

    /// Starts the execution whose payload is sent on stdin, or watches it from the beginning when its key is taken.
    pub fn start(&self, key: &ExecKey, options: StartOptions) -> String {
        // One second more, so that a fraction of a second never hides a reboot.
        let age = options.first_try.map_or(0, |age| age.as_secs() + 1);
        self.run(key, format_args!("start 0 0 {age}"), options.cap)
    }

    /// Watches an execution from the offsets; starts nothing. Stdin is not used.
    pub fn attach(&self, key: &ExecKey, from: Offsets, cap: u64) -> String {
        self.run(key, format_args!("attach {} {} 0", from.stdout, from.stderr), cap)
    }

    fn run(&self, key: &ExecKey, words: fmt::Arguments<'_>, cap: u64) -> String {
        let mut line = self.line(&RUN, key.as_str());
        let cap = cap.max(1);
        let _ = write!(line, " {words} {cap} '{}' 'eval \"$AXW\"'", *WORK);
        line
    }

    /// Ends an execution and everything it started: politely, then after `grace` (at most an hour) by force, then makes
    /// sure. What ran as another user is ended as that user. [`crate::ask::kill`] speaks with it.
    pub fn kill(&self, key: &ExecKey, grace: Duration, other: Option<&Become>) -> String {
        let tenths = grace.min(Duration::from_secs(3600)).as_millis().div_ceil(100);
        let user = match other {
            None => "-".to_owned(),
            Some(Become { method: BecomeMethod::Sudo, user, .. }) => format!("sudo:{user}"),
            Some(Become { method: BecomeMethod::Su, user, .. }) => format!("su:{user}"),
        };
        let asked = u8::from(other.is_some_and(|other| other.password.is_some()));
        let directory = self.directory();
        // The program is an argument, so that it can hand itself to sudo.
        let eval = "'eval \"$7\"'";
        format!("exec sh -c {eval} ax {directory} {key} outer {tenths} {user} {asked} '{}' {eval}", *KILL)
    }

    /// Removes what ended executions left; running ones are kept. A key that is removed can be started again, so remove
    /// only what is recorded elsewhere. At most some hundred keys at once: they travel on the command line.
    pub fn remove(&self, keys: &[ExecKey]) -> String {
        let mut line = self.line(&REMOVE, "-");
        line.push_str(" -");
        for key in keys {
            let _ = write!(line, " {key}");
        }
        line
    }

    /// Removes everything that ended and is older than `age` (in whole minutes): executions, cut transfers, pushed files.
    pub fn sweep(&self, age: Duration) -> String {
        format!("{} {}", self.line(&REMOVE, "-"), age.as_secs() / 60)
    }

    /// Keeps a file under its digest. [`crate::ask::push`] speaks with it.
    pub fn push(&self, digest: &Digest, size: u64, mode: u32) -> String {
        format!("{} {digest} {size} {:o}", self.line(&PUSH, "-"), mode & 0o777)
    }

    /// Sends a file of at most `limit` bytes. [`crate::ask::fetch`] speaks with it.
    pub fn fetch(&self, limit: u64) -> String {
        format!("{} {limit}", self.line(&FETCH, "-"))
    }

    fn directory(&self) -> &str {
        self.directory.as_deref().unwrap_or("-")
    }

    /// The beginning of most command lines.
    fn line(&self, program: &str, key: &str) -> String {
        format!("exec sh -c '{program}' ax {} {key}", self.directory())
    }
}
