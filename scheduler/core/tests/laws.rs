//! Laws over random plans and inputs: all invariants after every event, replay equals live, repetitions and stale messages
//! change nothing, and every job ends when runners answer and a person does what `explain` says.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::random::{Tally, act, action, count, plan, to_the_end};
use crate::world::World;

/// Enough for every fact and every end of a job to occur many times, in a few seconds.
const CASES: u32 = 600;

#[test]
fn laws_hold_for_random_jobs_and_inputs() {
    let tally = RefCell::new(Tally::default());
    let cases = (plan(), prop::collection::vec(action(), 0..80), prop::collection::vec(any::<u8>(), 0..12));
    let config = Config { cases: CASES, source_file: Some(file!()), max_shrink_iters: 2_000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&cases, |(plan, actions, answers)| {
        let tally = &mut *tally.borrow_mut();
        let mut world = World::new();
        world.hello("r0", 10);
        world.submit(plan);
        for action in &actions {
            act(&mut world, action, tally);
        }
        world.replays();
        to_the_end(&mut world, &answers);
        count(&world, tally);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    not_wasted(&tally.into_inner());
}

/// The generator reaches everything: no fact, no operation and no end of a job is missing, and few actions find nothing to do.
fn not_wasted(tally: &Tally) {
    let facts = [
        "job_submitted",
        "job_started",
        "stage_started",
        "tasks_granted",
        "attempts_started",
        "attempt_finished",
        "attempt_interrupted",
        "leases_ended",
        "stops_requested",
        "budget_exceeded",
        "gate_held",
        "gate_passed",
        "pause_requested",
        "job_paused",
        "job_resumed",
        "stop_requested",
        "job_finished",
        "tasks_retried",
        "task_decided",
        "parallel_amended",
        "scheduler_started",
        "runner_connected",
        "runner_disconnected",
    ];
    for fact in facts {
        assert!(tally.facts.contains_key(fact), "no world saw {fact}: {tally:#?}");
    }
    for end in ["succeeded", "failed", "cancelled", "aborted"] {
        assert!(tally.ends.contains_key(end), "no job ended {end}: {tally:#?}");
    }
    for (operation, (done, refused)) in &tally.operations {
        assert!(*done > 0 && *refused > 0, "{operation} was never done, or never refused: {tally:#?}");
    }
    assert!(tally.skipped * 3 < tally.tried, "the generator wastes itself: {tally:#?}");
}
