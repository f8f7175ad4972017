//! What is true: every live job with its tasks, and every runner.
//!
//! Only [`crate::apply`] changes it. Counts are kept beside the tasks because every decision needs them and a job may have
//! a hundred thousand tasks; the invariant `tallies_match_tasks` compares the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use autoexec_model::event::{Gate, Submitted};
use autoexec_model::grant::AttemptReport;
use autoexec_model::id::{Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::plan::Plan;
use autoexec_model::state::{JobState, TaskState};
use serde_json::{Map, Value};

use crate::layout::Layout;

/// What is true now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Jobs that are held in memory: all live ones, and final ones that someone asked about.
    pub jobs: BTreeMap<JobId, Job>,
    /// Every runner that ever said hello, in order of its first hello; its index is its short name.
    pub runners: Vec<Runner>,
    /// Number of the next job.
    pub next_job: u64,
    /// Jobs by idempotency key.
    pub keys: BTreeMap<String, JobId>,
}

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What was accepted.
    pub submitted: Submitted,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// Where its tasks are.
    pub layout: Arc<Layout>,
    /// Where it stands.
    pub state: JobState,
    /// The stage that is running or comes next; the number of stages when all are over.
    pub stage: u32,
    /// Whether that stage has begun.
    pub begun: bool,
    /// The gate that holds it after `stage`.
    pub gate: Option<Gate>,
    /// Stages whose gates were passed.
    pub passed: BTreeSet<u32>,
    /// What it is to end as, and why, once it was asked to stop.
    pub end: Option<End>,
    /// Budgets that were exceeded, for people.
    pub exceeded: Vec<Exceeded>,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Counts by cell.
    pub tallies: Vec<Tally>,
    /// Windows of groups that an operator changed.
    pub parallel: BTreeMap<u32, u32>,
    /// Grows by one with every event.
    pub revision: u64,
    /// When it was submitted.
    pub created_at: UnixMillis,
    /// When it began.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub finished_at: Option<UnixMillis>,
}

/// What a stopping job is to end as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `cancelled`, `aborted` or `failed`.
    pub state: JobState,
    /// Why, for people.
    pub reason: String,
}

/// A budget that was exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The group.
    pub group: u32,
    /// The class.
    pub class: OutcomeClass,
    /// How many.
    pub count: u32,
    /// How many were allowed.
    pub limit: u32,
}

/// One task. A waiting one takes less than 100 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Where it stands.
    pub state: TaskState,
    /// Number of its last attempt; 0 before the first.
    pub n: u32,
    /// Whether its next grant is a new attempt; a lease that ended before the attempt began keeps the number.
    pub fresh: bool,
    /// Whether its failure is left out of budgets: it failed before a person retried a job that was over.
    pub forgiven: bool,
    /// Epoch of its last lease.
    pub epoch: Epoch,
    /// Index of the runner that holds or held it.
    pub runner: Option<u16>,
    /// Revision of the job at its last change.
    pub changed: u64,
    /// When it was granted.
    pub granted_at: Option<UnixMillis>,
    /// When its attempt began.
    pub started_at: Option<UnixMillis>,
    /// When it was over.
    pub finished_at: Option<UnixMillis>,
    /// How its last attempt ended.
    pub report: Option<Arc<AttemptReport>>,
    /// Outputs that an operator supplied.
    pub supplied: Option<Arc<Map<String, Value>>>,
}

/// Counts of the tasks of one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Waiting for a grant.
    pub waiting: u32,
    /// With a runner.
    pub live: u32,
    /// Waiting for an operator's verdict.
    pub unresolved: u32,
    /// Over, by verdict in the order of [`Verdict::ALL`].
    pub done: [u32; 6],
    /// Failed (not ignored, not forgiven) and unresolved, by class in the order of [`OutcomeClass::ALL`].
    pub failed_by: [u32; 6],
    /// No task before this position of the cell is waiting.
    pub hint: u32,
}

/// One runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Its name.
    pub id: RunnerId,
    /// Whether its stream is open.
    pub connected: bool,
    /// Since when.
    pub since: UnixMillis,
    /// Attempts it can hold.
    pub capacity: u32,
    /// Tasks it holds, of all jobs.
    pub live: u32,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Version of its program.
    pub version: String,
}

impl Task {
    /// A task that nobody has touched.
    pub fn untouched() -> Self {
        Self {
            state: TaskState::Waiting,
            n: 0,
            fresh: true,
            forgiven: false,
            epoch: Epoch(0),
            runner: None,
            changed: 0,
            granted_at: None,
            started_at: None,
            finished_at: None,
            report: None,
            supplied: None,
        }
    }

    /// The class that a budget counts it in, if one does.
    pub fn budget_class(&self) -> Option<OutcomeClass> {
        self.failure_class().filter(|_| !self.forgiven)
    }

