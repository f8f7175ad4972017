//! A client's request as the planner's input: every text in it parsed, every error with the flag or file that it stands in.

use std::collections::BTreeMap;
use std::str::FromStr;

use autoexec_model::api::{JobSource, Overrides, PlanRequest, Source};
use autoexec_model::batch::{BatchError, BatchSpec};
use autoexec_model::budget::{Allowance, Budget};
use autoexec_model::diagnostic::{Diagnosed, Diagnostic, Diagnostics, Place as At, SourceFile, hint_for};
use autoexec_model::inventory::{Host, Inventory};
use autoexec_model::millis::{Millis, MillisError};
use autoexec_model::param::ParamType;
use autoexec_model::plan::{BetweenMode, BudgetScope, HostKeyCheck, PlanFile, Transport};
use autoexec_model::selector::{Selector, SelectorError};
use autoexec_model::spec::{JobSpec, is_job_name};
use autoexec_model::tool::ToolIndex;
use serde_json::{Map, Value};

use super::adhoc::command_job;
use super::input::{PlanInput, PlanOptions, Planned};
use super::planner::plan;

/// Plans what a client asks for. `files` are the request's files by parameter, with the digest and size that the caller stored
/// them under; their content is never looked at.
///
/// # Errors
/// Everything that is wrong with the files, flags and parameters of the request, and then as [`plan`].
pub fn plan_request(
    request: &PlanRequest,
    files: &BTreeMap<String, PlanFile>,
    tools: &ToolIndex,
) -> Diagnosed<Planned> {
    let (source, job) = read_job(&request.job)?;
    let mut found = Diagnostics::new();
    let narrow = selector("-t", request.targets.as_deref(), &mut found);
    let exclude = selector("--exclude", request.exclude.as_deref(), &mut found);
    let options = options(&request.overrides, &mut found);
    let params = params(request, &job, &source, &mut found);
    let hosts = match hosts(request, &job, &source, narrow.as_ref()) {
        Ok(hosts) => hosts,
        Err(errors) => {
            found.extend(errors);
            Vec::new()
        }
    };
    found.or(())?;
    plan(PlanInput {
        job: &job,
        source: &source,
        hosts: &hosts,
        narrow: narrow.as_ref(),
        exclude: exclude.as_ref(),
        params: &params,
        files,
        tools,
        options: &options,
    })
}

fn read_job(job: &JobSource) -> Diagnosed<(SourceFile, JobSpec)> {
    match job {
        JobSource::File(file) => {
            let source = text(file)?;
            let job = JobSpec::parse(&source)?;
            Ok((source, job))
        }
        JobSource::Command { words } if words.iter().all(|word| word.trim().is_empty()) => {
            let error = SourceFile::new("", "").error(None, "there is no command to run");
            Err(error.hint("write it behind `--`: autoexec run -t web1 -- uptime").into())
        }
        JobSource::Command { words } => Ok((SourceFile::new("", ""), command_job(words))),
    }
}

/// A file's text; errors in it carry its name.
fn text(file: &Source) -> Diagnosed<SourceFile> {
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => Ok(SourceFile::new(file.name.clone(), text)),
        Err(error) => {
            let message = format!("the file is not UTF-8 text: byte {} cannot be read", error.valid_up_to());
            Err(SourceFile::new(file.name.clone(), "").error(None, message).into())
        }
    }
}

fn selector(flag: &str, text: Option<&str>, found: &mut Diagnostics) -> Option<Selector> {
    match text?.parse() {
        Ok(selector) => Some(selector),
        Err(SelectorError { at, what, hint }) => {
            found.push(typed(flag, text.unwrap_or_default(), at, what).hint(hint));
            None
        }
    }
}

/// An error at a byte of a text that was typed behind a flag.
fn typed(flag: &str, text: &str, at: usize, message: impl Into<String>) -> Diagnostic {
    let column = text.get(..at).map_or(1, |before| before.chars().count() + 1);
    let place = At { line: 1, column: u32::try_from(column).unwrap_or(1), len: 1 };
    SourceFile::new(flag, text).error(Some(place), message)
}

