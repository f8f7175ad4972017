//! The table of legality: what may be done to a job in each state, and what a refusal says.

use autoexec_core::decide::is_legal;
use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::outcome::Outcome;
use autoexec_model::plan::{BetweenMode, Group};
use autoexec_model::refusal::Code;
use autoexec_model::state::JobState;
use expect_test::expect;

use crate::plans::{between, phase, plan, rolling};
use crate::world::{World, failed};

fn cancel() -> Operation {
    Operation::Cancel { reason: String::new() }
}

/// Every operation, in the order of the table.
fn operations() -> Vec<(&'static str, Operation)> {
    let targets = String::new;
    vec![
        ("pause", Operation::Pause),
        ("resume", Operation::Resume),
        ("cancel", cancel()),
        ("retry", Operation::Retry { what: RetryWhat::Failed }),
        ("confirm", Operation::Confirm),
        ("reject", Operation::Reject),
        ("skip", Operation::Skip { targets: targets() }),
        ("ignore", Operation::Ignore { targets: targets() }),
        ("resolve", Operation::Resolve { targets: targets(), succeeded: true }),
        ("amend", Operation::Parallel { parallel: 2 }),
    ]
}

fn world(mode: BetweenMode, soak: u64) -> World {
    World::with(plan(2, vec![Group { between: between(mode, soak), ..rolling(&[1, 1], vec![phase("a")]) }]))
}

/// A job in every state that can be reached, and at every gate.
fn states() -> Vec<(&'static str, World)> {
    let plain = || world(BetweenMode::Continue, 0);
    let after = |mut world: World, step: fn(&mut World)| {
        step(&mut world);
        world
    };
    vec![
        ("running", plain()),
        ("soaking", after(world(BetweenMode::Continue, 9), |world| drop(world.ok("web1", "a")))),
        ("confirm", after(world(BetweenMode::Confirm, 0), |world| drop(world.ok("web1", "a")))),
        ("failure", after(world(BetweenMode::PauseOnFailure, 0), |world| drop(world.fail("web1", "a")))),
        ("unresolved", after(plain(), |world| drop(world.end("web1", "a", failed(Outcome::Interrupted))))),
        ("pausing", after(plain(), |world| drop(world.must(Operation::Pause, &[])))),
        (
            "paused",
            after(plain(), |world| {
                world.must(Operation::Pause, &[]);
                world.ok("web1", "a");
            }),
        ),
        ("cancelling", after(plain(), |world| drop(world.must(cancel(), &[])))),
        ("succeeded", after(plain(), World::run_to_rest)),
        (
            "failed",
            after(plain(), |world| {
                world.fail("web1", "a");
                world.run_to_rest();
            }),
        ),
        (
            "cancelled",
            after(plain(), |world| {
                world.must(cancel(), &[]);
                world.all_ok();
            }),
        ),
        (
            "aborted",
            after(world(BetweenMode::Confirm, 0), |world| {
                world.ok("web1", "a");
                world.must(Operation::Reject, &[]);
            }),
        ),
    ]
}

