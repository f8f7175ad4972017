//! Messages of runners that come twice, late, out of order, or from somebody else.

use autoexec_model::api::Operation;
use autoexec_model::grant::{LiveAttempt, OutputChunk, Stream};
use autoexec_model::id::{AttemptId, Epoch, JobId, TaskIx};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};

use crate::hand::{Hand, failed, holds, report, well};
use crate::house::{House, ONE, once, request, show, submit, text};

fn acks(heard: &[SchedulerMessage]) -> Vec<u64> {
    heard
        .iter()
        .filter_map(|message| match message {
            SchedulerMessage::OutputAck { offset, .. } => Some(*offset),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_said_twice_counts_once() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 2)).await;
    let leases = hand.leases(2).await;
    for _ in 0..2 {
        hand.started(leases[0]).await;
        hand.output(leases[0].0, leases[0].1, 0, b"hello\n").await;
        hand.output(leases[0].0, leases[0].1, 6, b"world\n").await;
    }
    assert_eq!(acks(&hand.so_far().await), [6, 12, 6, 12], "each is acknowledged, also the repetition");
    hand.finished(leases[0], failed(3)).await;
    hand.acknowledged(leases[0]).await;
    let before = show(&client, job).await;
    // A repetition that says something else is a repetition all the same.
    hand.finished(leases[0], well()).await;
    hand.acknowledged(leases[0]).await;
    hand.started(leases[0]).await;
    hand.so_far().await;
    assert_eq!(show(&client, job).await, before);
    assert_eq!(before.counts["failed"], 1);
    hand.finished(leases[1], well()).await;
    let end = once(&client, job, "failed").await;
    assert_eq!((end.counts["failed"], end.counts["succeeded"]), (1, 1));
    assert_eq!(text(&client, job, "h1").await, "hello\nworld\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_with_a_gap_is_neither_stored_nor_acknowledged() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let (attempt, epoch) = hand.leases(1).await[0];
    hand.output(attempt, epoch, 5, b"later").await;
    assert_eq!(acks(&hand.so_far().await), Vec::<u64>::new());
    assert_eq!(text(&client, job, "h1").await, "");
    hand.output(attempt, epoch, 0, b"first").await;
    hand.output(attempt, epoch, 5, b"later").await;
    assert_eq!(acks(&hand.so_far().await), [5, 10]);
    assert_eq!(text(&client, job, "h1").await, "firstlater");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_overlap_are_stored_once() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let lease = hand.leases(1).await[0];
    hand.output(lease.0, lease.1, 0, b"hello").await;
    hand.output(lease.0, lease.1, 3, b"lo world").await;
    hand.output(lease.0, lease.1, 0, b"hello world, all").await;
    hand.output(lease.0, lease.1, 2, b"llo").await;
    assert_eq!(acks(&hand.so_far().await), [5, 11, 16, 5]);
    assert_eq!(text(&client, job, "h1").await, "hello world, all");
    // What is stored is known from the store too.
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", vec![holds(lease)]).await;
    hand.output(lease.0, lease.1, 11, b", all of you").await;
    hand.output(lease.0, lease.1, 40, b"gap").await;
    assert_eq!(acks(&hand.so_far().await), [23]);
    assert_eq!(text(&client, job, "h1").await, "hello world, all of you");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_epoch_changes_nothing_and_is_acknowledged_so_that_it_is_forgotten() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let (attempt, epoch) = hand.leases(1).await[0];
    let before = show(&client, job).await;
    for stale in [Epoch(epoch.0 + 1), Epoch(epoch.0 - 1)] {
        hand.started((attempt, stale)).await;
        hand.output(attempt, stale, 0, b"old news").await;
        assert_eq!(acks(&hand.so_far().await), [8]);
        hand.finished((attempt, stale), well()).await;
        hand.acknowledged((attempt, stale)).await;
    }
    let next = AttemptId { n: attempt.n + 1, ..attempt };
    hand.finished((next, epoch), well()).await;
    hand.acknowledged((next, epoch)).await;
    assert_eq!(show(&client, job).await, before);
    assert_eq!(text(&client, job, "h1").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_runner_says_of_an_attempt_is_no_evidence() {
    let house = House::new().await;
    let client = house.client().await;
    let mut owner = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let lease = owner.leases(1).await[0];
    let mut other = Hand::join(&client, "r2", vec![holds(lease)]).await;
    assert_eq!(other.keep, []);
    assert_eq!(other.stop, [Lease { attempt: lease.0, epoch: lease.1 }]);
    let before = show(&client, job).await;
    other.started(lease).await;
    other.output(lease.0, lease.1, 0, b"made up").await;
    other.say(RunnerMessage::Progress { attempt: lease.0, epoch: lease.1, step: 7, attempt_try: 1 }).await;
    other.finished(lease, well()).await;
    other.acknowledged(lease).await;
    assert_eq!(show(&client, job).await, before);
    assert_eq!(text(&client, job, "h1").await, "");
    owner.finished(lease, well()).await;
    once(&client, job, "succeeded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_is_answered_with_what_is_kept_and_what_is_to_stop() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    submit(&client, request(ONE, 3)).await;
    let leases = hand.leases(3).await;
    drop(hand);
    let gone = AttemptId { job: JobId(900), task: TaskIx(4), n: 2 };
    let stale = (leases[1].0, Epoch(leases[1].1.0 + 5));
    let live: Vec<LiveAttempt> = vec![holds(leases[0]), holds((gone, Epoch(3))), holds(stale)];
    let mut hand = Hand::join(&client, "r1", live).await;
    let named = |(attempt, epoch): (AttemptId, Epoch)| Lease { attempt, epoch };
    assert_eq!(hand.keep, [named(leases[0])]);
    assert_eq!(hand.stop, [named((gone, Epoch(3))), named(stale)]);
    // What it holds is not sent again; what it does not hold is.
    assert_eq!(hand.leases(2).await, leases[1..]);
    assert_eq!(hand.so_far().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_stream_of_a_runner_is_its_stream() {
    let house = House::new().await;
    let client = house.client().await;
    let old = Hand::join(&client, "r1", Vec::new()).await;
    let mut new = Hand::join(&client, "r1", Vec::new()).await;
    assert!(old.sent_away().await);
    new.so_far().await;
    let runners = client.info().await.unwrap().runners;
    assert_eq!(runners.len(), 1);
    assert!(runners[0].connected, "the end of the old stream is not the end of the runner");
    submit(&client, request(ONE, 2)).await;
    assert_eq!(new.leases(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_said_again_until_the_attempt_has_ended() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 2)).await;
    let leases = hand.leases(2).await;
    hand.started(leases[0]).await;
    hand.so_far().await;
    client.operate(job, Operation::Cancel { reason: "wrong version".into() }, "bob".into()).await.unwrap();
    let stops = |heard: Vec<SchedulerMessage>| -> Vec<(AttemptId, Epoch)> {
        let each = heard.into_iter().filter_map(|message| match message {
            SchedulerMessage::Stop { attempt, epoch, cancel, reason } => {
                assert!(cancel);
                assert_eq!(reason, "cancelled by bob: wrong version");
                Some((attempt, epoch))
            }
            SchedulerMessage::Grant(_) => None,
            other => panic!("neither a stop nor a grant: {other:?}"),
        });
        each.collect()
    };
    assert_eq!(stops(hand.so_far().await), leases);
    drop(hand);
    let mut hand = Hand::join(&client, "r1", leases.iter().copied().map(holds).collect()).await;
    assert_eq!(stops(hand.so_far().await), leases);
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", leases.iter().copied().map(holds).collect()).await;
    assert_eq!(stops(hand.so_far().await), leases);
    for lease in leases {
        hand.finished(lease, report(Outcome::Killed, Verdict::Cancelled, "stopped")).await;
    }
    assert_eq!(once(&client, job, "cancelled").await.counts["cancelled"], 2);
    drop(hand);
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    assert_eq!(hand.so_far().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_streams_of_an_attempt_have_offsets_of_their_own() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let (attempt, epoch) = hand.leases(1).await[0];
    hand.output(attempt, epoch, 0, b"out").await;
    let chunk = OutputChunk { attempt, stream: Stream::Stderr, offset: 0, bytes: b"err!".to_vec() };
    hand.say(RunnerMessage::Output { chunk, epoch }).await;
    assert_eq!(acks(&hand.so_far().await), [3, 4]);
    assert_eq!(text(&client, job, "h1").await, "out");
}
