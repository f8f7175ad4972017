//! One line for each thing that an operator who watches wants to see: batches, gates, failures, the end.

use std::collections::{BTreeMap, VecDeque};

use autoexec_core::state::{Job, State};
use autoexec_core::view;
use autoexec_model::api::WatchLine;
use autoexec_model::event::{Event, Fact, Gate};
use autoexec_model::id::{JobId, TaskIx};
use autoexec_model::outcome::Verdict;
use autoexec_model::state::JobState;

/// Lines kept for one job; a watcher that is further behind sees the job's view, which has everything.
const MAX_LINES: usize = 1_000;

/// The latest lines of each job, with the revision that each came with.
#[derive(Default)]
pub(crate) struct Lines {
    by_job: BTreeMap<JobId, VecDeque<(u64, WatchLine)>>,
}

impl Lines {
    /// Takes note of an event that has just been applied.
    pub(crate) fn note(&mut self, state: &State, event: &Event) {
        let Some(job) = event.job.and_then(|job| state.jobs.get(&job)) else { return };
        let lines = self.by_job.entry(job.id).or_default();
        for (text, bad) in texts(job, &event.fact) {
            if lines.len() == MAX_LINES {
                lines.pop_front();
            }
            lines.push_back((job.revision, WatchLine { at: event.at, text, bad }));
        }
    }

    /// Lines of a job that came after a revision.
    pub(crate) fn since(&self, job: JobId, revision: u64) -> Vec<WatchLine> {
        let lines = self.by_job.get(&job).into_iter().flatten();
        lines.filter(|(at, _)| *at > revision).map(|(_, line)| line.clone()).collect()
    }

    /// Forgets a job.
    pub(crate) fn forget(&mut self, job: JobId) {
        self.by_job.remove(&job);
    }
}

fn texts(job: &Job, fact: &Fact) -> Vec<(String, bool)> {
    match fact {
        Fact::StageStarted { stage } => stage_started(job, *stage),
        Fact::AttemptFinished { task, .. } => finished(job, *task).into_iter().collect(),
        Fact::AttemptInterrupted { task, again, .. } => {
            let what =
                if *again { "it is idempotent and runs again" } else { "it waits for `autoexec resolve` or `retry`" };
            vec![(format!("{} was interrupted; {what}", job.subject(*task)), true)]
        }
        Fact::BudgetExceeded { .. } => {
            view::job_view(job).exceeded.last().map(|text| (text.clone(), true)).into_iter().collect()
        }
        Fact::GateHeld { gate, .. } => {
            let mut lines = batch_done(job, job.stage);
            lines.push((view::reason(job), matches!(gate, Gate::Failure | Gate::Unresolved)));
            lines
        }
        Fact::GatePassed { by, .. } => by.iter().map(|by| (format!("{by} confirmed"), false)).collect(),
        Fact::PauseRequested { by } => vec![(format!("{by} asked to pause; running steps finish"), false)],
        Fact::JobPaused => vec![("paused".to_owned(), false)],
        Fact::JobResumed { by } => vec![(format!("{by} resumed it"), false)],
        Fact::StopRequested { end, reason, .. } => vec![(format!("stopping: {reason}"), *end != JobState::Cancelled)],
        Fact::LeasesEnded { tasks, reason } => vec![(format!("{} tasks wait again: {reason}", tasks.len()), true)],
        Fact::TasksRetried { tasks, by } => vec![(format!("{by} retries {} tasks", tasks.len()), false)],
        Fact::TaskDecided { task, verdict, by, .. } => {
            vec![(format!("{by} decided that {} is {verdict}", job.subject(*task)), false)]
        }
        Fact::ParallelAmended { parallel, by, .. } => vec![(format!("{by} changed parallel to {parallel}"), false)],
        Fact::JobFinished { state } => {
            let mut lines = batch_done(job, job.stage);
            lines.push((format!("job {} {state}", job.id), *state != JobState::Succeeded));
            lines
        }
        Fact::JobSubmitted(_)
        | Fact::JobStarted
        | Fact::TasksGranted { .. }
        | Fact::AttemptsStarted { .. }
        | Fact::StopsRequested { .. }
        | Fact::SchedulerStarted { .. }
        | Fact::RunnerConnected { .. }
        | Fact::RunnerDisconnected { .. } => Vec::new(),
    }
}