    /// The class of its failure: only of those that are not ignored, and of the unresolved.
    pub fn failure_class(&self) -> Option<OutcomeClass> {
        match self.state {
            TaskState::Unresolved => Some(OutcomeClass::Interrupted),
            TaskState::Done(Verdict::Failed) => Some(
                self.report
                    .as_ref()
                    .map(|report| report.outcome.class())
                    .filter(|class| *class != OutcomeClass::Succeeded)
                    .unwrap_or(OutcomeClass::Failed),
            ),
            TaskState::Done(
                Verdict::Succeeded | Verdict::Ignored | Verdict::Skipped | Verdict::Cancelled | Verdict::Aborted,
            )
            | TaskState::Waiting
            | TaskState::Granted
            | TaskState::Running
            | TaskState::Stopping => None,
        }
    }

    /// Whether it keeps its target out of the stages that follow.
    pub fn drops_target(&self) -> bool {
        match self.state {
            TaskState::Unresolved | TaskState::Done(Verdict::Failed | Verdict::Cancelled | Verdict::Aborted) => true,
            TaskState::Waiting
            | TaskState::Granted
            | TaskState::Running
            | TaskState::Stopping
            | TaskState::Done(Verdict::Succeeded | Verdict::Ignored | Verdict::Skipped) => false,
        }
    }
}

impl Tally {
    /// Adds or takes away one task.
    pub(crate) fn count(&mut self, task: &Task, add: bool) {
        let step = |slot: &mut u32| *slot = if add { *slot + 1 } else { slot.saturating_sub(1) };
        match task.state {
            TaskState::Waiting => step(&mut self.waiting),
            TaskState::Unresolved => step(&mut self.unresolved),
            TaskState::Granted | TaskState::Running | TaskState::Stopping => step(&mut self.live),
            TaskState::Done(verdict) => step(&mut self.done[verdict_index(verdict)]),
        }
        if let Some(class) = task.budget_class() {
            step(&mut self.failed_by[class_index(class)]);
        }
    }

    /// Whether none of its tasks can change without a person or a retry.
    pub fn is_over(&self) -> bool {
        self.waiting == 0 && self.live == 0 && self.unresolved == 0
    }

    /// Tasks of it that are over with this verdict.
    pub fn with(&self, verdict: Verdict) -> u32 {
        self.done[verdict_index(verdict)]
    }

    /// Tasks of it that a budget counts in this class.
    pub fn failed_in(&self, class: OutcomeClass) -> u32 {
        self.failed_by[class_index(class)]
    }
}

pub(crate) fn verdict_index(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Succeeded => 0,
        Verdict::Failed => 1,
        Verdict::Ignored => 2,
        Verdict::Skipped => 3,
        Verdict::Cancelled => 4,
        Verdict::Aborted => 5,
    }
}

pub(crate) fn class_index(class: OutcomeClass) -> usize {
    match class {
        OutcomeClass::Succeeded => 0,
        OutcomeClass::Failed => 1,
        OutcomeClass::Unreachable => 2,
        OutcomeClass::TimedOut => 3,
        OutcomeClass::Interrupted => 4,
        OutcomeClass::Stopped => 5,
    }
}

impl Job {
    /// A task of it.
    pub fn task(&self, task: TaskIx) -> Option<&Task> {
        self.tasks.get(task.0 as usize)
    }

    /// Tasks that runners hold.
    pub fn live(&self) -> u32 {
        self.tallies.iter().map(|tally| tally.live).sum()
    }

    /// Name of the target of a task; `runner` for a task that runs once.
    pub fn subject(&self, task: TaskIx) -> &str {
        self.layout
            .target(&self.plan, task)
            .and_then(|target| self.plan.target(target))
            .map_or("runner", |target| target.name.as_str())
    }

    /// Whether the current stage has no task left to begin or to end.
    pub fn stage_over(&self) -> bool {
        self.layout.cells_of(self.stage).all(|(cell, _)| self.tallies.get(cell).is_none_or(Tally::is_over))
    }

    /// The window of a cell: tasks of it that may be live at once.
    pub fn window(&self, group: u32, phase: u32) -> u32 {
        let Some(of_group) = self.plan.groups.get(group as usize) else { return 0 };
        let amended = self.parallel.get(&group).copied().unwrap_or(of_group.parallel);
        let narrowed = of_group.phases.get(phase as usize).and_then(|phase| phase.parallel);
        narrowed.map_or(amended, |narrow| narrow.min(amended)).max(1)
    }
}

impl State {
    /// Index of a runner.
    pub fn runner_index(&self, id: &RunnerId) -> Option<u16> {
        self.runners.iter().position(|runner| runner.id == *id).map(|index| index as u16)
    }

    /// A runner by its index.
    pub fn runner(&self, index: u16) -> Option<&Runner> {
        self.runners.get(usize::from(index))
    }
}
