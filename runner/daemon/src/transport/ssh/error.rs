//! What can go wrong between us and a command on a host, one variant per thing that failed, with the next step as a hint.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A host key as people compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// The key's type as OpenSSH writes it (`ssh-ed25519`).
    pub algorithm: String,
    /// `SHA256:` and the unpadded base64 of the digest.
    pub fingerprint: String,
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.fingerprint)
    }
}

/// Where a key that we know stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAt {
    /// The `known_hosts` file; empty for a pinned key.
    pub file: PathBuf,
    /// Its line, counted from 1; 0 for a pinned key.
    pub line: usize,
    /// The key on that line.
    pub key: String,
}

impl fmt::Display for KnownAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{} (pinned)", self.key),
            line => write!(f, "{} ({}:{line})", self.key, self.file.display()),
        }
    }
}

/// How dialling failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nobody listens on the port, or a firewall rejects.
    Refused,
    /// No answer in time.
    Timeout,
    /// No route to the host or the network.
    Unreachable,
    /// The host accepted and closed again before it said who it is (as `MaxStartups` does).
    Dropped,
    /// A jump host would not or could not reach it.
    Jump,
    /// Anything else, such as no free file descriptor.
    Other,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::Timeout => "timed out",
            Self::Unreachable => "unreachable",
            Self::Dropped => "closed before the banner",
            Self::Jump => "refused by the jump host",
            Self::Other => "failed",
        })
    }
}

/// The steps of making a connection, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Name to addresses.
    Resolve,
    /// Until the TCP connection (or the jump host's channel) stands.
    Tcp,
    /// Until the other side has said `SSH-2.0-...`.
    Banner,
    /// Until keys are agreed and the host key is accepted.
    KeyExchange,
    /// Until the user is accepted.
    Authentication,
    /// A command is being opened.
    Exec,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::Tcp => "tcp",
            Self::Banner => "banner",
            Self::KeyExchange => "key exchange",
            Self::Authentication => "authentication",
            Self::Exec => "exec",
        })
    }
}

/// Why a target was not reached, or a command on it was lost. Cheap to clone: everyone who waits for one connection gets a copy.
#[derive(Debug, Clone, Error)]
pub enum SshError {
    /// What the inventory or `ssh_config` says cannot be used.
    #[error("{target}: {why}")]
    Config { target: String, why: String },
    /// The host name has no address.
    #[error("{target}: cannot resolve `{host}`: {why}")]
    Resolve { target: String, host: String, why: String },
    /// No connection to the port.
    #[error("{target}: {failure} ({phase}): {why}")]
    Connect { target: String, failure: ConnectFailure, phase: Phase, why: String },
    /// The port accepts connections, and nothing comes back.
    #[error("{target}: accepted the connection and said nothing for {} s", waited.as_secs_f32())]
    Silent { target: String, waited: Duration },
    /// The host's key is in no `known_hosts` file.
    #[error("{target}: host key is not known: {offered}{note}")]
    HostKeyUnknown { target: Box<HostName>, offered: HostKey, note: String },
    /// The host's key is not the one we know.
    #[error("{target}: host key does not match: offered {offered}, known {}", listed(known))]
    HostKeyMismatch { target: Box<HostName>, offered: HostKey, known: Vec<KnownAt> },
    /// The host's key is marked `@revoked`.
    #[error("{target}: host key {offered} is revoked at {known}")]
    HostKeyRevoked { target: Box<HostName>, offered: HostKey, known: Box<KnownAt> },
    /// An accepted key could not be written, or a `known_hosts` file could not be read.
    #[error("{target}: known hosts file {}: {why}", path.display())]
    KnownHosts { target: String, path: PathBuf, why: String },
    /// The host took none of our proofs.
    #[error("{target}: authentication failed as `{user}`: {why}; tried {}", tried_list(tried))]
    Authentication { target: String, user: String, why: String, tried: Vec<String> },
    /// A private key file cannot be used.
    #[error("{target}: key file {}: {why}", path.display())]
    KeyFile { target: String, path: PathBuf, why: String },
    /// The host allows no further command on this connection.
    #[error("{target}: no further session on this connection: {why}")]
    SessionLimit { target: String, why: String },
    /// The connection broke.
    #[error("{target}: connection lost: {why}")]
    Lost {
        target: String,
        why: String,
        /// Whether a command may have been started. False when it broke before one was sent.
        maybe_started: bool,
    },
    /// The other side does not speak SSH as we understand it.
    #[error("{target}: protocol error ({phase}): {why}")]
    Protocol { target: String, phase: Phase, why: String },
}

