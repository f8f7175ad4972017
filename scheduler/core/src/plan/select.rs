//! Which hosts the job acts on. A selector that matches nothing is an error that names the part that matched nothing; it never
//! means "all".

use std::collections::{BTreeMap, HashSet};

use autoexec_model::diagnostic::{Located, Place as At, SourceFile, nearest};
use autoexec_model::inventory::Host;
use autoexec_model::plan::{Excluded, SimOptions, Target, Transport};
use autoexec_model::selector::{Leaf, LeafKind, Selectable, Selector, endpoint};

use super::draft::GroupDraft;
use super::planner::Planner;

/// Which hosts became targets, and of which group.
#[derive(Default)]
pub(super) struct Selection {
    /// In inventory order.
    pub(super) targets: Vec<Target>,
    /// For each group, indexes into `targets`, in inventory order.
    pub(super) members: Vec<Vec<u32>>,
    pub(super) excluded: Vec<Excluded>,
}

/// Names that one message lists.
const MAX_LISTED: usize = 5;

pub(super) fn select(planner: &mut Planner<'_>, drafts: &[GroupDraft<'_>]) -> Selection {
    if !drafts.iter().any(GroupDraft::needs_targets) {
        if planner.input.narrow.is_some() {
            planner.warn("nothing in this job runs on a target: -t changes nothing".to_owned());
        }
        return Selection { members: vec![Vec::new(); drafts.len()], ..Selection::default() };
    }
    let mut excluded = Vec::new();
    let chosen = choose(planner, &mut excluded);
    if chosen.is_empty() {
        return Selection::default();
    }
    let members: Vec<Vec<usize>> = drafts.iter().map(|draft| members(planner, draft, &chosen)).collect();
    let used: HashSet<usize> = members.iter().flatten().copied().collect();
    // Places in the plan of the hosts that are used.
    let mut places: BTreeMap<usize, u32> = BTreeMap::new();
    let mut targets = Vec::new();
    for at in chosen {
        let Some(host) = planner.input.hosts.get(at) else { continue };
        if used.contains(&at) {
            places.insert(at, targets.len() as u32);
            targets.push(target(planner, host));
        } else {
            excluded
                .push(Excluded { name: host.name.clone(), reason: "not among the targets of any group".to_owned() });
        }
    }
    let members = members.iter().map(|list| list.iter().filter_map(|at| places.get(at).copied()).collect()).collect();
    Selection { targets, members, excluded }
}

/// Indexes of the hosts that the whole job may act on. Empty after an error.
fn choose(planner: &mut Planner<'_>, excluded: &mut Vec<Excluded>) -> Vec<usize> {
    let input = planner.input;
    let base = input.job.targets.as_ref();
    if base.is_none() && input.narrow.is_none() {
        let at = input.job.name.place;
        planner.error_hint(
            at,
            "the job does not say on which targets it runs",
            "write `targets: \"@web\"` in the job, or give `-t`",
        );
        return Vec::new();
    }
    let before = planner.found.len();
    if let Some(base) = base {
        let source = input.source;
        check(planner, &Spot::of(source, base), &base.value, input.hosts);
    }
    for (flag, selector) in [("-t", input.narrow), ("--exclude", input.exclude)] {
        if let Some(selector) = selector {
            let typed = SourceFile::new(flag, selector.as_str());
            check(planner, &Spot::typed(&typed), selector, input.hosts);
        }
    }
    if planner.found.len() > before {
        return Vec::new();
    }
    // When the job names no targets, `-t` says what the job is about, and the rest of the inventory is nobody's business.
    let about = base.map(|base| &base.value).or(input.narrow);
    let of_job: Vec<usize> = indexes(input.hosts, |host| about.is_none_or(|about| about.matches(host)));
    let mut chosen = Vec::new();
    for at in &of_job {
        let Some(host) = input.hosts.get(*at) else { continue };
        match left_out(planner, host) {
            Some(reason) => excluded.push(Excluded { name: host.name.clone(), reason }),
            None => chosen.push(*at),
        }
    }
    warn_agents(planner, excluded);
    if chosen.is_empty() {
        nothing(planner, of_job.len(), excluded);
    }
    chosen
}

