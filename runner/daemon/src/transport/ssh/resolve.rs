//! Inventory, `ssh_config` and defaults put together: everything that dialling a target needs, decided.
//!
//! Can fail when the `ssh_config` cannot be read or understood, a jump host is not one, or jump hosts lead to each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::HostConfig;
use super::config_files::host_config;
use super::environment::SshEnvironment;
use super::error::SshError;
use super::jump::{JumpHost, parse_jumps};
use super::known_hosts::recorded_name;
use super::secret::Secret;
use super::target::{HostKeyPolicy, SshAuth, SshTarget};

/// Jump hosts in one chain. More is a loop between `ssh_config` blocks.
const MAX_HOPS: usize = 8;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(15);
const DEFAULT_IDENTITIES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A target with every question answered.
#[derive(Debug, Clone)]
pub struct ResolvedTarget {
    /// What messages call it: the inventory's name, and the address when that says more.
    pub label: String,
    /// Host name or address to dial.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Remote user.
    pub user: String,
    /// How the host is recognised.
    pub host_key: HostKeyPolicy,
    /// The name that `known_hosts` is asked for.
    pub known_as: String,
    /// The same without the port, when a key recorded that way counts too.
    pub known_as_plain: Option<String>,
    /// `known_hosts` files, the first one written by `accept-new`.
    pub known_hosts: Vec<PathBuf>,
    /// Time for the whole connection.
    pub connect_timeout: Duration,
    /// Time between signs of life; `None` is never.
    pub keepalive: Option<Duration>,
    /// The jump host before this target, with its own jump host, and so on.
    pub via: Option<Box<ResolvedTarget>>,
    /// Other connections go through it, so its buffers must not couple them.
    pub(crate) carries_tunnels: bool,
    /// What `ssh_config` says that we do not do, for people.
    pub warnings: Vec<String>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) passphrase: Option<Secret>,
    pub(crate) password: Option<Secret>,
    pub(crate) agent_socket: Option<PathBuf>,
    /// Offer every key of the agent, not only those named by a file.
    pub(crate) agent_offers_all: bool,
}

/// A private key file and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
}

/// Who named a key file decides what happens when it cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The inventory: an unusable file is an error.
    Inventory,
    /// `ssh_config`: an unusable file is told among what was tried.
    SshConfig,
    /// The usual names: a missing file is nothing.
    Default,
}

impl SshTarget {
    /// Decides what the inventory leaves open. Reads `ssh_config` (and nothing else) from the disk.
    ///
    /// # Errors
    /// [`SshError::Config`] with the file and line, or the jump host, that cannot be used.
    pub fn resolve(&self, env: &SshEnvironment) -> Result<ResolvedTarget, SshError> {
        resolve_at(self, env, 0)
    }

    /// The same target behind these jump hosts, as an inventory names them: they share the target's keys, agent, host key policy and
    /// files, and take the rest from their own `ssh_config` blocks.
    #[must_use]
    pub fn behind(&self, hops: Vec<JumpHost>) -> Self {
        let jumps = hops.into_iter().map(|hop| hop_target(self, hop)).collect();
        Self { jumps: Some(jumps), ..self.clone() }
    }
}

impl ResolvedTarget {
    /// The jump hosts on the way, the first one dialled first.
    pub fn hops(&self) -> Vec<&ResolvedTarget> {
        let mut hops: Vec<&Self> = std::iter::successors(self.via.as_deref(), |hop| hop.via.as_deref()).collect();
        hops.reverse();
        hops
    }
}

