//! The job as a whole: one row in a list, or everything but its targets one by one.

use std::collections::BTreeMap;

use autoexec_model::event::Gate;
use autoexec_model::id::TaskIx;
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::state::TaskState;
use autoexec_model::view::{FailureView, JobRow, JobView, PhaseView};

use super::standing::subject_standings;
use super::target::phase_name;
use super::{batch, place_word};
use crate::decide::budget_sentence;
use crate::state::Job;

/// Failures that one answer lists; the rest is a query away.
const MAX_FAILURES: usize = 200;

/// One job in a list.
pub fn job_row(job: &Job) -> JobRow {
    let standings = subject_standings(job);
    let mut counts = BTreeMap::new();
    for standing in &standings {
        if let TaskState::Done(verdict) = standing.state {
            *counts.entry(verdict.word().to_owned()).or_insert(0) += 1;
        }
    }
    JobRow {
        id: job.id.0,
        name: job.submitted.name.clone(),
        state: job.state.to_string(),
        by: job.submitted.by.clone(),
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        targets: standings.len() as u32,
        counts,
    }
}

/// One job, without clusters: their samples are read from the store by the caller.
pub fn job_view(job: &Job) -> JobView {
    let standings = subject_standings(job);
    let mut counts: BTreeMap<String, u32> = Verdict::ALL.iter().map(|verdict| (verdict.word().to_owned(), 0)).collect();
    let mut outcomes: BTreeMap<String, u32> =
        OutcomeClass::ALL.iter().map(|class| (class.word().to_owned(), 0)).collect();
    let mut open = BTreeMap::new();
    for standing in &standings {
        match standing.state {
            TaskState::Done(verdict) => *counts.entry(verdict.word().to_owned()).or_insert(0) += 1,
            TaskState::Waiting => *open.entry("waiting".to_owned()).or_insert(0) += 1,
            TaskState::Unresolved => *open.entry("unresolved".to_owned()).or_insert(0) += 1,
            TaskState::Granted | TaskState::Running | TaskState::Stopping => {
                *open.entry("running".to_owned()).or_insert(0) += 1;
            }
        }
        if let Some(class) = standing.class(job) {
            *outcomes.entry(class.word().to_owned()).or_insert(0) += 1;
        }
    }
    JobView {
        id: job.id.0,
        name: job.submitted.name.clone(),
        state: job.state.to_string(),
        reason: reason(job),
        plan_digest: job.submitted.plan.0.clone(),
        by: job.submitted.by.clone(),
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        revision: job.revision,
        targets_total: standings.len() as u32,
        counts,
        open,
        outcomes,
        batches: batch::batches(job),
        phases: phases(job),
        clusters: Vec::new(),
        exceeded: job.exceeded.iter().map(|over| budget_sentence(job, over)).collect(),
        failures: failures(job),
    }
}

/// Why the job is in its state, in one sentence; empty when there is nothing to say.
pub fn reason(job: &Job) -> String {
    if let Some(end) = &job.end {
        return end.reason.clone();
    }
    let place = || {
        let stage = job.layout.stages.get(job.stage as usize)?;
        let group = job.plan.groups.get(stage.group as usize)?;
        Some(format!("batch {} of {} of group `{}`", stage.batch + 1, group.batches.len(), group.name))
    };
    match job.gate {
        Some(Gate::Confirm) => {
            format!("{} is done; the next one waits for a confirmation", place().unwrap_or_default())
        }
        Some(Gate::Failure) => format!("a target of {} failed; the group pauses then", place().unwrap_or_default()),
        Some(Gate::Soak { .. }) => format!("{} is done; it soaks before the next one", place().unwrap_or_default()),
        Some(Gate::Unresolved) => "interrupted tasks wait for a person to say how they ended".to_owned(),
        None => String::new(),
    }
}

fn phases(job: &Job) -> Vec<PhaseView> {
    let mut views = Vec::new();
    for (g, group) in job.plan.groups.iter().enumerate() {
        for (p, phase) in group.phases.iter().enumerate() {
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            let cells = job.layout.cells.iter().zip(&job.tallies);
            for (_, tally) in cells.filter(|(cell, _)| cell.group as usize == g && cell.phase as usize == p) {
                let mut add = |word: &str, n: u32| {
                    if n > 0 {
                        *counts.entry(word.to_owned()).or_insert(0) += n;
                    }
                };
                add("waiting", tally.waiting);
                add("running", tally.live);
                add("unresolved", tally.unresolved);
                for verdict in Verdict::ALL {
                    add(verdict.word(), tally.with(verdict));
                }
            }
            views.push(PhaseView {
                group: group.name.clone(),
                name: phase.name.clone(),
                place: place_word(phase.place).to_owned(),
                counts,
            });
        }
    }
    views
}

fn failures(job: &Job) -> Vec<FailureView> {
    let rank = |state: TaskState| match state {
        TaskState::Done(Verdict::Failed) => Some(0),
        TaskState::Unresolved => Some(1),
        TaskState::Done(Verdict::Ignored) => Some(2),
        TaskState::Waiting
        | TaskState::Granted
        | TaskState::Running
        | TaskState::Stopping
        | TaskState::Done(Verdict::Succeeded | Verdict::Skipped | Verdict::Cancelled | Verdict::Aborted) => None,
    };
    let mut found: Vec<(u8, TaskIx)> = job
        .tasks
        .iter()
        .enumerate()
        .filter_map(|(index, task)| Some((rank(task.state)?, TaskIx(index as u32))))
        .collect();
    found.sort();
    found
        .into_iter()
        .take(MAX_FAILURES)
        .filter_map(|(_, ix)| {
            let task = job.task(ix)?;
            let report = task.report.as_deref();
            Some(FailureView {
                target: job.subject(ix).to_owned(),
                phase: phase_name(job, ix),
                step: report.and_then(|report| report.decided_by.clone()),
                verdict: task.state.word().to_owned(),
                outcome: report.map_or_else(String::new, |report| report.outcome.to_string()),
                message: report.map_or_else(String::new, |report| report.message.clone()),
            })
        })
        .collect()
}