/// Why a host that the job names is not acted on.
fn left_out(planner: &Planner<'_>, host: &Host) -> Option<String> {
    let input = planner.input;
    let missed = |selector: &&Selector| !selector.matches(host);
    if let Some(narrow) = input.narrow.filter(missed) {
        return Some(format!("not matched by -t {narrow}"));
    }
    if let Some(exclude) = input.exclude.filter(|exclude| exclude.matches(host)) {
        return Some(format!("excluded by --exclude {exclude}"));
    }
    match input.options.transport.unwrap_or(host.transport) {
        Transport::Agent => Some(NO_AGENT.to_owned()),
        Transport::Ssh | Transport::Local | Transport::Sim => None,
    }
}

const NO_AGENT: &str = "the transport `agent` cannot be used yet";

fn warn_agents(planner: &mut Planner<'_>, excluded: &[Excluded]) {
    let names: Vec<&str> = excluded.iter().filter(|one| one.reason == NO_AGENT).map(|one| one.name.as_str()).collect();
    if !names.is_empty() {
        planner.warn(format!("left out, because {NO_AGENT}: {}", autoexec_model::nodeset::fold(names)));
    }
}

fn nothing(planner: &mut Planner<'_>, of_job: usize, excluded: &[Excluded]) {
    let input = planner.input;
    let hosts = input.hosts.len();
    if of_job == 0 {
        let message =
            |text: &Selector| format!("the selector `{text}` matches none of the {hosts} hosts of the inventory");
        match (&input.job.targets, input.narrow) {
            (Some(targets), _) => drop(planner.error(targets.place, message(&targets.value))),
            (None, Some(narrow)) => planner.found.push(SourceFile::new("-t", "").error(None, message(narrow))),
            (None, None) => {}
        }
        return;
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for one in excluded {
        *reasons.entry(&one.reason).or_default() += 1;
    }
    let said: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    planner
        .found
        .push(SourceFile::new("", "").error(None, format!("no target is left of {of_job}: {}", said.join("; "))));
}

/// The hosts of one group among the chosen ones.
fn members(planner: &mut Planner<'_>, draft: &GroupDraft<'_>, chosen: &[usize]) -> Vec<usize> {
    if !draft.needs_targets() {
        return Vec::new();
    }
    let hosts = planner.input.hosts;
    let Some(targets) = draft.targets else { return chosen.to_vec() };
    let before = planner.found.len();
    let source = planner.input.source;
    check(planner, &Spot::of(source, targets), &targets.value, hosts);
    let found = chosen.iter().copied().filter(|at| hosts.get(*at).is_some_and(|host| targets.value.matches(host)));
    let found: Vec<usize> = found.collect();
    if found.is_empty() && planner.found.len() == before {
        let message =
            format!("`targets` of group `{}` matches none of the {} targets of the job", draft.name, chosen.len());
        planner.error(targets.place, message);
    }
    found
}

fn indexes(hosts: &[Host], wanted: impl Fn(&Host) -> bool) -> Vec<usize> {
    hosts.iter().enumerate().filter(|(_, host)| wanted(host)).map(|(at, _)| at).collect()
}

fn target(planner: &Planner<'_>, host: &Host) -> Target {
    let options = planner.input.options;
    let mut target = host.to_target(&planner.input.job.defaults);
    if let Some(check) = &options.host_key {
        target.connection.host_key = check.clone();
    }
    if let Some(user) = &options.user {
        target.user = Some(user.clone());
    }
    if let Some(key) = &options.key {
        target.connection.key = Some(key.clone());
    }
    if let Some(transport) = options.transport {
        target.transport = transport;
        target.connection.sim = match transport {
            Transport::Sim => Some(target.connection.sim.take().unwrap_or_else(SimOptions::calm)),
            Transport::Ssh | Transport::Agent | Transport::Local => None,
        };
    }
    target
}

/// Where a selector stands.
struct Spot<'a> {
    source: &'a SourceFile,
    at: Option<At>,
    /// Whether offsets in the selector are offsets in the source.
    typed: bool,
}

impl<'a> Spot<'a> {
    fn of<T>(source: &'a SourceFile, located: &Located<T>) -> Self {
        Self { source, at: located.place, typed: false }
    }

    fn typed(source: &'a SourceFile) -> Self {
        Self { source, at: None, typed: true }
    }

    fn place(&self, leaf: &Leaf) -> Option<At> {
        if !self.typed {
            return self.at;
        }
        let column = u32::try_from(leaf.at + 1).unwrap_or(1);
        let len = u32::try_from(leaf.text.chars().count()).unwrap_or(1).clamp(1, 60);
        Some(At { line: 1, column, len })
    }
}

