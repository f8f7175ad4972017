//! One group: its batches, its window, its limits, its phases.

use autoexec_model::batch::BatchSpec;
use autoexec_model::plan::{Between, BetweenMode, Group, Place, Strategy};

use super::draft::{GroupDraft, PhaseDraft};
use super::planner::Planner;
use super::{budget, order, phase};

/// Tasks of one phase at once, when nobody says: enough to be fast, few enough for a runner's connections and memory.
const PARALLEL: u32 = 100;

/// Most tasks of one phase at once that can be asked for.
pub(super) const MAX_PARALLEL: u32 = 10_000;

/// Plans one group. `members` are its targets in inventory order.
pub(super) fn group(planner: &mut Planner<'_>, index: usize, draft: &GroupDraft<'_>, mut members: Vec<u32>) -> Group {
    let options = planner.input.options;
    check_shape(planner, draft);
    let order = order::arrange(&mut members, &planner.targets, draft.order, options.seed);
    check_spread(planner, draft);
    let rolls = draft.needs_targets() && (options.batches.is_some() || draft.strategy == Strategy::Rolling);
    let strategy = if rolls { Strategy::Rolling } else { Strategy::Oneshot };
    let whole = BatchSpec::whole();
    let batch_spec = options.batches.as_ref().or(draft.batches).filter(|_| rolls).unwrap_or(&whole);
    let total = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let batches = batch_spec.cut(total);
    let mut between = draft.between.map_or_else(Between::default, |spec| Between { mode: spec.mode, soak: spec.soak });
    if let Some(mode) = options.between.filter(|_| rolls) {
        between.mode = mode;
    }
    let job = u32::try_from(planner.targets.len()).unwrap_or(u32::MAX);
    let sizes = budget::Sizes { job, group: total, batches: &batches };
    let budget = budget::limits(options.budget.as_ref().or(draft.budget), strategy, between.mode, &sizes);
    let place = phase::InGroup {
        index,
        strategy,
        members: &members,
        batches: u32::try_from(batches.len()).unwrap_or(u32::MAX),
    };
    let phases = draft.phases.iter().map(|phase| phase::phase(planner, phase, &place)).collect();
    Group {
        name: draft.name.clone(),
        strategy,
        parallel: parallel(planner, draft),
        targets: members,
        batches,
        batch_expr: if rolls { batch_spec.to_string() } else { String::new() },
        order,
        between,
        budget,
        phases,
    }
}

/// What only shows when the group is looked at as a whole.
fn check_shape(planner: &mut Planner<'_>, draft: &GroupDraft<'_>) {
    let none = |phase: &&PhaseDraft<'_>| phase.steps.is_empty();
    if let Some(phase) = draft.phases.iter().find(none) {
        planner.error(phase.at, format!("the phase `{}` has no steps", phase.name));
    }
    for phase in draft.phases.iter().filter(|phase| phase.place == Place::Sql) {
        let message = format!("phase `{}`: phases on `sql` cannot be run yet", phase.name);
        planner.error_hint(
            phase.place_at.or(phase.at),
            message,
            "use `runner-target` and a script until the database tools come",
        );
    }
    for targets in draft.phases.iter().filter_map(|phase| phase.targets) {
        planner.error_hint(
            targets.place,
            "`targets` stands in the group, for all of its phases",
            "move it there, or make another group",
        );
    }
    let mode = draft.between.map(|between| between.mode);
    if draft.strategy == Strategy::Rolling
        && !draft.needs_targets()
        && mode.is_some_and(|mode| mode != BetweenMode::Continue)
    {
        planner.warn(format!("group `{}` has nothing to roll: all of its phases run once", draft.name));
    }
}

/// A label that no target has cannot spread anything.
fn check_spread(planner: &mut Planner<'_>, draft: &GroupDraft<'_>) {
    let Some(label) = draft.order.and_then(|order| order.spread.as_ref()) else { return };
    if !planner.targets.is_empty() && !planner.targets.iter().any(|target| target.labels.contains_key(&label.value)) {
        planner.error(label.place, format!("no target has the label `{label}`, by which the order is spread"));
    }
}

fn parallel(planner: &mut Planner<'_>, draft: &GroupDraft<'_>) -> u32 {
    if let Some(parallel) = planner.input.options.parallel {
        return parallel.clamp(1, MAX_PARALLEL);
    }
    match draft.parallel.or(planner.input.job.defaults.parallel.as_ref()) {
        None => PARALLEL,
        Some(parallel) => {
            let (value, place) = (parallel.value, parallel.place);
            planner.bounded_parallel(place, value);
            value
        }
    }
}
