//! What readers get: counts, batches, failures.

use autoexec_core::view::{job_row, job_view, target_rows};
use autoexec_model::api::Operation;
use autoexec_model::outcome::{Outcome, OutcomeClass};
use autoexec_model::plan::{BetweenMode, BudgetScope, Group};
use expect_test::{Expect, expect};

use crate::plans::{between, budget, oneshot, phase, plan, rolling};
use crate::world::{World, failed};

fn check(world: &World, expected: &Expect) {
    let view = job_view(world.job());
    let counts = |counts: &std::collections::BTreeMap<String, u32>| -> String {
        counts.iter().filter(|(_, n)| **n > 0).map(|(word, n)| format!(" {word} {n}")).collect()
    };
    let mut shown = format!(
        "{}: {}\ncounts:{}; open:{}; outcomes:{}\n",
        view.state,
        view.reason,
        counts(&view.counts),
        counts(&view.open),
        counts(&view.outcomes)
    );
    for batch in &view.batches {
        let line = format!(
            "batch {} {} {} [{}]{}",
            batch.index,
            batch.targets,
            batch.state,
            batch.phase,
            counts(&batch.counts)
        );
        shown.push_str(&format!("{line}\n"));
    }
    for failure in &view.failures {
        shown.push_str(&format!(
            "{}/{} {} {}: {}\n",
            failure.target, failure.phase, failure.verdict, failure.outcome, failure.message
        ));
    }
    expected.assert_eq(&shown);
    let done: u32 = view.counts.values().sum();
    let open: u32 = view.open.values().sum();
    assert_eq!(done + open, view.targets_total, "every target is counted once");
    assert_eq!(job_row(world.job()).targets, view.targets_total);
    assert_eq!(target_rows(&world.state, world.job(), false).len(), world.job().plan.targets.len());
}

#[test]
fn a_job_from_its_beginning_to_its_end() {
    let group = Group {
        between: between(BetweenMode::Confirm, 0),
        budget: budget(BudgetScope::Group, &[(OutcomeClass::Unreachable, &[0])]),
        ..rolling(&[1, 2], vec![phase("a"), phase("b")])
    };
    let mut world = World::with(plan(3, vec![group, oneshot(3, vec![phase("z")])]));
    check(
        &world,
        &expect![[r#"
        running: 
        counts:; open: running 1 waiting 2; outcomes:
        batch 1 web1 running [a]
        batch 2 web[2-3] waiting []
        batch 3 web[1-3] waiting []
    "#]],
    );
    world.all_ok();
    world.all_ok();
    check(
        &world,
        &expect![[r#"
        waiting: batch 1 of 2 of group `roll` is done; the next one waits for a confirmation
        counts:; open: waiting 3; outcomes:
        batch 1 web1 held [] succeeded 1
        batch 2 web[2-3] waiting []
        batch 3 web[1-3] waiting []
    "#]],
    );
    world.must(Operation::Confirm, &[]);
    world.fail("web2", "a");
    check(
        &world,
        &expect![[r#"
        running: 
        counts: failed 1; open: running 1 waiting 1; outcomes: failed 1
        batch 1 web1 succeeded [] succeeded 1
        batch 2 web[2-3] running [a] failed 1
        batch 3 web[1-3] waiting []
        web2/a failed exit 3: s1: exit 3
    "#]],
    );
    world.end("web3", "a", failed(Outcome::Unreachable));
    check(
        &world,
        &expect![[r#"
        aborted: budget of group `roll` exceeded: 1 unreachable, 0 allowed
        counts: aborted 1 failed 2; open:; outcomes: failed 1 unreachable 1
        batch 1 web1 succeeded [] succeeded 1
        batch 2 web[2-3] failed [] failed 2
        batch 3 web[1-3] aborted [] aborted 3
        web2/a failed exit 3: s1: exit 3
        web3/a failed unreachable: s1: unreachable
    "#]],
    );
}

#[test]
fn an_interrupted_target_is_open_and_a_failure() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![phase("a")])]));
    world.end("web1", "a", failed(Outcome::Interrupted));
    check(
        &world,
        &expect![[r#"
        waiting: interrupted tasks wait for a person to say how they ended
        counts:; open: unresolved 1; outcomes: interrupted 1
        batch 1 web1 running [a] unresolved 1
        web1/a unresolved interrupted: s1: interrupted
    "#]],
    );
}
