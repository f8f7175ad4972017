//! A scheduler without its outside: the state, its journal, a clock that a test turns, and the driver's settle loop.

use std::sync::Arc;

use autoexec_core::apply::{Plans, apply};
use autoexec_core::decide::{Input, decide};
use autoexec_core::invariant::{check, check_settled, check_step};
use autoexec_core::react::react;
use autoexec_core::state::{Job, State, Task};
use autoexec_model::api::Operation;
use autoexec_model::event::Event;
use autoexec_model::grant::{AttemptReport, RunnerHello};
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::Plan;
use autoexec_model::refusal::Refusal;
use autoexec_model::state::{JobState, TaskState};

use crate::words;

/// Rounds after which a world that still moves is broken.
const MAX_ROUNDS: usize = 10_000;

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: UnixMillis,
    pub(crate) journal: Vec<Event>,
    pub(crate) plans: Plans,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { state: State::default(), now: UnixMillis(1_000_000), journal: Vec::new(), plans: Plans::new() }
    }

    /// A world with one runner `r1` that can hold 100 tasks, and one job that has just begun.
    pub(crate) fn with(plan: Plan) -> Self {
        let mut world = Self::new();
        world.hello("r1", 100);
        world.submit(plan);
        world
    }

    pub(crate) fn submit(&mut self, plan: Plan) -> String {
        let input = self.submission(plan, None);
        self.tell(input)
    }

    pub(crate) fn submission(&mut self, plan: Plan, key: Option<&str>) -> Input {
        let digest = plan.digest().expect("a plan can be encoded");
        let plan = Arc::new(plan);
        self.plans.insert(digest.clone(), Arc::clone(&plan));
        let name = plan.name.clone();
        Input::Submit { plan, digest, name, by: "ada".to_owned(), idempotency_key: key.map(str::to_owned) }
    }

    pub(crate) fn hello(&mut self, runner: &str, capacity: u32) -> String {
        self.tell(Input::Hello(RunnerHello {
            runner: RunnerId(runner.to_owned()),
            version: "1".to_owned(),
            capacity,
            labels: std::collections::BTreeMap::new(),
            live: Vec::new(),
        }))
    }

    pub(crate) fn gone(&mut self, runner: &str) -> String {
        self.tell(Input::Gone { runner: RunnerId(runner.to_owned()) })
    }

    /// Time passes, and the driver looks again.
    pub(crate) fn pass(&mut self, millis: u64) -> String {
        self.now = self.now.plus(millis);
        let events = self.settle();
        self.lines(&events)
    }

    /// An input that must not be refused: what happened, one fact or effect a line.
    pub(crate) fn tell(&mut self, input: Input) -> String {
        self.take(&input).unwrap_or_else(|refusal| panic!("{input:?} was refused: {refusal}"))
    }

    /// An input: what happened, or the refusal.
    pub(crate) fn take(&mut self, input: &Input) -> Result<String, Refusal> {
        let mut events = decide(&self.state, input, self.now)?;
        let mut lines = self.apply_all(&events);
        events = self.settle();
        lines.push_str(&self.lines(&events));
        Ok(lines)
    }

    pub(crate) fn operate(&mut self, operation: Operation, targets: &[u32]) -> Result<String, Refusal> {
        let job = JobId(1);
        self.take(&Input::Operate { job, operation, targets: targets.to_vec(), by: "ada".to_owned() })
    }

    /// The operation, which must be legal.
    pub(crate) fn must(&mut self, operation: Operation, targets: &[u32]) -> String {
        self.operate(operation.clone(), targets).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    /// The refusal of an operation that must not be legal, with its hints.
    pub(crate) fn refused(&mut self, operation: Operation, targets: &[u32]) -> String {
        match self.operate(operation.clone(), targets) {
            Ok(lines) => panic!("{operation:?} was not refused: {lines}"),
            Err(refusal) => format!("{refusal}\n{}\n", refusal.hints.join("\n")),
        }
    }

    /// Runners begin everything that was granted to them.
    pub(crate) fn begin(&mut self) -> String {
        let mut lines = String::new();
        for (runner, attempt, epoch, begun) in self.live() {
            if !begun {
                lines.push_str(&self.tell(Input::Started { runner, attempts: vec![(attempt, epoch)] }));
            }
        }
        lines
    }

    /// The live task of this subject and phase ends so.
    pub(crate) fn end(&mut self, subject: &str, phase: &str, report: AttemptReport) -> String {
        let found = self.live().into_iter().find(|(_, attempt, _, _)| {
            let job = &self.state.jobs[&attempt.job];
            job.subject(attempt.task) == subject && autoexec_core::view::phase_name(job, attempt.task) == phase
        });
        let (runner, attempt, epoch, _) = found.unwrap_or_else(|| panic!("no live task {subject}/{phase}"));
        self.tell(Input::Finished { runner, attempt, epoch, report: Box::new(report) })
    }

    pub(crate) fn ok(&mut self, subject: &str, phase: &str) -> String {
        self.end(subject, phase, good())
    }

    pub(crate) fn fail(&mut self, subject: &str, phase: &str) -> String {
        self.end(subject, phase, failed(Outcome::Exited { code: 3 }))
    }

    /// Everything that is live now succeeds; what is granted because of it stays live.
    pub(crate) fn all_ok(&mut self) -> String {
        let mut lines = String::new();
        for (runner, attempt, epoch, _) in self.live() {
            lines.push_str(&self.tell(Input::Finished { runner, attempt, epoch, report: Box::new(good()) }));
        }
        lines
    }

    /// Live attempts are answered with success until nothing is live.
    pub(crate) fn run_to_rest(&mut self) {
        for _ in 0..MAX_ROUNDS {
            if self.live().is_empty() {
                return;
            }
            self.all_ok();
        }
        panic!("the world does not come to rest");
    }

    /// Leases that are live: who, what, epoch, whether it began.
    pub(crate) fn live(&self) -> Vec<(RunnerId, AttemptId, Epoch, bool)> {
        let of = |job: &Job| -> Vec<(RunnerId, AttemptId, Epoch, bool)> {
            let live = job.tasks.iter().enumerate().filter(|(_, task)| task.state.is_live());
            live.map(|(index, task)| {
                let runner = self.state.runners[usize::from(task.runner.expect("a live task has a runner"))].id.clone();
                let attempt = AttemptId { job: job.id, task: TaskIx(index as u32), n: task.n };
                (runner, attempt, task.epoch, task.started_at.is_some())
            })
            .collect()
        };
        self.state.jobs.values().flat_map(of).collect()
    }

    pub(crate) fn job(&self) -> &Job {
        &self.state.jobs[&JobId(1)]
    }

    pub(crate) fn job_state(&self) -> JobState {
        self.job().state
    }

    /// The task of a subject in a phase.
    pub(crate) fn task(&self, subject: &str, phase: &str) -> &Task {
        let job = self.job();
        let found = (0..job.tasks.len() as u32)
            .map(TaskIx)
            .find(|task| job.subject(*task) == subject && autoexec_core::view::phase_name(job, *task) == phase);
        &job.tasks[found.expect("the task is in the plan").0 as usize]
    }

    pub(crate) fn task_state(&self, subject: &str, phase: &str) -> TaskState {
        self.task(subject, phase).state
    }

    /// What `explain` says of the job and these targets.
    pub(crate) fn explained(&self, targets: &[u32]) -> String {
        let all = autoexec_core::explain::explain(&self.state, self.job(), Some(targets), self.now);
        all.iter()
            .map(|one| {
                let next: String = one.next.iter().map(|next| format!("\n  next: {next}")).collect();
                format!("{} [{}] {}: {}{next}\n", one.subject, one.state, one.code, one.reason)
            })
            .collect()
    }

    /// The driver's settle loop: every live job advances until it is quiet, then tasks are given out, until both are.
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let mut quiet = true;
            let live: Vec<JobId> =
                self.state.jobs.values().filter(|job| !job.state.is_final()).map(|job| job.id).collect();
            for job in live {
                for round in 0.. {
                    let events =
                        decide(&self.state, &Input::Advance { job }, self.now).expect("advance is never refused");
                    if events.is_empty() {
                        break;
                    }
                    assert!(round < MAX_ROUNDS, "job {job} never settles");
                    self.apply_all(&events);
                    all.extend(events);
                    quiet = false;
                }
            }
            let grants = decide(&self.state, &Input::Dispatch, self.now).expect("dispatch is never refused");
            self.apply_all(&grants);
            quiet &= grants.is_empty();
            all.extend(grants);
            if quiet {
                let violations = check_settled(&self.state, self.now);
                assert!(violations.is_empty(), "settled, and yet: {violations:?}\n{}", self.text());
                return all;
            }
        }
        panic!("the world never settles: {}", self.text());
    }

    /// Applies events, with every invariant after each of them. What happened, one fact or effect a line.
    pub(crate) fn apply_all(&mut self, events: &[Event]) -> String {
        let mut lines = String::new();
        for event in events {
            let before = self.state.clone();
            self.journal.push(event.clone());
            if let Err(illegal) = apply(&mut self.state, event, &self.plans) {
                panic!("{illegal}\n{}", self.text());
            }
            let mut violations = check_step(&before, event, &self.state);
            violations.extend(check(&self.state));
            assert!(violations.is_empty(), "{violations:#?}\nafter {event:?}\n{}", self.text());
            lines.push_str(&words::event(&self.state, event));
            for effect in react(&self.state, event) {
                lines.push_str(&words::effect(&self.state, &effect));
            }
        }
        lines
    }

    /// Events that were applied already, as lines.
    fn lines(&self, events: &[Event]) -> String {
        let line = |event: &Event| {
            let effects = react(&self.state, event);
            let effects: String = effects.iter().map(|effect| words::effect(&self.state, effect)).collect();
            format!("{}{effects}", words::event(&self.state, event))
        };
        events.iter().map(line).collect()
    }

    /// The journal, one fact a line.
    pub(crate) fn text(&self) -> String {
        self.journal.iter().map(|event| words::event(&self.state, event)).collect()
    }

    /// Replays the journal from nothing and compares.
    pub(crate) fn replays(&self) {
        let mut replayed = State::default();
        for event in &self.journal {
            let text = serde_json::to_string(event).expect("an event can be written");
            let read: Event = serde_json::from_str(&text).expect("an event can be read");
            assert_eq!(&read, event, "an event survives its file format");
            apply(&mut replayed, &read, &self.plans).expect("what was legal live is legal on replay");
        }
        assert_eq!(replayed, self.state, "replay equals live");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.replays();
        }
    }
}

pub(crate) fn good() -> AttemptReport {
    report(Outcome::Exited { code: 0 }, Verdict::Succeeded)
}

pub(crate) fn failed(outcome: Outcome) -> AttemptReport {
    report(outcome, Verdict::Failed)
}

pub(crate) fn report(outcome: Outcome, verdict: Verdict) -> AttemptReport {
    let message = if verdict == Verdict::Succeeded { String::new() } else { format!("s1: {outcome}") };
    AttemptReport {
        outcome,
        verdict,
        message,
        decided_by: Some("s1".to_owned()),
        steps: Vec::new(),
        cluster: None,
        stdout: 0,
        stderr: 0,
        started_at: UnixMillis(1),
        finished_at: UnixMillis(2),
    }
}
