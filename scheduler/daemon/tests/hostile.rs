//! Runners that say what no runner says: the scheduler neither panics nor believes them.

use autoexec_model::grant::{OutputChunk, Stream};
use autoexec_model::id::{AttemptId, Digest, Epoch, JobId, TaskIx, UnixMillis};
use autoexec_model::refusal::Code;
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};
use futures::StreamExt as _;

use crate::hand::{Hand, hello, well};
use crate::house::{House, ONE, in_time, request, show, submit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_does_not_begin_with_a_proper_hello_is_refused() {
    let house = House::new().await;
    let client = house.client().await;
    let mut labelled = hello("r1", Vec::new());
    labelled.labels = (0..65).map(|n| (format!("l{n}"), String::new())).collect();
    let mut wordy = hello("r1", Vec::new());
    wordy.version = "1".repeat(100_000);
    let first = [
        RunnerMessage::Draining,
        RunnerMessage::Heartbeat { live: Vec::new(), at: UnixMillis(1) },
        RunnerMessage::Hello(hello("", Vec::new())),
        RunnerMessage::Hello(hello(&"x".repeat(65), Vec::new())),
        RunnerMessage::Hello(hello("../r1", Vec::new())),
        RunnerMessage::Hello(hello("r\u{1b}[2J", Vec::new())),
        RunnerMessage::Hello(labelled),
        RunnerMessage::Hello(wordy),
    ];
    for message in first {
        let (_say, mut hear) = Hand::open(&client, message.clone()).await;
        match in_time("a refusal", hear.next()).await {
            Some(Err(refusal)) => assert_eq!(refusal.code, Code::Invalid, "{message:?}: {refusal:?}"),
            other => panic!("{message:?} was answered with {other:?}"),
        }
    }
    assert_eq!(client.info().await.unwrap().runners, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_hello_ends_the_stream() {
    let house = House::new().await;
    let client = house.client().await;
    let hand = Hand::join(&client, "r1", Vec::new()).await;
    hand.say(RunnerMessage::Hello(hello("r2", Vec::new()))).await;
    assert!(hand.sent_away().await);
    let runners = client.info().await.unwrap().runners;
    assert_eq!(
        runners.iter().map(|runner| (runner.name.as_str(), runner.connected)).collect::<Vec<_>>(),
        [("r1", false)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_about_attempts_changes_nothing() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let (real, epoch) = hand.leases(1).await[0];
    let before = show(&client, job).await;
    let attempts = [
        AttemptId { job: JobId(77), ..real },
        AttemptId { job: JobId(0), ..real },
        AttemptId { task: TaskIx(1), ..real },
        AttemptId { task: TaskIx(u32::MAX), ..real },
        AttemptId { n: 0, ..real },
        AttemptId { n: u32::MAX, ..real },
    ];
    for attempt in attempts {
        hand.say(RunnerMessage::Accepted { attempts: vec![Lease { attempt, epoch }] }).await;
        hand.say(RunnerMessage::Progress { attempt, epoch, step: u32::MAX, attempt_try: 0 }).await;
        hand.started((attempt, epoch)).await;
        hand.output(attempt, epoch, 0, b"boo").await;
        hand.finished((attempt, epoch), well()).await;
        hand.acknowledged((attempt, epoch)).await;
    }
    assert_eq!(show(&client, job).await, before);
    for offset in [u64::MAX, u64::MAX - 1, 1 << 40] {
        hand.output(real, epoch, offset, b"far away").await;
    }
    hand.output(real, epoch, 0, b"").await;
    let heard = hand.so_far().await;
    assert_eq!(heard, [SchedulerMessage::OutputAck { attempt: real, stream: Stream::Stdout, offset: 0 }]);
    assert_eq!(show(&client, job).await, before);
    assert_eq!(client.info().await.unwrap().live_jobs, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_that_is_too_large_ends_the_stream_and_nothing_else() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let (attempt, epoch) = hand.leases(1).await[0];
    let chunk = OutputChunk { attempt, stream: Stream::Stdout, offset: 0, bytes: vec![b'x'; 64 * 1024 + 1] };
    hand.say(RunnerMessage::Output { chunk, epoch }).await;
    assert!(hand.sent_away().await);
    assert_eq!(show(&client, job).await.state, "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_or_a_file_that_no_plan_names_is_not_sent() {
    let house = House::new().await;
    let client = house.client().await;
    std::fs::write(house.path("secret"), "x").unwrap();
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    for name in ["", "../../secret", "/etc/passwd", &"0".repeat(64)] {
        hand.say(RunnerMessage::NeedFile { sha256: name.into() }).await;
        hand.say(RunnerMessage::NeedTool { digest: Digest(name.into()) }).await;
    }
    hand.say(RunnerMessage::Draining).await;
    assert_eq!(hand.so_far().await, []);
    assert_eq!((hand.keep.len(), Epoch(0)), (0, Epoch::default()));
}
