//! What a tool is given, against what it takes.
//!
//! Values without templates are checked here and stand in the plan in their normal form. A value that is exactly one parameter
//! of the job is checked too, because its value is known. Others are checked by the runner, when they are rendered.

use autoexec_model::diagnostic::{Located, Place as At, hint_for, nearest};
use autoexec_model::param::{ParamSpec, ParamType};
use autoexec_model::plan::{Action, Place};
use autoexec_model::spec::StepSpec;
use autoexec_model::template::is_template;
use autoexec_model::tool::{Entry, ToolDescriptor};
use serde_json::{Map, Value};

use super::names::Scope;
use super::planner::Planner;

/// The tool of a step, if there is one of this name that runs in this place.
pub(super) fn tool<'a>(
    planner: &mut Planner<'a>,
    name: &Located<String>,
    scope: &Scope<'_>,
) -> Option<&'a ToolDescriptor> {
    let input = planner.input;
    let Some(tool) = input.tools.get(&name.value) else {
        let names: Vec<&str> = input.tools.keys().map(String::as_str).collect();
        let hint = nearest(&name.value, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let hint = hint.unwrap_or_else(|| "`autoexec tool ls` shows the tools that there are".to_owned());
        planner.error_hint(name.place, format!("there is no tool `{name}`"), hint);
        return None;
    };
    let places = &tool.manifest.places.value;
    if !places.contains(&scope.place) && scope.place != Place::Sql {
        let words: Vec<&str> = places.iter().map(|place| word(*place)).collect();
        let message = format!("the tool `{name}` does not run on `{}`", word(scope.place));
        planner.error_hint(name.place, message, format!("it runs on {}", words.join(", ")));
    }
    planner.tools.insert(name.value.clone(), tool.digest.clone());
    Some(tool)
}

/// The word for a place in YAML.
pub(super) fn word(place: Place) -> &'static str {
    match place {
        Place::Runner => "runner",
        Place::RunnerTarget => "runner-target",
        Place::Target => "target",
        Place::Sql => "sql",
    }
}

/// Names of what a tool publishes; none when its manifest does not say.
pub(super) fn outputs(tool: &ToolDescriptor) -> Option<Vec<String>> {
    let outputs = &tool.manifest.outputs;
    (!outputs.is_empty()).then(|| outputs.names().map(str::to_owned).collect())
}

pub(super) fn action(
    planner: &mut Planner<'_>,
    spec: &StepSpec,
    (at, tool): (Option<At>, &ToolDescriptor),
    scope: &Scope<'_>,
) -> Action {
    let name = &tool.manifest.name.value;
    let specs = &tool.manifest.params;
    let mut with = Map::new();
    for (key, value) in spec.with.iter() {
        let Some(param) = specs.get(&key.value) else {
            let known: Vec<&str> = specs.names().collect();
            let hint = hint_for(&key.value, &known).unwrap_or_else(|| "it takes no parameters".to_owned());
            planner.error_hint(key.place, format!("the tool `{name}` has no parameter `{key}`"), hint);
            continue;
        };
        let checked = given(planner, tool, (key, param), value, scope);
        with.insert(key.value.clone(), checked);
    }
    for (key, param) in specs.iter().filter(|(key, param)| param.required && !spec.with.contains(&key.value)) {
        let hint = param.help.clone().unwrap_or_else(|| format!("it is of type {}", param.kind));
        planner.error_hint(at, format!("the tool `{name}` needs the parameter `{key}`"), hint);
    }
    Action::Tool { name: name.clone(), digest: tool.digest.clone(), with }
}

/// One value: checked as far as it is known; in its normal form when all of it is.
fn given(
    planner: &mut Planner<'_>,
    tool: &ToolDescriptor,
    (key, param): (&str, &ParamSpec),
    value: &Located<Value>,
    scope: &Scope<'_>,
) -> Value {
    // The expression of `assert` stands bare, as in `when`.
    let bare = matches!((&tool.manifest.entry.value, key, &value.value), (Entry::Flow(flow), "that", Value::String(text)) if flow == "assert" && !is_template(text));
    if let (true, Value::String(text)) = (bare, &value.value) {
        planner.check_expr(value.place, text, scope);
        return value.value.clone();
    }
    if !has_template(&value.value) {
        return literal(planner, tool, (key, param), value);
    }
    planner.check_value(value.place, &value.value, scope);
    if let Some(name) = sole_param(&value.value) {
        check_param(planner, (key, param), name, value.place);
    }
    value.value.clone()
}

/// A value that is known now.
fn literal(
    planner: &mut Planner<'_>,
    tool: &ToolDescriptor,
    (key, param): (&str, &ParamSpec),
    value: &Located<Value>,
) -> Value {
    if value.value.is_null() {
        if param.required {
            planner.error(value.place, format!("the tool `{}` needs the parameter `{key}`", tool.manifest.name));
        }
        return Value::Null;
    }
    if param.is_secret() {
        let message = format!("`{key}` is a secret, and a secret is not written in a job");
        let error = planner.error(value.place, message);
        error.snippet = None;
        error.hint = Some("declare a parameter of type secret and write \"{{ params.NAME }}\"".to_owned());
        return Value::Null;
    }
    if param.kind == ParamType::File {
        let message = format!("`{key}` takes a file, and a file comes with a parameter of the job");
        planner.error_hint(value.place, message, "declare a parameter of type file and write \"{{ params.NAME }}\"");
        return Value::Null;
    }
    match param.check(key, &value.value) {
        Ok(checked) => checked,
        Err(error) => {
            let hint = error.hint.clone();
            planner.error(value.place, error.to_string()).hint = hint;
            value.value.clone()
        }
    }
}

/// A value that is exactly one parameter of the job: its value, or at least its type, is known.
fn check_param(planner: &mut Planner<'_>, (key, param): (&str, &ParamSpec), name: &str, at: Option<At>) {
    let Some(declared) = planner.input.job.params.get(name) else { return };
    if param.kind == ParamType::File && declared.kind != ParamType::File {
        let message = format!("`{key}` takes a file, and parameter `{name}` is of type {}", declared.kind);
        return planner.error_hint(at, message, "declare it with `type: file`");
    }
    if declared.kind == ParamType::File && param.kind != ParamType::File {
        let message = format!("`{key}` is of type {}, and parameter `{name}` is a file", param.kind);
        return planner.error_hint(at, message, "declare it with `type: string`");
    }
    if param.is_secret() && !declared.is_secret() {
        let message = format!("`{key}` is a secret, and parameter `{name}` is not");
        return planner.error_hint(at, message, "declare it with `type: secret`");
    }
    match planner.params.open.get(name) {
        Some(Value::Null) if param.required => {
            planner.error_hint(
                at,
                format!("`{key}` is needed, and parameter `{name}` has no value"),
                format!("give it with `-p {name}=..`"),
            );
        }
        Some(value) if !value.is_null() => {
            if let Err(error) = param.check(key, value) {
                let message = format!("parameter `{name}` of the job does not fit: {error}");
                planner.error(at, message).hint = error.hint;
            }
        }
        Some(_) | None => {}
    }
}

/// The parameter of the job that a text is and nothing else: `{{ params.x }}`.
fn sole_param(value: &Value) -> Option<&str> {
    let inner = value.as_str()?.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let name = inner.strip_prefix("params.")?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then_some(name)
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(list) => list.iter().any(has_template),
        Value::Object(map) => map.values().any(has_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