/// Names that nobody has are errors; other parts that match nothing are said.
fn check(planner: &mut Planner<'_>, spot: &Spot<'_>, selector: &Selector, hosts: &[Host]) {
    let known: HashSet<&str> = hosts.iter().flat_map(|host| [host.name.as_str(), host.address.as_str()]).collect();
    for leaf in selector.leaves() {
        let missing: Vec<&str> = leaf
            .spelled()
            .into_iter()
            .filter(|name| !known.contains(name) && !known.contains(endpoint(name).host))
            .collect();
        let problem = match &leaf.kind {
            LeafKind::Group(group) if !hosts.iter().any(|host| host.in_group(group)) => Some(no_group(group, hosts)),
            LeafKind::Names(_) | LeafKind::Quoted(_) if !missing.is_empty() => Some(no_hosts(&missing, hosts)),
            LeafKind::All if hosts.is_empty() => Some(("the inventory has no hosts".to_owned(), None)),
            LeafKind::Group(_) | LeafKind::Names(_) | LeafKind::Quoted(_) | LeafKind::All | LeafKind::Label { .. } => {
                None
            }
        };
        match problem {
            Some((message, hint)) if !leaf.negated => {
                planner.found.push(spot.source.error(spot.place(leaf), message).maybe_hint(hint))
            }
            Some((message, _)) => planner.warn(format!("{message}, in `{selector}`")),
            None if !leaf.negated && missing.is_empty() && !hosts.iter().any(|host| leaf.matches(host)) => {
                match_nothing(planner, spot, selector, leaf)
            }
            None => {}
        }
    }
}

/// A wildcard or label that matches nothing: an error when it is all there is, else worth a word.
fn match_nothing(planner: &mut Planner<'_>, spot: &Spot<'_>, selector: &Selector, leaf: &Leaf) {
    if selector.leaves().len() > 1 && planner.input.hosts.iter().any(|host| selector.matches(host)) {
        planner.warn(format!("`{}` matches no host, in `{selector}`", leaf.text));
        return;
    }
    let hint = match &leaf.kind {
        LeafKind::Label { key, .. } => label_hint(key, planner.input.hosts),
        LeafKind::Group(_) | LeafKind::Names(_) | LeafKind::Quoted(_) | LeafKind::All => None,
    };
    let message = format!("`{}` matches none of the {} hosts of the inventory", leaf.text, planner.input.hosts.len());
    planner.found.push(spot.source.error(spot.place(leaf), message).maybe_hint(hint));
}

/// The values that a label has, or the labels that there are.
fn label_hint(key: &str, hosts: &[Host]) -> Option<String> {
    let list = |words: std::collections::BTreeSet<&str>| {
        let more = if words.len() > 2 * MAX_LISTED { ", …" } else { "" };
        format!("{}{more}", words.iter().take(2 * MAX_LISTED).copied().collect::<Vec<_>>().join(", "))
    };
    let values: std::collections::BTreeSet<&str> = hosts.iter().filter_map(|host| host.label(key)).collect();
    if !values.is_empty() {
        return Some(format!("values of `{key}`: {}", list(values)));
    }
    let keys: std::collections::BTreeSet<&str> =
        hosts.iter().flat_map(|host| host.labels.keys().map(String::as_str)).collect();
    (!keys.is_empty()).then(|| format!("no host has the label `{key}`; labels: {}", list(keys)))
}

fn no_group(group: &str, hosts: &[Host]) -> (String, Option<String>) {
    let groups: std::collections::BTreeSet<&str> =
        hosts.iter().flat_map(|host| host.groups.iter().map(String::as_str)).collect();
    let hint = match nearest(group, groups.iter().copied()) {
        Some(near) => Some(format!("did you mean `@{near}`?")),
        None if groups.is_empty() => Some("the inventory has no groups".to_owned()),
        None => Some(format!("groups: {}", groups.iter().take(2 * MAX_LISTED).copied().collect::<Vec<_>>().join(", "))),
    };
    (format!("no host is in a group `{group}`"), hint)
}

fn no_hosts(missing: &[&str], hosts: &[Host]) -> (String, Option<String>) {
    let listed = autoexec_model::nodeset::fold(missing.iter().copied().take(1000));
    let listed: String =
        if listed.chars().count() > 80 { listed.chars().take(79).chain(['…']).collect() } else { listed };
    let near = missing.first().and_then(|name| nearest(name, hosts.iter().map(|host| host.name.as_str())));
    let hint = near.map(|near| format!("did you mean `{near}`?"));
    let message = match missing.len() {
        1 => format!("the inventory has no host `{listed}`"),
        count => format!("the inventory has none of these {count} hosts: {listed}"),
    };
    (message, hint)
}
