//! The job's parameters: everything that was given against everything that is declared, with what is secret kept apart.

use std::collections::BTreeMap;

use autoexec_model::diagnostic::Diagnostics;
use autoexec_model::param::{ParamType, resolve_params};
use autoexec_model::plan::PlanFile;
use serde_json::{Map, Value};

use super::input::PlanInput;

/// The parameters of one plan.
#[derive(Default)]
pub(super) struct Params {
    /// Every declared parameter that is not secret, in the order of the declarations; null when it has no value.
    pub(super) open: Map<String, Value>,
    /// Values of the secret ones that were given.
    pub(super) secrets: Map<String, Value>,
    /// Files, by parameter.
    pub(super) files: BTreeMap<String, PlanFile>,
    /// Whether some could not be resolved, so that the rest is incomplete.
    pub(super) failed: bool,
}

/// Checks what was given and fills in the defaults.
pub(super) fn resolve(input: &PlanInput<'_>, found: &mut Diagnostics) -> Params {
    let specs = &input.job.params;
    let is_file = |name: &str| specs.get(name).is_some_and(|spec| spec.kind == ParamType::File);
    let mut given = input.params.clone();
    for (name, file) in input.files {
        if is_file(name) {
            given.insert(name.clone(), serde_json::to_value(file).unwrap_or_default());
        } else if !specs.contains(name) {
            // So that the name is told to be unknown.
            given.insert(name.clone(), Value::Null);
        }
    }
    let values = match resolve_params(specs, &given) {
        Ok(values) => values,
        Err(errors) => {
            for error in errors {
                found.push(error.to_diagnostic(input.source));
            }
            return Params { failed: true, ..Params::default() };
        }
    };
    let mut params = Params::default();
    for (name, value) in values {
        let secret = specs.get(&name).is_some_and(|spec| spec.is_secret() && spec.kind != ParamType::File);
        match (secret, value) {
            (true, Value::Null) | (false, Value::Null) => drop(params.open.insert(name, Value::Null)),
            (true, value) => drop(params.secrets.insert(name, value)),
            (false, value) => {
                if let Some(file) = input.files.get(&name).filter(|_| is_file(&name)) {
                    params.files.insert(name.clone(), file.clone());
                }
                params.open.insert(name, value);
            }
        }
    }
    params
}
