//! `all('phases.p.steps.s.key')`: what a step published, over all targets.

use std::collections::BTreeSet;

use autoexec_model::id::TaskIx;
use autoexec_model::plan::{Action, Phase};
use autoexec_model::template::Engine;
use serde_json::{Map, Value};

use super::outputs_of;
use crate::state::Job;

/// The values that the templates of a phase ask of all targets: from the text in the parentheses to a map from target to
/// value. Targets that did not publish the key are left out.
pub fn values_of_all(job: &Job, phase: &Phase) -> Map<String, Value> {
    asked(phase).into_iter().map(|path| (path.clone(), Value::Object(over_targets(job, &path)))).collect()
}

fn over_targets(job: &Job, path: &str) -> Map<String, Value> {
    let keys: Vec<&str> = path.split('.').collect();
    let mut values = Map::new();
    let Some((&"phases", keys)) = keys.split_first() else { return values };
    for (index, target) in (0..).zip(&job.plan.targets) {
        let tasks: Vec<TaskIx> = job.layout.tasks_of_target(&job.plan, index).collect();
        let outputs = outputs_of(job, &tasks);
        let found = keys
            .split_first()
            .and_then(|(first, rest)| rest.iter().try_fold(outputs.get(*first)?, |value, key| value.get(*key)));
        if let Some(value) = found {
            values.insert(target.name.clone(), value.clone());
        }
    }
    values
}

/// The texts in `all('...')` of a phase's templates.
fn asked(phase: &Phase) -> BTreeSet<String> {
    let engine = Engine::new();
    let mut found = BTreeSet::new();
    let mut look = |text: &str, bare: bool| {
        if text.contains("all(") {
            let references = if bare { engine.check_expr(text) } else { engine.check(text) };
            // What is wrong with a template was said when the job was planned.
            found.extend(references.map(|references| references.all).unwrap_or_default());
        }
    };
    phase.when.iter().for_each(|when| look(when, true));
    for step in &phase.steps {
        step.when.iter().for_each(|when| look(when, true));
        step.env.iter().for_each(|(_, value)| look(value, false));
        step.workdir.iter().for_each(|dir| look(dir, false));
        match &step.action {
            Action::Run { args, stdin, .. } => {
                args.iter().chain(stdin).for_each(|text| look(text, false));
            }
            Action::Tool { with, .. } => {
                with.iter().for_each(|(name, value)| strings(value, &mut |text| look(text, name == "that")))
            }
        }
    }
    found
}

fn strings(value: &Value, look: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, look)),
        Value::Object(map) => map.values().for_each(|value| strings(value, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