/// A target's label together with what is needed to print a command about its host keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// The target's label in messages.
    pub label: String,
    /// The name under which `known_hosts` is searched (`host`, or `[host]:port`).
    pub known_as: String,
    /// Host to scan.
    pub host: String,
    /// Port to scan.
    pub port: u16,
    /// The file that `accept-new` would write.
    pub file: Option<PathBuf>,
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl SshError {
    /// True when no command can have been started on the target. False only for a [`SshError::Lost`] after a command was sent.
    pub fn was_before_start(&self) -> bool {
        !matches!(self, Self::Lost { maybe_started: true, .. })
    }

    /// The target's label.
    pub fn target(&self) -> &str {
        match self {
            Self::Config { target, .. }
            | Self::Resolve { target, .. }
            | Self::Connect { target, .. }
            | Self::Silent { target, .. }
            | Self::KnownHosts { target, .. }
            | Self::Authentication { target, .. }
            | Self::KeyFile { target, .. }
            | Self::SessionLimit { target, .. }
            | Self::Lost { target, .. }
            | Self::Protocol { target, .. } => target,
            Self::HostKeyUnknown { target, .. }
            | Self::HostKeyMismatch { target, .. }
            | Self::HostKeyRevoked { target, .. } => &target.label,
        }
    }

    /// What a person can do about it: a command, a setting, or what to look at.
    pub fn hint(&self) -> String {
        match self {
            Self::Config { .. } => {
                "correct the inventory or the ssh config; `ssh -G HOST` shows what OpenSSH reads".into()
            }
            Self::Resolve { host, .. } => {
                format!("check the spelling with `getent hosts {host}`, or set `address:` for the target")
            }
            Self::Connect { failure, .. } => connect_hint(*failure).into(),
            Self::Silent { .. } => {
                "something accepts on that port but is not answering; is sshd overloaded or the port a proxy's?".into()
            }
            Self::HostKeyUnknown { target, offered, .. } => unknown_hint(target, offered),
            Self::HostKeyMismatch { target, known, .. } => mismatch_hint(target, known),
            Self::HostKeyRevoked { .. } => "do not connect; the key was withdrawn, give the host a new one".into(),
            Self::KnownHosts { path, .. } => format!("make {} readable and writable for this user", path.display()),
            Self::Authentication { user, .. } => {
                format!("check `user:` (now `{user}`) and `key:` of the target, and authorized_keys on it")
            }
            Self::KeyFile { path, .. } => {
                format!("look at it with `ls -l {0}` and `ssh-keygen -y -f {0}`", path.display())
            }
            Self::SessionLimit { .. } => {
                "raise MaxSessions in the target's sshd_config, or run fewer commands at once on it".into()
            }
            Self::Lost { .. } => {
                "the target's sshd, the network or the host went away; the command may still be running".into()
            }
            Self::Protocol { .. } => "is this port an SSH server? `ssh -v` shows what it says".into(),
        }
    }
}

fn connect_hint(failure: ConnectFailure) -> &'static str {
    match failure {
        ConnectFailure::Refused => "is sshd running there, and is `port:` right?",
        ConnectFailure::Timeout => "is the host up and not behind a firewall? `connect_timeout:` may be raised",
        ConnectFailure::Unreachable => "there is no route to this address from here; a jump host may be needed",
        ConnectFailure::Dropped => "sshd closed at once: MaxStartups reached, or this address is blocked there",
        ConnectFailure::Jump => {
            "the jump host must be allowed to forward (AllowTcpForwarding) and able to reach the target"
        }
        ConnectFailure::Other => "the reason above comes from this machine's operating system",
    }
}

fn unknown_hint(target: &HostName, offered: &HostKey) -> String {
    let scan_type = offered.algorithm.trim_start_matches("ssh-").trim_start_matches("ecdsa-sha2-");
    let scan_type = if scan_type.starts_with("nistp") { "ecdsa" } else { scan_type };
    let file = target.file.as_ref().map_or_else(|| "~/.ssh/known_hosts".into(), |f| f.display().to_string());
    format!(
        "compare the fingerprint, then `ssh-keyscan -p {} -t {scan_type} {} >> {file}`; or set `host_key: accept-new`",
        target.port, target.host
    )
}

fn mismatch_hint(target: &HostName, known: &[KnownAt]) -> String {
    match known.iter().find(|k| k.line > 0) {
        Some(k) => format!(
            "if the host was reinstalled, forget its old key with `ssh-keygen -R '{}' -f {}`; if not, somebody may be in between",
            target.known_as,
            k.file.display()
        ),
        None => "if the host was reinstalled, correct the pinned key; if not, somebody may be in between".into(),
    }
}

fn listed(known: &[KnownAt]) -> String {
    known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn tried_list(tried: &[String]) -> String {
    if tried.is_empty() { "nothing".into() } else { tried.join(", ") }
}
