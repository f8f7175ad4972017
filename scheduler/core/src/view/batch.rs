//! How the batches of a job stand.

use std::collections::BTreeMap;

use autoexec_model::event::Gate;
use autoexec_model::id::TaskIx;
use autoexec_model::outcome::Verdict;
use autoexec_model::state::{JobState, TaskState};
use autoexec_model::view::BatchView;

use super::{fold, standing_in_group};
use crate::layout::Stage;
use crate::state::Job;

/// Number of a batch of a group among all batches of the job, from 1.
pub(super) fn index_of(job: &Job, group: u32, batch: u32) -> u32 {
    let before: usize = job.plan.groups.iter().take(group as usize).map(|group| group.batches.len().max(1)).sum();
    before as u32 + batch + 1
}

pub(super) fn batches(job: &Job) -> Vec<BatchView> {
    let mut views = Vec::new();
    for (g, group) in job.plan.groups.iter().enumerate() {
        let mut first = 0;
        let sizes = if group.batches.is_empty() { vec![0] } else { group.batches.clone() };
        for (b, size) in sizes.iter().enumerate() {
            let targets = group.targets.get(first as usize..(first + size) as usize).unwrap_or_default();
            views.push(view(job, g as u32, b as u32, targets));
            first += size;
        }
    }
    views
}

fn view(job: &Job, group: u32, batch: u32, targets: &[u32]) -> BatchView {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut running = 0;
    for target in targets {
        match standing_in_group(job, group, *target).state {
            TaskState::Done(verdict) => *counts.entry(verdict.word().to_owned()).or_insert(0) += 1,
            TaskState::Granted | TaskState::Running | TaskState::Stopping => running += 1,
            TaskState::Unresolved => *counts.entry("unresolved".to_owned()).or_insert(0) += 1,
            TaskState::Waiting => {}
        }
    }
    let progress = progress(job, group, batch);
    let tasks = || tasks_of(job, group, batch).filter_map(|task| job.task(task));
    let over = !matches!(progress, Progress::Ahead | Progress::Now);
    BatchView {
        index: index_of(job, group, batch),
        group: job.plan.groups.get(group as usize).map_or_else(String::new, |group| group.name.clone()),
        size: targets.len() as u32,
        state: state_word(job, &progress, &counts, once_failed(job, group, batch)).to_owned(),
        phase: if matches!(progress, Progress::Now) { current_phases(job) } else { String::new() },
        running,
        counts,
        targets: fold(job, targets.iter().copied()),
        started_at: tasks().filter_map(|task| task.granted_at).min(),
        finished_at: if over { tasks().filter_map(|task| task.finished_at).max() } else { None },
    }
}

enum Progress {
    /// Its turn has not come.
    Ahead,
    /// Its turn is now.
    Now,
    /// Its work is done and the gate after it holds the job.
    Held,
    /// It is over.
    Over,
}

fn progress(job: &Job, group: u32, batch: u32) -> Progress {
    let place = |stage: &Stage| (stage.group, stage.batch);
    let last = job.layout.stages.last().map(place);
    let now = job.layout.stages.get(job.stage as usize).map(place);
    if job.state.is_final() {
        let began = tasks_of(job, group, batch).any(|task| job.task(task).is_some_and(|task| task.n > 0));
        return if began || last.is_none() { Progress::Over } else { Progress::Ahead };
    }
    match now {
        None => Progress::Over,
        Some(now) if (group, batch) < now => Progress::Over,
        Some(now) if (group, batch) > now => Progress::Ahead,
        Some(_) if job.state == JobState::Queued => Progress::Ahead,
        Some(_) => match job.gate {
            Some(Gate::Confirm | Gate::Failure | Gate::Soak { .. }) => Progress::Held,
            Some(Gate::Unresolved) | None => Progress::Now,
        },
    }
}

/// Whether a phase of the batch that runs once failed: no target tells of it.
fn once_failed(job: &Job, group: u32, batch: u32) -> bool {
    let mut once = job.layout.cells_of_batch(group, batch).filter(|(_, cell)| cell.position.is_none());
    once.any(|(index, _)| job.tallies.get(index).is_some_and(|tally| tally.with(Verdict::Failed) > 0))
}

fn state_word(job: &Job, progress: &Progress, counts: &BTreeMap<String, u32>, once_failed: bool) -> &'static str {
    let any = |word: &str| counts.get(word).is_some_and(|n| *n > 0);
    match progress {
        Progress::Ahead if job.state == JobState::Cancelled => "cancelled",
        Progress::Ahead if job.state.is_final() => "aborted",
        Progress::Ahead => "waiting",
        Progress::Now => "running",
        Progress::Held => "held",
        Progress::Over if any("failed") || any("unresolved") || once_failed => "failed",
        Progress::Over if any("cancelled") => "cancelled",
        Progress::Over if any("aborted") => "aborted",
        Progress::Over => "succeeded",
    }
}

fn current_phases(job: &Job) -> String {
    let names: Vec<&str> = job
        .layout
        .cells_of(job.stage)
        .filter_map(|(_, cell)| job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize))
        .map(|phase| phase.name.as_str())
        .collect();
    names.join(", ")
}

fn tasks_of(job: &Job, group: u32, batch: u32) -> impl Iterator<Item = TaskIx> {
    job.layout.cells_of_batch(group, batch).flat_map(|(_, cell)| (cell.first..cell.first + cell.len).map(TaskIx))
}
