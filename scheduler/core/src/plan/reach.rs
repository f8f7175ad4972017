//! What a phase can read of what earlier phases published: `phases.<phase>.steps.<step>.<key>`, and `all('…')` over targets.
//!
//! Whether it is there when it is read depends on the order of things: a phase of a oneshot group runs beside its neighbours, a
//! phase that runs once may run in a later batch, and another group may have had other targets.

use std::collections::HashSet;

use autoexec_model::diagnostic::{Place as At, nearest};
use autoexec_model::plan::{Place, Strategy};

use super::names::{Read, Scope, dashed};
use super::planner::Planner;

/// What a phase publishes.
pub(super) struct Published {
    pub(super) phase: String,
    pub(super) place: Place,
    pub(super) group: usize,
    pub(super) strategy: Strategy,
    pub(super) health: bool,
    /// The batch it runs in, when it runs once.
    pub(super) once_in: Option<u32>,
    /// The targets it runs for.
    pub(super) members: HashSet<u32>,
    pub(super) steps: Vec<StepOutputs>,
}

/// What a step publishes.
#[derive(Clone)]
pub(super) struct StepOutputs {
    pub(super) id: String,
    /// Names of its outputs; none when they are not known, because a script or the tool's parameters decide.
    pub(super) keys: Option<Vec<String>>,
}

/// What every step of an earlier phase publishes, whatever it runs.
const ALWAYS: [&str; 1] = ["stdout"];

impl Published {
    fn per_target(&self) -> bool {
        self.place != Place::Runner
    }
}

