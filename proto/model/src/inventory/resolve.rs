//! From the file to the flat list of hosts: groups in order, ranges expanded, settings merged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Map;

use super::host::Host;
use super::hosts::{HostEntry, Hosts};
use super::settings::{HostSettings, SimSpec};
use super::template::{Filler, Subject};
use super::tree::Tree;
use super::{GroupEntry, Inventory, MAX_HOSTS};
use crate::diagnostic::{Diagnostics, Located, SourceFile};
use crate::millis::Millis;
use crate::nodeset;
use crate::plan::{SimOptions, Transport};
use crate::spec::{BecomeSpec, CredentialError, CredentialSpec};
use crate::yaml::Entries;

/// Time of a step on a simulated host that says nothing: about that of a real command on a warm connection.
const SIM_LATENCY: Millis = Millis::from_millis(20);

/// How often hosts may be named altogether: every host of the largest inventory in a few groups.
const MAX_NAMED: usize = 5 * MAX_HOSTS;

pub(super) fn resolve(inventory: &Inventory, src: &SourceFile) -> Result<Vec<Host>, Diagnostics> {
    let tree = Tree::build(inventory, src)?;
    let named = collect(inventory, &tree, src)?;
    let mut merger = Merger { defaults: &inventory.defaults, tree: &tree, filler: Filler::new(src) };
    merger.check_credentials(inventory, src);
    let hosts = named.iter().map(|one| merger.host(one)).collect();
    merger.filler.found.or(hosts)
}

/// A host as far as the file names it.
struct Named<'a> {
    name: String,
    number: Option<String>,
    /// Its own settings, the weakest first.
    own: Vec<&'a HostSettings>,
    groups: BTreeSet<usize>,
}

/// Hosts in the order in which the file names them first.
fn collect<'a>(inventory: &'a Inventory, tree: &Tree<'a>, src: &SourceFile) -> Result<Vec<Named<'a>>, Diagnostics> {
    let mut collector =
        Collector { src, index: HashMap::new(), hosts: Vec::new(), named: 0, found: Diagnostics::new() };
    let alone = |collector: &mut Collector<'a, '_>| collector.take(&inventory.hosts, None);
    if hosts_come_first(inventory) {
        alone(&mut collector)?;
    }
    for (index, group) in tree.entries.iter().enumerate() {
        collector.take(&group.hosts, Some(index))?;
    }
    if !hosts_come_first(inventory) {
        alone(&mut collector)?;
    }
    collector.found.or(collector.hosts)
}

/// Whether the hosts outside of groups are written before the groups.
fn hosts_come_first(inventory: &Inventory) -> bool {
    let first_host = inventory.hosts.entries().first().and_then(|entry| entry.pattern.place);
    let first_group = inventory.groups.iter().next().and_then(|(name, _)| name.place);
    match (first_host, first_group) {
        (Some(host), Some(group)) => host < group,
        _ => true, // not our enum: two options
    }
}

struct Collector<'a, 's> {
    src: &'s SourceFile,
    index: HashMap<String, usize>,
    hosts: Vec<Named<'a>>,
    named: usize,
    found: Diagnostics,
}

impl<'a> Collector<'a, '_> {
    /// One list of hosts. Fails at once when there are too many; other errors are collected.
    fn take(&mut self, hosts: &'a Hosts, group: Option<usize>) -> Result<(), Diagnostics> {
        for entry in hosts.entries() {
            let Some(parts) = self.expand(entry) else { continue };
            self.named += parts.len();
            for (name, number) in parts {
                self.note(name, number, &entry.settings, group);
            }
            if self.hosts.len() > MAX_HOSTS || self.named > MAX_NAMED {
                let error =
                    self.src.error(entry.pattern.place, format!("the inventory has more than {MAX_HOSTS} hosts"));
                self.found.push(error.hint("split it, and give each job the part that it needs"));
                return Err(std::mem::take(&mut self.found));
            }
        }
        Ok(())
    }

    fn expand(&mut self, entry: &HostEntry) -> Option<Vec<(String, Option<String>)>> {
        if entry.literal {
            return Some(vec![(entry.pattern.value.clone(), None)]);
        }
        let place = entry.pattern.place;
        match nodeset::parts(&entry.pattern) {
            Ok(parts) => match parts.iter().find(|(name, _)| !is_host_name(name)) {
                None => return Some(parts),
                Some((name, _)) => {
                    let error =
                        self.src.error(place, format!("`{}` cannot be the name of a host", name.escape_debug()));
                    self.found
                        .push(error.hint("use letters, digits, `.`, `_`, `-` and `:`; ranges are written web[01-40]"));
                }
            },
            Err(error) => {
                let text = error.to_string();
                let (what, hint) =
                    text.split_once("; ").map_or((text.as_str(), None), |(what, hint)| (what, Some(hint.to_owned())));
                self.found.push(self.src.error(place, what).maybe_hint(hint));
            }
        }
        None
    }

    fn note(&mut self, name: String, number: Option<String>, settings: &'a HostSettings, group: Option<usize>) {
        let at = match self.index.get(&name) {
            Some(at) => *at,
            None => {
                self.index.insert(name.clone(), self.hosts.len());
                self.hosts.push(Named { name, number: None, own: Vec::new(), groups: BTreeSet::new() });
                self.hosts.len() - 1
            }
        };
        let host = &mut self.hosts[at];
        host.number = number.or_else(|| host.number.take());
        host.own.push(settings);
        host.groups.extend(group);
    }
}

