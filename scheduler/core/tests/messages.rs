//! Messages that come twice, late, from the wrong runner, or out of order change nothing.

use autoexec_core::decide::{Input, decide, job_for};
use autoexec_model::api::Operation;
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, TaskIx};
use autoexec_model::refusal::Code;
use expect_test::expect;

use crate::plans::{oneshot, phase, plan};
use crate::world::{World, good};

fn one() -> (World, RunnerId, AttemptId) {
    let world = World::with(plan(1, vec![oneshot(1, vec![phase("a")])]));
    (world, RunnerId("r1".to_owned()), AttemptId { job: JobId(1), task: TaskIx(0), n: 1 })
}

fn started(runner: &RunnerId, attempt: AttemptId, epoch: u32) -> Input {
    Input::Started { runner: runner.clone(), attempts: vec![(attempt, Epoch(epoch))] }
}

fn finished(runner: &RunnerId, attempt: AttemptId, epoch: u32) -> Input {
    Input::Finished { runner: runner.clone(), attempt, epoch: Epoch(epoch), report: Box::new(good()) }
}

fn ignored(world: &World, input: &Input) {
    assert_eq!(decide(&world.state, input, world.now), Ok(Vec::new()), "{input:?}");
}

#[test]
fn everything_said_twice_is_said_once() {
    let (mut world, runner, attempt) = one();
    expect![[r#"
        1 attempts_started r1: web1/a
    "#]]
    .assert_eq(&world.tell(started(&runner, attempt, 1)));
    ignored(&world, &started(&runner, attempt, 1));
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 job_finished succeeded
          -> job 1 over
    "#]]
    .assert_eq(&world.tell(finished(&runner, attempt, 1)));
    ignored(&world, &finished(&runner, attempt, 1));
    ignored(&world, &started(&runner, attempt, 1));
    world.gone("r1");
    ignored(&world, &Input::Gone { runner });
}

#[test]
fn the_same_attempt_twice_in_one_message_begins_once() {
    let (mut world, runner, attempt) = one();
    let twice = Input::Started { runner, attempts: vec![(attempt, Epoch(1)), (attempt, Epoch(1))] };
    expect![[r#"
        1 attempts_started r1: web1/a
    "#]]
    .assert_eq(&world.tell(twice));
}

#[test]
fn what_fits_no_lease_is_ignored() {
    let (world, runner, attempt) = one();
    for (attempt, epoch) in [
        (attempt, 0),
        (attempt, 2),
        (AttemptId { n: 2, ..attempt }, 1),
        (AttemptId { task: TaskIx(7), ..attempt }, 1),
        (AttemptId { job: JobId(7), ..attempt }, 1),
    ] {
        ignored(&world, &started(&runner, attempt, epoch));
        ignored(&world, &finished(&runner, attempt, epoch));
    }
}

#[test]
fn another_runner_cannot_speak_for_the_holder() {
    let (mut world, _, attempt) = one();
    world.hello("r2", 5);
    for other in ["r2", "stranger"] {
        ignored(&world, &started(&RunnerId(other.to_owned()), attempt, 1));
        ignored(&world, &finished(&RunnerId(other.to_owned()), attempt, 1));
    }
    ignored(&world, &Input::Gone { runner: RunnerId("stranger".to_owned()) });
}

#[test]
fn an_end_may_come_without_its_beginning() {
    let (mut world, runner, attempt) = one();
    expect![[r#"
        1 attempt_finished web1/a#1 succeeded (exit 0)
        1 job_finished succeeded
          -> job 1 over
    "#]]
    .assert_eq(&world.tell(finished(&runner, attempt, 1)));
}

#[test]
fn one_idempotency_key_is_one_job() {
    let mut world = World::new();
    let first = world.submission(plan(0, Vec::new()), Some("key"));
    assert_eq!(job_for(&world.state, Some("key")), (JobId(1), false));
    expect![[r#"
        1 job_submitted job
        1 job_started
        1 job_finished succeeded
          -> job 1 over
    "#]]
    .assert_eq(&world.tell(first.clone()));
    assert_eq!(job_for(&world.state, Some("key")), (JobId(1), true));
    assert_eq!(world.tell(first), "");
    let other = world.submission(plan(0, Vec::new()), Some("other"));
    expect![[r#"
        2 job_submitted job
        2 job_started
        2 job_finished succeeded
          -> job 2 over
    "#]]
    .assert_eq(&world.tell(other));
    assert_eq!(job_for(&world.state, None), (JobId(3), false));
}

#[test]
fn an_operation_on_a_job_that_is_not_there_is_refused() {
    let mut world = World::new();
    let refusal = world.operate(Operation::Pause, &[]).expect_err("there is no job");
    assert_eq!(refusal.code, Code::NotFound);
    expect!["there is no job 1"].assert_eq(&refusal.to_string());
}
