//! A target as the inventory describes it. What is `None` or empty is decided by `~/.ssh/config`, then by the defaults.

use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;

/// What an engineer says about reaching one host. Explicit values here win over `ssh_config`, which wins over the defaults.
#[derive(Debug, Clone, Default)]
pub struct SshTarget {
    /// The inventory's name: used in messages, matched against `Host` patterns, and the address when none is given.
    pub name: String,
    /// Host name or address to dial.
    pub address: Option<String>,
    /// TCP port. Default 22.
    pub port: Option<u16>,
    /// Remote user. Default: the local user.
    pub user: Option<String>,
    /// How to prove who we are.
    pub auth: SshAuth,
    /// How to know the host. Default: [`HostKeyPolicy::Verify`].
    pub host_key: Option<HostKeyPolicy>,
    /// The `known_hosts` files; the first one is where `accept-new` writes.
    /// Default: `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`.
    pub known_hosts: Vec<PathBuf>,
    /// The time for resolve, TCP, banner, key exchange and authentication together. Default 10 s.
    pub connect_timeout: Option<Duration>,
    /// How often a silent connection is asked for a sign of life; it is given up after three unanswered ones. Default 15 s.
    pub keepalive: Option<Duration>,
    /// The jump hosts, the first one dialled first. `Some(vec![])` is a direct connection whatever `ssh_config` says.
    pub jumps: Option<Vec<SshTarget>>,
    /// Whether `ssh_config` is read.
    pub ssh_config: SshConfigUse,
}

impl SshTarget {
    /// A target of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// How to prove who we are. What is set is tried in the order of the fields; what was tried is told when all of it fails.
#[derive(Debug, Clone)]
pub struct SshAuth {
    /// Private key files, in order. When empty: those of `ssh_config`, else `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`.
    pub identity_files: Vec<PathBuf>,
    /// Opens encrypted key files.
    pub passphrase: Option<Secret>,
    /// Whether the ssh-agent's keys are offered.
    pub agent: bool,
    /// Whether the usual files under `~/.ssh` are tried when nobody names one.
    pub default_identities: bool,
    /// For the methods `password` and `keyboard-interactive` (only when that one asks for nothing else).
    pub password: Option<Secret>,
}

impl Default for SshAuth {
    fn default() -> Self {
        Self { identity_files: Vec::new(), passphrase: None, agent: true, default_identities: true, password: None }
    }
}

/// How a host proves that it is the one we mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// The key must be in `known_hosts`.
    Verify,
    /// The key of a host that is not known yet is written to `known_hosts`; a key that differs is still refused.
    AcceptNew,
    /// Only these keys: `SHA256:...` fingerprints or public keys (`ssh-ed25519 AAAA...`). `known_hosts` is not read.
    Pinned(Vec<String>),
    /// Any key. Whoever answers on the network gets our commands.
    No,
}

/// Which `ssh_config` takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SshConfigUse {
    /// `~/.ssh/config`, if it exists.
    #[default]
    Default,
    /// This file, which must exist.
    File(PathBuf),
    /// None.
    Off,
}