/// Names are used in selectors, file names and messages, so what means something there is kept out.
fn is_host_name(name: &str) -> bool {
    let body = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':'));
    body && (1..=253).contains(&name.len()) && !name.starts_with(['-', '.'])
}

struct Merger<'a> {
    defaults: &'a HostSettings,
    tree: &'a Tree<'a>,
    filler: Filler<'a>,
}

/// The settings that hold for one host, strongest first.
struct Layers<'a>(Vec<&'a HostSettings>);

impl<'a> Layers<'a> {
    fn first<T>(&self, get: impl Fn(&'a HostSettings) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|layer| get(layer))
    }
}

impl<'a> Merger<'a> {
    /// Passwords that are written out, wherever they are, even in groups without hosts. Their lines are not shown.
    fn check_credentials(&mut self, inventory: &Inventory, src: &SourceFile) {
        let groups = inventory.groups.values();
        let of_groups =
            groups.flat_map(|group| group.hosts.entries().iter().map(|entry| &entry.settings).chain([&group.defaults]));
        let own = inventory.hosts.entries().iter().map(|entry| &entry.settings);
        for settings in own.chain(of_groups).chain([&inventory.defaults]) {
            let become_password = settings.become_user.as_ref().and_then(|spec| match &spec.value {
                BecomeSpec::User(user) => user.password.as_ref(),
                BecomeSpec::Nobody => None,
            });
            for password in [settings.password.as_ref(), become_password].into_iter().flatten() {
                self.check_credential(password, src);
            }
        }
    }

    fn check_credential(&mut self, password: &Located<CredentialSpec>, src: &SourceFile) {
        if password.reference().is_err() {
            let error = src.error(password.place, CredentialError.to_string());
            self.filler.found.push(error.without_snippet().hint(CredentialError::HINT));
        }
    }

    fn host(&mut self, named: &Named<'a>) -> Host {
        let groups = self.tree.with_ancestors(&named.groups);
        let of_groups = groups.iter().map(|group| &self.tree.entries[*group].defaults);
        let layers = Layers(named.own.iter().rev().copied().chain(of_groups).chain([self.defaults]).collect());
        let subject = Subject { name: &named.name, number: named.number.as_deref() };
        let transport = layers.first(|s| s.transport).unwrap_or_default();
        let sim_place = layers.first(|s| s.sim.as_ref().map(|sim| sim.place)).flatten();
        let has_sim = named.own.iter().any(|s| s.sim.is_some());
        if has_sim && transport != Transport::Sim {
            self.filler.blame(
                sim_place,
                "`sim` needs the transport `sim`".to_owned(),
                Some("write `transport: sim`".to_owned()),
            );
        }
        Host {
            name: named.name.clone(),
            address: self.setting(&layers, &subject, |s| s.address.as_ref()).unwrap_or_else(|| named.name.clone()),
            port: self.port(&layers),
            user: self.setting(&layers, &subject, |s| s.user.as_ref()),
            transport,
            labels: self.labels(&layers, &groups, &subject),
            groups: groups.iter().map(|group| self.tree.names[*group].to_owned()).collect(),
            vars: self.vars(&layers, &groups, &subject),
            key: self.setting(&layers, &subject, |s| s.key.as_ref()),
            password: layers.first(|s| s.password.as_ref()).and_then(|password| password.reference().ok().cloned()),
            jump: self.jump(&layers, &subject),
            host_key: layers.first(|s| s.host_key.as_ref()).map(|check| check.0.clone()),
            known_hosts: self.setting(&layers, &subject, |s| s.known_hosts.as_ref()),
            ssh_config: layers.first(|s| s.ssh_config).unwrap_or(true),
            connect_timeout: layers.first(|s| s.connect_timeout.as_ref()).map(|time| time.value),
            encoding: layers.first(|s| s.encoding.as_ref()).map(|name| name.value.clone()),
            work_dir: self.setting(&layers, &subject, |s| s.work_dir.as_ref()),
            become_user: layers.first(|s| s.become_user.as_ref()).map(|spec| spec.value.clone()),
            sim: (transport == Transport::Sim).then(|| sim_options(&layers)),
        }
    }

