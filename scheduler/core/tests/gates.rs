//! Gates between batches: time, a confirmation, a failure.

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::plan::{BetweenMode, Group};
use autoexec_model::state::JobState;
use expect_test::expect;

use crate::plans::{between, phase, plan, rolling};
use crate::world::World;

fn gated(mode: BetweenMode, soak_secs: u64) -> World {
    World::with(plan(3, vec![Group { between: between(mode, soak_secs), ..rolling(&[1, 2], vec![phase("a")]) }]))
}

#[test]
fn a_soak_holds_the_next_batch_until_its_time_is_over() {
    let mut world = gated(BetweenMode::Continue, 30);
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 gate_held 0 soak
          -> wake at UnixMillis(1030000)
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    assert_eq!(world.pass(29_999), "");
    expect![[r#"
        job 1 [running] gate_soak: batch 1 of 2 of group `roll` is over and soaks for another 1s
        web2 [waiting] gate_soak: batch 1 of 2 of group `roll` is over and soaks for another 1s
    "#]]
    .assert_eq(&world.explained(&[1]));
    expect![[r#"
        1 gate_passed 0 by policy
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.pass(1));
}

#[test]
fn a_confirmation_lets_the_next_batch_begin() {
    let mut world = gated(BetweenMode::Confirm, 0);
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 gate_held 0 confirm
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    assert_eq!(world.job_state(), JobState::Waiting);
    assert_eq!(world.pass(1_000_000), "");
    expect![[r#"
        job 1 [waiting] gate_confirm: batch 1 of 2 of group `roll` is over; the next batch waits for a confirmation
          next: autoexec confirm 1
          next: autoexec reject 1
          next: autoexec cancel 1
        web2 [waiting] gate_confirm: batch 1 of 2 of group `roll` is over; the next batch waits for a confirmation
          next: autoexec confirm 1
          next: autoexec reject 1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[1]));
    expect![[r#"
        1 gate_passed 0 by ada
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(Operation::Confirm, &[]));
}

#[test]
fn a_rejection_stops_the_job() {
    let mut world = gated(BetweenMode::Confirm, 0);
    world.ok("web1", "a");
    expect![[r#"
        1 stop_requested aborted: ada rejected the next batch
        1 job_finished aborted
          -> job 1 over
    "#]]
    .assert_eq(&world.must(Operation::Reject, &[]));
    assert_eq!(world.job_state(), JobState::Aborted);
}

#[test]
fn a_group_that_soaks_and_asks_soaks_first() {
    let mut world = gated(BetweenMode::Confirm, 30);
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 gate_held 0 soak
          -> wake at UnixMillis(1030000)
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    expect![[r#"
        1 gate_held 0 confirm
    "#]]
    .assert_eq(&world.pass(30_000));
    expect![[r#"
        1 gate_passed 0 by ada
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(Operation::Confirm, &[]));
}

#[test]
fn a_failure_pauses_the_group_and_a_person_resumes_it() {
    let mut world = gated(BetweenMode::PauseOnFailure, 30);
    expect![[r#"
        1 attempt_finished web1/a#1 failed (exit 3)
        1 gate_held 0 failure
    "#]]
    .assert_eq(&world.fail("web1", "a"));
    expect![[r#"
        job 1 [paused] gate_failure: web1 failed in batch 1 of 2 of group `roll`, and the group pauses then
          next: autoexec resume 1
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
          next: autoexec cancel 1
        web1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
        web2 [waiting] gate_failure: web1 failed in batch 1 of 2 of group `roll`, and the group pauses then
          next: autoexec resume 1
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
    expect![[r#"
        1 job_resumed
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(Operation::Resume, &[]));
}

#[test]
fn a_batch_without_failure_does_not_pause() {
    let mut world = gated(BetweenMode::PauseOnFailure, 0);
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.ok("web1", "a"));
}

#[test]
fn no_gate_stands_after_the_last_batch() {
    let mut world = gated(BetweenMode::Confirm, 0);
    world.ok("web1", "a");
    world.must(Operation::Confirm, &[]);
    world.all_ok();
    assert_eq!(world.job_state(), JobState::Succeeded);
}

#[test]
fn a_retry_at_a_gate_runs_first_and_then_the_gate_stands_again() {
    let mut world = gated(BetweenMode::Confirm, 0);
    world.fail("web1", "a");
    expect![[r#"
        1 tasks_retried web1/a
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(Operation::Retry { what: RetryWhat::Failed }, &[]));
    expect![[r#"
        1 attempt_finished web1/a#2 succeeded (exit 0)
        1 gate_held 0 confirm
    "#]]
    .assert_eq(&world.ok("web1", "a"));
}

#[test]
fn a_pause_during_a_soak_outlasts_it() {
    let mut world = gated(BetweenMode::Continue, 30);
    world.ok("web1", "a");
    expect![[r#"
        1 pause_requested
        1 job_paused
    "#]]
    .assert_eq(&world.must(Operation::Pause, &[]));
    assert_eq!(world.pass(60_000), "");
    expect![[r#"
        job 1 [paused] paused: a person paused the job; nothing new is started
          next: autoexec resume 1
          next: autoexec cancel 1
        web2 [waiting] paused: a person paused the job; nothing new is started
          next: autoexec resume 1
          next: autoexec cancel 1
    "#]]
    .assert_eq(&world.explained(&[1]));
    expect![[r#"
        1 job_resumed
        1 gate_passed 0 by policy
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.must(Operation::Resume, &[]));
}
