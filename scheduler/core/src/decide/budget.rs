//! When a job stops itself: a budget was exceeded, or a phase that runs once failed.
//!
//! A budget is exceeded when a count is greater than its limit; the limits are numbers in the plan, so that what stops a
//! rollout is what the plan printed.

use std::collections::BTreeSet;

use autoexec_model::event::Fact;
use autoexec_model::id::TaskIx;
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::plan::{BudgetPlan, BudgetScope};
use autoexec_model::state::JobState;

use crate::layout::{Cell, Stage};
use crate::state::{Exceeded, Job, Tally, Task};

/// The fact that stops a running job, if there is a reason to stop it.
pub(crate) fn reason_to_stop(job: &Job) -> Option<Fact> {
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
        let mut count = count(job, stage, budget.scope, limit.class);
        if count > allowed {
            // Phases that run together may fail on one target twice, and a limit is a number of targets.
            count = count_targets(job, stage, budget.scope, limit.class);
        }
        (count > allowed).then_some(Exceeded { group: stage.group, class: limit.class, count, limit: allowed })
    })
}

/// Tasks that failed in one class, in the scope around a stage.
fn count(job: &Job, stage: &Stage, scope: BudgetScope, class: OutcomeClass) -> u32 {
    inside(job, stage, scope).map(|(_, tally)| tally.failed_in(class)).sum()
}

/// Targets with such a task.
fn count_targets(job: &Job, stage: &Stage, scope: BudgetScope, class: OutcomeClass) -> u32 {
    let targets: BTreeSet<u32> = inside(job, stage, scope)
        .filter(|(_, tally)| tally.failed_in(class) > 0)
        .flat_map(|(cell, _)| (cell.first..cell.first + cell.len).map(TaskIx))
        .filter(|task| job.task(*task).and_then(Task::budget_class) == Some(class))
        .filter_map(|task| job.layout.target(&job.plan, task))
        .collect();
    targets.len() as u32
}

/// The cells of targets in the scope around a stage. A phase that runs once is no target: it stops the job by itself when
/// it fails.
fn inside<'a>(job: &'a Job, stage: &Stage, scope: BudgetScope) -> impl Iterator<Item = (&'a Cell, &'a Tally)> {
    let Stage { group, batch, .. } = *stage;
    let phases: Vec<u32> = job
        .layout
        .cells
        .iter()
        .skip(stage.first_cell as usize)
        .take(stage.cells as usize)
        .map(|cell| cell.phase)
        .collect();
    let inside = move |cell: &Cell| match scope {
        BudgetScope::Batch => cell.group == group && cell.batch == batch,
        BudgetScope::Phase => cell.group == group && phases.contains(&cell.phase),
        BudgetScope::Group => cell.group == group,
        BudgetScope::Job => true,
    };
    job.layout.cells.iter().zip(&job.tallies).filter(move |(cell, _)| cell.position.is_some() && inside(cell))
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
