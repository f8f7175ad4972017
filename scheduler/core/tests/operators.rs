//! What operators say of targets and of a whole job: skip, ignore, resolve, cancel, pause, amend.

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::{Group, Phase};
use autoexec_model::state::{JobState, TaskState};
use expect_test::expect;

use crate::plans::{once, oneshot, phase, plan, rolling, step};
use crate::world::{World, failed, report};

fn skip() -> Operation {
    Operation::Skip { targets: String::new() }
}

fn ignore() -> Operation {
    Operation::Ignore { targets: String::new() }
}

fn resolve(succeeded: bool) -> Operation {
    Operation::Resolve { targets: String::new(), succeeded }
}

fn cancel() -> Operation {
    Operation::Cancel { reason: String::new() }
}

fn two_phases() -> World {
    World::with(plan(2, vec![rolling(&[1, 1], vec![phase("a"), phase("b")])]))
}

#[test]
fn a_target_that_waits_is_skipped_in_all_its_phases() {
    let mut world = two_phases();
    expect![[r#"
        1 task_decided web2/a skipped
        1 task_decided web2/b skipped
    "#]]
    .assert_eq(&world.must(skip(), &[1]));
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Succeeded);
    expect![[r#"
        job 1 [succeeded] done: everything is done
        web2 [skipped] skipped: an operator said that phase `b` is not run
    "#]]
    .assert_eq(&world.explained(&[1]));
}

#[test]
fn a_target_that_runs_or_succeeded_is_not_skipped() {
    let mut world = two_phases();
    expect![[r#"
        target `web1` of job 1 runs or has succeeded
        `autoexec explain 1 web1` tells how it stands
    "#]]
    .assert_eq(&world.refused(skip(), &[0]));
    world.run_to_rest();
    expect![[r#"
        target `web1` of job 1 runs or has succeeded
        `autoexec explain 1 web1` tells how it stands
    "#]]
    .assert_eq(&world.refused(skip(), &[0]));
}

#[test]
fn one_refused_target_refuses_them_all() {
    let mut world = two_phases();
    world.refused(skip(), &[1, 0]);
    assert_eq!(world.task_state("web2", "a"), TaskState::Waiting);
}

#[test]
fn an_ignored_failure_does_not_fail_the_job() {
    let mut world = two_phases();
    world.fail("web1", "a");
    assert_eq!(world.task_state("web1", "b"), TaskState::Done(Verdict::Aborted));
    expect![[r#"
        1 task_decided web1/a ignored
        1 task_decided web1/b skipped
    "#]]
    .assert_eq(&world.must(ignore(), &[0]));
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Succeeded);
    expect![[r#"
        job 1 [succeeded] done: everything is done; failures that do not count: 1
          next: autoexec retry 1 --all
        web1 [ignored] ignored: phase `a` failed and that does not count: s1: exit 3
    "#]]
    .assert_eq(&world.explained(&[0]));
}

#[test]
fn only_a_failure_can_be_ignored() {
    let mut world = two_phases();
    expect![[r#"
        target `web2` of job 1 has not failed
        `autoexec explain 1 web2` tells how it stands
    "#]]
    .assert_eq(&world.refused(ignore(), &[1]));
}

#[test]
fn an_interrupted_task_waits_for_a_verdict() {
    let mut world = two_phases();
    world.begin();
    expect![[r#"
        1 attempt_interrupted web1/a#1
        1 gate_held 0 unresolved
    "#]]
    .assert_eq(&world.end("web1", "a", failed(Outcome::Interrupted)));
    assert_eq!(world.job_state(), JobState::Waiting);
    expect![[r#"
        job 1 [waiting] unresolved: web1 was started, then the evidence was lost; a person must say how it ended
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1 -t web1
          next: autoexec cancel 1
        web1 [unresolved] unresolved: it was started, then the evidence was lost; a person must say how it ended
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1 -t web1
        web2 [waiting] unresolved: web1 was started, then the evidence was lost; a person must say how it ended
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1 -t web1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
    expect![[r#"
        1 task_decided web1/a succeeded
        1 stage_started 1
        1 tasks_granted r1: web1/b#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(resolve(true), &[0]));
}

#[test]
fn an_interrupted_task_resolved_as_failed_drops_its_target() {
    let mut world = two_phases();
    world.end("web1", "a", failed(Outcome::Interrupted));
    expect![[r#"
        1 task_decided web1/a failed
        1 stage_started 1
        1 stage_started 2
        1 tasks_granted r1: web2/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(resolve(false), &[0]));
}

#[test]
fn an_interrupted_task_may_be_retried_skipped_or_ignored() {
    for (operation, state) in [
        (Operation::Retry { what: RetryWhat::Targets(String::new()) }, TaskState::Granted),
        (skip(), TaskState::Done(Verdict::Skipped)),
        (ignore(), TaskState::Done(Verdict::Ignored)),
    ] {
        let mut world = two_phases();
        world.end("web1", "a", failed(Outcome::Interrupted));
        world.must(operation, &[0]);
        assert_eq!(world.task_state("web1", "a"), state);
        world.run_to_rest();
        assert_eq!(world.job_state(), JobState::Succeeded);
    }
}

#[test]
fn others_go_on_while_one_is_unresolved_and_the_barrier_holds() {
    let mut world = World::with(plan(2, vec![rolling(&[2], vec![phase("a"), phase("b")])]));
    world.end("web1", "a", failed(Outcome::Interrupted));
    assert_eq!(world.job_state(), JobState::Running);
    expect![[r#"
        job 1 [running] running: group `roll` is in phase `a`: 1 running, 1 unresolved
        web1 [unresolved] unresolved: it was started, then the evidence was lost; a person must say how it ended
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1 -t web1
        web2 [granted] granted_not_started: runner `r1` has it and has not begun for 0s
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 gate_held 0 unresolved
    "#]]
    .assert_eq(&world.ok("web2", "a"));
}

fn idempotent(name: &str) -> Phase {
    Phase { steps: vec![step("s1", true), step("s2", false)], ..phase(name) }
}

#[test]
fn an_interrupted_step_that_may_run_again_does_so_until_a_bound() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![idempotent("a")])]));
    expect![[r#"
        1 attempt_interrupted web1/a#1 again
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.end("web1", "a", failed(Outcome::Interrupted)));
    for _ in 2..5 {
        world.end("web1", "a", failed(Outcome::Interrupted));
        assert_eq!(world.job_state(), JobState::Running);
    }
    expect![[r#"
        1 attempt_interrupted web1/a#5
        1 gate_held 0 unresolved
    "#]]
    .assert_eq(&world.end("web1", "a", failed(Outcome::Interrupted)));
}

#[test]
fn all_steps_up_to_the_interrupted_one_must_allow_it() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![idempotent("a")])]));
    let mut lost = failed(Outcome::Interrupted);
    lost.decided_by = Some("s2".to_owned());
    world.end("web1", "a", lost);
    assert_eq!(world.task_state("web1", "a"), TaskState::Unresolved);
}

#[test]
fn a_phase_that_runs_once_and_was_interrupted_is_retried() {
    let mut world = World::with(plan(1, vec![rolling(&[1], vec![once("o", 0), phase("a")])]));
    world.end("runner", "o", failed(Outcome::Interrupted));
    expect![[r#"
        job 1 [waiting] unresolved: a phase that runs once was started, then the evidence was lost; a person must say how it ended
          next: autoexec retry 1
          next: autoexec cancel 1
    "#]].assert_eq(&world.explained(&[]));
    expect![[r#"
        1 tasks_retried runner/o
        1 stage_started 0
        1 tasks_granted r1: runner/o#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(Operation::Retry { what: RetryWhat::Failed }, &[]));
}

#[test]
fn a_cancel_stops_what_runs_and_ends_when_that_ended() {
    let mut group = rolling(&[3], vec![phase("a")]);
    group.parallel = 2;
    let mut world = World::with(plan(3, vec![group]));
    world.begin();
    expect![[r#"
        1 stop_requested cancelled: cancelled by ada: wrong version
        1 stops_requested web1/a web2/a
          -> stop r1: web1/a#1e1
          -> stop r1: web2/a#1e1
    "#]]
    .assert_eq(&world.must(Operation::Cancel { reason: "wrong version".to_owned() }, &[]));
    expect![[r#"
        job 1 [stopping] stopping: cancelled by ada: wrong version; 2 tasks have not ended yet
        web1 [stopping] task_stopping: runner `r1` was told to stop it and has not said how it ended
        web3 [waiting] stopping: the job ends, so that it is not started
    "#]]
    .assert_eq(&world.explained(&[0, 2]));
    expect![[r#"
        cannot cancel job 1: it is stopping
        nothing can be done to it now but wait
    "#]]
    .assert_eq(&world.refused(cancel(), &[]));
    world.end("web1", "a", report(Outcome::Killed, Verdict::Cancelled));
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 job_finished cancelled
          -> job 1 over
    "#]]
    .assert_eq(&world.ok("web2", "a"));
    expect![[r#"
        job 1 [cancelled] cancelled: cancelled by ada: wrong version
          next: autoexec retry 1
        web1 [cancelled] cancelled: phase `a` was stopped: cancelled by ada: wrong version
          next: autoexec retry 1 -t web1
        web2 [succeeded] done: phase `a` succeeded
        web3 [cancelled] never_started: phase `a` never began: cancelled by ada: wrong version
          next: autoexec retry 1 -t web3
    "#]]
    .assert_eq(&world.explained(&[0, 1, 2]));
}

#[test]
fn an_attempt_that_begins_after_its_stop_is_known_to_have_begun() {
    let mut world = two_phases();
    world.must(cancel(), &[]);
    world.begin();
    assert_eq!(world.task_state("web1", "a"), TaskState::Stopping);
    assert!(world.task("web1", "a").started_at.is_some());
    expect![[r#"
        1 attempt_interrupted web1/a#1
        1 job_finished cancelled
          -> job 1 over
    "#]]
    .assert_eq(&world.end("web1", "a", failed(Outcome::Interrupted)));
    expect![[r#"
        job 1 [cancelled] cancelled: cancelled by ada
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1
        web1 [unresolved] unresolved: it was started, then the evidence was lost; a person must say how it ended
          next: autoexec resolve 1 web1 --as succeeded
          next: autoexec resolve 1 web1 --as failed
          next: autoexec retry 1 -t web1
    "#]]
    .assert_eq(&world.explained(&[0]));
}

#[test]
fn a_pause_lets_what_runs_finish_and_starts_nothing() {
    let mut group = rolling(&[3], vec![phase("a")]);
    group.parallel = 2;
    let mut world = World::with(plan(3, vec![group]));
    expect![[r#"
        1 pause_requested
    "#]]
    .assert_eq(&world.must(Operation::Pause, &[]));
    expect![[r#"
        job 1 [pausing] pausing: a person paused it; 2 tasks have not ended yet
          next: autoexec resume 1
          next: autoexec cancel 1
        web3 [waiting] pausing: the job is being paused
          next: autoexec resume 1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[2]));
    world.ok("web1", "a");
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 job_paused
    "#]]
    .assert_eq(&world.ok("web2", "a"));
    expect![[r#"
        job 1 [paused] paused: a person paused the job; nothing new is started
          next: autoexec resume 1
          next: autoexec cancel 1
        web3 [waiting] paused: a person paused the job; nothing new is started
          next: autoexec resume 1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[2]));
    expect![[r#"
        1 job_resumed
        1 tasks_granted r1: web3/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(Operation::Resume, &[]));
}

#[test]
fn a_pause_is_taken_back_before_it_is_complete() {
    let mut world = two_phases();
    world.must(Operation::Pause, &[]);
    expect![[r#"
        1 job_resumed
    "#]]
    .assert_eq(&world.must(Operation::Resume, &[]));
}

#[test]
fn a_wider_window_lets_more_begin_and_a_narrower_one_holds_back() {
    let mut world = World::with(plan(4, vec![Group { parallel: 1, ..oneshot(4, vec![phase("a")]) }]));
    expect![[r#"
        job 1 [running] running: group `all` is in phase `a`: 1 running, 3 waiting
        web4 [waiting] window_full: 1 of 1 tasks of phase `a` are in flight
          next: autoexec amend 1 --parallel 2
    "#]]
    .assert_eq(&world.explained(&[3]));
    expect![[r#"
        1 parallel_amended group 0 to 3
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(Operation::Parallel { parallel: 3 }, &[]));
    world.must(Operation::Parallel { parallel: 1 }, &[]);
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    expect![[r#"
        parallel is 0, and must be 1 to 100000

    "#]]
    .assert_eq(&world.refused(Operation::Parallel { parallel: 0 }, &[]));
}
