//! One step, with every default written out.

use autoexec_model::diagnostic::{Located, Place as At};
use autoexec_model::millis::Millis;
use autoexec_model::plan::{Action, BecomeMethod, BecomePlan, Place, Retries, Step};
use autoexec_model::spec::{BecomeSpec, BecomeUser, CredentialRef, Interpreter, StepSpec};
use autoexec_model::tool::ToolDescriptor;
use serde_json::Map;

use super::draft::StepDraft;
use super::names::Scope;
use super::planner::Planner;
use super::reach::StepOutputs;
use super::with;

/// Longest time of one try when nobody says: never for ever.
const TIMEOUT: Millis = Millis::from_secs(3600);

/// Plans one step and tells what it publishes.
pub(super) fn step(planner: &mut Planner<'_>, draft: &StepDraft<'_>, scope: &Scope<'_>) -> (Step, StepOutputs) {
    let spec = draft.spec;
    if let Some(when) = &spec.when {
        planner.check_expr(when.place, &when.value, scope);
    }
    if let Some(workdir) = &spec.workdir {
        planner.check_text(workdir.place, &workdir.value, scope);
    }
    let tool = spec.tool.as_ref().and_then(|name| with::tool(planner, name, scope));
    let action = match (&spec.tool, tool) {
        (Some(name), Some(tool)) => with::action(planner, spec, (name.place, tool), scope),
        (Some(name), None) => {
            Action::Tool { name: name.value.clone(), digest: autoexec_model::id::Digest::of(b""), with: Map::new() }
        }
        (None, _) => script(planner, draft, scope),
    };
    let outputs = StepOutputs { id: draft.id.clone(), keys: tool.and_then(with::outputs) };
    let defaults = &planner.input.job.defaults;
    let retries = spec.retries.as_ref().map(|retries| &retries.value).or(defaults.retries.as_ref());
    let planned = Step {
        id: draft.id.clone(),
        action,
        retries: retries.map_or(Retries::NONE, autoexec_model::spec::RetriesSpec::to_plan),
        on_failure: spec.on_failure.or(defaults.on_failure).unwrap_or_default(),
        timeout: timeout(planner, spec, tool),
        env: env(planner, spec, scope),
        become_user: becomes(planner, draft, scope),
        workdir: spec.workdir.as_ref().map(|workdir| workdir.value.clone()),
        idempotent: spec.idempotent.unwrap_or_else(|| tool.is_some_and(|tool| tool.manifest.idempotent)),
        when: spec.when.as_ref().map(|when| when.value.clone()),
        success_codes: spec.success_codes.as_ref().map_or_else(|| vec![0], |codes| codes.value.clone()),
        no_log: spec.no_log,
        keep_stdout: false,
    };
    (planned, outputs)
}

/// The command line, the step, the job, the tool, in this order of strength.
fn timeout(planner: &Planner<'_>, spec: &StepSpec, tool: Option<&ToolDescriptor>) -> Millis {
    let of_tool = tool.and_then(|tool| tool.manifest.timeout.as_ref());
    let written = spec.timeout.as_ref().or(planner.input.job.defaults.timeout.as_ref()).or(of_tool);
    planner
        .input
        .options
        .timeout
        .or_else(|| written.map(|timeout| timeout.value))
        .filter(|timeout| !timeout.is_zero())
        .unwrap_or(TIMEOUT)
}

fn script(planner: &mut Planner<'_>, draft: &StepDraft<'_>, scope: &Scope<'_>) -> Action {
    let spec = draft.spec;
    let Some(run) = &spec.run else {
        planner.error_hint(draft.at, format!("step `{}` does nothing", draft.id), "write `run` or `tool`");
        return Action::Run {
            script: String::new(),
            interpreter: Interpreter::default().0,
            args: Vec::new(),
            stdin: None,
        };
    };
    for text in spec.args.iter().chain(&spec.stdin) {
        planner.check_text(text.place, &text.value, scope);
    }
    if reads_template(&run.value) {
        let message = format!("step `{}`: a script is no template, and the shell would see the braces", draft.id);
        planner.error_hint(run.place, message, "pass the value with `env: { x: \"{{ params.x }}\" }` and write \"$x\"");
    }
    let interpreter =
        spec.interpreter.as_ref().map(|one| &one.value).or(planner.input.job.defaults.interpreter.as_ref());
    Action::Run {
        script: run.value.clone(),
        interpreter: interpreter.cloned().unwrap_or_default().0,
        args: spec.args.iter().map(|arg| arg.value.clone()).collect(),
        stdin: spec.stdin.as_ref().map(|stdin| stdin.value.clone()),
    }
}

/// Whether a script looks as if it expected our values in braces. Other braces are the script's own business.
fn reads_template(script: &str) -> bool {
    script.split("{{").skip(1).any(|rest| {
        let inner = rest.trim_start_matches('-').trim_start();
        ["params.", "steps.", "phases.", "target.", "vars."].iter().any(|root| inner.starts_with(root))
            && rest.contains("}}")
    })
}