#[test]
fn every_state_and_every_operation() {
    let heads: String = operations().iter().map(|(name, _)| format!(" {name:>8}")).collect();
    let mut table = format!("{:10}{heads}\n", "");
    for (name, world) in states() {
        let cells: String = operations()
            .iter()
            .map(|(_, operation)| format!(" {:>8}", if is_legal(world.job(), operation) { "yes" } else { "." }))
            .collect();
        table.push_str(&format!("{name:10}{cells}\n"));
    }
    expect![[r#"
                      pause   resume   cancel    retry  confirm   reject     skip   ignore  resolve    amend
        running         yes        .      yes      yes        .        .      yes      yes      yes      yes
        soaking         yes        .      yes      yes        .        .      yes      yes      yes      yes
        confirm           .        .      yes      yes      yes      yes      yes      yes      yes      yes
        failure           .      yes      yes      yes        .        .      yes      yes      yes      yes
        unresolved        .        .      yes      yes        .        .      yes      yes      yes      yes
        pausing           .      yes      yes        .        .        .      yes      yes      yes      yes
        paused            .      yes      yes      yes        .        .      yes      yes      yes      yes
        cancelling        .        .        .        .        .        .        .        .        .        .
        succeeded         .        .        .      yes        .        .      yes      yes      yes        .
        failed            .        .        .      yes        .        .      yes      yes      yes        .
        cancelled         .        .        .      yes        .        .      yes      yes      yes        .
        aborted           .        .        .      yes        .        .      yes      yes      yes        .
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_refusal_names_the_state_and_what_is_legal() {
    let mut said = String::new();
    for (name, mut world) in states() {
        for (word, operation) in operations() {
            if is_legal(world.job(), &operation) {
                continue;
            }
            let refusal = world.operate(operation, &[]).expect_err("it is not legal");
            assert_eq!(refusal.code, Code::Illegal);
            assert!(refusal.message.starts_with(&format!("cannot {word} job 1")), "{refusal}");
            for (other, operation) in operations() {
                let listed = refusal.hints[0].split([' ', ',']).any(|one| one == other);
                assert_eq!(listed, is_legal(world.job(), &operation), "{name}: {}", refusal.hints[0]);
            }
            if word == "confirm" || (name == "confirm" && word == "pause") {
                said.push_str(&format!("{refusal}; {}\n", refusal.hints[0]));
            }
        }
    }
    expect![[r#"
        cannot confirm job 1: it is running; what can be done now: pause, cancel, retry, skip, ignore, resolve, amend
        cannot confirm job 1: it is running; what can be done now: pause, cancel, retry, skip, ignore, resolve, amend
        cannot pause job 1: it is waiting for a confirmation; what can be done now: cancel, retry, confirm, reject, skip, ignore, resolve, amend
        cannot confirm job 1: it is paused because a target of the batch failed; what can be done now: resume, cancel, retry, skip, ignore, resolve, amend
        cannot confirm job 1: it is waiting for a verdict on interrupted tasks; what can be done now: cancel, retry, skip, ignore, resolve, amend
        cannot confirm job 1: it is pausing; what can be done now: resume, cancel, skip, ignore, resolve, amend
        cannot confirm job 1: it is paused; what can be done now: resume, cancel, retry, skip, ignore, resolve, amend
        cannot confirm job 1: it is stopping; nothing can be done to it now but wait
        cannot confirm job 1: it is succeeded; what can be done now: retry, skip, ignore, resolve
        cannot confirm job 1: it is failed; what can be done now: retry, skip, ignore, resolve
        cannot confirm job 1: it is cancelled; what can be done now: retry, skip, ignore, resolve
        cannot confirm job 1: it is aborted; what can be done now: retry, skip, ignore, resolve
    "#]].assert_eq(&said);
}

#[test]
fn what_is_legal_leads_somewhere() {
    for (name, _) in states() {
        for (word, operation) in operations() {
            let mut world = states().into_iter().find(|(other, _)| *other == name).expect("it is there").1;
            let (before, legal) = (world.job().revision, is_legal(world.job(), &operation));
            let done = world.operate(operation, &[0, 1]);
            assert!(legal || done.is_err(), "{name}: {word} is not legal and was done");
            assert_eq!(
                done.is_ok(),
                world.job().revision > before,
                "{name}: {word} does something exactly when it is not refused"
            );
        }
    }
}

#[test]
fn every_state_but_scheduled_and_the_passing_ones_is_in_the_table() {
    let reached: Vec<JobState> = states().iter().map(|(_, world)| world.job_state()).collect();
    for state in JobState::ALL {
        // Nothing schedules a job for later yet, and a queued one begins in the turn that accepts it.
        let passing = matches!(state, JobState::Scheduled | JobState::Queued);
        assert_ne!(reached.contains(&state), passing, "{state}");
    }
}
