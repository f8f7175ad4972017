//! What templates of an attempt can read, and the templates' engine.
//!
//! | name | what it is |
//! |---|---|
//! | `params` | the job's parameters |
//! | `target` | name, address, port, user, labels, groups, vars of the target |
//! | `vars` | the target's variables |
//! | `job` | id and name of the job |
//! | `steps` | outputs of earlier steps of this phase on this target |
//! | `phases` | outputs of earlier phases |
//! | `all('phases.p.steps.s.key')` | the same of every target: a map from target to value |

use autoexec_model::grant::{Grant, GrantAttempt};
use autoexec_model::plan::Target;
use autoexec_model::template::{Engine, TemplateError};
use serde_json::{Map, Value, json};

/// The values, and what renders them.
pub(crate) struct Context {
    engine: Engine,
    values: Value,
}

impl Context {
    pub(crate) fn new(grant: &Grant, attempt: &GrantAttempt) -> Self {
        let target = attempt.target.as_ref().map_or(Value::Null, describe);
        let vars = attempt.target.as_ref().map(|target| target.vars.clone()).unwrap_or_default();
        let values = json!({
            "params": grant.params,
            "target": target,
            "vars": vars,
            "job": { "id": attempt.attempt.job.0, "name": grant.job_name },
            "attempt": attempt.attempt.n,
            "steps": {},
            "phases": attempt.phases,
        });
        let all = grant.all.iter().map(|(path, values)| (path.clone(), values.clone())).collect();
        Self { engine: Engine::new().with_all(all), values }
    }

    /// Makes what a step published readable for later steps.
    pub(crate) fn add_step(&mut self, id: &str, outputs: Map<String, Value>) {
        if let Some(Value::Object(steps)) = self.values.get_mut("steps") {
            steps.insert(id.to_owned(), Value::Object(outputs));
        }
    }

    pub(crate) fn text(&self, template: &str) -> Result<String, TemplateError> {
        self.engine.render(template, &self.values)
    }

    pub(crate) fn value(&self, value: &Value) -> Result<Value, TemplateError> {
        self.engine.render_value(value, &self.values)
    }

    pub(crate) fn holds(&self, expression: &str) -> Result<bool, TemplateError> {
        self.engine.eval_bool(expression, &self.values)
    }
}

/// A target as templates and tools see it.
pub(crate) fn describe(target: &Target) -> Value {
    json!({
        "name": target.name,
        "address": target.address,
        "port": target.port,
        "user": target.user,
        "transport": target.transport,
        "labels": target.labels,
        "groups": target.groups,
        "vars": target.vars,
    })
}
