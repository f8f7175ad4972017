//! What readers get: the stable, documented shapes behind `--format json`, the gRPC views and the terminal.
//!
//! Fields are only ever added. Words for states, verdicts and outcomes are those of [`crate::state`] and [`crate::outcome`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::UnixMillis;

/// One job in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Who submitted it.
    pub by: String,
    /// When it was submitted.
    pub created_at: UnixMillis,
    /// When it began, if it did.
    pub started_at: Option<UnixMillis>,
    /// When it ended, if it did.
    pub finished_at: Option<UnixMillis>,
    /// Targets it acts on.
    pub targets: u32,
    /// Targets by verdict; targets that have none yet are left out.
    pub counts: BTreeMap<String, u32>,
}

/// One job, whole, without its targets one by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Why it is in this state, in one sentence; empty when there is nothing to say.
    pub reason: String,
    /// Digest of its plan.
    pub plan_digest: String,
    /// Who submitted it.
    pub by: String,
    /// When it was submitted.
    pub created_at: UnixMillis,
    /// When it began, if it did.
    pub started_at: Option<UnixMillis>,
    /// When it ended, if it did.
    pub finished_at: Option<UnixMillis>,
    /// Grows with every change.
    pub revision: u64,
    /// Targets it acts on. A job without targets counts its phases that run once instead.
    pub targets_total: u32,
    /// Targets by verdict: `succeeded, failed, ignored, skipped, cancelled, aborted`, all present.
    pub counts: BTreeMap<String, u32>,
    /// Targets that have no verdict yet: `waiting`, `running`, `unresolved`.
    pub open: BTreeMap<String, u32>,
    /// Targets by class of outcome: `succeeded, failed, unreachable, timed_out, interrupted, stopped`, all present.
    pub outcomes: BTreeMap<String, u32>,
    /// Batches of rolling groups, and one for each oneshot group, in order.
    pub batches: Vec<BatchView>,
    /// Phases, in order.
    pub phases: Vec<PhaseView>,
    /// Identical outputs, largest first; present in answers that ask for them.
    pub clusters: Vec<ClusterView>,
    /// Budgets that were exceeded.
    pub exceeded: Vec<String>,
    /// Steps of targets that did not succeed, failures first, at most 200.
    pub failures: Vec<FailureView>,
}

/// One batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchView {
    /// From 1, through all groups of the job.
    pub index: u32,
    /// Name of its group.
    pub group: String,
    /// Targets in it.
    pub size: u32,
    /// `waiting, running, held, succeeded, failed, cancelled, aborted`.
    pub state: String,
    /// The phase that it is in, while it is running.
    pub phase: String,
    /// Targets by verdict so far.
    pub counts: BTreeMap<String, u32>,
    /// Targets that are being worked on.
    pub running: u32,
    /// Its targets, folded.
    pub targets: String,
    /// When its first task was granted.
    pub started_at: Option<UnixMillis>,
    /// When its last task was over.
    pub finished_at: Option<UnixMillis>,
}

/// One phase over all its batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseView {
    /// Name of its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Where its steps run.
    pub place: String,
    /// Its tasks by state or verdict.
    pub counts: BTreeMap<String, u32>,
}

/// Targets whose normalised output is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// How many.
    pub size: u32,
    /// Their names, folded.
    pub targets: String,
    /// Their verdict.
    pub verdict: String,
    /// Their outcome, for people: `exit 3`, `unreachable`.
    pub outcome: String,
    /// Beginning of the output of the first of them, at most 2 KiB, lossy UTF-8; or the message when there is no output.
    pub sample: String,
}

/// Why targets did not succeed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureView {
    /// Name of the target; `runner` for a phase that runs once.
    pub target: String,
    /// The phase.
    pub phase: String,
    /// The step, when one decided it.
    pub step: Option<String>,
    /// Its verdict.
    pub verdict: String,
    /// Its outcome, for people.
    pub outcome: String,
    /// One sentence.
    pub message: String,
}

/// One target of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRow {
    /// Its name.
    pub name: String,
    /// `waiting`, `running`, `unresolved`, or its verdict.
    pub verdict: String,
    /// Word of its outcome; none before its first attempt ended.
    pub outcome: Option<String>,
    /// Exit code of the step that decided it.
    pub exit_code: Option<i32>,
    /// Attempts made of the task that decided it.
    pub attempts: u32,
    /// Index of its batch in [`JobView::batches`], from 1.
    pub batch: u32,
    /// The phase that decided it or that it is in.
    pub phase: String,
    /// The runner that holds or held it.
    pub runner: Option<String>,
    /// When its first attempt began.
    pub started_at: Option<UnixMillis>,
    /// When its last attempt ended.
    pub finished_at: Option<UnixMillis>,
    /// One sentence about a failure; empty otherwise.
    pub message: String,
    /// Outputs published, by phase, step and key; present in answers that ask for them.
    pub outputs: Value,
}

/// Why something is not finished, and how to move on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What it is about: `job 17` or a target.
    pub subject: String,
    /// Its state.
    pub state: String,
    /// A word from a closed set: `runner_offline`, `window_full`, `batch_not_reached`, `gate_confirm` and so on.
    pub code: String,
    /// One sentence.
    pub reason: String,
    /// Commands or changes that move it on; empty when only time is needed.
    pub next: Vec<String>,
}
