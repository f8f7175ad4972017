//! What the shape alone cannot say: names, what must or may not stand together, ids.

use std::collections::BTreeMap;

use super::credential::CredentialError;
use super::group::{GroupSpec, PhaseSpec};
use super::job::JobSpec;
use super::small::BecomeSpec;
use super::step::StepSpec;
use crate::diagnostic::{Diagnostics, Located, Place as At, SourceFile};
use crate::param::check_declarations;
use crate::plan::{Place, Strategy};

/// Characters of a name.
const MAX_NAME: usize = 64;

/// Whether a text can be the name of a job: a name that is no number and not `last`, which mean jobs already.
pub fn is_job_name(text: &str) -> bool {
    is_name(text) && text != "last" && !text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text can name a job, group, phase or step: 1 to 64 letters, digits, `_` and `-`.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The ids of the steps of a phase: as written, else the tool's name, else `step-N` with N counted from 1. A derived id that
/// is taken gets a number behind it; written ones that stand twice are left to the check.
pub fn step_ids(steps: &[Located<StepSpec>]) -> Vec<String> {
    let written: Vec<&str> = steps.iter().filter_map(|step| step.id.as_ref().map(|id| id.value.as_str())).collect();
    let mut ids: Vec<String> = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        let id = match (&step.id, &step.tool) {
            (Some(id), _) => id.value.clone(),
            (None, Some(tool)) => free(tool, &written, &ids),
            (None, None) => free(&format!("step-{}", index + 1), &written, &ids),
        };
        ids.push(id);
    }
    ids
}