fn stage_started(job: &Job, stage: u32) -> Vec<(String, bool)> {
    let Some(now) = job.layout.stages.get(stage as usize) else { return Vec::new() };
    let before = stage.checked_sub(1).and_then(|before| job.layout.stages.get(before as usize));
    let first = before.is_none_or(|before| (before.group, before.batch) != (now.group, now.batch));
    if !first {
        return Vec::new();
    }
    let held = stage > 0 && job.passed.contains(&(stage - 1));
    let mut lines = if stage > 0 && !held { batch_done(job, stage - 1) } else { Vec::new() };
    let Some(group) = job.plan.groups.get(now.group as usize) else { return lines };
    let begin: u32 = group.batches.iter().take(now.batch as usize).sum();
    let size = group.batches.get(now.batch as usize).copied().unwrap_or(0);
    let targets = group.targets.iter().skip(begin as usize).take(size as usize).copied();
    let what = if group.batches.len() > 1 {
        format!("{}: batch {} of {}", group.name, now.batch + 1, group.batches.len())
    } else {
        group.name.clone()
    };
    let who = if size == 0 {
        String::new()
    } else {
        format!(", {} {}: {}", size, targets_word(size), view::fold(job, targets))
    };
    lines.push((format!("{what}{who}"), false));
    lines
}

fn targets_word(n: u32) -> &'static str {
    if n == 1 { "target" } else { "targets" }
}

/// How the batch of a stage went.
fn batch_done(job: &Job, stage: u32) -> Vec<(String, bool)> {
    let last = job.layout.stages.len().saturating_sub(1) as u32;
    let Some(stage) = job.layout.stages.get(stage.min(last) as usize) else { return Vec::new() };
    let Some(group) = job.plan.groups.get(stage.group as usize) else { return Vec::new() };
    let begin: u32 = group.batches.iter().take(stage.batch as usize).sum();
    let size = group.batches.get(stage.batch as usize).copied().unwrap_or(0);
    let mut counts = [0_u32; Verdict::ALL.len()];
    for target in group.targets.iter().skip(begin as usize).take(size as usize) {
        if let autoexec_model::state::TaskState::Done(verdict) =
            view::standing_in_group(job, stage.group, *target).state
        {
            for (slot, known) in counts.iter_mut().zip(Verdict::ALL) {
                *slot += u32::from(known == verdict);
            }
        }
    }
    let words: Vec<String> = counts
        .iter()
        .zip(Verdict::ALL)
        .filter(|(count, _)| **count > 0)
        .map(|(count, verdict)| format!("{count} {verdict}"))
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let what = if group.batches.len() > 1 {
        format!("{}: batch {} done", group.name, stage.batch + 1)
    } else {
        format!("{} done", group.name)
    };
    vec![(format!("{what}: {}", words.join(", ")), false)]
}

fn finished(job: &Job, task: TaskIx) -> Option<(String, bool)> {
    let known = job.task(task)?;
    let report = known.report.as_deref()?;
    let phase = view::phase_name(job, task);
    let at = report.decided_by.as_ref().map_or_else(|| phase.clone(), |step| format!("{phase}/{step}"));
    match report.verdict {
        Verdict::Failed | Verdict::Cancelled | Verdict::Aborted | Verdict::Ignored => {
            let first = report.message.lines().next().unwrap_or_default();
            let message = if first.is_empty() { report.outcome.to_string() } else { first.to_owned() };
            let line = format!("{} {} in {at}: {message}", job.subject(task), report.verdict);
            Some((line, report.verdict == Verdict::Failed))
        }
        Verdict::Succeeded | Verdict::Skipped => None,
    }
}