/// The inventory's hosts, or those that the selectors name when there is no inventory.
fn hosts(request: &PlanRequest, job: &JobSpec, source: &SourceFile, narrow: Option<&Selector>) -> Diagnosed<Vec<Host>> {
    if let Some(inventory) = &request.inventory {
        let source = text(inventory)?;
        return Inventory::parse(&source)?.resolve(&source);
    }
    let (selector, at) = match (&job.targets, narrow) {
        (Some(targets), _) => (&targets.value, targets.place),
        (None, Some(narrow)) => (narrow, None),
        (None, None) => return Ok(Vec::new()),
    };
    let typed = SourceFile::new("-t", selector.as_str());
    let spot = if job.targets.is_some() { source } else { &typed };
    match selector.literal_hosts() {
        Some(names) => Inventory::from_hosts(names).resolve(spot),
        None => {
            let error = spot.error(
                at,
                format!("`{selector}` is no list of host names, and there is no inventory to look it up in"),
            );
            Err(error.hint("give one with `-i hosts.yaml`, or write `inventory: hosts.yaml` in the job").into())
        }
    }
}

/// Texts as the types of the parameters want them. What is unknown is left to the planner.
fn params(request: &PlanRequest, job: &JobSpec, source: &SourceFile, found: &mut Diagnostics) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, text) in request.params.iter().chain(&request.secrets) {
        let Some(spec) = job.params.get(name) else {
            values.insert(name.clone(), Value::from(text.as_str()));
            continue;
        };
        // A file comes with its content; the text beside it is the same content for parameters of other types.
        if spec.kind == ParamType::File && request.files.iter().any(|file| file.param == *name) {
            continue;
        }
        let typed = !request.secrets.iter().any(|(secret, _)| secret == name);
        if spec.is_secret() && typed && !request.files.iter().any(|file| file.param == *name) {
            let message = format!("parameter `{name}` is secret, and everyone on this machine can read a command line");
            let hint = format!(
                "give it with `--secret {name}` (asks), `--secret {name}=env:VARIABLE` or `--secret {name}=file:PATH`"
            );
            found.push(source.error(job.params.place_of(name), message).hint(hint));
            continue;
        }
        match spec.parse_text(name, text) {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(error) => found.push(error.to_diagnostic(source)),
        }
    }
    for file in &request.files {
        let Some(spec) = job.params.get(&file.param) else { continue };
        if spec.kind != ParamType::File && !request.params.iter().any(|(name, _)| *name == file.param) {
            let message = format!(
                "parameter `{}`: {} is not UTF-8 text, and the parameter is of type {}",
                file.param, file.name, spec.kind
            );
            found.push(source.error(job.params.place_of(&file.param), message).hint("declare it with `type: file`"));
        }
    }
    values
}

fn options(said: &Overrides, found: &mut Diagnostics) -> PlanOptions {
    let batches = said.batches.as_deref().and_then(|text| {
        let parsed = BatchSpec::from_str(text);
        parsed.map_err(|BatchError { at, what, hint }| found.push(typed("--batches", text, at, what).hint(hint))).ok()
    });
    let timeout = said.timeout.as_deref().and_then(|text| {
        let parsed = Millis::from_str(text);
        parsed.map_err(|MillisError { at, what, hint }| found.push(typed("--timeout", text, at, what).hint(hint))).ok()
    });
    if let Some(zero) = timeout.filter(|timeout| timeout.is_zero()) {
        found.push(
            typed("--timeout", &zero.to_string(), 0, "a timeout of nothing stops every step")
                .hint("write a longer one"),
        );
    }
    if let Some(parallel) = said.parallel.filter(|parallel| !(1..=super::group::MAX_PARALLEL).contains(parallel)) {
        let message = format!("must be from 1 to {}", super::group::MAX_PARALLEL);
        found.push(typed("--parallel", &parallel.to_string(), 0, message));
    }
    if let Some(name) = said.name.as_deref().filter(|name| !is_job_name(name)) {
        found.push(
            typed("--name", name, 0, "cannot be the name of a job")
                .hint("use letters, digits, `_` and `-`, at most 64 of them; not `last` and not a number"),
        );
    }
    PlanOptions {
        name: said.name.clone(),
        batches,
        parallel: said.parallel,
        timeout,
        become_user: filled("--become", said.become_user.as_deref(), found),
        host_key: word("--host-key", said.host_key.as_deref(), &HOST_KEYS, found),
        user: filled("--user", said.user.as_deref(), found),
        key: filled("--key", said.key.as_deref(), found),
        transport: word("--transport", said.transport.as_deref(), &TRANSPORTS, found),
        between: word("--between", said.between.as_deref(), &BETWEEN, found),
        budget: said.budget.as_deref().and_then(|text| budget(text, found)),
        seed: said.seed,
    }
}

