//! The invariants can fail: each is shown a state or a step that breaks it. And `apply` refuses what does not fit.

use autoexec_core::apply::{Illegal, apply};
use autoexec_core::invariant::{Rule, check, check_step};
use autoexec_core::state::{Job, State};
use autoexec_model::event::{Event, Fact, Gate, LeaseFact};
use autoexec_model::id::{Epoch, JobId, RunnerId, TaskIx};
use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::plan::{BetweenMode, BudgetScope, Group};
use autoexec_model::state::{JobState, TaskState};
use expect_test::expect;

use crate::plans::{between, budget, phase, plan, rolling};
use crate::world::{World, good};

fn world() -> World {
    let group = Group {
        between: between(BetweenMode::Confirm, 0),
        budget: budget(BudgetScope::Group, &[(OutcomeClass::Failed, &[0])]),
        parallel: 1,
        ..rolling(&[2, 2], vec![phase("a")])
    };
    World::with(plan(4, vec![group]))
}

fn broken(state: &State) -> Vec<Rule> {
    let mut rules: Vec<Rule> = check(state).into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

fn job(state: &mut State) -> &mut Job {
    state.jobs.get_mut(&JobId(1)).expect("it is there")
}

#[test]
fn a_broken_state_is_seen() {
    let good = world().state.clone();
    assert_eq!(broken(&good), []);
    type Break = fn(&mut State);
    let cases: [(Break, Rule); 7] = [
        (|state| job(state).tasks[0].runner = None, Rule::OneLiveLeasePerTask),
        (|state| job(state).tasks[0].started_at = Some(state_now()), Rule::AttemptStartedAtMostOnce),
        (|state| job(state).tallies[0].waiting += 1, Rule::TalliesMatchTasks),
        (|state| job(state).tallies[1].hint = 1, Rule::TalliesMatchTasks),
        (|state| job(state).state = JobState::Succeeded, Rule::DoneIsFinal),
        (|state| job(state).gate = Some(Gate::Confirm), Rule::GateFitsState),
        (|state| state.runners[0].live = 7, Rule::RunnerLiveCountsMatch),
    ];
    for (change, rule) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(broken(&bad).contains(&rule), "{rule:?} is not seen: {:?}", check(&bad));
    }
}

fn state_now() -> autoexec_model::id::UnixMillis {
    autoexec_model::id::UnixMillis(5)
}

fn step(before: &State, fact: Fact, change: impl FnOnce(&mut State)) -> String {
    let mut after = before.clone();
    change(&mut after);
    let event = Event { at: state_now(), job: Some(JobId(1)), fact };
    check_step(before, &event, &after).iter().map(|violation| format!("{violation}\n")).collect()
}

fn grant(task: u32, n: u32, epoch: u32) -> Fact {
    Fact::TasksGranted {
        runner: RunnerId("r1".to_owned()),
        leases: vec![LeaseFact { task: TaskIx(task), n, epoch: Epoch(epoch) }],
    }
}

