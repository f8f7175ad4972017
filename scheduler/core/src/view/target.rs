//! The targets of a job, one by one, and what their steps published.

use autoexec_model::id::TaskIx;
use autoexec_model::state::TaskState;
use autoexec_model::view::TargetRow;
use serde_json::{Map, Value};

use super::batch;
use super::standing::standing;
use crate::state::{Job, State};

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
