//! Whether templates read only what there is when they are rendered.
//!
//! A name that cannot exist is an error here, before the job begins. A label or variable that some targets have and others do
//! not is an error too, unless the text guards it (`default(…)`, `is defined`) or a `when` decides who runs it.

use autoexec_model::diagnostic::{Place as At, nearest};
use autoexec_model::nodeset;
use autoexec_model::plan::{Place, Target};
use autoexec_model::template::{References, TemplateError};
use serde_json::Value;

use super::planner::Planner;
use super::reach::{StepOutputs, unknown_key};

/// What surrounds a template.
pub(super) struct Scope<'s> {
    /// Index of its group.
    pub(super) group: usize,
    pub(super) place: Place,
    pub(super) health: bool,
    /// The batch its phase runs in, when it runs once.
    pub(super) once_in: Option<u32>,
    /// The targets of its group.
    pub(super) members: &'s [u32],
    /// Earlier steps of its phase.
    pub(super) steps: &'s [StepOutputs],
    /// Ids of all steps of its phase.
    pub(super) ids: &'s [String],
    /// Whether a `when` decides for each target whether it is rendered at all.
    pub(super) conditional: bool,
}

/// One name that a template reads.
pub(super) struct Read<'r> {
    pub(super) path: &'r [String],
    pub(super) at: Option<At>,
    pub(super) guarded: bool,
}

/// What a template can read at all.
const ROOTS: [&str; 7] = ["params", "target", "vars", "steps", "phases", "job", "attempt"];

const TARGET: [&str; 8] = ["name", "address", "port", "user", "transport", "labels", "groups", "vars"];

const JOB: [&str; 2] = ["id", "name"];

/// What every earlier step of the same phase publishes.
const ALWAYS: [&str; 4] = ["stdout", "exit_code", "outcome", "ok"];