fn free(wanted: &str, written: &[&str], taken: &[String]) -> String {
    let is_free = |id: &String| !written.contains(&id.as_str()) && !taken.contains(id);
    let numbered = (2..).map(|n| format!("{wanted}-{n}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

impl JobSpec {
    /// Everything that is wrong with the meaning of the file, in the order of the text.
    pub fn check(&self, src: &SourceFile) -> Diagnostics {
        let mut checker = Checker { src, found: Diagnostics::new() };
        checker.job(self);
        checker.found
    }
}

struct Checker<'a> {
    src: &'a SourceFile,
    found: Diagnostics,
}

impl Checker<'_> {
    fn error(&mut self, place: Option<At>, message: impl Into<String>, hint: &str) {
        let error = self.src.error(place, message);
        self.found.push(if hint.is_empty() { error } else { error.hint(hint) });
    }

    fn job(&mut self, job: &JobSpec) {
        self.name("the name of a job", &job.name);
        if is_name(&job.name) && !is_job_name(&job.name) {
            let hint = "jobs are found by number, by name and as `last`; add a word";
            self.error(
                job.name.place,
                format!("`{}` would mean another job on the command line", job.name.value),
                hint,
            );
        }
        for error in check_declarations(&job.params) {
            self.found.push(error.to_diagnostic(self.src));
        }
        self.becoming(job.defaults.become_user.as_ref());
        self.at_least_one("parallel", job.defaults.parallel.as_ref());
        let written = [job.groups.is_some(), job.phases.is_some(), job.steps.is_some()];
        match written.iter().filter(|is| **is).count() {
            1 => {}
            0 => return self.error(None, "the job does nothing", "write one of `steps`, `phases` and `groups`"),
            _ => {
                // not our enum: a count
                return self.error(
                    self.second_body(job),
                    "only one of `steps`, `phases` and `groups` can be written",
                    "put the phases into the groups, and the steps into the phases",
                );
            }
        }
        self.groups(job.groups.as_deref());
        self.phases(job.phases.as_deref());
        if let Some(steps) = &job.steps {
            self.steps(steps, "the job", self.top_key("steps").or(job.name.place));
        }
        self.unique("group", job.groups.iter().flatten().map(|group| &group.name));
        let inner = job.groups.iter().flatten().flat_map(|group| group.phases.iter());
        self.unique("phase", inner.chain(job.phases.iter().flatten()).map(|phase| &phase.name));
    }

    /// Where the second of the three begins.
    fn second_body(&self, job: &JobSpec) -> Option<At> {
        let keys = [("groups", job.groups.is_some()), ("phases", job.phases.is_some()), ("steps", job.steps.is_some())];
        let mut places: Vec<At> = keys.iter().filter(|(_, is)| *is).filter_map(|(key, _)| self.top_key(key)).collect();
        places.sort_unstable();
        places.get(1).copied()
    }

    /// A key at the top of the file, when each key has its line.
    fn top_key(&self, key: &str) -> Option<At> {
        let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
        let line = self.src.text.lines().position(is_key)?;
        Some(At { line: u32::try_from(line).ok()?.saturating_add(1), column: 1, len: u32::try_from(key.len()).ok()? })
    }

    fn groups(&mut self, groups: Option<&[Located<GroupSpec>]>) {
        let Some(groups) = groups else { return };
        if groups.is_empty() {
            self.error(self.top_key("groups"), "`groups` is empty", "a job needs at least one group");
        }
        for group in groups {
            self.group(group);
        }
    }

    fn group(&mut self, group: &Located<GroupSpec>) {
        self.name("the name of a group", &group.name);
        self.at_least_one("parallel", group.parallel.as_ref());
        if let (Strategy::Oneshot, Some(strategy)) = (group.strategy(), &group.strategy) {
            let rolling_only = [
                ("batches", group.batches.as_ref().map(|b| b.place)),
                ("between", group.between.as_ref().map(|b| b.place)),
            ];
            for (key, place) in rolling_only {
                if let Some(place) = place {
                    self.error(
                        place.or(strategy.place),
                        format!("`{key}` needs the strategy `rolling`"),
                        "a oneshot group has no batches",
                    );
                }
            }
        } else if let (Strategy::Oneshot, Some(between)) = (group.strategy(), &group.between) {
            self.error(between.place, "`between` needs batches", "write `strategy: rolling` and `batches`");
        }
        self.order(group);
        if group.phases.is_empty() {
            self.error(group.name.place, format!("the group `{}` has no phases", group.name), "");
        }
        for phase in &group.phases {
            self.phase(phase, group.strategy() == Strategy::Rolling);
        }
        self.health(group);
    }

    fn order(&mut self, group: &GroupSpec) {
        let Some(order) = &group.order else { return };
        if order.seed.is_some() && order.by != super::group::OrderBy::Random {
            self.error(order.place, "`seed` needs `by: random`", "");
        }
    }

    fn health(&mut self, group: &GroupSpec) {
        if group.health.is_empty() {
            return;
        }
        self.step_list(&group.health);
        for step in &group.health {
            if let Some(on) = &step.on {
                self.place(on);
            }
        }
    }

    fn phases(&mut self, phases: Option<&[Located<PhaseSpec>]>) {
        let Some(phases) = phases else { return };
        if phases.is_empty() {
            self.error(self.top_key("phases"), "`phases` is empty", "a job needs at least one phase");
        }
        for phase in phases {
            self.phase(phase, false);
        }
    }

    fn phase(&mut self, phase: &PhaseSpec, rolling: bool) {
        self.name("the name of a phase", &phase.name);
        self.place(&phase.on);
        self.at_least_one("parallel", phase.parallel.as_ref());
        if let Some(batch) = &phase.batch {
            if phase.on.value != Place::Runner {
                self.error(
                    batch.place,
                    "`batch` needs `on: runner`",
                    "only a phase that runs once has to say in which batch",
                );
            } else if !rolling {
                self.error(
                    batch.place,
                    "`batch` needs a rolling group",
                    "write `strategy: rolling` and `batches` in the group",
                );
            }
        }
        if let (Place::Runner, Some(targets)) = (phase.on.value, &phase.targets) {
            self.error(
                targets.place,
                "a phase on the runner has no targets",
                "write `on: runner-target` to run once for each target",
            );
        }
        self.steps(&phase.steps, &format!("the phase `{}`", phase.name), phase.name.place);
    }

    fn place(&mut self, on: &Located<Place>) {
        if on.value == Place::Sql {
            self.error(
                on.place,
                "phases on `sql` cannot be run yet",
                "they come with the database tools; use `runner-target` and a script until then",
            );
        }
    }

    fn steps(&mut self, steps: &[Located<StepSpec>], owner: &str, place: Option<At>) {
        if steps.is_empty() {
            self.error(place, format!("{owner} has no steps"), "");
        }
        self.step_list(steps);
        for step in steps {
            if let Some(on) = &step.on {
                self.error(on.place, "a step cannot say where it runs", "write `on` in its phase");
            }
        }
    }

    fn step_list(&mut self, steps: &[Located<StepSpec>]) {
        for step in steps {
            self.step(step);
        }
        self.unique("step id", steps.iter().filter_map(|step| step.id.as_ref()));
    }

    fn step(&mut self, step: &Located<StepSpec>) {
        if let Some(id) = &step.id {
            self.name("a step id", id);
        }
        match (&step.tool, &step.run) {
            (None, None) => self.error(
                step.place,
                "the step does nothing",
                "write `run` for a script, or `tool` with its parameters under `with`",
            ),
            (Some(_), Some(run)) => {
                self.error(run.place, "a step has either `tool` or `run`, not both", "make two steps of it")
            }
            (Some(tool), None) => self.tool_step(step, tool),
            (None, Some(run)) => self.run_step(step, run),
        }
        if let Some(user) = &step.become_user {
            self.becoming(Some(&user.value));
        }
        if let Some(timeout) = step.timeout.as_ref().filter(|timeout| timeout.is_zero()) {
            self.error(timeout.place, "a timeout of nothing stops every step", "write a longer one");
        }
        for (name, value) in step.env.iter() {
            if name.is_empty() || name.contains(['=', '\0']) {
                self.error(name.place, format!("`{}` cannot name an environment variable", name.escape_debug()), "");
            } else if value.contains('\0') {
                self.error(value.place, "a variable cannot hold a NUL byte", "");
            }
        }
        if let Some(codes) = step
            .success_codes
            .as_ref()
            .filter(|codes| codes.is_empty() || codes.iter().any(|code| !(0..=255).contains(code)))
        {
            self.error(codes.place, "success_codes must be numbers from 0 to 255, at least one", "");
        }
    }

    fn tool_step(&mut self, step: &StepSpec, tool: &Located<String>) {
        if !is_name(tool) {
            self.error(tool.place, format!("`{}` cannot be the name of a tool", tool.escape_debug()), NAME_HINT);
        }
        let places = [
            ("interpreter", step.interpreter.as_ref().map(|one| one.place)),
            ("args", step.args.first().map(|one| one.place)),
            ("stdin", step.stdin.as_ref().map(|one| one.place)),
        ];
        for (key, place) in places {
            if let Some(place) = place {
                self.error(
                    place,
                    format!("`{key}` belongs to scripts, not to tools"),
                    "the tool takes its parameters under `with`",
                );
            }
        }
    }

    fn run_step(&mut self, step: &StepSpec, run: &Located<String>) {
        if run.trim().is_empty() {
            self.error(run.place, "the script is empty", "");
        }
        if let Some((name, _)) = step.with.iter().next() {
            self.error(
                name.place,
                "`with` belongs to tools, not to scripts",
                "values reach a script through `env`, `args` or `stdin`",
            );
        }
    }

    fn becoming(&mut self, spec: Option<&BecomeSpec>) {
        let Some(BecomeSpec::User(user)) = spec else { return };
        if let Some(password) = user.password.as_ref().filter(|password| password.reference().is_err()) {
            let error = self.src.error(password.place, CredentialError.to_string());
            self.found.push(error.without_snippet().hint(CredentialError::HINT));
        }
    }

    fn at_least_one(&mut self, key: &str, number: Option<&Located<u32>>) {
        if let Some(number) = number.filter(|number| number.value == 0) {
            self.error(number.place, format!("`{key}` must be at least 1"), "");
        }
    }

    fn name(&mut self, what: &str, name: &Located<String>) {
        if !is_name(name) {
            self.error(name.place, format!("`{}` cannot be {what}", name.escape_debug()), NAME_HINT);
        }
    }

    fn unique<'n>(&mut self, what: &str, names: impl Iterator<Item = &'n Located<String>>) {
        let mut seen: BTreeMap<&str, Option<At>> = BTreeMap::new();
        for name in names {
            match seen.get(name.value.as_str()) {
                None => drop(seen.insert(&name.value, name.place)),
                Some(first) => {
                    let hint =
                        first.map_or_else(String::new, |first| format!("the first one is on line {}", first.line));
                    self.error(name.place, format!("the {what} `{name}` is used twice"), &hint);
                }
            }
        }
    }
}

const NAME_HINT: &str = "use letters, digits, `_` and `-`, at most 64 of them";
