//! The plan for people: what will happen, to whom, in which order, and when it stops itself.

use autoexec_model::api::{LineKind, ReportLine};
use autoexec_model::id::Digest;
use autoexec_model::nodeset;
use autoexec_model::plan::{
    Action, BetweenMode, BudgetLimit, BudgetScope, Group, HostKeyCheck, OnFailure, Phase, Place, Plan, Retries, Step,
    Strategy, Transport,
};
use serde_json::Value;

use super::with::word;

/// Batches of one group that are listed at its beginning; of more, the last one is listed too.
const MAX_BATCHES: usize = 20;

/// Characters of folded names in one line.
const MAX_NAMES: usize = 100;

/// Characters of the value of a parameter.
const MAX_VALUE: usize = 60;

/// Reasons for leaving hosts out that are listed.
const MAX_REASONS: usize = 20;

/// The lines of a plan.
pub fn report(plan: &Plan, digest: &Digest) -> Vec<ReportLine> {
    let mut lines = Lines(Vec::new());
    lines.add(LineKind::Heading, 0, format!("Plan {} of job `{}`", digest.short(), plan.name));
    if !plan.description.is_empty() {
        lines.add(LineKind::Text, 1, plan.description.lines().next().unwrap_or_default().to_owned());
    }
    targets(plan, &mut lines);
    params(plan, &mut lines);
    for warning in &plan.warnings {
        lines.add(LineKind::Warning, 1, format!("warning: {warning}"));
    }
    for group in &plan.groups {
        group_lines(plan, group, &mut lines);
    }
    lines.add(LineKind::Faint, 0, format!("digest {digest}"));
    lines.0
}

/// A number with its word: `1 target`, `2 targets`.
pub fn size_of(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

struct Lines(Vec<ReportLine>);

impl Lines {
    fn add(&mut self, kind: LineKind, indent: u32, text: impl Into<String>) {
        self.0.push(ReportLine { kind, indent, text: text.into() });
    }

    fn text(&mut self, indent: u32, text: impl Into<String>) {
        self.add(LineKind::Text, indent, text);
    }
}

fn targets(plan: &Plan, lines: &mut Lines) {
    if plan.targets.is_empty() {
        lines.text(1, "no targets: everything runs once on a runner");
        return;
    }
    let names = plan.targets.iter().map(|target| target.name.as_str());
    lines.text(1, format!("{}: {}", size_of(plan.targets.len(), "target"), folded(names)));
    let otherwise = [
        (Transport::Agent, "an agent"),
        (Transport::Local, "the runner itself, as its own host"),
        (Transport::Sim, "simulation"),
    ];
    for (transport, how) in otherwise {
        let count = plan.targets.iter().filter(|target| target.transport == transport).count();
        if count > 0 {
            lines.text(1, format!("{} reached by {how}", size_of(count, "target")));
        }
    }
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in &plan.excluded {
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, names)) => names.push(&one.name),
            None => reasons.push((&one.reason, vec![&one.name])),
        }
    }
    let more = reasons.len().saturating_sub(MAX_REASONS);
    for (reason, names) in reasons.into_iter().take(MAX_REASONS) {
        let count = names.len();
        lines.add(LineKind::Faint, 1, format!("left out: {} {reason}: {}", count, folded(names)));
    }
    if more > 0 {
        lines.add(LineKind::Faint, 1, format!("left out for {more} other reasons"));
    }
    let accepting = plan.targets.iter().filter(|target| target.connection.host_key == HostKeyCheck::AcceptNew).count();
    if accepting > 0 {
        lines.text(1, format!("unknown host keys are accepted on {}", size_of(accepting, "target")));
    }
}