fn resolve_at(target: &SshTarget, env: &SshEnvironment, depth: usize) -> Result<ResolvedTarget, SshError> {
    let wrong = |why: String| SshError::Config { target: target.name.clone(), why };
    if depth > MAX_HOPS {
        return Err(wrong(format!("more than {MAX_HOPS} jump hosts; do their ssh config blocks lead to each other?")));
    }
    let config = merged_config(target, env)?;
    let host = target.address.clone().or_else(|| config.host_name.clone()).unwrap_or_else(|| target.name.clone());
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = target.port.or(config.port).unwrap_or(22);
    let user = target.user.clone().or_else(|| config.user.clone()).or_else(|| env.user.clone());
    let user = user.ok_or_else(|| wrong("no user: name one with `user:`".into()))?;
    if host.is_empty() || port == 0 {
        return Err(wrong("the address is empty or the port is 0".into()));
    }
    let tokens = Tokens { host: &host, port, user: &user, env };
    let identities = identities(&target.auth, &config, &tokens);
    let policy = match &target.host_key {
        Some(policy) => policy.clone(),
        None => policy_of(config.strict.as_deref()).map_err(wrong)?,
    };
    let alias = config.alias.clone();
    Ok(ResolvedTarget {
        label: label(&target.name, &host, port),
        known_as: alias.clone().map_or_else(|| recorded_name(&host, port), |a| a.to_ascii_lowercase()),
        known_as_plain: (alias.is_none() && port != 22).then(|| recorded_name(&host, 22)),
        host_key: policy,
        known_hosts: known_hosts_files(target, &config, &tokens),
        connect_timeout: timeout(target, &config),
        keepalive: target.keepalive.or_else(|| keepalive_of(&config)).filter(|d| !d.is_zero()),
        via: via(target, &config, env, depth)?.map(Box::new),
        carries_tunnels: false,
        warnings: config.warnings.clone(),
        identities,
        passphrase: target.auth.passphrase.clone(),
        password: target.auth.password.clone(),
        agent_socket: env.agent_socket.clone().filter(|_| target.auth.agent),
        agent_offers_all: !config.identities_only.unwrap_or(false),
        host,
        port,
        user,
    })
}

/// `Host` patterns are asked with the inventory's name first, then with the address: both are names people write there.
fn merged_config(target: &SshTarget, env: &SshEnvironment) -> Result<HostConfig, SshError> {
    let ask = |host: &str| {
        host_config(&target.ssh_config, host, env)
            .map_err(|e| SshError::Config { target: target.name.clone(), why: format!("ssh config {e}") })
    };
    let named = ask(&target.name)?;
    let Some(address) = target.address.as_deref().filter(|address| *address != target.name) else { return Ok(named) };
    let addressed = ask(address)?;
    let mut identity_files = named.identity_files;
    for file in addressed.identity_files {
        if !identity_files.contains(&file) {
            identity_files.push(file);
        }
    }
    Ok(HostConfig {
        host_name: None,
        user: named.user.or(addressed.user),
        port: named.port.or(addressed.port),
        identity_files,
        identities_only: named.identities_only.or(addressed.identities_only),
        proxy_jump: named.proxy_jump.or(addressed.proxy_jump),
        known_hosts: named.known_hosts.or(addressed.known_hosts),
        strict: named.strict.or(addressed.strict),
        connect_timeout: named.connect_timeout.or(addressed.connect_timeout),
        alive_interval: named.alive_interval.or(addressed.alive_interval),
        alias: named.alias.or(addressed.alias),
        warnings: named.warnings,
    })
}

fn label(name: &str, host: &str, port: u16) -> String {
    match (name == host, port) {
        (true, 22) => name.to_owned(),
        (true, port) => format!("{name}:{port}"),
        (false, _) => format!("{name} ({})", recorded_name(host, port)),
    }
}

fn timeout(target: &SshTarget, config: &HostConfig) -> Duration {
    let configured = config.connect_timeout.filter(|s| *s > 0).map(|s| Duration::from_secs(s.into()));
    target.connect_timeout.or(configured).unwrap_or(DEFAULT_TIMEOUT)
}

/// `ServerAliveInterval 0` is OpenSSH's default and would leave a dead connection unnoticed for ever, so it does not count.
fn keepalive_of(config: &HostConfig) -> Option<Duration> {
    let configured = config.alive_interval.filter(|s| *s > 0).map(|s| Duration::from_secs(s.into()));
    Some(configured.unwrap_or(DEFAULT_KEEPALIVE))
}

fn policy_of(strict: Option<&str>) -> Result<HostKeyPolicy, String> {
    match strict {
        None | Some("yes" | "true" | "ask") => Ok(HostKeyPolicy::Verify),
        Some("accept-new") => Ok(HostKeyPolicy::AcceptNew),
        Some("no" | "false" | "off") => Ok(HostKeyPolicy::No),
        Some(other) => Err(format!("ssh config: StrictHostKeyChecking `{other}` is none of yes, ask, accept-new, no")),
    }
}

