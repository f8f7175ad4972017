//! The planner itself: what it carries from step to step, and the order in which things are decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use autoexec_model::diagnostic::{Diagnosed, Diagnostic, Diagnostics, Place as At};
use autoexec_model::id::Digest;
use autoexec_model::inventory::Host;
use autoexec_model::nodeset;
use autoexec_model::plan::{HostKeyCheck, PLAN_FORMAT, Plan, Target};
use autoexec_model::template::Engine;

use super::input::{PlanInput, Planned};
use super::params::{self, Params};
use super::reach::Published;
use super::{draft, group, select};

/// What the planner carries along.
pub(super) struct Planner<'a> {
    pub(super) input: &'a PlanInput<'a>,
    pub(super) engine: Engine,
    pub(super) params: Params,
    pub(super) hosts_by_name: HashMap<&'a str, &'a Host>,
    /// Targets of the plan, in inventory order.
    pub(super) targets: Vec<Target>,
    /// What the phases planned so far publish.
    pub(super) published: Vec<Published>,
    /// Names of every phase, for hints about those that come later.
    pub(super) phase_names: Vec<String>,
    /// Phases and steps whose `stdout` a later phase reads; a step of `None` stands for all of the phase.
    pub(super) kept: BTreeSet<(String, Option<String>)>,
    /// Tools in use.
    pub(super) tools: BTreeMap<String, Digest>,
    pub(super) warnings: Vec<String>,
    pub(super) found: Diagnostics,
}

impl Planner<'_> {
    /// Notes an error in the job file.
    pub(super) fn error(&mut self, at: Option<At>, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(self.input.source.error(at, message));
        let last = self.found.len() - 1;
        &mut self.found.0[last]
    }

    pub(super) fn error_hint(&mut self, at: Option<At>, message: impl Into<String>, hint: impl Into<String>) {
        self.error(at, message).hint = Some(hint.into());
    }

    /// Notes a warning once.
    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// Makes the plan of a job.
///
/// # Errors
/// Everything that is wrong with the job, its parameters, its selectors, its templates and its use of tools.
pub fn plan(input: PlanInput<'_>) -> Diagnosed<Planned> {
    let mut found = Diagnostics::new();
    let params = params::resolve(&input, &mut found);
    let drafts = draft::groups(input.job, input.tools);
    let mut planner = Planner {
        input: &input,
        engine: Engine::new(),
        params,
        hosts_by_name: input.hosts.iter().map(|host| (host.name.as_str(), host)).collect(),
        targets: Vec::new(),
        published: Vec::new(),
        phase_names: drafts.iter().flat_map(|group| &group.phases).map(|phase| phase.name.clone()).collect(),
        kept: BTreeSet::new(),
        tools: BTreeMap::new(),
        warnings: Vec::new(),
        found,
    };
    let selection = select::select(&mut planner, &drafts);
    planner.targets = selection.targets;
    planner.check_connections();
    let mut groups = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter().enumerate() {
        let members = selection.members.get(index).cloned().unwrap_or_default();
        groups.push(group::group(&mut planner, index, draft, members));
    }
    if !planner.found.is_empty() {
        // In the order of the text, as people mend it; what was typed as a flag comes first.
        planner.found.0.sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
        return Err(planner.found);
    }
    planner.warn_host_keys();
    let mut plan = Plan {
        format: PLAN_FORMAT,
        name: input.options.name.clone().unwrap_or_else(|| input.job.name.value.clone()),
        description: input.job.description.clone().unwrap_or_default(),
        params: planner.params.open,
        secrets: planner.params.secrets.keys().cloned().collect(),
        files: planner.params.files,
        targets: planner.targets,
        excluded: selection.excluded,
        groups,
        tools: planner.tools,
        warnings: planner.warnings,
    };
    plan.secrets.sort_unstable();
    mark_kept(&mut plan, &planner.kept);
    let digest =
        plan.digest().map_err(|error| input.source.error(None, format!("the plan cannot be encoded: {error}")))?;
    Ok(Planned { plan, digest, secrets: planner.params.secrets })
}

impl Planner<'_> {
    /// Host keys that nobody checks are said, because nothing else would show it.
    fn warn_host_keys(&mut self) {
        let unchecked = self.targets.iter().filter(|target| target.connection.host_key == HostKeyCheck::No);
        let names: Vec<&str> = unchecked.map(|target| target.name.as_str()).collect();
        if !names.is_empty() {
            let folded = nodeset::fold(names.iter().copied());
            let count = names.len();
            self.warn(format!(
                "host keys are not checked on {count} {}: {folded}",
                if count == 1 { "target" } else { "targets" }
            ));
        }
    }
}

/// Marks the steps whose `stdout` must be kept with their outputs.
fn mark_kept(plan: &mut Plan, kept: &BTreeSet<(String, Option<String>)>) {
    for phase in plan.groups.iter_mut().flat_map(|group| &mut group.phases) {
        let all = kept.contains(&(phase.name.clone(), None));
        for step in &mut phase.steps {
            step.keep_stdout = all || kept.contains(&(phase.name.clone(), Some(step.id.clone())));
        }
    }
}