const HOST_KEYS: [(&str, HostKeyCheck); 3] =
    [("verify", HostKeyCheck::Verify), ("accept-new", HostKeyCheck::AcceptNew), ("no", HostKeyCheck::No)];

const TRANSPORTS: [(&str, Transport); 4] =
    [("ssh", Transport::Ssh), ("agent", Transport::Agent), ("local", Transport::Local), ("sim", Transport::Sim)];

const BETWEEN: [(&str, BetweenMode); 3] = [
    ("continue", BetweenMode::Continue),
    ("confirm", BetweenMode::Confirm),
    ("pause-on-failure", BetweenMode::PauseOnFailure),
];

const SCOPES: [(&str, BudgetScope); 4] = [
    ("batch", BudgetScope::Batch),
    ("phase", BudgetScope::Phase),
    ("group", BudgetScope::Group),
    ("job", BudgetScope::Job),
];

/// A text that may not be empty.
fn filled(flag: &str, text: Option<&str>, found: &mut Diagnostics) -> Option<String> {
    let text = text?.trim();
    if text.is_empty() {
        found.push(typed(flag, text, 0, "a value is missing"));
        return None;
    }
    Some(text.to_owned())
}

fn word<T: Clone>(flag: &str, text: Option<&str>, words: &[(&str, T)], found: &mut Diagnostics) -> Option<T> {
    let text = text?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(value.clone());
    }
    let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    found.push(typed(flag, text, 0, format!("`{text}` is not known")).maybe_hint(hint_for(text, &allowed)));
    None
}

/// `failed=2%,unreachable=3,scope=batch`.
fn budget(text: &str, found: &mut Diagnostics) -> Option<Budget> {
    let mut budget = Budget::default();
    let mut at = 0;
    let before = found.len();
    for part in text.split(',') {
        if let Err(error) = budget_part(&mut budget, part.trim()) {
            let (message, hint) = error;
            found.push(typed("--budget", text, at, message).maybe_hint(hint));
        }
        at += part.len() + 1;
    }
    (found.len() == before).then_some(budget)
}

fn budget_part(budget: &mut Budget, part: &str) -> Result<(), (String, Option<String>)> {
    const CLASSES: [&str; 5] = ["failed", "unreachable", "timed_out", "interrupted", "scope"];
    let example = || Some("write `failed=2%,unreachable=3`".to_owned());
    let Some((name, value)) = part.split_once(['=', ':']) else {
        return Err((format!("`{part}` has no value"), example()));
    };
    let (name, value) = (name.trim(), value.trim());
    let slot = match name {
        "failed" => &mut budget.failed,
        "unreachable" => &mut budget.unreachable,
        "timed_out" => &mut budget.timed_out,
        "interrupted" => &mut budget.interrupted,
        "scope" => {
            let known = SCOPES.iter().find(|(word, _)| *word == value);
            let (_, scope) = known
                .ok_or_else(|| (format!("`{value}` is no scope"), hint_for(value, &SCOPES.map(|(word, _)| word))))?;
            budget.scope = *scope;
            return Ok(());
        }
        other => return Err((format!("`{other}` is no kind of failure"), hint_for(other, &CLASSES))),
    };
    *slot = Some(value.parse::<Allowance>().map_err(|error| (error.to_string(), None))?);
    Ok(())
}
