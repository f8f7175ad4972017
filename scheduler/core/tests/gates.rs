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
    expect![[]].assert_eq(&world.ok("web1", "a"));
    assert_eq!(world.pass(29_999), "");
    expect![[]].assert_eq(&world.explained(&[1]));
    expect![[]].assert_eq(&world.pass(1));
}

#[test]
fn a_confirmation_lets_the_next_batch_begin() {
    let mut world = gated(BetweenMode::Confirm, 0);
    expect![[]].assert_eq(&world.ok("web1", "a"));
    assert_eq!(world.job_state(), JobState::Waiting);
    assert_eq!(world.pass(1_000_000), "");
    expect![[]].assert_eq(&world.explained(&[1]));
    expect![[]].assert_eq(&world.must(Operation::Confirm, &[]));
}

#[test]
fn a_rejection_stops_the_job() {
    let mut world = gated(BetweenMode::Confirm, 0);
    world.ok("web1", "a");
    expect![[]].assert_eq(&world.must(Operation::Reject, &[]));
    assert_eq!(world.job_state(), JobState::Aborted);
}

#[test]
fn a_group_that_soaks_and_asks_soaks_first() {
    let mut world = gated(BetweenMode::Confirm, 30);
    expect![[]].assert_eq(&world.ok("web1", "a"));
    expect![[]].assert_eq(&world.pass(30_000));
    expect![[]].assert_eq(&world.must(Operation::Confirm, &[]));
}

#[test]
fn a_failure_pauses_the_group_and_a_person_resumes_it() {
    let mut world = gated(BetweenMode::PauseOnFailure, 30);
    expect![[]].assert_eq(&world.fail("web1", "a"));
    expect![[]].assert_eq(&world.explained(&[0, 1]));
    expect![[]].assert_eq(&world.must(Operation::Resume, &[]));
}

#[test]
fn a_batch_without_failure_does_not_pause() {
    let mut world = gated(BetweenMode::PauseOnFailure, 0);
    expect![[]].assert_eq(&world.ok("web1", "a"));
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
    expect![[]].assert_eq(&world.must(Operation::Retry { what: RetryWhat::Failed }, &[]));
    expect![[]].assert_eq(&world.ok("web1", "a"));
}

#[test]
fn a_pause_during_a_soak_outlasts_it() {
    let mut world = gated(BetweenMode::Continue, 30);
    world.ok("web1", "a");
    expect![[]].assert_eq(&world.must(Operation::Pause, &[]));
    assert_eq!(world.pass(60_000), "");
    expect![[]].assert_eq(&world.explained(&[1]));
    expect![[]].assert_eq(&world.must(Operation::Resume, &[]));
}