fn params(plan: &Plan, lines: &mut Lines) {
    let shown =
        plan.params.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match plan.files.get(name) {
            Some(file) => format!("{name} = file {} ({} bytes)", file.name, file.size),
            None => format!("{name} = {}", clip(&plain(value), MAX_VALUE)),
        });
    let secret = plan.secrets.iter().map(|name| format!("{name} = (secret)"));
    let all: Vec<String> = shown.chain(secret).collect();
    if !all.is_empty() {
        lines.text(1, format!("parameters: {}", all.join(", ")));
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn group_lines(plan: &Plan, group: &Group, lines: &mut Lines) {
    lines.add(LineKind::Heading, 0, format!("Group `{}`: {}", group.name, movement(group)));
    if group.strategy == Strategy::Rolling {
        batches(plan, group, lines);
        lines.text(1, between(group));
    }
    if !group.targets.is_empty() {
        lines.text(1, format!("at most {} at once", size_of(group.parallel as usize, "task")));
        budget(plan, group, lines);
    }
    for phase in &group.phases {
        phase_lines(group, phase, lines);
    }
}

fn movement(group: &Group) -> String {
    let targets = size_of(group.targets.len(), "target");
    match group.strategy {
        Strategy::Oneshot if group.targets.is_empty() => "once".to_owned(),
        Strategy::Oneshot => format!("{targets} in one go, order {}", group.order),
        Strategy::Rolling => {
            let batches = if group.batches.len() == 1 {
                "1 batch".to_owned()
            } else {
                format!("{} batches", group.batches.len())
            };
            format!("{targets} in {batches} ({}), order {}", group.batch_expr, group.order)
        }
    }
}

fn batches(plan: &Plan, group: &Group, lines: &mut Lines) {
    let mut from = 0;
    let last = group.batches.len().saturating_sub(1);
    for (index, size) in group.batches.iter().enumerate() {
        let to = from + *size as usize;
        if index < MAX_BATCHES || index == last {
            let members = group.targets.get(from..to).unwrap_or_default();
            let names = members.iter().filter_map(|at| plan.target(*at)).map(|target| target.name.as_str());
            lines.text(1, format!("batch {}: {}: {}", index + 1, size_of(*size as usize, "target"), folded(names)));
        } else if index == MAX_BATCHES {
            lines.add(LineKind::Faint, 1, format!("… {} more batches", last - MAX_BATCHES));
        }
        from = to;
    }
}

fn between(group: &Group) -> String {
    let who = match group.between.mode {
        BetweenMode::Continue => "go on by itself",
        BetweenMode::Confirm => "wait for a person",
        BetweenMode::PauseOnFailure => "wait for a person when a target of the batch failed",
    };
    if group.between.soak.is_zero() {
        format!("between batches: {who}")
    } else {
        format!("between batches: wait {}, then {who}", group.between.soak)
    }
}

/// The arithmetic of the limits, in numbers.
fn budget(plan: &Plan, group: &Group, lines: &mut Lines) {
    let budget = &group.budget;
    if budget.limits.is_empty() {
        lines.text(1, "no budget: failures do not stop the group");
        return;
    }
    let strict = budget.limits.iter().all(|limit| limit.limit.iter().all(|limit| *limit == 0));
    if budget.by_default && strict {
        lines.text(1, "budget: by default the first target that goes wrong stops the group");
        return;
    }
    lines.text(
        1,
        match budget.scope {
            BudgetScope::Batch => "budget, in each batch:",
            BudgetScope::Phase => "budget, in each phase:",
            BudgetScope::Group => "budget, in the whole group:",
            BudgetScope::Job => "budget, in the whole job:",
        },
    );
    for limit in &budget.limits {
        lines.text(2, limit_line(plan, group, limit));
    }
}

fn limit_line(plan: &Plan, group: &Group, limit: &BudgetLimit) -> String {
    let class = limit.class.word().replace('_', " ");
    let share = limit.allowance.ends_with('%');
    let first = limit.limit.first().copied().unwrap_or(0);
    let same = limit.limit.iter().all(|one| *one == first);
    if share && group.budget.scope == BudgetScope::Batch && !same {
        let numbers: Vec<String> = limit.limit.iter().take(MAX_BATCHES).map(ToString::to_string).collect();
        let more = if limit.limit.len() > MAX_BATCHES { " …" } else { "" };
        return format!("{class}: {} of each batch = {}{more}; stops at one more", limit.allowance, numbers.join(" "));
    }
    let stops = u64::from(first) + 1;
    if !share {
        return format!("{class}: {first}; stops at {stops}");
    }
    let of = match group.budget.scope {
        BudgetScope::Batch => "each batch".to_owned(),
        BudgetScope::Phase | BudgetScope::Group => size_of(group.targets.len(), "target"),
        BudgetScope::Job => size_of(plan.targets.len(), "target"),
    };
    format!("{class}: {} of {of} = {first}; stops at {stops}", limit.allowance)
}

fn phase_lines(group: &Group, phase: &Phase, lines: &mut Lines) {
    let mut parts = vec![match (phase.place, phase.health, phase.once_in) {
        (Place::Runner, true, _) if group.strategy == Strategy::Rolling => {
            "on a runner, once in every batch".to_owned()
        }
        (Place::Runner, _, Some(batch)) => format!("on a runner, once, in batch {}", batch + 1),
        (Place::Runner, _, None) => "on a runner, once".to_owned(),
        (Place::RunnerTarget, _, _) => "on a runner, for each target".to_owned(),
        (Place::Target, _, _) => "on the targets".to_owned(),
        (Place::Sql, _, _) => word(Place::Sql).to_owned(),
    }];
    if let Some(parallel) = phase.parallel {
        parts.push(format!("at most {parallel} at once"));
    }
    if let Some(when) = &phase.when {
        parts.push(format!("when {}", one_line(when)));
    }
    let kind = if phase.health { "health check" } else { "phase" };
    lines.add(LineKind::Heading, 1, format!("{kind} `{}`: {}", phase.name, parts.join("; ")));
    for step in &phase.steps {
        lines.text(2, step_line(step));
    }
}

fn step_line(step: &Step) -> String {
    let mut parts = vec![action(&step.action), format!("timeout {}", step.timeout)];
    if let Some(user) = &step.become_user {
        parts.push(format!("as {}", user.user));
    }
    if step.retries.max > 0 {
        parts.push(retries(&step.retries));
    }
    match step.on_failure {
        OnFailure::Stop => {}
        OnFailure::Ignore => parts.push("a failure is ignored".to_owned()),
        OnFailure::Continue => parts.push("goes on after a failure".to_owned()),
    }
    if step.success_codes != [0] {
        let codes: Vec<String> = step.success_codes.iter().map(ToString::to_string).collect();
        parts.push(format!("exit {} is success", codes.join(", ")));
    }
    if step.idempotent {
        parts.push("may be repeated".to_owned());
    }
    if step.no_log {
        parts.push("output is not kept".to_owned());
    }
    if let Some(when) = &step.when {
        parts.push(format!("when {}", one_line(when)));
    }
    format!("{}: {}", step.id, parts.join("; "))
}

fn action(action: &Action) -> String {
    match action {
        Action::Tool { name, digest, .. } => format!("tool {name} ({})", digest.short()),
        Action::Run { script, interpreter, .. } => {
            let with = interpreter.join(" ");
            match script.trim().lines().count() {
                0 | 1 => format!("{with}: {}", clip(script.trim(), MAX_VALUE)),
                lines => format!("{with}: script of {lines} lines"),
            }
        }
    }
}

fn retries(retries: &Retries) -> String {
    let mut text = size_of(retries.max as usize, "retry").replace("retrys", "retries");
    if !retries.delay.is_zero() {
        text.push_str(&format!(" after {}", retries.delay));
    }
    if retries.backoff_milli != 1000 {
        let times = format!("{}.{:03}", retries.backoff_milli / 1000, retries.backoff_milli % 1000);
        text.push_str(&format!(", times {}", times.trim_end_matches('0').trim_end_matches('.')));
    }
    if !retries.max_delay.is_zero() {
        text.push_str(&format!(", at most {}", retries.max_delay));
    }
    text
}

fn folded<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    clip(&nodeset::fold(names), MAX_NAMES)
}

fn one_line(text: &str) -> String {
    clip(&text.split_whitespace().collect::<Vec<_>>().join(" "), MAX_VALUE)
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
