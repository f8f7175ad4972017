//! What is recorded: facts, in the past tense. The journal is the source of truth; state is what the facts add up to.
//!
//! The JSON form of [`Event`] is a file format: fields are only ever added, with a default, and never change their meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::grant::AttemptReport;
use crate::id::{Digest, Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use crate::outcome::{OutcomeClass, Verdict};
use crate::state::JobState;

/// A fact and when it became one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the scheduler's clock.
    pub at: UnixMillis,
    /// The job it is about; none for facts about runners and the scheduler itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A job was accepted.
    JobSubmitted(Box<Submitted>),
    /// The first stage of the job began.
    JobStarted,
    /// A stage began: one phase of one batch, or all phases of a oneshot group.
    StageStarted {
        /// Its index in the job's layout.
        stage: u32,
    },
    /// Tasks were given to a runner.
    TasksGranted {
        /// Who holds the leases.
        runner: RunnerId,
        /// Which tasks, each with its attempt number and the epoch of its lease.
        leases: Vec<LeaseFact>,
    },
    /// A runner began attempts.
    AttemptsStarted {
        /// Who.
        runner: RunnerId,
        /// Which.
        tasks: Vec<TaskIx>,
    },
    /// An attempt ended.
    AttemptFinished {
        /// Whose attempt.
        task: TaskIx,
        /// Which attempt of it.
        n: u32,
        /// How.
        report: Box<AttemptReport>,
    },
    /// A started attempt's evidence was lost; the task waits for an operator, or is run again when it is idempotent.
    AttemptInterrupted {
        /// Whose attempt.
        task: TaskIx,
        /// Which attempt of it.
        n: u32,
        /// What is known.
        report: Box<AttemptReport>,
        /// Whether it is run again on its own.
        again: bool,
    },
    /// Leases of tasks that had not begun were taken back; the tasks wait again.
    LeasesEnded {
        /// Which tasks.
        tasks: Vec<TaskIx>,
        /// Why, for people.
        reason: String,
    },
    /// Runners were told to stop attempts.
    StopsRequested {
        /// Which tasks.
        tasks: Vec<TaskIx>,
    },
    /// More targets failed in one class than the budget allows.
    BudgetExceeded {
        /// The group.
        group: u32,
        /// The class.
        class: OutcomeClass,
        /// How many.
        count: u32,
        /// How many were allowed.
        limit: u32,
    },
    /// The gate after a stage holds the job.
    GateHeld {
        /// The stage it follows.
        stage: u32,
        /// Why.
        gate: Gate,
    },
    /// The gate after a stage let the job go on.
    GatePassed {
        /// The stage it follows.
        stage: u32,
        /// Who said so; none when time or policy did.
        by: Option<String>,
    },
    /// A person asked to pause.
    PauseRequested {
        /// Who.
        by: String,
    },
    /// Nothing is live any more; the job is paused.
    JobPaused,
    /// A person asked to go on.
    JobResumed {
        /// Who.
        by: String,
    },
    /// The job was asked to end.
    StopRequested {
        /// What it is to end as: `cancelled`, `aborted` or `failed`.
        end: JobState,
        /// Who asked; none when a policy did.
        by: Option<String>,
        /// Why, for people.
        reason: String,
    },
    /// The job ended. Tasks that were waiting are over with it.
    JobFinished {
        /// How.
        state: JobState,
    },
    /// Tasks were set back to be run again.
    TasksRetried {
        /// Which.
        tasks: Vec<TaskIx>,
        /// Who.
        by: String,
    },
    /// An operator decided a task: skipped, ignored, or the verdict on an interrupted one.
    TaskDecided {
        /// Which.
        task: TaskIx,
        /// As what.
        verdict: Verdict,
        /// Who.
        by: String,
        /// Outputs supplied for later steps: `step id -> key -> value`.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Map<String, Value>,
    },
    /// The window of a group was changed while it ran.
    ParallelAmended {
        /// The group.
        group: u32,
        /// Tasks that may be live at once from now on.
        parallel: u32,
        /// Who.
        by: String,
    },
    /// The scheduler began to run; every runner is thought away until it says hello.
    SchedulerStarted {
        /// Version of the program.
        version: String,
    },
    /// A runner said hello.
    RunnerConnected {
        /// Who.
        runner: RunnerId,
        /// Attempts it can hold.
        capacity: u32,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// Version of its program.
        version: String,
    },
    /// A runner's stream ended.
    RunnerDisconnected {
        /// Who.
        runner: RunnerId,
    },
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// Digest of its plan, which the store keeps.
    pub plan: Digest,
    /// Name of the job.
    pub name: String,
    /// Who submitted it.
    pub by: String,
    /// A repeated submit with the same key is the same job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// One lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseFact {
    /// The task.
    pub task: TaskIx,
    /// Number of the attempt.
    pub n: u32,
    /// Epoch of the lease.
    pub epoch: Epoch,
}

/// Why the job is held between two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gate {
    /// Until this instant.
    Soak {
        /// When it ends.
        until: UnixMillis,
    },
    /// Until a person confirms.
    Confirm,
    /// A target of the batch failed and the group says to pause then.
    Failure,
    /// Only interrupted tasks are left in the stage: a person says how they ended, or retries them.
    Unresolved,
}
