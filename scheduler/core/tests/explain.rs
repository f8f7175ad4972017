//! What `explain` says: every state has a word, a sentence and the commands that move it on.

use std::collections::BTreeSet;

use autoexec_core::explain::{ReasonCode, explain, explain_job, explain_task};
use autoexec_model::api::Operation;
use autoexec_model::id::TaskIx;
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::Group;
use autoexec_model::state::JobState;
use expect_test::expect;

use crate::plans::{oneshot, phase, plan, rolling};
use crate::world::{World, report};

#[test]
fn a_running_job_and_its_targets() {
    let groups =
        vec![Group { parallel: 1, ..rolling(&[2, 1], vec![phase("a"), phase("b")]) }, oneshot(4, vec![phase("z")])];
    let mut world = World::with(plan(5, groups));
    expect![[r#"
        job 1 [running] running: batch 1 of 2 of group `roll` is in phase `a`: 1 running, 1 waiting
        web1 [granted] granted_not_started: runner `r1` has it and has not begun for 0s
        web2 [waiting] window_full: 1 of 1 tasks of phase `a` are in flight
          next: autoexec amend 1 --parallel 2
        web3 [waiting] batch_not_reached: it is in batch 2 of 2 of group `roll`; batch 1 of 2 of group `roll` is not over
        web4 [waiting] group_not_reached: group `all` comes after group `roll`, which is not over
        web5 [skipped] no_task: no phase of the job runs on it
    "#]].assert_eq(&world.explained(&[0, 1, 2, 3, 4]));
    world.begin();
    world.now = world.now.plus(65_000);
    expect![[r#"
        job 1 [running] running: batch 1 of 2 of group `roll` is in phase `a`: 1 running, 1 waiting
        web1 [running] running: it runs by runner `r1` for 1m5s, phase `a`
    "#]]
    .assert_eq(&world.explained(&[0]));
    world.ok("web1", "a");
    expect![[r#"
        job 1 [running] running: batch 1 of 2 of group `roll` is in phase `a`: 1 running
        web1 [waiting] phase_not_reached: phase `b` begins when `a` is over on all targets of batch 1 of 2 of group `roll`; still open: 1
    "#]].assert_eq(&world.explained(&[0]));
}

#[test]
fn a_runner_that_is_away_is_named_with_its_time() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![phase("a")])]));
    world.begin();
    world.gone("r1");
    world.now = world.now.plus(125_000);
    expect![[r#"
        job 1 [running] runner_offline: every task that runs is held by a runner that is away; runner `r1` has been away for 2m5s
          next: start runner `r1` again
        web1 [running] runner_offline: it had begun and goes on there; runner `r1` has been away for 2m5s
          next: start runner `r1` again
    "#]].assert_eq(&world.explained(&[0]));
}

#[test]
fn jobs_that_wait_for_runners() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![phase("a")])]));
    world.gone("r1");
    world.submit(plan(1, vec![oneshot(1, vec![phase("b")])]));
    let second = &world.state.jobs[&autoexec_model::id::JobId(2)];
    let why = explain_job(&world.state, second, world.now);
    assert_eq!(why.code, ReasonCode::RunnerOffline);
    expect!["no runner is connected; runner `r1` has been away for 0s"].assert_eq(&why.sentence);
}

