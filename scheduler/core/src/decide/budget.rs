//! When a job stops itself: a budget was exceeded, or a phase that runs once failed.
//!
//! A budget is exceeded when a count is greater than its limit; the limits are numbers in the plan, so that what stops a
//! rollout is what the plan printed.

use autoexec_model::event::Fact;
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::plan::{BudgetPlan, BudgetScope};
use autoexec_model::state::JobState;

use crate::layout::{Cell, Stage};
use crate::state::{Exceeded, Job, Tally};

/// The fact that stops a running job, if there is a reason to stop it.
pub(super) fn reason_to_stop(job: &Job) -> Option<Fact> {
    let stage = job.layout.stages.get(job.stage as usize)?;
    if !job.begun {
        return None;
    }
    if let Some(over) = exceeded(job, stage) {
        let said = job.exceeded.iter().any(|known| known.group == over.group && known.class == over.class);
        return Some(if said {
            Fact::StopRequested { end: JobState::Aborted, by: None, reason: sentence(job, &over) }
        } else {
            Fact::BudgetExceeded { group: over.group, class: over.class, count: over.count, limit: over.limit }
        });
    }
    once_failed(job).map(|phase| Fact::StopRequested {
        end: JobState::Failed,
        by: None,
        reason: format!("phase `{phase}`, which runs once for the job, failed"),
    })
}

/// The first class of the stage's group whose count is greater than its limit.
fn exceeded(job: &Job, stage: &Stage) -> Option<Exceeded> {
    let budget: &BudgetPlan = &job.plan.groups.get(stage.group as usize)?.budget;
    budget.limits.iter().find_map(|limit| {
        let at = if budget.scope == BudgetScope::Batch { stage.batch as usize } else { 0 };
        let allowed = limit.limit.get(at).or_else(|| limit.limit.last()).copied()?;
        let count = count(job, stage, budget.scope, limit.class);
        (count > allowed).then_some(Exceeded { group: stage.group, class: limit.class, count, limit: allowed })
    })
}

/// Tasks that failed in one class, in the scope around a stage.
pub(crate) fn count(job: &Job, stage: &Stage, scope: BudgetScope, class: OutcomeClass) -> u32 {
    let phases: Vec<u32> = job
        .layout
        .cells
        .iter()
        .skip(stage.first_cell as usize)
        .take(stage.cells as usize)
        .map(|cell| cell.phase)
        .collect();
    let inside = |cell: &Cell| match scope {
        BudgetScope::Batch => cell.group == stage.group && cell.batch == stage.batch,
        BudgetScope::Phase => cell.group == stage.group && phases.contains(&cell.phase),
        BudgetScope::Group => cell.group == stage.group,
        BudgetScope::Job => true,
    };
    // A phase that runs once is no target: it stops the job by itself when it fails.
    job.layout
        .cells
        .iter()
        .zip(&job.tallies)
        .filter(|(cell, _)| cell.position.is_some() && inside(cell))
        .map(|(_, tally): (_, &Tally)| tally.failed_in(class))
        .sum()
}

/// The name of a phase of the current stage that runs once and failed.
fn once_failed(job: &Job) -> Option<&str> {
    job.layout.cells_of(job.stage).find_map(|(index, cell)| {
        let failed = cell.position.is_none() && job.tallies.get(index)?.with(Verdict::Failed) > 0;
        let phase = job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize)?;
        failed.then_some(phase.name.as_str())
    })
}

/// The sentence for a budget that was exceeded.
pub(crate) fn sentence(job: &Job, over: &Exceeded) -> String {
    let group = job.plan.groups.get(over.group as usize).map_or("?", |group| group.name.as_str());
    format!(
        "budget of group `{group}` exceeded: {} {}, {} allowed",
        over.count,
        over.class.word().replace('_', " "),
        over.limit
    )
}