impl Planner<'_> {
    /// A text with holes.
    pub(super) fn check_text(&mut self, at: Option<At>, text: &str, scope: &Scope<'_>) {
        let result = self.engine.check(text);
        self.check_result(at, result, scope);
    }

    /// A bare expression.
    pub(super) fn check_expr(&mut self, at: Option<At>, expr: &str, scope: &Scope<'_>) {
        let result = self.engine.check_expr(expr);
        self.check_result(at, result, scope);
    }

    /// Every text inside a value.
    pub(super) fn check_value(&mut self, at: Option<At>, value: &Value, scope: &Scope<'_>) {
        let result = self.engine.check_value(value);
        self.check_result(at, result, scope);
    }

    fn check_result(&mut self, at: Option<At>, result: Result<References, TemplateError>, scope: &Scope<'_>) {
        match result {
            Ok(references) => self.check_references(at, &references, scope),
            Err(error) => {
                let hint = error.hint.clone();
                self.error(at, error.message).hint = hint;
            }
        }
    }

    fn check_references(&mut self, at: Option<At>, references: &References, scope: &Scope<'_>) {
        let before = self.found.len();
        let (known, unknown): (Vec<_>, Vec<_>) =
            references.paths.iter().partition(|path| path.first().is_some_and(|root| ROOTS.contains(&root.as_str())));
        for path in known {
            self.check_read(&Read { path, at, guarded: references.guarded.contains(path) }, scope);
        }
        for text in &references.all {
            self.read_all(at, text, scope);
        }
        // `steps.install-nginx` reads `steps.install` and `nginx`; one error is enough.
        if self.found.len() > before {
            return;
        }
        for path in unknown {
            if let Some(root) = path.first().filter(|_| !references.guarded.contains(path)) {
                self.unknown_root(at, root, scope);
            }
        }
    }

    fn check_read(&mut self, read: &Read<'_>, scope: &Scope<'_>) {
        match read.path.first().map(String::as_str) {
            Some("params") => self.read_param(read),
            Some("target") => self.read_target(read, scope),
            Some("vars") => self.read_of_targets(read, scope, 1, has_var),
            Some("steps") => self.read_step(read, scope),
            Some("phases") => self.read_phase(read, scope),
            Some("job") => self.read_field(read, "job", &JOB),
            Some(_) | None => {}
        }
    }

    fn unknown_root(&mut self, at: Option<At>, root: &str, scope: &Scope<'_>) {
        let params = &self.input.job.params;
        let hint = if params.contains(root) {
            format!("did you mean `params.{root}`?")
        } else if scope.ids.iter().any(|id| id == root) {
            format!("did you mean `steps.{root}`?")
        } else if let Some(near) = nearest(root, ROOTS) {
            format!("did you mean `{near}`?")
        } else {
            format!("there is {}; texts stand in quotes", ROOTS.join(", "))
        };
        self.error_hint(at, format!("unknown name `{root}`"), hint);
    }

    fn read_param(&mut self, read: &Read<'_>) {
        let Some(name) = read.path.get(1) else { return };
        let specs = &self.input.job.params;
        if !specs.contains(name) {
            if read.guarded {
                return;
            }
            let near = nearest(name, specs.names()).map(|near| format!("did you mean `params.{near}`?"));
            let list = || match specs.is_empty() {
                true => "the job declares no parameters; write them under `params`".to_owned(),
                false => format!("parameters: {}", specs.names().collect::<Vec<_>>().join(", ")),
            };
            let hint = near.unwrap_or_else(list);
            return self.error_hint(read.at, format!("there is no parameter `{name}`"), hint);
        }
        let rest = read.path.get(2..).unwrap_or_default();
        let lacks = self.params.open.get(name).is_some_and(|value| !rest.is_empty() && !has(value, rest));
        if lacks && !read.guarded {
            let message = format!("parameter `{name}` has no `{}`", rest.join("."));
            self.error_hint(read.at, message, "give it such a value, or write `| default(..)`");
        }
    }

    fn read_target(&mut self, read: &Read<'_>, scope: &Scope<'_>) {
        if self.no_target(read, scope) {
            return;
        }
        match read.path.get(1).map(String::as_str) {
            Some("labels") => self.read_of_targets(read, scope, 2, |target, rest| match rest {
                [] => true,
                [key] => target.labels.contains_key(key),
                _ => false, // not our enum: a path
            }),
            Some("vars") => self.read_of_targets(read, scope, 2, has_var),
            Some(_) | None => self.read_field(read, "target", &TARGET),
        }
    }

    /// Whether there is no target where this is read; says so.
    fn no_target(&mut self, read: &Read<'_>, scope: &Scope<'_>) -> bool {
        let none = scope.place == Place::Runner && !read.guarded;
        if none {
            let root = read.path.first().map_or("target", String::as_str);
            self.error_hint(
                read.at,
                format!("there is no `{root}` in a phase that runs once"),
                "write `on: runner-target` to run once for each target",
            );
        }
        none
    }

    /// A name that each target has or has not: `from` is where its own part of the path begins.
    fn read_of_targets(
        &mut self,
        read: &Read<'_>,
        scope: &Scope<'_>,
        from: usize,
        has: impl Fn(&Target, &[String]) -> bool,
    ) {
        if self.no_target(read, scope) || read.guarded {
            return;
        }
        let rest = read.path.get(from..).unwrap_or_default();
        let all: Vec<&Target> = scope.members.iter().filter_map(|index| self.targets.get(*index as usize)).collect();
        let lacking: Vec<&str> =
            all.iter().filter(|target| !has(target, rest)).map(|target| target.name.as_str()).collect();
        if lacking.is_empty() || scope.conditional && lacking.len() < all.len() {
            return;
        }
        let name = read.path.join(".");
        let (message, hint) = if lacking.len() == all.len() {
            let known = self.names_of_targets(read.path, &all);
            let near = rest.first().and_then(|word| nearest(word, known.iter().copied()));
            let hint = near.map_or_else(
                || "the inventory gives it to none of the targets".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            (format!("no target has `{name}`"), hint)
        } else {
            let folded: String = nodeset::fold(lacking.iter().copied()).chars().take(120).collect();
            let message = format!("`{name}` is missing on {} of {} targets: {folded}", lacking.len(), all.len());
            (
                message,
                "give it to them in the inventory, write `| default(..)`, or leave them out with `when`".to_owned(),
            )
        };
        self.error_hint(read.at, message, hint);
    }

    /// The names beside the one that was looked for, over all targets.
    fn names_of_targets<'t>(&self, path: &[String], targets: &[&'t Target]) -> Vec<&'t str> {
        let labels = path.get(1).is_some_and(|part| part == "labels");
        let names = targets.iter().flat_map(|target| -> Vec<&'t str> {
            if labels {
                target.labels.keys().map(String::as_str).collect()
            } else {
                target.vars.keys().map(String::as_str).collect()
            }
        });
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn read_step(&mut self, read: &Read<'_>, scope: &Scope<'_>) {
        let Some(id) = read.path.get(1) else { return };
        if let Some(step) = scope.steps.iter().find(|step| step.id == *id) {
            if let Some((message, hint)) = unknown_key(step, read, read.path.get(2), &ALWAYS) {
                self.error_hint(read.at, message, hint);
            }
            return;
        }
        if scope.ids.contains(id) {
            let message = format!("step `{id}` has not run yet when this is read");
            return self.error_hint(read.at, message, "a template can read earlier steps of its phase only");
        }
        let earlier: Vec<&str> = scope.steps.iter().map(|step| step.id.as_str()).collect();
        let elsewhere = self
            .published
            .iter()
            .rev()
            .find(|phase| phase.steps.iter().any(|step| step.id == *id))
            .map(|phase| &phase.phase);
        let hint = match (dashed(id, earlier.iter().copied()), elsewhere, nearest(id, earlier.iter().copied())) {
            (Some(full), _, _) => format!("a name with `-` is written `steps[\"{full}\"]`"),
            (None, Some(phase), _) => format!("it is in an earlier phase: `phases.{phase}.steps.{id}`"),
            (None, None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None, None) if earlier.is_empty() => "there is no earlier step in this phase".to_owned(),
            (None, None, None) => format!("earlier steps: {}", earlier.join(", ")),
        };
        self.error_hint(read.at, format!("there is no earlier step `{id}` in this phase"), hint);
    }

    fn read_field(&mut self, read: &Read<'_>, root: &str, fields: &[&str]) {
        let Some(field) = read.path.get(1).filter(|field| !fields.contains(&field.as_str())) else { return };
        let near = nearest(field, fields.iter().copied());
        let hint = near.map_or_else(
            || format!("`{root}` has {}", fields.join(", ")),
            |near| format!("did you mean `{root}.{near}`?"),
        );
        self.error_hint(read.at, format!("unknown name `{root}.{field}`"), hint);
    }
}

/// Whether a value has this path.
fn has(value: &Value, path: &[String]) -> bool {
    let mut value = value;
    for part in path {
        let next = match value {
            Value::Object(map) => map.get(part),
            Value::Array(list) => part.parse::<usize>().ok().and_then(|at| list.get(at)),
            // Methods and filters of texts are not paths; a text with a template inside is not known yet.
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
        };
        match next {
            Some(next) => value = next,
            None => return false,
        }
    }
    true
}

/// Whether a target has a variable with this path.
fn has_var(target: &Target, path: &[String]) -> bool {
    match path {
        [] => true,
        [name, rest @ ..] => target.vars.get(name).is_some_and(|value| has(value, rest)),
    }
}

/// A name that goes on with a dash where the word ends: `install` in `steps.install-nginx`.
pub(super) fn dashed<'a>(word: &str, mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find(|name| name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-')))
}