#[test]
fn a_broken_step_is_seen() {
    let mut running = world();
    running.begin();
    let state = &running.state;
    expect![[r#"
        next_batch_only_after_gates: job 1: task 2 was given out and is not in stage 0
    "#]]
    .assert_eq(&step(state, grant(2, 1, 1), |_| {}));
    expect![[r#"
        one_live_lease_per_task: job 1: task 0 was running with epoch 1 when epoch 1 was given out
        attempt_started_at_most_once: job 1: attempt 1 of task 0 was given out after it began
    "#]]
    .assert_eq(&step(state, grant(0, 1, 1), |_| {}));
    expect![[r#"
        window_respected: job 1: 2 tasks of cell 0 are live, 1 may be
    "#]]
    .assert_eq(&step(state, grant(1, 1, 1), |state| job(state).tallies[0].live = 2));
    let began = Fact::AttemptsStarted { runner: RunnerId("r1".to_owned()), tasks: vec![TaskIx(0), TaskIx(1)] };
    expect![[r#"
        attempt_started_at_most_once: job 1: task 0 began again, or without a lease
        attempt_started_at_most_once: job 1: task 1 began again, or without a lease
    "#]]
    .assert_eq(&step(state, began, |_| {}));
    expect![[r#"
        next_batch_only_after_gates: job 1: stage 1 began while stage 0 was not over
        next_batch_only_after_gates: job 1: stage 1 began without the gate after stage 0
    "#]]
    .assert_eq(&step(state, Fact::StageStarted { stage: 1 }, |_| {}));
}

#[test]
fn a_step_past_a_gate_is_seen() {
    let mut held = world();
    held.ok("web1", "a");
    held.ok("web2", "a");
    assert_eq!(held.job_state(), JobState::Waiting);
    let mut state = held.state.clone();
    expect![[r#"
        next_batch_only_after_gates: job 1: stage 1 began while it was waiting at gate Some(Confirm)
        next_batch_only_after_gates: job 1: stage 1 began without the gate after stage 0
    "#]]
    .assert_eq(&step(&state, Fact::StageStarted { stage: 1 }, |_| {}));
    job(&mut state).gate = None;
    job(&mut state).state = JobState::Running;
    expect![[r#"
        next_batch_only_after_gates: job 1: stage 1 began without the gate after stage 0
    "#]]
    .assert_eq(&step(&state, Fact::StageStarted { stage: 1 }, |_| {}));
}

#[test]
fn a_grant_over_a_budget_is_seen() {
    let mut stopping = world();
    stopping.fail("web1", "a");
    assert_eq!(stopping.job_state(), JobState::Aborted);
    let mut state = stopping.state.clone();
    expect![[r#"
        budget_respected: job 1: tasks were given out while it was aborted
        budget_respected: job 1: tasks were given out while it had to stop: StopRequested { end: Aborted, by: None, reason: "budget of group `roll` exceeded: 1 failed, 0 allowed" }
        one_live_lease_per_task: job 1: task 2 was aborted with epoch 0 when epoch 1 was given out
        next_batch_only_after_gates: job 1: task 2 was given out and is not in stage 0
    "#]].assert_eq(&step(&state, grant(2, 1, 1), |_| {}));
    // A job that goes on as if nothing had happened.
    job(&mut state).state = JobState::Running;
    job(&mut state).tasks[1].state = TaskState::Waiting;
    expect![[r#"
        budget_respected: job 1: tasks were given out while it had to stop: StopRequested { end: Aborted, by: None, reason: "budget of group `roll` exceeded: 1 failed, 0 allowed" }
    "#]].assert_eq(&step(&state, grant(1, 1, 1), |_| {}));
}

#[test]
fn what_is_over_and_changes_is_seen() {
    let mut over = world();
    over.ok("web1", "a");
    let state = over.state.clone();
    let decided = || Fact::TaskDecided {
        task: TaskIx(0),
        verdict: Verdict::Failed,
        by: String::new(),
        outputs: serde_json::Map::new(),
    };
    expect![[r#"
        done_is_final: job 1: task 0 was succeeded and is failed
    "#]]
    .assert_eq(&step(&state, decided(), |state| job(state).tasks[0].state = TaskState::Done(Verdict::Failed)));
    expect![[r#"
        one_live_lease_per_task: job 1: the attempt or the epoch of task 0 went back
    "#]]
    .assert_eq(&step(&state, Fact::JobPaused, |state| job(state).tasks[0].epoch = Epoch(0)));
    over.must(autoexec_model::api::Operation::Cancel { reason: String::new() }, &[]);
    over.all_ok();
    let state = over.state.clone();
    expect![[r#"
        done_is_final: job 1: it was cancelled and is running
    "#]]
    .assert_eq(&step(&state, Fact::JobStarted, |state| job(state).state = JobState::Running));
}

#[test]
fn apply_refuses_what_does_not_fit_and_names_both_sides() {
    let mut world = world();
    world.ok("web1", "a");
    let r1 = || RunnerId("r1".to_owned());
    let facts = [
        grant(0, 2, 2),
        grant(1, 1, 5),
        grant(3, 2, 1),
        grant(3, 1, 0),
        grant(9, 1, 1),
        Fact::TasksGranted { runner: RunnerId("stranger".to_owned()), leases: Vec::new() },
        Fact::AttemptsStarted { runner: r1(), tasks: vec![TaskIx(3)] },
        Fact::AttemptFinished { task: TaskIx(1), n: 2, report: Box::new(good()) },
        Fact::AttemptInterrupted { task: TaskIx(0), n: 1, report: Box::new(good()), again: false },
        Fact::LeasesEnded { tasks: vec![TaskIx(0)], reason: String::new() },
        Fact::StopsRequested { tasks: vec![TaskIx(2)] },
        Fact::TasksRetried { tasks: vec![TaskIx(0)], by: String::new() },
        Fact::TaskDecided {
            task: TaskIx(1),
            verdict: Verdict::Skipped,
            by: String::new(),
            outputs: serde_json::Map::new(),
        },
        Fact::StageStarted { stage: 0 },
        Fact::StageStarted { stage: 2 },
        Fact::GateHeld { stage: 1, gate: Gate::Confirm },
        Fact::GatePassed { stage: 0, by: None },
        Fact::JobStarted,
        Fact::JobPaused,
        Fact::JobResumed { by: String::new() },
        Fact::JobFinished { state: JobState::Succeeded },
        Fact::RunnerDisconnected { runner: RunnerId("stranger".to_owned()) },
    ];
    let mut said = String::new();
    for fact in facts {
        let event = Event { at: world.now, job: Some(JobId(1)), fact };
        let illegal = apply(&mut world.state.clone(), &event, &world.plans).expect_err("it does not fit");
        said.push_str(&format!("{illegal}\n"));
    }
    expect![[r#"
        `tasks_granted` cannot happen to task 0 of job 1, which is succeeded (attempt 1)
        `tasks_granted` cannot happen to task 1 of job 1, which is granted (attempt 1)
        `tasks_granted` cannot happen to task 3 of job 1, which is waiting (attempt 0)
        `tasks_granted` cannot happen to task 3 of job 1, which is waiting (attempt 0)
        `tasks_granted` cannot happen to task 9 of job 1, which is not there
        `tasks_granted` is about runner `stranger`, which is not known
        `attempts_started` cannot happen to task 3 of job 1, which is waiting (attempt 0)
        `attempt_finished` cannot happen to task 1 of job 1, which is granted (attempt 1)
        `attempt_interrupted` cannot happen to task 0 of job 1, which is succeeded (attempt 1)
        `leases_ended` cannot happen to task 0 of job 1, which is succeeded (attempt 1)
        `stops_requested` cannot happen to task 2 of job 1, which is waiting (attempt 0)
        `tasks_retried` cannot happen to task 0 of job 1, which is succeeded (attempt 1)
        `task_decided` cannot happen to task 1 of job 1, which is granted (attempt 1)
        `stage_started` cannot happen to job 1, which is running in stage 0
        `stage_started` cannot happen to job 1, which is running in stage 0
        `gate_held` cannot happen to job 1, which is running in stage 0
        `gate_passed` cannot happen to job 1, which is running in stage 0
        `job_started` cannot happen to job 1, which is running in stage 0
        `job_paused` cannot happen to job 1, which is running in stage 0
        `job_resumed` cannot happen to job 1, which is running in stage 0
        `job_finished` cannot happen to job 1, which is running in stage 0
        `runner_disconnected` is about runner `stranger`, which is not known
    "#]]
    .assert_eq(&said);
}

#[test]
fn apply_refuses_events_without_their_job_or_plan() {
    let mut world = world();
    let apply = |world: &mut World, job: Option<JobId>, fact: Fact| -> Illegal {
        let event = Event { at: world.now, job, fact };
        apply(&mut world.state.clone(), &event, &world.plans).expect_err("it does not fit")
    };
    let submitted =
        world.journal.iter().find(|event| matches!(event.fact, Fact::JobSubmitted(_))).cloned().expect("it is there");
    expect!["`job_paused` is about job 7, which is not known"]
        .assert_eq(&apply(&mut world, Some(JobId(7)), Fact::JobPaused).to_string());
    expect!["`job_paused` names no job"].assert_eq(&apply(&mut world, None, Fact::JobPaused).to_string());
    expect!["`job_submitted` cannot happen to job 1, which is there already"]
        .assert_eq(&apply(&mut world, Some(JobId(1)), submitted.fact.clone()).to_string());
    let plans = std::mem::take(&mut world.plans);
    let missing = apply(&mut world, Some(JobId(2)), submitted.fact).to_string();
    assert!(missing.contains("which is not stored"), "{missing}");
    world.plans = plans;
}
