//! The inventory as it is written, and as it is read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Host, HostSettings, Hosts, resolve};
use crate::diagnostic::{Diagnosed, Diagnostics, Located, SourceFile};
use crate::selector::endpoint;
use crate::yaml::{self, Entries};

/// Hosts of one inventory: ten times the largest fleet that the product is made for.
pub const MAX_HOSTS: usize = 100_000;

/// Hosts, the groups that they are in, and how they are reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "autoexec inventory", example = example_inventory())]
pub struct Inventory {
    /// What holds for every host that does not say otherwise.
    #[serde(default)]
    pub defaults: HostSettings,
    /// Hosts outside of any group.
    #[serde(default)]
    pub hosts: Hosts,
    /// Groups of hosts and of other groups.
    #[serde(default)]
    pub groups: Entries<GroupEntry>,
}

/// A group of hosts and of other groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// Its hosts, as names or ranges: `web[01-40]`.
    #[serde(default)]
    pub hosts: Hosts,
    /// Variables of its hosts, for templates.
    #[serde(default)]
    pub vars: Entries<Located<Value>>,
    /// Labels of its hosts, for selectors.
    #[serde(default)]
    pub labels: Entries<Located<String>>,
    /// Groups inside it: their hosts are its hosts too.
    #[serde(default)]
    pub children: Vec<Located<String>>,
    /// How its hosts are reached, when they do not say otherwise.
    #[serde(default)]
    pub defaults: HostSettings,
}

/// The JSON Schema of inventories, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Inventory).to_value()
}

impl Inventory {
    /// Reads an inventory. What it means is checked by [`Inventory::resolve`].
    ///
    /// # Errors
    /// The first error of shape.
    pub fn parse(src: &SourceFile) -> Diagnosed<Self> {
        yaml::parse_up_to(src, yaml::MAX_INVENTORY)
    }

    /// Its hosts in the order of the file, each once, with everything that holds for it.
    ///
    /// # Errors
    /// Everything that is wrong with groups, ranges and settings; more than [`MAX_HOSTS`] hosts.
    pub fn resolve(&self, src: &SourceFile) -> Result<Vec<Host>, Diagnostics> {
        resolve::resolve(self, src)
    }

    /// An inventory of hosts named on a command line, each `[user@]host[:port]`. A host is named by its address; a port is part
    /// of the name, so that one address can be several targets.
    pub fn from_hosts<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut list = Vec::new();
        for name in names {
            let end = endpoint(name.as_ref());
            let shown = match end.port {
                Some(port) if end.host.contains(':') => format!("[{}]:{port}", end.host),
                Some(port) => format!("{}:{port}", end.host),
                None => end.host.to_owned(),
            };
            let settings = HostSettings {
                address: Some(end.host.into()),
                user: end.user.map(Into::into),
                port: end.port.map(Into::into),
                ..HostSettings::default()
            };
            list.push((shown, settings));
        }
        Self { hosts: Hosts::literal(list), ..Self::default() }
    }
}

fn example_inventory() -> Value {
    serde_json::json!({
        "defaults": { "user": "deploy", "port": 22 },
        "groups": {
            "web": {
                "hosts": { "web[01-40]": { "address": "10.0.1.{{ n }}", "labels": { "zone": "a1" } } },
                "vars": { "app": "shop" },
            },
            "db": { "hosts": { "db1": {}, "db2": { "port": 2222 } } },
            "all-eu": { "children": ["web", "db"] },
        },
    })
}
