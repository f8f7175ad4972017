//! Whether a job can move on: begin, begin its next stage, be held at a gate, pause, end.
//!
//! One step at a time; the driver asks again after each.

use autoexec_model::event::{Event, Fact, Gate};
use autoexec_model::id::UnixMillis;
use autoexec_model::outcome::Verdict;
use autoexec_model::plan::{BetweenMode, Group};
use autoexec_model::state::JobState;

use super::{about, budget};
use crate::layout::Stage;
use crate::state::{Job, Tally};

pub(super) fn advance(job: &Job, now: UnixMillis) -> Vec<Event> {
    let fact = match job.state {
        JobState::Queued => Some(Fact::JobStarted),
        JobState::Running => running(job, now),
        JobState::Pausing => (job.live() == 0).then_some(Fact::JobPaused),
        JobState::Stopping => stopping(job),
        JobState::Scheduled
        | JobState::Waiting
        | JobState::Paused
        | JobState::Succeeded
        | JobState::Failed
        | JobState::Cancelled
        | JobState::Aborted => None,
    };
    fact.map(|fact| about(job, now, fact)).into_iter().collect()
}

fn running(job: &Job, now: UnixMillis) -> Option<Fact> {
    if let Some(stop) = budget::reason_to_stop(job) {
        return Some(stop);
    }
    if let Some(gate) = job.gate {
        return match gate {
            Gate::Soak { until } => (now >= until).then(|| after_soak(job)),
            Gate::Confirm | Gate::Failure | Gate::Unresolved => None,
        };
    }
    let Some(stage) = job.layout.stages.get(job.stage as usize) else {
        return Some(Fact::JobFinished { state: final_state(job) });
    };
    if !job.begun {
        return Some(Fact::StageStarted { stage: job.stage });
    }
    if !job.stage_over() {
        return unresolved_only(job).then_some(Fact::GateHeld { stage: job.stage, gate: Gate::Unresolved });
    }
    if stage.before_next_batch
        && !job.passed.contains(&job.stage)
        && let Some(gate) = gate_after(job, stage, now)
    {
        return Some(Fact::GateHeld { stage: job.stage, gate });
    }
    let next = job.stage + 1;
    Some(if (next as usize) < job.layout.stages.len() {
        Fact::StageStarted { stage: next }
    } else {
        Fact::JobFinished { state: final_state(job) }
    })
}

/// What a soak ends with: the person's turn when the group asks for one, else the next batch.
fn after_soak(job: &Job) -> Fact {
    let stage = job.stage;
    let group = job.layout.stages.get(stage as usize).and_then(|at| job.plan.groups.get(at.group as usize));
    match group.map(|group| group.between.mode) {
        Some(BetweenMode::Confirm) => Fact::GateHeld { stage, gate: Gate::Confirm },
        Some(BetweenMode::Continue | BetweenMode::PauseOnFailure) | None => Fact::GatePassed { stage, by: None },
    }
}

/// Whether nothing of the stage can go on but by a person's verdict on interrupted tasks.
fn unresolved_only(job: &Job) -> bool {
    let mut unresolved = 0;
    for (cell, _) in job.layout.cells_of(job.stage) {
        let Some(tally) = job.tallies.get(cell) else { continue };
        if tally.waiting > 0 || tally.live > 0 {
            return false;
        }
        unresolved += tally.unresolved;
    }
    unresolved > 0
}

fn gate_after(job: &Job, stage: &Stage, now: UnixMillis) -> Option<Gate> {
    let group: &Group = job.plan.groups.get(stage.group as usize)?;
    let soak = group.between.soak.as_millis();
    let soak = (soak > 0).then(|| Gate::Soak { until: now.plus(soak) });
    match group.between.mode {
        // The soak comes first: what a person confirms is a batch that has held for that long.
        BetweenMode::Confirm => soak.or(Some(Gate::Confirm)),
        BetweenMode::PauseOnFailure if batch_failed(job, stage) => Some(Gate::Failure),
        BetweenMode::Continue | BetweenMode::PauseOnFailure => soak,
    }
}

/// Whether a task of the batch failed.
pub(crate) fn batch_failed(job: &Job, stage: &Stage) -> bool {
    job.layout
        .cells_of_batch(stage.group, stage.batch)
        .filter_map(|(cell, _)| job.tallies.get(cell))
        .any(|tally| tally.with(Verdict::Failed) > 0 || tally.unresolved > 0)
}

fn stopping(job: &Job) -> Option<Fact> {
    if job.live() > 0 {
        return None;
    }
    let state = job.end.as_ref().map_or(JobState::Aborted, |end| end.state);
    Some(Fact::JobFinished { state })
}

/// How a job ends that ran through all its stages.
pub(crate) fn final_state(job: &Job) -> JobState {
    let bad =
        |tally: &Tally| tally.unresolved > 0 || tally.with(Verdict::Failed) > 0 || tally.with(Verdict::Aborted) > 0;
    let cancelled = |tally: &Tally| tally.with(Verdict::Cancelled) > 0;
    if job.tallies.iter().any(bad) {
        JobState::Failed
    } else if job.tallies.iter().any(cancelled) {
        JobState::Cancelled
    } else {
        JobState::Succeeded
    }
}
