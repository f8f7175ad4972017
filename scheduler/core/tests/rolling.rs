//! Rolling and oneshot groups: what begins when.

use autoexec_core::explain::{ReasonCode, explain_task};
use autoexec_model::state::JobState;
use expect_test::expect;

use crate::plans::{batch_health, health, once, oneshot, phase, plan, rolling};
use crate::world::World;

#[test]
fn batches_of_1_5_5_5_follow_each_other() {
    let mut world = World::with(plan(16, vec![rolling(&[1, 5, 5, 5], vec![phase("a")])]));
    world.run_to_rest();
    expect![[r#"
        - runner_connected r1 for 100
        1 job_submitted job
        1 job_started
        1 stage_started 0
        1 tasks_granted r1: web1/a#1e1
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web2/a#1e1 web3/a#1e1 web4/a#1e1 web5/a#1e1 web6/a#1e1
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 attempt_finished web3/a#1 succeeded (exit 0)
        1 attempt_finished web4/a#1 succeeded (exit 0)
        1 attempt_finished web5/a#1 succeeded (exit 0)
        1 attempt_finished web6/a#1 succeeded (exit 0)
        1 stage_started 2
        1 tasks_granted r1: web7/a#1e1 web8/a#1e1 web9/a#1e1 web10/a#1e1 web11/a#1e1
        1 attempt_finished web7/a#1 succeeded (exit 0)
        1 attempt_finished web8/a#1 succeeded (exit 0)
        1 attempt_finished web9/a#1 succeeded (exit 0)
        1 attempt_finished web10/a#1 succeeded (exit 0)
        1 attempt_finished web11/a#1 succeeded (exit 0)
        1 stage_started 3
        1 tasks_granted r1: web12/a#1e1 web13/a#1e1 web14/a#1e1 web15/a#1e1 web16/a#1e1
        1 attempt_finished web12/a#1 succeeded (exit 0)
        1 attempt_finished web13/a#1 succeeded (exit 0)
        1 attempt_finished web14/a#1 succeeded (exit 0)
        1 attempt_finished web15/a#1 succeeded (exit 0)
        1 attempt_finished web16/a#1 succeeded (exit 0)
        1 job_finished succeeded
    "#]]
    .assert_eq(&world.text());
    assert_eq!(world.job_state(), JobState::Succeeded);
}

#[test]
fn a_batch_goes_through_all_phases_with_a_barrier_after_each() {
    let mut world = World::with(plan(3, vec![rolling(&[2, 1], vec![phase("a"), phase("b")])]));
    expect![[r#"
        1 attempts_started r1: web1/a
        1 attempts_started r1: web2/a
    "#]]
    .assert_eq(&world.begin());
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
    "#]]
    .assert_eq(&world.ok("web1", "a"));
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web1/b#1e1 web2/b#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.ok("web2", "a"));
    expect![[r#"
        1 attempt_finished web2/b#1 succeeded (exit 0)
    "#]]
    .assert_eq(&world.ok("web2", "b"));
    expect![[r#"
        1 attempt_finished web1/b#1 succeeded (exit 0)
        1 stage_started 2
        1 tasks_granted r1: web3/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web1", "b"));
    expect![[r#"
        1 attempt_finished web3/a#1 succeeded (exit 0)
        1 stage_started 3
        1 tasks_granted r1: web3/b#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web3", "a"));
    expect![[r#"
        1 attempt_finished web3/b#1 succeeded (exit 0)
        1 job_finished succeeded
          -> job 1 over
    "#]]
    .assert_eq(&world.ok("web3", "b"));
}

#[test]
fn oneshot_phases_begin_together_and_health_comes_after_them() {
    let mut world = World::with(plan(2, vec![oneshot(2, vec![phase("a"), phase("b"), health("h")])]));
    expect![[r#"
        - runner_connected r1 for 100
        1 job_submitted job
        1 job_started
        1 stage_started 0
        1 tasks_granted r1: web1/a#1e1 web2/a#1e1
        1 tasks_granted r1: web1/b#1e1 web2/b#1e1
    "#]]
    .assert_eq(&world.text());
    world.ok("web1", "a");
    world.ok("web2", "a");
    expect![[r#"
        1 attempt_finished web1/b#1 succeeded (exit 0)
    "#]]
    .assert_eq(&world.ok("web1", "b"));
    expect![[r#"
        1 attempt_finished web2/b#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web1/h#1e1 web2/h#1e1
          -> grant r1: 2
    "#]]
    .assert_eq(&world.ok("web2", "b"));
    expect![[r#"
        1 attempt_finished web1/h#1 succeeded (exit 0)
        1 attempt_finished web2/h#1 succeeded (exit 0)
        1 job_finished succeeded
          -> job 1 over
    "#]]
    .assert_eq(&world.all_ok());
}

#[test]
fn phases_that_run_once_run_in_the_first_the_middle_and_the_last_batch() {
    let phases = vec![once("drain", 0), phase("a"), once("check", 1), once("undrain", 2)];
    let mut world = World::with(plan(3, vec![rolling(&[1, 1, 1], phases)]));
    world.run_to_rest();
    let order: Vec<String> =
        world.text().lines().filter_map(|line| line.strip_prefix("1 tasks_granted r1: ").map(str::to_owned)).collect();
    expect![[r#"
        runner/drain#1e1
        web1/a#1e1
        web2/a#1e1
        runner/check#1e1
        web3/a#1e1
        runner/undrain#1e1"#]]
    .assert_eq(&order.join("\n"));
}

#[test]
fn a_target_that_failed_is_left_out_of_later_phases_and_groups() {
    let groups = vec![rolling(&[2], vec![phase("a"), phase("b")]), oneshot(2, vec![phase("z")])];
    let mut world = World::with(plan(2, groups));
    world.fail("web1", "a");
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: web2/b#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web2", "a"));
    world.run_to_rest();
    expect![[r#"
        job 1 [failed] failed: web1 failed in phase `a`: s1: exit 3
          next: autoexec retry 1
        web1 [failed] failed: phase `a` failed: s1: exit 3
          next: autoexec retry 1 -t web1
          next: autoexec ignore 1 web1
        web2 [succeeded] done: phase `z` succeeded
    "#]]
    .assert_eq(&world.explained(&[0, 1]));
    assert_eq!(world.job_state(), JobState::Failed);
    assert_eq!(world.task_state("web1", "z").word(), "aborted");
    let job = world.job();
    let later = job.layout.tasks_of_target(&job.plan, 0).last().expect("it has a task in each phase");
    let why = explain_task(&world.state, job, later, world.now).expect("the task is there");
    assert_eq!(why.code, ReasonCode::DroppedEarlier);
    expect!["phase `z` is not run because phase `a` did not succeed on it"].assert_eq(&why.sentence);
}

#[test]
fn a_batch_whose_health_check_fails_as_a_whole_stops_the_job() {
    let mut world = World::with(plan(2, vec![rolling(&[1, 1], vec![phase("a"), batch_health("check")])]));
    world.ok("web1", "a");
    expect![[r#"
        1 attempt_finished runner/check#1 failed (exit 3)
        1 stop_requested failed: phase `check`, which runs once for the job, failed
        1 job_finished failed
          -> job 1 over
    "#]]
    .assert_eq(&world.fail("runner", "check"));
}

#[test]
fn a_job_of_phases_that_run_once_needs_no_target() {
    let mut world =
        World::with(plan(0, vec![oneshot(0, vec![once("create", 0)]), rolling(&[], vec![once("check", 0)])]));
    world.run_to_rest();
    expect![[r#"
        - runner_connected r1 for 100
        1 job_submitted job
        1 job_started
        1 stage_started 0
        1 tasks_granted r1: runner/create#1e1
        1 attempt_finished runner/create#1 succeeded (exit 0)
        1 stage_started 1
        1 tasks_granted r1: runner/check#1e1
        1 attempt_finished runner/check#1 succeeded (exit 0)
        1 job_finished succeeded
    "#]]
    .assert_eq(&world.text());
}

#[test]
fn a_job_with_nothing_to_do_succeeds_at_once() {
    let world = World::with(plan(0, vec![oneshot(0, vec![phase("a")])]));
    assert_eq!(world.job_state(), JobState::Succeeded);
    let world = World::with(plan(3, Vec::new()));
    assert_eq!(world.job_state(), JobState::Succeeded);
}

#[test]
fn the_window_bounds_what_is_in_flight_and_a_phase_narrows_it() {
    let mut group = oneshot(5, vec![phase("a"), phase("b")]);
    group.parallel = 3;
    group.phases[1].parallel = Some(1);
    let mut world = World::with(plan(5, vec![group]));
    let live = |world: &World| [world.job().tallies[0].live, world.job().tallies[1].live];
    assert_eq!(live(&world), [3, 1]);
    expect![[r#"
        1 attempt_finished web2/a#1 succeeded (exit 0)
        1 tasks_granted r1: web4/a#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web2", "a"));
    expect![[r#"
        1 attempt_finished web1/b#1 succeeded (exit 0)
        1 tasks_granted r1: web2/b#1e1
          -> grant r1: 1
    "#]]
    .assert_eq(&world.ok("web1", "b"));
    assert_eq!(live(&world), [3, 1]);
}