/// The job's variables, then the step's own.
fn env(planner: &mut Planner<'_>, spec: &StepSpec, scope: &Scope<'_>) -> Vec<(String, String)> {
    let job = planner.input.job;
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, value) in job.defaults.env.iter().chain(spec.env.iter()) {
        planner.check_text(value.place, &value.value, scope);
        match out.iter_mut().find(|(known, _)| *known == name.value) {
            Some((_, old)) => old.clone_from(&value.value),
            None => out.push((name.value.clone(), value.value.clone())),
        }
    }
    out
}

/// Whose rights it runs with: the command line, the step, the job, the inventory, in this order of strength. Only on targets.
fn becomes(planner: &mut Planner<'_>, draft: &StepDraft<'_>, scope: &Scope<'_>) -> Option<BecomePlan> {
    let written = draft.spec.become_user.as_ref();
    if scope.place != Place::Target {
        if let Some(Located { value: BecomeSpec::User(_), place }) = written {
            let message = format!("step `{}` runs on the runner, where it cannot become another user", draft.id);
            planner.error_hint(*place, message, "start the runner as that user, or run the step on the target");
        }
        return None;
    }
    if let Some(user) = &planner.input.options.become_user {
        let of_file = written.map(|one| &one.value).or(planner.input.job.defaults.become_user.as_ref());
        return Some(named_on_command_line(user, of_file));
    }
    let inherited = || of_inventory(planner, scope);
    let spec = written.map(|one| one.value.clone()).or_else(|| planner.input.job.defaults.become_user.clone());
    let spec = match spec.map_or_else(inherited, |spec| Ok(Some(spec))) {
        Ok(spec) => spec?,
        Err(message) => {
            planner.error_hint(draft.at, message, "write `become` in the step or in the defaults of the job");
            return None;
        }
    };
    match spec {
        BecomeSpec::Nobody => None,
        BecomeSpec::User(user) => become_plan(planner, written.and_then(|one| one.place), &user, scope),
    }
}

/// `--become USER` replaces the user and leaves how it is done to the job.
fn named_on_command_line(user: &str, of_file: Option<&BecomeSpec>) -> BecomePlan {
    let (method, password) = match of_file {
        Some(BecomeSpec::User(spec)) => {
            (spec.method, spec.password.as_ref().and_then(|p| p.reference().ok()).map(ToString::to_string))
        }
        Some(BecomeSpec::Nobody) | None => (BecomeMethod::default(), None),
    };
    BecomePlan { user: user.to_owned(), method, password }
}

/// What the inventory says for all targets of the group; an error when it says different things.
fn of_inventory(planner: &Planner<'_>, scope: &Scope<'_>) -> Result<Option<BecomeSpec>, String> {
    let said = |index: &u32| {
        let name = planner.targets.get(*index as usize).map(|target| target.name.as_str())?;
        planner.hosts_by_name.get(name).and_then(|host| host.become_user.clone())
    };
    let mut all = scope.members.iter().map(said);
    let first = all.next().flatten();
    if all.all(|other| other == first) {
        Ok(first)
    } else {
        Err("the targets become different users in the inventory".to_owned())
    }
}

fn become_plan(planner: &mut Planner<'_>, at: Option<At>, user: &BecomeUser, scope: &Scope<'_>) -> Option<BecomePlan> {
    planner.check_text(user.user.place.or(at), &user.user.value, scope);
    let password = user.password.as_ref().and_then(|password| match password.reference() {
        Ok(reference) => {
            planner.check_credential(password.place.or(at), reference);
            Some(reference.to_string())
        }
        Err(error) => {
            planner.error_hint(password.place.or(at), error.to_string(), "write where it is found, not what it is");
            None
        }
    });
    Some(BecomePlan { user: user.user.value.clone(), method: user.method, password })
}

impl Planner<'_> {
    /// A reference to a parameter must name a secret one that was given.
    pub(super) fn check_credential(&mut self, at: Option<At>, reference: &CredentialRef) {
        let CredentialRef::Param(name) = reference else { return };
        if let Some((message, hint)) = self.credential_problem(name) {
            self.error_hint(at, message, hint);
        }
    }

    fn credential_problem(&self, name: &str) -> Option<(String, String)> {
        match self.input.job.params.get(name) {
            None => Some((
                format!("a password refers to the parameter `{name}`, which the job does not declare"),
                format!("write `params: {{ {name}: {{ type: secret }} }}`"),
            )),
            Some(spec) if !spec.is_secret() => Some((
                format!("a password refers to the parameter `{name}`, which is not secret"),
                "write `type: secret`".to_owned(),
            )),
            Some(_) if !self.params.secrets.contains_key(name) && !self.params.failed => Some((
                format!("a password refers to the parameter `{name}`, which was not given"),
                format!("give it with `--secret {name}`"),
            )),
            Some(_) => None,
        }
    }

    /// Passwords of connections: the inventory only refers to them, and the job must know what they refer to.
    pub(super) fn check_connections(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        let passwords = self
            .targets
            .iter()
            .filter_map(|target| target.connection.password.clone().map(|password| (password, target.name.clone())));
        for (password, target) in passwords.collect::<Vec<_>>() {
            let Ok(CredentialRef::Param(name)) = password.parse() else { continue };
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some((message, hint)) = self.credential_problem(&name) {
                self.error_hint(None, format!("target `{target}`: {message}"), hint);
            }
        }
    }
}
