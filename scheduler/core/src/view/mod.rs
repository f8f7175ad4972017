//! What readers get, computed from the state: the job, its batches, its targets.
//!
//! A target's word is that of the task that matters most: one that runs before one that waits, a failure before a success.

mod all;
mod batch;
mod standing;

use std::collections::BTreeMap;

use autoexec_model::event::Gate;
use autoexec_model::id::TaskIx;
use autoexec_model::nodeset;
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::state::{JobState, TaskState};
use autoexec_model::view::{FailureView, JobRow, JobView, PhaseView, TargetRow};
use serde_json::{Map, Value};

pub use all::values_of_all;
pub use standing::{Standing, standing, standing_in_group, subject_standings};

use crate::decide::budget_sentence;
use crate::state::{Job, State};

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
    let mut outcomes: BTreeMap<String, u32> = OutcomeClass::ALL.iter().map(|class| (class.word().to_owned(), 0)).collect();
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
        Some(Gate::Confirm) => format!("{} is done; the next one waits for a confirmation", place().unwrap_or_default()),
        Some(Gate::Failure) => format!("a target of {} failed; the group pauses then", place().unwrap_or_default()),
        Some(Gate::Soak { .. }) => format!("{} is done; it soaks before the next one", place().unwrap_or_default()),
        Some(Gate::Unresolved) => "interrupted tasks wait for a person to say how they ended".to_owned(),
        None => String::new(),
    }
}

/// Rows of the targets of a job, in plan order; once-only phases come last, under the name `runner`.
pub fn target_rows(state: &State, job: &Job, outputs: bool) -> Vec<TargetRow> {
    (0..job.plan.targets.len() as u32)
        .filter_map(|target| {
            let tasks: Vec<TaskIx> = job.layout.tasks_of_target(&job.plan, target).collect();
            Some(target_row(state, job, &job.plan.target(target)?.name, &tasks, outputs))
        })
        .collect()
}

fn target_row(state: &State, job: &Job, name: &str, tasks: &[TaskIx], outputs: bool) -> TargetRow {
    let standing = standing(job, tasks);
    let task = standing.task.and_then(|task| job.task(task));
    let report = task.and_then(|task| task.report.as_deref());
    let cell = standing.task.and_then(|task| job.layout.cell(task));
    let verdict = match standing.state {
        TaskState::Done(verdict) => verdict.word(),
        TaskState::Waiting => "waiting",
        TaskState::Unresolved => "unresolved",
        TaskState::Granted | TaskState::Running | TaskState::Stopping => "running",
    };
    let times = || tasks.iter().filter_map(|task| job.task(*task));
    TargetRow {
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        outcome: report.map(|report| report.outcome.word().to_owned()),
        exit_code: report.and_then(|report| report.outcome.exit_code()),
        attempts: task.map_or(0, |task| task.n),
        batch: cell.map_or(0, |cell| batch::index_of(job, cell.group, cell.batch)),
        phase: standing.task.map_or_else(String::new, |task| phase_name(job, task)),
        runner: task.and_then(|task| Some(state.runner(task.runner?)?.id.0.clone())),
        started_at: times().filter_map(|task| task.started_at).min(),
        finished_at: times().filter_map(|task| task.finished_at).max(),
        message: report.map_or_else(String::new, |report| report.message.clone()),
        outputs: if outputs { Value::Object(outputs_of(job, tasks)) } else { Value::Null },
    }
}

/// What steps published, `phase -> step -> key -> value`, of these tasks.
pub fn outputs_of(job: &Job, tasks: &[TaskIx]) -> Map<String, Value> {
    let mut phases = Map::new();
    for task in tasks {
        let Some(known) = job.task(*task) else { continue };
        let mut steps = Map::new();
        if let Some(report) = &known.report {
            for step in &report.steps {
                steps.insert(step.id.clone(), Value::Object(step.outputs.clone()));
            }
        }
        if let Some(supplied) = &known.supplied {
            steps.extend(supplied.iter().map(|(step, outputs)| (step.clone(), outputs.clone())));
        }
        if !steps.is_empty() {
            let mut phase = Map::new();
            phase.insert("steps".to_owned(), Value::Object(steps));
            phases.insert(phase_name(job, *task), Value::Object(phase));
        }
    }
    phases
}

/// Name of the phase of a task.
pub fn phase_name(job: &Job, task: TaskIx) -> String {
    job.layout
        .cell(task)
        .and_then(|cell| job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize))
        .map_or_else(String::new, |phase| phase.name.clone())
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

/// The word for a place in files and messages.
pub fn place_word(place: autoexec_model::plan::Place) -> &'static str {
    use autoexec_model::plan::Place;
    match place {
        Place::Runner => "runner",
        Place::RunnerTarget => "runner-target",
        Place::Target => "target",
        Place::Sql => "sql",
    }
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

/// Names of targets, folded.
pub fn fold(job: &Job, targets: impl IntoIterator<Item = u32>) -> String {
    let names: Vec<&str> =
        targets.into_iter().filter_map(|target| job.plan.target(target)).map(|target| target.name.as_str()).collect();
    nodeset::fold(names)
}

/// Whether the job waits for a person.
pub fn waits_for_person(job: &Job) -> bool {
    matches!(job.state, JobState::Waiting | JobState::Paused)
}