fn known_hosts_files(target: &SshTarget, config: &HostConfig, tokens: &Tokens<'_>) -> Vec<PathBuf> {
    if !target.known_hosts.is_empty() {
        return target.known_hosts.iter().map(|p| tokens.env.expand(p)).collect();
    }
    let mut files: Vec<PathBuf> = match &config.known_hosts {
        Some(files) => files.iter().filter(|f| !f.eq_ignore_ascii_case("none")).map(|f| tokens.path(f)).collect(),
        None => tokens.env.ssh_dir().map(|dir| dir.join("known_hosts")).into_iter().collect(),
    };
    files.push(PathBuf::from("/etc/ssh/ssh_known_hosts"));
    files
}

fn identities(auth: &SshAuth, config: &HostConfig, tokens: &Tokens<'_>) -> Vec<Identity> {
    let with = |origin: Origin| move |path: PathBuf| Identity { path, origin };
    if !auth.identity_files.is_empty() {
        return auth.identity_files.iter().map(|p| tokens.env.expand(p)).map(with(Origin::Inventory)).collect();
    }
    if !config.identity_files.is_empty() {
        let files = config.identity_files.iter().filter(|f| !f.eq_ignore_ascii_case("none"));
        return files.map(|f| tokens.path(f)).map(with(Origin::SshConfig)).collect();
    }
    let dir = tokens.env.ssh_dir().filter(|_| auth.default_identities);
    dir.iter().flat_map(|dir| DEFAULT_IDENTITIES.map(|name| dir.join(name))).map(with(Origin::Default)).collect()
}

/// What `%h` and its like stand for in a path of `ssh_config`.
struct Tokens<'a> {
    host: &'a str,
    port: u16,
    user: &'a str,
    env: &'a SshEnvironment,
}

impl Tokens<'_> {
    fn path(&self, text: &str) -> PathBuf {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('h') => out.push_str(self.host),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(self.user),
                Some('u') => out.push_str(self.env.user.as_deref().unwrap_or("")),
                Some('d') => {
                    out.push_str(&self.env.home.as_ref().map_or_else(String::new, |h| h.display().to_string()))
                }
                Some('%') | None => out.push('%'),
                Some(other) => {
                    out.push('%');
                    out.push(other);
                }
            }
        }
        self.env.expand(Path::new(&out))
    }
}

/// The hop right before the target, linked to the ones before it.
fn via(
    target: &SshTarget,
    config: &HostConfig,
    env: &SshEnvironment,
    depth: usize,
) -> Result<Option<ResolvedTarget>, SshError> {
    let chain = match (&target.jumps, &config.proxy_jump) {
        (Some(jumps), _) => jumps.clone(),
        (None, Some(text)) => {
            let hosts = parse_jumps(text).map_err(|why| SshError::Config { target: target.name.clone(), why })?;
            hosts.into_iter().map(|hop| hop_target(target, hop)).collect()
        }
        (None, None) => return Ok(None),
    };
    let mut previous: Option<ResolvedTarget> = None;
    for (index, mut hop) in chain.into_iter().enumerate() {
        // Only the first hop may have jump hosts of its own: the others are reached through the one before.
        if index > 0 {
            hop.jumps = Some(Vec::new());
        }
        let mut resolved = resolve_at(&hop, env, depth + 1 + index)?;
        if let Some(before) = previous.take() {
            resolved.via = Some(Box::new(before));
        }
        resolved.label = format!("jump host {} of {}", resolved.label, target.name);
        resolved.carries_tunnels = true;
        previous = Some(resolved);
    }
    Ok(previous)
}

/// A hop that `ProxyJump` names: keys, agent, host key policy and files are the target's, the rest is its own `ssh_config` block's.
/// The password is not passed on: it belongs to the target's account.
fn hop_target(target: &SshTarget, hop: JumpHost) -> SshTarget {
    SshTarget {
        name: hop.host,
        address: None,
        port: hop.port,
        user: hop.user,
        auth: SshAuth { password: None, ..target.auth.clone() },
        // A pinned key is the target's alone.
        host_key: target.host_key.clone().filter(|policy| !matches!(policy, HostKeyPolicy::Pinned(_))),
        known_hosts: target.known_hosts.clone(),
        connect_timeout: target.connect_timeout,
        keepalive: target.keepalive,
        jumps: None,
        ssh_config: target.ssh_config.clone(),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
