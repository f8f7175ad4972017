//! One phase: where and how often it runs, and its steps.

use autoexec_model::diagnostic::Place as At;
use autoexec_model::plan::{Phase, Place, Strategy};
use autoexec_model::spec::BatchChoice;

use super::draft::PhaseDraft;
use super::group::MAX_PARALLEL;
use super::names::Scope;
use super::planner::Planner;
use super::reach::{Published, StepOutputs};
use super::step;

/// The group around a phase.
pub(super) struct InGroup<'g> {
    pub(super) index: usize,
    pub(super) strategy: Strategy,
    pub(super) members: &'g [u32],
    pub(super) batches: u32,
}

pub(super) fn phase(planner: &mut Planner<'_>, draft: &PhaseDraft<'_>, group: &InGroup<'_>) -> Phase {
    let once = draft.place == Place::Runner && !draft.health && group.strategy == Strategy::Rolling;
    let once_in = once.then(|| chosen_batch(draft.batch.unwrap_or_default(), group.batches));
    let ids: Vec<String> = draft.steps.iter().map(|step| step.id.clone()).collect();
    let mut scope = Scope {
        group: group.index,
        place: draft.place,
        health: draft.health,
        once_in,
        members: group.members,
        steps: &[],
        ids: &ids,
        conditional: false,
    };
    if let Some(when) = draft.when {
        scope.conditional = true;
        planner.check_expr(when.place, &when.value, &scope);
    }
    if let Some(parallel) = draft.parallel {
        planner.bounded_parallel(parallel.place, parallel.value);
    }
    let mut earlier: Vec<StepOutputs> = Vec::new();
    let mut steps = Vec::with_capacity(draft.steps.len());
    for step in &draft.steps {
        let conditional = draft.when.is_some() || step.spec.when.is_some();
        let scope = Scope { steps: &earlier, conditional, ..scope };
        let (planned, outputs) = step::step(planner, step, &scope);
        steps.push(planned);
        earlier.push(outputs);
    }
    planner.published.push(Published {
        phase: draft.name.clone(),
        place: draft.place,
        group: group.index,
        strategy: group.strategy,
        health: draft.health,
        once_in,
        members: group.members.iter().copied().collect(),
        steps: earlier,
    });
    Phase {
        name: draft.name.clone(),
        place: draft.place,
        health: draft.health,
        once_in,
        when: draft.when.map(|when| when.value.clone()),
        parallel: draft.parallel.map(|parallel| parallel.value),
        steps,
    }
}

impl Planner<'_> {
    /// Refuses a window of nothing and one that no runner can hold.
    pub(super) fn bounded_parallel(&mut self, at: Option<At>, value: u32) {
        if value == 0 || value > MAX_PARALLEL {
            self.error(at, format!("`parallel` must be from 1 to {MAX_PARALLEL}"));
        }
    }
}

/// The batch in which a phase that runs once runs; of an even number, the earlier of the two in the middle.
fn chosen_batch(choice: BatchChoice, batches: u32) -> u32 {
    let last = batches.saturating_sub(1);
    match choice {
        BatchChoice::First => 0,
        BatchChoice::Middle => last / 2,
        BatchChoice::Last => last,
    }
}
