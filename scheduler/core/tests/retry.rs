//! Retries: new attempts for what did not succeed, and for nothing else.

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::{BetweenMode, Group};
use autoexec_model::state::{JobState, TaskState};
use expect_test::expect;

use crate::plans::{between, once, phase, plan, rolling};
use crate::world::{World, report};

fn failed_only() -> Operation {
    Operation::Retry { what: RetryWhat::Failed }
}

fn all() -> Operation {
    Operation::Retry { what: RetryWhat::All }
}

fn these() -> Operation {
    Operation::Retry { what: RetryWhat::Targets(String::new()) }
}

/// Three targets in two batches and two phases: web1 failed in `a`, web2 skipped itself, web3 is untouched because of a cancel.
fn cancelled() -> World {
    let group = Group { between: between(BetweenMode::Confirm, 0), ..rolling(&[2, 1], vec![phase("a"), phase("b")]) };
    let mut world = World::with(plan(3, vec![group]));
    world.fail("web1", "a");
    world.end("web2", "a", report(Outcome::Exited { code: 0 }, Verdict::Skipped));
    world.ok("web2", "b");
    world.must(Operation::Cancel { reason: "enough".to_owned() }, &[]);
    assert_eq!(world.job_state(), JobState::Cancelled);
    world
}

#[test]
fn retry_failed_takes_failures_and_the_never_started_and_goes_back_to_their_stage() {
    let mut world = cancelled();
    expect![[r#"
        1 tasks_retried web1/a web3/a web1/b web3/b
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(failed_only(), &[]));
    expect![[r#"
        1 attempt_finished web1/a#2 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web1/b#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    world.ok("web1", "b");
    world.must(Operation::Confirm, &[]);
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Succeeded);
    assert_eq!(world.task("web1", "a").n, 2);
    assert_eq!(world.task("web3", "a").n, 1);
    assert_eq!((world.task("web2", "b").n, world.task_state("web2", "b")), (1, TaskState::Done(Verdict::Succeeded)));
}

#[test]
fn retry_all_takes_the_skipped_too_and_leaves_successes_alone() {
    let mut world = cancelled();
    expect![[r#"
        1 tasks_retried web1/a web2/a web3/a web1/b web3/b
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2 web2/a#2e2
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(all(), &[]));
    assert_eq!(world.task_state("web2", "b"), TaskState::Done(Verdict::Succeeded));
}

#[test]
fn retry_of_a_target_takes_that_target_only() {
    let mut world = cancelled();
    expect![[r#"
        1 tasks_retried web3/a web3/b
        1 stage_started 1
        1 gate_held 1 confirm
    "#]]
    .assert_eq(&world.must(these(), &[2]));
    world.run_to_rest();
    expect![[r#"
        job 1 [waiting] gate_confirm: batch 1 of 2 of group `roll` is over; the next batch waits for a confirmation
          next: autoexec confirm 1
          next: autoexec reject 1
          next: autoexec cancel 1
        web1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
        web2 [succeeded] done: phase `b` succeeded
        web3 [waiting] gate_confirm: batch 1 of 2 of group `roll` is over; the next batch waits for a confirmation
          next: autoexec confirm 1
          next: autoexec reject 1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[0, 1, 2]));
}

#[test]
fn there_is_nothing_to_retry_when_everything_succeeded() {
    let mut world = World::with(plan(1, vec![rolling(&[1], vec![phase("a")])]));
    world.all_ok();
    expect![[r#"
        nothing to retry in job 1
        only what failed, was stopped or never started is retried; successes are left alone
    "#]]
    .assert_eq(&world.refused(failed_only(), &[]));
    expect![[r#"
        nothing to retry in job 1
        only what failed, was stopped or never started is retried; successes are left alone
    "#]]
    .assert_eq(&world.refused(these(), &[0]));
}

#[test]
fn a_retry_while_the_job_runs_goes_back_and_what_runs_goes_on() {
    let mut world = World::with(plan(2, vec![rolling(&[1, 1], vec![phase("a")])]));
    world.fail("web1", "a");
    world.begin();
    expect![[r#"
        1 tasks_retried web1/a
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(failed_only(), &[]));
    assert_eq!(world.task_state("web2", "a"), TaskState::Running);
    expect![[r#"
        1 attempt_finished web1/a#2 succeeded (exit 0)
        1 stage_started 1
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    world.ok("web2", "a");
    assert_eq!(world.job_state(), JobState::Succeeded);
}

#[test]
fn a_phase_that_runs_once_is_retried_with_the_failed() {
    let mut world = World::with(plan(1, vec![rolling(&[1], vec![once("o", 0), phase("a")])]));
    world.fail("runner", "o");
    assert_eq!(world.job_state(), JobState::Failed);
    expect![[r#"
        1 tasks_retried runner/o web1/a
        1 stage_started 0
        1 tasks_granted r1: runner/o#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(failed_only(), &[]));
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Succeeded);
}

#[test]
fn a_retry_of_a_paused_job_waits_for_the_resume() {
    let mut world = World::with(plan(2, vec![rolling(&[1, 1], vec![phase("a")])]));
    world.fail("web1", "a");
    world.must(Operation::Pause, &[]);
    world.all_ok();
    assert_eq!(world.job_state(), JobState::Paused);
    expect![[r#"
        1 tasks_retried web1/a
    "#]]
    .assert_eq(&world.must(failed_only(), &[]));
    expect![[r#"
        1 job_resumed
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(Operation::Resume, &[]));
}

#[test]
fn a_retry_answers_a_pause_for_a_failure() {
    let group = Group { between: between(BetweenMode::PauseOnFailure, 0), ..rolling(&[1, 1], vec![phase("a")]) };
    let mut world = World::with(plan(2, vec![group]));
    world.fail("web1", "a");
    assert_eq!(world.job_state(), JobState::Paused);
    expect![[r#"
        1 tasks_retried web1/a
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(these(), &[0]));
    expect![[r#"
        1 attempt_finished web1/a#2 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web1", "a"));
}

#[test]
fn a_target_named_twice_is_one_target() {
    let mut world = cancelled();
    expect![[r#"
        1 tasks_retried web1/a web1/b
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(these(), &[0, 0]));
}