#[test]
fn final_states_explain_too() {
    let mut world = World::with(plan(3, vec![rolling(&[1, 2], vec![phase("a"), phase("b")])]));
    world.fail("web1", "a");
    world.ok("web2", "a");
    world.end("web3", "a", report(Outcome::Exited { code: 1 }, Verdict::Ignored));
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Failed);
    expect![[r#"
        job 1 [failed] failed: web1 failed in phase `a`: s1: exit 3
          next: autoexec retry 1
        web1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
        web2 [succeeded] done: phase `b` succeeded
        web3 [ignored] ignored: phase `a` failed and that does not count: s1: exit 1
    "#]]
    .assert_eq(&world.explained(&[0, 1, 2]));
}

#[test]
fn names_that_a_shell_or_a_selector_would_read_are_quoted() {
    let mut plan = plan(2, vec![oneshot(2, vec![phase("a")])]);
    plan.targets[0].name = "all".to_owned();
    plan.targets[1].name = "web 1".to_owned();
    let mut world = World::with(plan);
    world.fail("all", "a");
    world.fail("web 1", "a");
    expect![[r#"
        job 1 [failed] failed: "all" failed in phase `a`: s1: exit 3; failures besides: 1
          next: autoexec retry 1
        all [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t '"all"'
          next: autoexec ignore 1 '"all"'
        web 1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t '"web 1"'
          next: autoexec ignore 1 '"web 1"'
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
}

#[test]
fn a_target_of_no_phase_and_a_target_that_is_not_there() {
    let world = World::with(plan(2, vec![oneshot(1, vec![phase("a")])]));
    expect![[r#"
        job 1 [running] running: group `all` is in phase `a`: 1 running
        web2 [skipped] no_task: no phase of the job runs on it
    "#]]
    .assert_eq(&world.explained(&[1]));
    assert_eq!(explain(&world.state, world.job(), Some(&[9]), world.now).len(), 1);
    assert_eq!(explain(&world.state, world.job(), None, world.now).len(), 1);
    assert_eq!(explain_task(&world.state, world.job(), TaskIx(99), world.now), None);
}

#[test]
fn a_job_that_has_not_begun_is_queued() {
    let mut world = World::new();
    let input = world.submission(plan(1, vec![oneshot(1, vec![phase("a")])]), None);
    let events = autoexec_core::decide::decide(&world.state, &input, world.now).expect("it is accepted");
    world.apply_all(&events);
    expect![[r#"
        job 1 [queued] queued: it was accepted and begins at the scheduler's next turn
          next: autoexec cancel 1
        web1 [waiting] queued: the job has not begun
    "#]]
    .assert_eq(&world.explained(&[0]));
}

#[test]
fn commands_that_explain_names_are_legal() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![phase("a")])]));
    world.fail("web1", "a");
    world.must(Operation::Retry { what: autoexec_model::api::RetryWhat::Failed }, &[]);
    world.must(Operation::Cancel { reason: String::new() }, &[]);
    expect![[r#"
        job 1 [stopping] stopping: cancelled by ada; 1 task has not ended yet
        web1 [stopping] task_stopping: runner `r1` was told to stop it and has not said how it ended
    "#]]
    .assert_eq(&world.explained(&[0]));
}

#[test]
fn words_are_different() {
    let codes = [
        ReasonCode::Scheduled,
        ReasonCode::Queued,
        ReasonCode::Advancing,
        ReasonCode::NoRunner,
        ReasonCode::RunnerOffline,
        ReasonCode::RunnerFull,
        ReasonCode::WindowFull,
        ReasonCode::GroupNotReached,
        ReasonCode::BatchNotReached,
        ReasonCode::PhaseNotReached,
        ReasonCode::GateSoak,
        ReasonCode::GateConfirm,
        ReasonCode::GateFailure,
        ReasonCode::Unresolved,
        ReasonCode::Paused,
        ReasonCode::Pausing,
        ReasonCode::Stopping,
        ReasonCode::GrantedNotStarted,
        ReasonCode::Running,
        ReasonCode::TaskStopping,
        ReasonCode::DroppedEarlier,
        ReasonCode::NeverStarted,
        ReasonCode::BudgetExceeded,
        ReasonCode::NoTask,
        ReasonCode::Done,
        ReasonCode::Failed,
        ReasonCode::Ignored,
        ReasonCode::Skipped,
        ReasonCode::Cancelled,
        ReasonCode::Aborted,
    ];
    let words: BTreeSet<&str> = codes.iter().map(|code| code.word()).collect();
    assert_eq!(words.len(), codes.len());
}
