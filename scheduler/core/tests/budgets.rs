//! Budgets: exceeded means greater, in each class and over each scope.

use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::outcome::{Outcome, OutcomeClass};
use autoexec_model::plan::{BudgetPlan, BudgetScope, Group};
use autoexec_model::state::JobState;
use expect_test::expect;

use crate::plans::{budget, once, oneshot, phase, plan, rolling};
use crate::world::{World, failed};

const FAILED: OutcomeClass = OutcomeClass::Failed;

fn world(budget: BudgetPlan) -> World {
    World::with(plan(6, vec![Group { budget, ..rolling(&[3, 3], vec![phase("a"), phase("b")]) }]))
}

#[test]
fn a_limit_that_is_reached_is_not_exceeded() {
    let mut world = world(budget(BudgetScope::Group, &[(FAILED, &[1])]));
    world.fail("web1", "a");
    assert_eq!(world.job_state(), JobState::Running);
    expect![[r#"
        1 attempt_finished web2/a#1 failed (exit 3)
        1 budget_exceeded failed: 2, allowed 1
        1 stop_requested aborted: budget of group `roll` exceeded: 2 failed, 1 allowed
    "#]]
    .assert_eq(&world.fail("web2", "a"));
    expect![[r#"
        1 attempt_finished web3/a#1 succeeded (exit 0)
        1 job_finished aborted
          -> job 1 over
    "#]]
    .assert_eq(&world.ok("web3", "a"));
    expect![[r#"
        job 1 [aborted] budget_exceeded: budget of group `roll` exceeded: 2 failed, 1 allowed
          next: autoexec retry 1
        web1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
        web3 [aborted] never_started: phase `b` never began: budget of group `roll` exceeded: 2 failed, 1 allowed
          next: autoexec retry 1 -t web3
        web6 [aborted] never_started: phase `b` never began: budget of group `roll` exceeded: 2 failed, 1 allowed
          next: autoexec retry 1 -t web6
    "#]]
    .assert_eq(&world.explained(&[0, 2, 5]));
}

#[test]
fn each_class_has_its_own_limit() {
    let classes = [
        (Outcome::Unreachable, OutcomeClass::Unreachable),
        (Outcome::TimedOut, OutcomeClass::TimedOut),
        (Outcome::Interrupted, OutcomeClass::Interrupted),
        (Outcome::FailedToStart, FAILED),
        (Outcome::Signalled { signal: 11 }, FAILED),
    ];
    for (outcome, class) in classes {
        let others: Vec<(OutcomeClass, &[u32])> =
            OutcomeClass::ALL.iter().filter(|other| **other != class).map(|other| (*other, &[0][..])).collect();
        let mut spared = world(budget(BudgetScope::Group, &others));
        spared.end("web1", "a", failed(outcome.clone()));
        assert_eq!(spared.job_state(), JobState::Running, "{outcome} counts in no other class than {class:?}");
        let mut stopped = world(budget(BudgetScope::Group, &[(class, &[0])]));
        stopped.end("web1", "a", failed(outcome.clone()));
        assert_eq!(stopped.job_state(), JobState::Stopping, "{outcome} counts in {class:?}");
    }
}

#[test]
fn what_a_person_or_a_policy_stopped_is_in_no_budget() {
    let all: Vec<(OutcomeClass, &[u32])> =
        [FAILED, OutcomeClass::Unreachable, OutcomeClass::TimedOut, OutcomeClass::Interrupted]
            .map(|class| (class, &[0][..]))
            .into();
    for outcome in [Outcome::Killed, Outcome::Rejected, Outcome::Cancelled] {
        let mut world = world(budget(BudgetScope::Job, &all));
        world.end("web1", "a", failed(outcome));
        assert_eq!(world.job_state(), JobState::Running);
    }
    let mut world = world(budget(BudgetScope::Job, &all));
    world.end("web1", "a", failed(Outcome::KillUnconfirmed));
    assert_eq!(world.job_state(), JobState::Stopping, "what could not be ended may still run");
}

/// Fails one target of each batch in phase `a`; the state of the job then.
fn one_in_each_batch(scope: BudgetScope, limit: &[u32]) -> JobState {
    let mut world = world(budget(scope, &[(FAILED, limit)]));
    world.fail("web1", "a");
    for _ in 0..2 {
        world.all_ok();
    }
    world.fail("web4", "a");
    world.job_state()
}

#[test]
fn the_scope_says_what_is_counted() {
    assert_eq!(one_in_each_batch(BudgetScope::Batch, &[1, 1]), JobState::Running);
    assert_eq!(one_in_each_batch(BudgetScope::Batch, &[1, 0]), JobState::Stopping);
    assert_eq!(one_in_each_batch(BudgetScope::Phase, &[1]), JobState::Stopping);
    assert_eq!(one_in_each_batch(BudgetScope::Group, &[1]), JobState::Stopping);
    assert_eq!(one_in_each_batch(BudgetScope::Job, &[1]), JobState::Stopping);
    assert_eq!(one_in_each_batch(BudgetScope::Job, &[2]), JobState::Running);
}

#[test]
fn a_phase_scope_does_not_count_other_phases() {
    for (scope, state) in [(BudgetScope::Phase, JobState::Running), (BudgetScope::Batch, JobState::Stopping)] {
        let mut world = world(budget(scope, &[(FAILED, &[1, 1])]));
        world.fail("web1", "a");
        world.all_ok();
        world.fail("web2", "b");
        assert_eq!(world.job_state(), state, "{scope:?}");
    }
}

#[test]
fn a_job_scope_counts_earlier_groups() {
    for (scope, state) in [(BudgetScope::Group, JobState::Running), (BudgetScope::Job, JobState::Stopping)] {
        let first = oneshot(4, vec![phase("a")]);
        let second = Group { budget: budget(scope, &[(FAILED, &[1])]), ..oneshot(4, vec![phase("b")]) };
        let mut world = World::with(plan(4, vec![first, second]));
        world.fail("web1", "a");
        world.all_ok();
        world.fail("web2", "b");
        assert_eq!(world.job_state(), state, "{scope:?}");
    }
}

#[test]
fn a_target_that_fails_in_two_phases_at_once_is_one_target() {
    let group =
        Group { budget: budget(BudgetScope::Group, &[(FAILED, &[1])]), ..oneshot(3, vec![phase("a"), phase("b")]) };
    let mut world = World::with(plan(3, vec![group]));
    world.fail("web1", "a");
    world.fail("web1", "b");
    assert_eq!(world.job_state(), JobState::Running);
    world.fail("web2", "b");
    assert_eq!(world.job_state(), JobState::Stopping);
}

#[test]
fn what_runs_finishes_when_a_budget_is_exceeded_and_nothing_new_begins() {
    let mut group = rolling(&[3], vec![phase("a")]);
    group.parallel = 2;
    group.budget = budget(BudgetScope::Group, &[(FAILED, &[0])]);
    let mut world = World::with(plan(3, vec![group]));
    world.begin();
    expect![[r#"
        1 attempt_finished web1/a#1 failed (exit 3)
        1 budget_exceeded failed: 1, allowed 0
        1 stop_requested aborted: budget of group `roll` exceeded: 1 failed, 0 allowed
    "#]]
    .assert_eq(&world.fail("web1", "a"));
    expect![[r#"
        job 1 [stopping] stopping: budget of group `roll` exceeded: 1 failed, 0 allowed; 1 task has not ended yet
          next: autoexec cancel 1
        web2 [running] running: it runs by runner `r1` for 0s, phase `a`
        web3 [waiting] stopping: the job ends, so that it is not started
    "#]]
    .assert_eq(&world.explained(&[1, 2]));
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 job_finished aborted
          -> job 1 over
    "#]]
    .assert_eq(&world.ok("web2", "a"));
}

#[test]
fn a_phase_that_runs_once_is_in_no_budget_and_stops_the_job_by_itself() {
    let group = Group {
        budget: budget(BudgetScope::Job, &[(FAILED, &[5])]),
        ..rolling(&[1, 1], vec![once("o", 0), phase("a")])
    };
    let mut world = World::with(plan(2, vec![group]));
    expect![[r#"
        1 attempt_finished runner/o#1 failed (exit 3)
        1 stop_requested failed: phase `o`, which runs once for the job, failed
        1 job_finished failed
          -> job 1 over
    "#]]
    .assert_eq(&world.fail("runner", "o"));
    assert_eq!(world.job_state(), JobState::Failed);
}

#[test]
fn an_ignored_failure_leaves_the_budget() {
    let mut world = world(budget(BudgetScope::Group, &[(FAILED, &[1])]));
    world.fail("web1", "a");
    world.must(Operation::Ignore { targets: String::new() }, &[0]);
    world.fail("web2", "a");
    assert_eq!(world.job_state(), JobState::Running);
}

#[test]
fn failures_before_a_retry_do_not_stop_it_and_new_ones_do() {
    let mut world = world(budget(BudgetScope::Group, &[(FAILED, &[0])]));
    world.fail("web1", "a");
    world.fail("web2", "a");
    world.all_ok();
    assert_eq!(world.job_state(), JobState::Aborted);
    expect![[r#"
        1 tasks_retried web1/a web1/b
        1 stage_started 0
        1 tasks_granted r1: web1/a#2e2
          -> grant r1: 1
    "#]]
    .assert_eq(&world.must(Operation::Retry { what: RetryWhat::Targets(String::new()) }, &[0]));
    expect![[r#"
        1 attempt_finished web1/a#2 failed (exit 3)
        1 budget_exceeded failed: 1, allowed 0
        1 stop_requested aborted: budget of group `roll` exceeded: 1 failed, 0 allowed
        1 job_finished aborted
          -> job 1 over
    "#]]
    .assert_eq(&world.fail("web1", "a"));
}
