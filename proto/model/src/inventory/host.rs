//! One host with everything that holds for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::millis::Millis;
use crate::plan::{Connection, HostKeyCheck, SimOptions, Target, Transport};
use crate::selector::Selectable;
use crate::spec::{BecomeSpec, CredentialRef, Defaults};

/// One host of a resolved inventory. What nobody said is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its name, unique in the inventory.
    pub name: String,
    /// Host name or address.
    pub address: String,
    /// Port.
    pub port: Option<u16>,
    /// User to log in as.
    pub user: Option<String>,
    /// How it is reached.
    pub transport: Transport,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The groups that it is in, with their ancestors.
    pub groups: BTreeSet<String>,
    /// Variables of the host and its groups.
    pub vars: Map<String, Value>,
    /// Path of the private key on the runner.
    pub key: Option<String>,
    /// Where the password or passphrase is found.
    pub password: Option<CredentialRef>,
    /// Jump hosts, nearest to the runner first.
    pub jump: Vec<String>,
    /// How its host key is checked.
    pub host_key: Option<HostKeyCheck>,
    /// Path of the known-hosts file on the runner.
    pub known_hosts: Option<String>,
    /// Whether `~/.ssh/config` is read.
    pub ssh_config: bool,
    /// Time to connect and log in.
    pub connect_timeout: Option<Millis>,
    /// Encoding of its output when that is not UTF-8.
    pub encoding: Option<String>,
    /// Folder on the host for attempts.
    pub work_dir: Option<String>,
    /// Whose rights steps on it run with, unless the job or the step says.
    pub become_user: Option<BecomeSpec>,
    /// How it behaves; only for [`Transport::Sim`], and then always there.
    pub sim: Option<SimOptions>,
}

impl Host {
    /// The host as a plan's target. The job's defaults stand where the inventory says nothing.
    pub fn to_target(&self, job: &Defaults) -> Target {
        let host_key = self.host_key.clone().or_else(|| job.host_key.as_ref().map(|check| check.value.0.clone()));
        let connection = Connection {
            key: self.key.clone(),
            password: self.password.as_ref().map(ToString::to_string),
            host_key: host_key.unwrap_or_default(),
            known_hosts: self.known_hosts.clone(),
            jump: self.jump.clone(),
            connect_timeout: self.connect_timeout.or_else(|| job.connect_timeout.as_ref().map(|time| time.value)),
            ssh_config: self.ssh_config,
            encoding: self.encoding.clone(),
            work_dir: self.work_dir.clone(),
            sim: self.sim.clone(),
        };
        Target {
            name: self.name.clone(),
            address: self.address.clone(),
            transport: self.transport,
            port: self.port,
            user: self.user.clone(),
            labels: self.labels.clone(),
            groups: self.groups.clone(),
            vars: self.vars.clone(),
            connection,
        }
    }
}

impl Selectable for Host {
    fn name(&self) -> &str {
        &self.name
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    fn in_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }
}
