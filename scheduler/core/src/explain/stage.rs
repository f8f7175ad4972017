//! Names of places in a job: groups, batches, phases.

use crate::layout::{Cell, Stage};
use crate::state::Job;

/// `batch 2 of 4 of group `web``, or only the group when it has one batch.
pub(super) fn batch(job: &Job, group: u32, batch: u32) -> String {
    let Some(known) = job.plan.groups.get(group as usize) else { return format!("group {group}") };
    if known.batches.len() > 1 {
        format!("batch {} of {} of group `{}`", batch + 1, known.batches.len(), known.name)
    } else {
        format!("group `{}`", known.name)
    }
}

pub(super) fn group(job: &Job, group: u32) -> &str {
    job.plan.groups.get(group as usize).map_or("?", |group| group.name.as_str())
}

pub(super) fn phase<'a>(job: &'a Job, cell: &Cell) -> &'a str {
    job.plan
        .groups
        .get(cell.group as usize)
        .and_then(|group| group.phases.get(cell.phase as usize))
        .map_or("?", |phase| phase.name.as_str())
}

/// The stage that is running or comes next.
pub(super) fn current(job: &Job) -> Option<&Stage> {
    job.layout.stages.get(job.stage as usize)
}

/// The phases of the current stage, each in backticks.
pub(super) fn phases(job: &Job) -> String {
    let cells = job.layout.cells_of(job.stage).filter(|(_, cell)| cell.len > 0);
    let names: Vec<String> = cells.map(|(_, cell)| format!("`{}`", phase(job, cell))).collect();
    names.join(", ")
}

/// Tasks of the current stage: waiting, live, unresolved.
pub(super) fn open(job: &Job) -> (u32, u32, u32) {
    job.layout
        .cells_of(job.stage)
        .filter_map(|(cell, _)| job.tallies.get(cell))
        .fold((0, 0, 0), |sum, tally| (sum.0 + tally.waiting, sum.1 + tally.live, sum.2 + tally.unresolved))
}