impl Planner<'_> {
    /// `phases.<phase>.steps.<step>.<key>`.
    pub(super) fn read_phase(&mut self, read: &Read<'_>, scope: &Scope<'_>) {
        let Some(name) = read.path.get(1) else {
            let all: Vec<_> = self.published.iter().map(|phase| (phase.phase.clone(), None)).collect();
            self.kept.extend(all);
            return;
        };
        self.keep(name, read.path.get(3), read.path.get(4));
        let Some(index) = self.published.iter().position(|phase| phase.phase == *name) else {
            return self.unknown_phase(read.at, name);
        };
        if let Some((message, hint)) = self.out_of_reach(index, read, scope) {
            return self.error_hint(read.at, message, hint);
        }
        match read.path.get(2).map(String::as_str) {
            None => {}
            Some("steps") => self.read_published(index, read),
            Some(other) => {
                let message = format!("unknown name `phases.{name}.{other}`");
                self.error_hint(read.at, message, format!("write `phases.{name}.steps.<step>.<key>`"));
            }
        }
    }

    /// `all('phases.<phase>.steps.<step>.<key>')`.
    pub(super) fn read_all(&mut self, at: Option<At>, text: &str, scope: &Scope<'_>) {
        let parts: Vec<&str> = text.split('.').collect();
        let ["phases", name, "steps", step, key] = parts.as_slice() else {
            let message = format!("`all('{text}')` does not say what to collect");
            return self.error_hint(at, message, "write `all('phases.<phase>.steps.<step>.<key>')`");
        };
        self.keep(name, Some(&(*step).to_owned()), Some(&(*key).to_owned()));
        let Some(index) = self.published.iter().position(|phase| phase.phase == *name) else {
            return self.unknown_phase(at, name);
        };
        let Some(phase) = self.published.get(index) else { return };
        if !phase.per_target() {
            let message = format!("phase `{name}` runs once, so there is one value and not one for each target");
            return self.error_hint(at, message, format!("write `{text}` without `all`"));
        }
        if beside(phase, scope) {
            return self.error_hint(at, runs_beside(name), BESIDE_HINT);
        }
        let path: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        self.read_published(index, &Read { path: &path, at, guarded: false });
    }

    /// Notes that the `stdout` of a step is read later.
    fn keep(&mut self, phase: &str, step: Option<&String>, key: Option<&String>) {
        if key.is_none_or(|key| key == "stdout") {
            self.kept.insert((phase.to_owned(), step.cloned()));
        }
    }

    fn unknown_phase(&mut self, at: Option<At>, name: &str) {
        if self.phase_names.iter().any(|phase| phase == name) {
            let message = format!("phase `{name}` has not run yet when this is read");
            return self.error_hint(at, message, "a template can read earlier phases only");
        }
        let earlier: Vec<&str> = self.published.iter().map(|phase| phase.phase.as_str()).collect();
        let hint = match (dashed(name, earlier.iter().copied()), nearest(name, earlier.iter().copied())) {
            (Some(full), _) => format!("a name with `-` is written `phases[\"{full}\"]`"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) if earlier.is_empty() => "there is no earlier phase".to_owned(),
            (None, None) => format!("earlier phases: {}", earlier.join(", ")),
        };
        self.error_hint(at, format!("there is no phase `{name}`"), hint);
    }

    /// Why the outputs of an earlier phase are not there when this is read, and what to do.
    fn out_of_reach(&self, index: usize, read: &Read<'_>, scope: &Scope<'_>) -> Option<(String, String)> {
        let phase = self.published.get(index)?;
        let name = &phase.phase;
        if beside(phase, scope) {
            return Some((runs_beside(name), BESIDE_HINT.to_owned()));
        }
        if scope.place == Place::Runner && phase.per_target() {
            let hint = format!("write `all('phases.{name}.steps.<step>.<key>')`, which has every target's");
            return Some((format!("phase `{name}` has outputs for each target, and this runs once for all"), hint));
        }
        if read.guarded || scope.conditional {
            return None;
        }
        let batch = phase.once_in.filter(|batch| phase.group == scope.group && scope.once_in.unwrap_or(0) < *batch);
        if let Some(batch) = batch {
            let message = format!("phase `{name}` runs in batch {}, so its outputs are not there before", batch + 1);
            return Some((message, "write `batch: first` in that phase, or give a `| default(..)`".to_owned()));
        }
        let absent =
            scope.members.iter().filter(|target| phase.per_target() && !phase.members.contains(target)).count();
        (absent > 0).then(|| {
            let message = format!("{absent} of {} targets did not run phase `{name}`", scope.members.len());
            (message, "give a `| default(..)`, or let both groups have the same targets".to_owned())
        })
    }

    /// The step and the key.
    fn read_published(&mut self, index: usize, read: &Read<'_>) {
        let (Some(phase), Some(id)) = (self.published.get(index), read.path.get(3)) else { return };
        let Some(step) = phase.steps.iter().find(|step| step.id == *id) else {
            let ids: Vec<&str> = phase.steps.iter().map(|step| step.id.as_str()).collect();
            let hint = match (dashed(id, ids.iter().copied()), nearest(id, ids.iter().copied())) {
                (Some(full), _) => format!("a name with `-` is written `steps[\"{full}\"]`"),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("its steps: {}", ids.join(", ")),
            };
            let message = format!("phase `{}` has no step `{id}`", phase.phase);
            return self.error_hint(read.at, message, hint);
        };
        if let Some((message, hint)) = unknown_key(step, read, read.path.get(4), &ALWAYS) {
            self.error_hint(read.at, message, hint);
        }
    }
}

/// Whether a phase runs at the same time as the one that reads it.
fn beside(phase: &Published, scope: &Scope<'_>) -> bool {
    phase.group == scope.group && phase.strategy == Strategy::Oneshot && phase.health == scope.health && !phase.health
}

fn runs_beside(name: &str) -> String {
    format!("phase `{name}` runs at the same time, because its group is `oneshot`")
}

const BESIDE_HINT: &str = "put the phases into two groups, or write `strategy: rolling`";

/// A key that a step is known not to publish.
pub(super) fn unknown_key(
    step: &StepOutputs,
    read: &Read<'_>,
    key: Option<&String>,
    always: &[&str],
) -> Option<(String, String)> {
    let (key, keys) = (key?, step.keys.as_ref()?);
    let known: Vec<&str> = keys.iter().map(String::as_str).chain(always.iter().copied()).collect();
    if read.guarded || known.contains(&key.as_str()) {
        return None;
    }
    let near = nearest(key, known.iter().copied());
    let hint =
        near.map_or_else(|| format!("it publishes {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    Some((format!("step `{}` publishes no `{key}`", step.id), hint))
}
