//! Runners: who gets what, and what happens to it when one is away.

use autoexec_core::decide::{Input, LEASE_MILLIS, decide};
use autoexec_core::react::outstanding;
use autoexec_model::api::Operation;
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, TaskIx};
use autoexec_model::plan::{BetweenMode, Group, Place, Transport};
use autoexec_model::state::{JobState, TaskState};
use expect_test::expect;

use crate::plans::{between, once, oneshot, phase, plan, rolling};
use crate::words;
use crate::world::{World, good};

fn two_runners() -> World {
    let mut world = World::new();
    world.hello("r1", 2);
    world.hello("r2", 3);
    world
}

#[test]
fn runners_share_by_room() {
    let mut world = two_runners();
    expect![[r#"
        1 job_submitted job
        1 job_started
        1 stage_started 0
        1 tasks_granted r1: web2/a#1e1 web4/a#1e1
          -> grant r1: 2
        1 tasks_granted r2: web1/a#1e1 web3/a#1e1 web5/a#1e1
          -> grant r2: 3
    "#]]
    .assert_eq(&world.submit(plan(6, vec![oneshot(6, vec![phase("a")])])));
    expect![[r#"
        job 1 [running] running: group `all` is in phase `a`: 5 running, 1 waiting
        web6 [waiting] runner_full: every runner holds as much as it can: `r1` holds 2 of 2, `r2` holds 3 of 3
    "#]]
    .assert_eq(&world.explained(&[5]));
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 tasks_granted r1: web6/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web2", "a"));
}

#[test]
fn jobs_share_the_room_that_is_left() {
    let mut world = two_runners();
    world.submit(plan(4, vec![oneshot(4, vec![phase("a")])]));
    expect![[r#"
        2 job_submitted job
        2 job_started
        2 stage_started 0
        2 tasks_granted r2: web1/b#1e1
          -> grant r2: 1
    "#]]
    .assert_eq(&world.submit(plan(3, vec![oneshot(3, vec![phase("b")])])));
}

#[test]
fn a_job_waits_for_the_first_runner() {
    let mut world = World::new();
    world.submit(plan(1, vec![oneshot(1, vec![phase("a")])]));
    expect![[r#"
        job 1 [running] no_runner: no runner has ever connected to this scheduler
          next: start a runner
        web1 [waiting] no_runner: no runner has ever connected to this scheduler
          next: start a runner
    "#]]
    .assert_eq(&world.explained(&[0]));
    expect![[r#"
        - runner_connected r1 for 1
        1 tasks_granted r1: web1/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.hello("r1", 1));
}

#[test]
fn leases_of_a_runner_that_is_away_move_with_the_same_attempt_and_a_higher_epoch() {
    let mut world = World::new();
    world.hello("r1", 2);
    world.submit(plan(3, vec![oneshot(3, vec![phase("a")])]));
    let (runner, attempt, epoch, _) = world.live()[0].clone();
    world.tell(Input::Started { runner, attempts: vec![(attempt, epoch)] });
    world.gone("r1");
    world.hello("r2", 5);
    expect![[r#"
        job 1 [running] running: group `all` is in phase `a`: 3 running
        web1 [running] runner_offline: it had begun and goes on there; runner `r1` has been away for 0s
          next: start runner `r1` again
        web2 [granted] runner_offline: it had not begun; runner `r1` has been away for 0s
          next: start runner `r1` again
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
    assert_eq!(world.pass(LEASE_MILLIS - 1), "");
    expect![[r#"
        1 leases_ended web2/a
        1 tasks_granted r2: web2/a#1e2
          -> grant r2: 1
    "#]]
    .assert_eq(&world.pass(1));
    assert_eq!(world.task_state("web1", "a"), TaskState::Running, "what had begun stays");

    // The old holder comes back: what it says of the lease that moved is no longer heard.
    world.hello("r1", 2);
    let moved = AttemptId { job: JobId(1), task: TaskIx(1), n: 1 };
    let late = Input::Finished {
        runner: RunnerId("r1".to_owned()),
        attempt: moved,
        epoch: Epoch(1),
        report: Box::new(good()),
    };
    assert_eq!(decide(&world.state, &late, world.now), Ok(Vec::new()));
    world.run_to_rest();
    assert_eq!(world.job_state(), JobState::Succeeded);
    assert_eq!(world.task("web2", "a").n, 1);
}

#[test]
fn a_runner_that_is_back_in_time_keeps_its_leases() {
    let mut world = World::new();
    world.hello("r1", 2);
    world.hello("r2", 2);
    world.submit(plan(1, vec![oneshot(1, vec![phase("a")])]));
    world.gone("r1");
    world.pass(LEASE_MILLIS - 1);
    world.hello("r1", 2);
    assert_eq!(world.pass(LEASE_MILLIS), "");
}

#[test]
fn what_runs_on_the_runner_itself_waits_for_that_runner() {
    let mut plan = plan(2, vec![oneshot(2, vec![once("o", 0), phase("a"), phase("b")])]);
    plan.groups[0].phases[2].place = Place::RunnerTarget;
    plan.targets[1].transport = Transport::Local;
    let mut world = World::new();
    world.hello("r1", 9);
    world.submit(plan);
    world.gone("r1");
    world.hello("r2", 9);
    expect![[r#"
        1 leases_ended web1/a
        1 tasks_granted r2: web1/a#1e2
          -> grant r2: 1
    "#]]
    .assert_eq(&world.pass(LEASE_MILLIS));
    assert_eq!(world.pass(LEASE_MILLIS), "");
}

#[test]
fn leases_of_a_stopping_job_end_too_and_so_does_the_job() {
    let mut world = World::with(plan(1, vec![oneshot(1, vec![once("o", 0), phase("a")])]));
    world.fail("runner", "o");
    world.gone("r1");
    expect![[r#"
        job 1 [stopping] stopping: phase `o`, which runs once for the job, failed; 1 task has not ended yet (runner `r1` has been away for 0s)
          next: autoexec cancel 1
        web1 [granted] runner_offline: it had not begun; runner `r1` has been away for 0s
          next: start runner `r1` again
    "#]].assert_eq(&world.explained(&[0]));
    expect![[r#"
        1 leases_ended web1/a
        1 job_finished failed
          -> job 1 over
    "#]]
    .assert_eq(&world.pass(LEASE_MILLIS));
}

#[test]
fn a_restarted_scheduler_owes_leases_stops_and_wake_ups() {
    let owed = |world: &World| -> Vec<String> {
        let effects = outstanding(&world.state);
        effects.iter().map(|effect| words::effect(&world.state, effect).trim().to_owned()).collect()
    };
    let soaking = Group { between: between(BetweenMode::Continue, 30), ..rolling(&[2, 1], vec![phase("a")]) };
    let mut world = World::with(plan(3, vec![soaking]));
    assert_eq!(world.tell(Input::Boot { version: "2".to_owned() }), "- scheduler_started\n");
    assert_eq!(owed(&world), ["-> grant r1: 2"]);
    world.hello("r1", 100);
    world.all_ok();
    assert_eq!(owed(&world), ["-> wake at UnixMillis(1030000)"]);
    world.pass(30_000);
    world.must(Operation::Cancel { reason: String::new() }, &[]);
    assert_eq!(owed(&world), ["-> grant r1: 1", "-> stop r1: web3/a#1e1"]);
    world.all_ok();
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn a_runner_with_less_room_than_it_holds_gets_nothing() {
    let mut world = World::new();
    world.hello("r1", 2);
    world.submit(plan(3, vec![oneshot(3, vec![phase("a")])]));
    world.hello("r1", 1);
    assert!(!world.ok("web1", "a").contains("tasks_granted"));
    assert!(world.ok("web2", "a").contains("tasks_granted"));
}