    fn setting(
        &mut self,
        layers: &Layers<'a>,
        subject: &Subject<'_>,
        get: impl Fn(&'a HostSettings) -> Option<&'a Located<String>>,
    ) -> Option<String> {
        let text = layers.first(get)?;
        if text.trim().is_empty() {
            self.filler.blame(text.place, "a text is missing here".to_owned(), None);
        }
        Some(self.filler.setting(text, text.place, subject))
    }

    fn port(&mut self, layers: &Layers<'a>) -> Option<u16> {
        let port = layers.first(|s| s.port.as_ref())?;
        if port.value == 0 {
            self.filler.blame(port.place, "0 is not a port".to_owned(), Some("ports are from 1 to 65535".to_owned()));
        }
        Some(port.value)
    }

    fn jump(&mut self, layers: &Layers<'a>, subject: &Subject<'_>) -> Vec<String> {
        let jump = layers.first(|s| s.jump.as_ref());
        let list = jump.into_iter().flat_map(|jump| &jump.0);
        list.map(|one| self.filler.setting(one, one.place, subject)).collect()
    }

    fn labels(&mut self, layers: &Layers<'a>, groups: &[usize], subject: &Subject<'_>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for (name, value) in self.weakest_first(layers, groups, |s| &s.labels, |g| &g.labels) {
            self.check_label(name);
            labels.insert(name.value.clone(), self.filler.setting(value, value.place, subject));
        }
        labels
    }

    fn check_label(&mut self, name: &Located<String>) {
        let good = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
        if !good {
            let message = format!("`{}` cannot be the name of a label", name.escape_debug());
            self.filler.blame(name.place, message, Some("use letters, digits, `.`, `_`, `-` and `/`".to_owned()));
        }
    }

    fn vars(&mut self, layers: &Layers<'a>, groups: &[usize], subject: &Subject<'_>) -> Map<String, serde_json::Value> {
        let mut vars = Map::new();
        for (name, value) in self.weakest_first(layers, groups, |s| &s.vars, |g| &g.vars) {
            vars.insert(name.value.clone(), self.filler.value(value, value.place, subject));
        }
        // Sorted, so that a plan does not depend on where a variable was written first.
        vars.sort_keys();
        vars
    }

    /// Everything written about the host, the weakest first, so that what comes later replaces it.
    fn weakest_first<V>(
        &self,
        layers: &Layers<'a>,
        groups: &[usize],
        of_settings: impl Fn(&'a HostSettings) -> &'a Entries<V>,
        of_group: impl Fn(&'a GroupEntry) -> &'a Entries<V>,
    ) -> Vec<(&'a Located<String>, &'a V)> {
        let own = layers.0.len() - groups.len() - 1;
        let mut sources = vec![of_settings(self.defaults)];
        for group in groups.iter().rev() {
            let entry: &'a GroupEntry = self.tree.entries[*group];
            sources.extend([of_settings(&entry.defaults), of_group(entry)]);
        }
        sources.extend(layers.0[..own].iter().rev().map(|settings| of_settings(settings)));
        sources.into_iter().flat_map(Entries::iter).collect()
    }
}

impl SimOptions {
    /// A simulated target that nobody described: it answers soon and never fails.
    pub fn calm() -> Self {
        Self {
            seed: 0,
            latency: SIM_LATENCY,
            jitter: Millis::ZERO,
            fail_ppm: 0,
            unreachable_ppm: 0,
            hang_ppm: 0,
            output: None,
        }
    }
}

fn sim_options(layers: &Layers<'_>) -> SimOptions {
    let specs: Vec<&SimSpec> = layers.0.iter().filter_map(|s| s.sim.as_ref().map(|sim| &sim.value)).collect();
    let chance =
        |get: fn(&SimSpec) -> Option<super::Chance>| specs.iter().find_map(|sim| get(sim)).unwrap_or_default().ppm;
    SimOptions {
        seed: specs.iter().find_map(|sim| sim.seed).unwrap_or_default(),
        latency: specs.iter().find_map(|sim| sim.latency).unwrap_or(SIM_LATENCY),
        jitter: specs.iter().find_map(|sim| sim.jitter).unwrap_or_default(),
        fail_ppm: chance(|sim| sim.fail),
        unreachable_ppm: chance(|sim| sim.unreachable),
        hang_ppm: chance(|sim| sim.hang),
        output: specs.iter().find_map(|sim| sim.output.as_ref()).map(|output| output.value.clone()),
    }
}
