//! `steps:`, `phases:` and `groups:` as one shape, so that the rest of the planner knows only groups.

use autoexec_model::batch::BatchSpec;
use autoexec_model::budget::Budget;
use autoexec_model::diagnostic::{Located, Place as At};
use autoexec_model::plan::{Place, Strategy};
use autoexec_model::selector::Selector;
use autoexec_model::spec::{BatchChoice, BetweenSpec, GroupSpec, JobSpec, OrderSpec, PhaseSpec, StepSpec, step_ids};
use autoexec_model::tool::ToolIndex;

/// A group before its targets are known.
pub(super) struct GroupDraft<'a> {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) targets: Option<&'a Located<Selector>>,
    pub(super) batches: Option<&'a BatchSpec>,
    pub(super) order: Option<&'a OrderSpec>,
    pub(super) parallel: Option<&'a Located<u32>>,
    pub(super) between: Option<&'a BetweenSpec>,
    pub(super) budget: Option<&'a Budget>,
    pub(super) phases: Vec<PhaseDraft<'a>>,
}

/// A phase before its steps are checked.
pub(super) struct PhaseDraft<'a> {
    pub(super) name: String,
    pub(super) at: Option<At>,
    pub(super) place: Place,
    pub(super) place_at: Option<At>,
    pub(super) health: bool,
    pub(super) batch: Option<BatchChoice>,
    pub(super) when: Option<&'a Located<String>>,
    pub(super) parallel: Option<&'a Located<u32>>,
    /// Selectors that may only stand in phases at the top of a job.
    pub(super) targets: Option<&'a Located<Selector>>,
    pub(super) steps: Vec<StepDraft<'a>>,
}

/// A step with its id.
pub(super) struct StepDraft<'a> {
    pub(super) id: String,
    pub(super) at: Option<At>,
    pub(super) spec: &'a StepSpec,
}

impl GroupDraft<'_> {
    /// Whether anything of it runs on or for a target.
    pub(super) fn needs_targets(&self) -> bool {
        self.phases.iter().any(|phase| phase.place != Place::Runner)
    }
}

/// The groups of a job, in order.
pub(super) fn groups<'a>(job: &'a JobSpec, tools: &ToolIndex) -> Vec<GroupDraft<'a>> {
    let written = job.groups.iter().flatten().map(|group| from_group(group, tools));
    let phases = job.phases.iter().flatten().map(|phase| around(from_phase(phase)));
    let steps = job.steps.iter().map(|steps| {
        around(PhaseDraft {
            name: "main".to_owned(),
            at: job.name.place,
            place: Place::Target,
            place_at: None,
            health: false,
            batch: None,
            when: None,
            parallel: None,
            targets: None,
            steps: drafts(steps),
        })
    });
    let mut groups: Vec<GroupDraft<'a>> = written.chain(phases).chain(steps).collect();
    free_health_names(&mut groups);
    groups
}

fn from_group<'a>(group: &'a Located<GroupSpec>, tools: &ToolIndex) -> GroupDraft<'a> {
    let mut phases: Vec<PhaseDraft<'a>> = group.phases.iter().map(|phase| from_phase(phase)).collect();
    phases.extend(health(group, tools));
    GroupDraft {
        name: group.name.value.clone(),
        strategy: group.strategy(),
        targets: group.targets.as_ref(),
        batches: group.batches.as_ref().map(|batches| &batches.value),
        order: group.order.as_ref().map(|order| &order.value),
        parallel: group.parallel.as_ref(),
        between: group.between.as_ref().map(|between| &between.value),
        budget: group.budget.as_ref().map(|budget| &budget.value),
        phases,
    }
}

fn from_phase(phase: &PhaseSpec) -> PhaseDraft<'_> {
    PhaseDraft {
        name: phase.name.value.clone(),
        at: phase.name.place,
        place: phase.on.value,
        place_at: phase.on.place,
        health: false,
        batch: phase.batch.as_ref().map(|batch| batch.value),
        when: phase.when.as_ref(),
        parallel: phase.parallel.as_ref(),
        targets: phase.targets.as_ref(),
        steps: drafts(&phase.steps),
    }
}

/// A phase that stands alone: a group of its own, with its name and its targets.
fn around(mut phase: PhaseDraft<'_>) -> GroupDraft<'_> {
    GroupDraft {
        name: phase.name.clone(),
        strategy: Strategy::Oneshot,
        targets: phase.targets.take(),
        batches: None,
        order: None,
        parallel: None,
        between: None,
        budget: None,
        phases: vec![phase],
    }
}

fn drafts(steps: &[Located<StepSpec>]) -> Vec<StepDraft<'_>> {
    let named = step_ids(steps).into_iter().zip(steps);
    named
        .map(|(id, step)| StepDraft { id, at: step.id.as_ref().map_or(step.place, |id| id.place), spec: &step.value })
        .collect()
}

/// Health checks become phases that follow the others: neighbours in the same place share one.
fn health<'a>(group: &'a GroupSpec, tools: &ToolIndex) -> Vec<PhaseDraft<'a>> {
    let mut phases: Vec<PhaseDraft<'a>> = Vec::new();
    for step in drafts(&group.health) {
        let place = health_place(step.spec, tools);
        match phases.last_mut() {
            Some(phase) if phase.place == place => phase.steps.push(step),
            Some(_) | None => phases.push(PhaseDraft {
                name: format!("{}-health", group.name),
                at: step.at,
                place,
                place_at: step.spec.on.as_ref().and_then(|on| on.place),
                health: true,
                batch: None,
                when: None,
                parallel: None,
                targets: None,
                steps: vec![step],
            }),
        }
    }
    phases
}

/// As written; else where the tool runs, by preference not once for all targets; a script runs on the target.
fn health_place(step: &StepSpec, tools: &ToolIndex) -> Place {
    let places = step.tool.as_ref().and_then(|name| tools.get(&name.value)).map(|tool| &tool.manifest.places.value);
    let of_tool =
        places.and_then(|places| places.iter().find(|place| **place != Place::Runner).or_else(|| places.first()));
    match &step.on {
        Some(on) => on.value,
        None => of_tool.copied().unwrap_or_default(),
    }
}

/// Names of phases are unique in a plan; those that were made here give way to written ones.
fn free_health_names(groups: &mut [GroupDraft<'_>]) {
    let all = || groups.iter().flat_map(|group| &group.phases);
    let mut taken: Vec<String> = all().filter(|phase| !phase.health).map(|phase| phase.name.clone()).collect();
    for phase in groups.iter_mut().flat_map(|group| &mut group.phases).filter(|phase| phase.health) {
        let wanted = phase.name.clone();
        let mut n = 1;
        while taken.contains(&phase.name) {
            n += 1;
            phase.name = format!("{wanted}-{n}");
        }
        taken.push(phase.name.clone());
    }
}
