//! Is this the host we mean? What is known is read before dialling, so that the host is asked for a key we can check.
//!
//! Can fail when a `known_hosts` file cannot be read or written, or a pinned key is no key.

use std::path::PathBuf;

use russh::keys::{Algorithm, PublicKey};

use super::append::{accept_new, read_known_hosts};
use super::error::{HostName, KnownAt, SshError};
use super::known_hosts::{Entry, Lookup, Marker, look_up, parse_known_hosts, shown_key};
use super::resolve::ResolvedTarget;
use super::target::HostKeyPolicy;

/// What is known about one host, and what to do with its key.
#[derive(Debug)]
pub(crate) struct HostKeyCheck {
    name: HostName,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    Known { entries: Vec<Entry>, plain: Vec<Entry>, learn: bool },
    Pinned(Vec<Pin>),
    Any,
}

#[derive(Debug)]
enum Pin {
    Fingerprint(String),
    Key(Box<PublicKey>),
}

impl HostKeyCheck {
    /// Reads what is known about the target's host.
    pub(crate) async fn read(target: &ResolvedTarget) -> Result<Self, SshError> {
        let name = HostName {
            label: target.label.clone(),
            known_as: target.known_as.clone(),
            host: target.host.clone(),
            port: target.port,
            file: target.known_hosts.first().cloned(),
        };
        let rule = match &target.host_key {
            HostKeyPolicy::No => Rule::Any,
            HostKeyPolicy::Pinned(pins) => Rule::Pinned(parse_pins(target, pins)?),
            policy @ (HostKeyPolicy::Verify | HostKeyPolicy::AcceptNew) => {
                read_rule(target, *policy == HostKeyPolicy::AcceptNew).await?
            }
        };
        Ok(Self { name, rule })
    }

    /// The types of the keys we know for the host.
    pub(crate) fn known_types(&self) -> Vec<Algorithm> {
        match &self.rule {
            Rule::Known { entries, plain, .. } => {
                let hosts = entries.iter().chain(plain).filter(|e| e.marker == Marker::Host);
                hosts.map(|e| e.key.algorithm()).collect()
            }
            Rule::Pinned(pins) => pins
                .iter()
                .filter_map(|pin| match pin {
                    Pin::Key(key) => Some(key.algorithm()),
                    Pin::Fingerprint(_) => None,
                })
                .collect(),
            Rule::Any => Vec::new(),
        }
    }

    /// Judges the key that the host has proved to hold.
    pub(crate) async fn judge(&self, offered: &PublicKey) -> Result<(), SshError> {
        match &self.rule {
            Rule::Any => Ok(()),
            Rule::Pinned(pins) => self.judge_pinned(pins, offered),
            Rule::Known { entries, plain, learn } => match look_up(entries, plain, offered) {
                Lookup::Unknown { .. } if *learn => self.learn(offered).await,
                verdict => self.verdict(verdict, offered),
            },
        }
    }

    fn judge_pinned(&self, pins: &[Pin], offered: &PublicKey) -> Result<(), SshError> {
        let shown = shown_key(offered);
        let is_it = |pin: &Pin| match pin {
            Pin::Fingerprint(text) => *text == shown.fingerprint,
            Pin::Key(key) => key.key_data() == offered.key_data(),
        };
        if pins.iter().any(is_it) {
            return Ok(());
        }
        let known = pins.iter().map(|pin| KnownAt {
            file: PathBuf::new(),
            line: 0,
            key: match pin {
                Pin::Fingerprint(text) => text.clone(),
                Pin::Key(key) => shown_key(key).to_string(),
            },
        });
        self.verdict(Lookup::Mismatch(known.collect()), offered)
    }

    /// Writes the key down. The file may have learned the host meanwhile: what it says then counts.
    async fn learn(&self, offered: &PublicKey) -> Result<(), SshError> {
        let Some(path) = self.name.file.clone() else {
            let why = "there is no home folder to remember the key in; name a known hosts file".to_owned();
            return Err(SshError::Config { target: self.name.label.clone(), why });
        };
        let (file, name, key) = (path.clone(), self.name.known_as.clone(), offered.clone());
        let written = tokio::task::spawn_blocking(move || accept_new(&file, &name, &key)).await;
        let verdict = written.unwrap_or_else(|e| Err(std::io::Error::other(e)));
        match verdict.map_err(|e| known_hosts_error(&self.name.label, path, &e))? {
            Lookup::Unknown { .. } => {
                tracing::info!(target = %self.name, key = %shown_key(offered), "host key accepted for the first time");
                Ok(())
            }
            verdict => self.verdict(verdict, offered),
        }
    }

    fn verdict(&self, verdict: Lookup, offered: &PublicKey) -> Result<(), SshError> {
        let (target, offered) = (Box::new(self.name.clone()), shown_key(offered));
        match verdict {
            Lookup::Known => Ok(()),
            Lookup::Mismatch(known) => Err(SshError::HostKeyMismatch { target, offered, known }),
            Lookup::Revoked(known) => Err(SshError::HostKeyRevoked { target, offered, known: Box::new(known) }),
            Lookup::Unknown { authority } => {
                let note = authority.map_or_else(String::new, |at| {
                    format!(
                        " (certificates of the authority at {}:{} are not supported yet)",
                        at.file.display(),
                        at.line
                    )
                });
                Err(SshError::HostKeyUnknown { target, offered, note })
            }
        }
    }
}

async fn read_rule(target: &ResolvedTarget, learn: bool) -> Result<Rule, SshError> {
    let (label, files) = (target.label.clone(), target.known_hosts.clone());
    let (name, plain_name) = (vec![target.known_as.clone()], target.known_as_plain.clone());
    // A known_hosts of a fleet is megabytes of hashed names: not on the threads that carry the connections.
    let read = tokio::task::spawn_blocking(move || {
        let (mut entries, mut plain) = (Vec::new(), Vec::new());
        for file in files {
            let text = read_known_hosts(&file).map_err(|e| known_hosts_error(&label, file.clone(), &e))?;
            let Some(text) = text else { continue };
            entries.extend(parse_known_hosts(&text, &file, &name));
            if let Some(plain_name) = &plain_name {
                plain.extend(parse_known_hosts(&text, &file, std::slice::from_ref(plain_name)));
            }
        }
        Ok(Rule::Known { entries, plain, learn })
    });
    let join_error = |e: tokio::task::JoinError| SshError::Config { target: target.label.clone(), why: e.to_string() };
    read.await.map_err(join_error)?
}

fn known_hosts_error(label: &str, path: PathBuf, error: &std::io::Error) -> SshError {
    SshError::KnownHosts { target: label.to_owned(), path, why: error.to_string() }
}

fn parse_pins(target: &ResolvedTarget, pins: &[String]) -> Result<Vec<Pin>, SshError> {
    let wrong = |why: String| SshError::Config { target: target.label.clone(), why };
    if pins.is_empty() {
        return Err(wrong("the list of pinned host keys is empty".into()));
    }
    let parse = |pin: &String| match pin.trim().strip_prefix("SHA256:") {
        Some(digest) => Ok(Pin::Fingerprint(format!("SHA256:{}", digest.trim_end_matches('=')))),
        None => PublicKey::from_openssh(pin.trim())
            .map(|key| Pin::Key(Box::new(key)))
            .map_err(|_| wrong(format!("`{pin}` is neither a `SHA256:` fingerprint nor a public key"))),
    };
    pins.iter().map(parse).collect()
}
