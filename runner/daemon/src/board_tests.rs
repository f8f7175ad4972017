//! Tests of the board: the window, what is said again, what is forgotten.

use std::sync::Arc;
use std::time::Duration;

use autoexec_model::grant::{AttemptReport, OutputChunk, Stream};
use autoexec_model::id::{AttemptId, Epoch, JobId, TaskIx, UnixMillis};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_wire::session::RunnerMessage;

use super::{Board, Live, StopRequest, WINDOW};

const PATIENCE: Duration = Duration::from_secs(10);

fn attempt(task: u32) -> AttemptId {
    AttemptId { job: JobId(1), task: TaskIx(task), n: 1 }
}

fn chunk(stream: Stream, offset: u64, len: usize) -> OutputChunk {
    OutputChunk { attempt: attempt(0), stream, offset, bytes: vec![b'x'; len] }
}

fn report() -> AttemptReport {
    AttemptReport {
        outcome: Outcome::Exited { code: 0 },
        verdict: Verdict::Succeeded,
        message: String::new(),
        decided_by: None,
        steps: Vec::new(),
        cluster: None,
        stdout: 0,
        stderr: 0,
        started_at: UnixMillis(1),
        finished_at: UnixMillis(2),
    }
}

fn board() -> (Board, Arc<Live>) {
    let board = Board::default();
    let live = board.take(attempt(0), Epoch(1)).expect("new");
    (board, live)
}

/// What is to be said now, in short words.
async fn said(board: &Board) -> Vec<String> {
    let messages = tokio::time::timeout(PATIENCE, board.next()).await.expect("something to say");
    messages.iter().map(word).collect()
}

fn word(message: &RunnerMessage) -> String {
    match message {
        RunnerMessage::Started { .. } => "started".to_owned(),
        RunnerMessage::Progress { step, attempt_try, .. } => format!("step {step} try {attempt_try}"),
        RunnerMessage::Output { chunk, .. } => {
            format!("{}@{}+{}", chunk.stream.word(), chunk.offset, chunk.bytes.len())
        }
        RunnerMessage::Finished { epoch, .. } => format!("finished {}", epoch.0),
        other => format!("{other:?}"),
    }
}

/// Whether there is nothing to say.
async fn is_quiet(board: &Board) -> bool {
    futures::poll!(std::pin::pin!(board.next())).is_pending()
}

async fn is_full(live: &Live, len: usize) -> bool {
    futures::poll!(std::pin::pin!(live.room_for(len))).is_pending()
}

#[tokio::test]
async fn a_producer_waits_while_the_window_is_full_and_goes_on_after_acknowledgements() {
    let (board, live) = board();
    let piece = WINDOW / 4;
    for n in 0..4 {
        assert!(!is_full(&live, piece).await);
        live.output(chunk(Stream::Stdout, (n * piece) as u64, piece));
    }
    assert!(is_full(&live, 1).await);
    let producer = {
        let live = Arc::clone(&live);
        tokio::spawn(async move {
            live.room_for(piece).await;
            live.output(chunk(Stream::Stdout, WINDOW as u64, piece));
        })
    };
    // An acknowledgement in the middle of a piece makes no room; one of a whole piece does.
    board.acknowledge_output(attempt(0), Stream::Stdout, piece as u64 - 1);
    assert!(is_full(&live, 1).await);
    board.acknowledge_output(attempt(0), Stream::Stderr, u64::MAX);
    assert!(is_full(&live, 1).await, "the other stream's");
    board.acknowledge_output(attempt(0), Stream::Stdout, piece as u64);
    tokio::time::timeout(PATIENCE, producer).await.expect("it goes on").expect("no panic");
    assert!(is_full(&live, 1).await);
}

#[tokio::test]
async fn a_single_piece_larger_than_the_window_is_let_in_when_it_is_empty() {
    let (_board, live) = board();
    assert!(!is_full(&live, WINDOW * 2).await);
    live.output(chunk(Stream::Stdout, 0, WINDOW * 2));
    assert!(is_full(&live, 1).await);
}

#[tokio::test]
async fn on_a_new_connection_everything_that_is_not_acknowledged_is_said_again_in_order() {
    let (board, live) = board();
    live.start(UnixMillis(7));
    live.start(UnixMillis(9));
    live.progress(0, 1);
    live.output(chunk(Stream::Stdout, 0, 10));
    live.output(chunk(Stream::Stderr, 0, 5));
    assert_eq!(said(&board).await, ["started", "step 0 try 1", "stdout@0+10", "stderr@0+5"]);
    assert!(is_quiet(&board).await, "each is said once on a connection");
    live.output(chunk(Stream::Stdout, 10, 10));
    live.progress(1, 2);
    assert_eq!(said(&board).await, ["step 1 try 2", "stdout@10+10"]);
    live.finish(report());
    assert_eq!(said(&board).await, ["finished 1"]);
    board.acknowledge_output(attempt(0), Stream::Stdout, 10);
    board.restart();
    assert_eq!(said(&board).await, ["started", "step 1 try 2", "stderr@0+5", "stdout@10+10", "finished 1"]);
    board.acknowledge_finished(attempt(0));
    board.restart();
    assert!(is_quiet(&board).await);
    assert_eq!(board.len(), 0);
}

#[tokio::test]
async fn acknowledgements_out_of_order_and_twice_do_no_harm() {
    let (board, live) = board();
    for n in 0..4 {
        live.output(chunk(Stream::Stdout, n * 10, 10));
    }
    assert_eq!(said(&board).await.len(), 4);
    board.acknowledge_output(attempt(0), Stream::Stdout, 30);
    board.acknowledge_output(attempt(0), Stream::Stdout, 10);
    board.acknowledge_output(attempt(0), Stream::Stdout, 30);
    board.acknowledge_output(attempt(5), Stream::Stdout, 30);
    live.output(chunk(Stream::Stdout, 40, 10));
    assert_eq!(said(&board).await, ["stdout@40+10"], "what was sent is not sent again on the same connection");
    board.restart();
    assert_eq!(said(&board).await, ["stdout@30+10", "stdout@40+10"]);
    assert_eq!(board.live()[0].stdout, 50);
}

#[tokio::test]
async fn an_attempt_that_is_granted_twice_is_one_attempt_with_the_newer_epoch() {
    let (board, live) = board();
    assert!(board.take(attempt(0), Epoch(1)).is_none());
    assert!(board.take(attempt(0), Epoch(3)).is_none());
    assert!(board.take(attempt(0), Epoch(2)).is_none());
    assert_eq!((live.epoch(), board.len()), (Epoch(3), 1));
    live.finish(report());
    assert_eq!(said(&board).await, ["finished 3"]);
}

#[tokio::test]
async fn a_stop_reaches_the_lease_it_names_and_no_newer_one() {
    let (board, live) = board();
    let stopped = live.stopped();
    board.take(attempt(0), Epoch(4));
    let request = StopRequest { cancel: true, reason: "x".into() };
    board.stop(attempt(0), Epoch(3), request.clone());
    board.stop(attempt(8), Epoch(9), request.clone());
    assert_eq!(*stopped.borrow(), None);
    board.stop(attempt(0), Epoch(4), request.clone());
    assert_eq!(*stopped.borrow(), Some(request));
}

#[tokio::test]
async fn what_the_scheduler_does_not_know_is_stopped_and_forgotten_once_it_has_ended() {
    let (board, live) = board();
    board.disown(attempt(0));
    assert!(live.stopped().borrow().is_some());
    assert_eq!(board.len(), 1, "it runs still");
    board.acknowledge_finished(attempt(0));
    assert_eq!(board.len(), 1, "nothing has ended that could be acknowledged");
    live.finish(report());
    assert_eq!(said(&board).await, ["finished 1"]);
    board.disown(attempt(0));
    assert_eq!(board.len(), 0);
    board.disown(attempt(0));
}

#[tokio::test]
async fn attempts_take_turns() {
    let (board, first) = board();
    let second = board.take(attempt(1), Epoch(1)).expect("new");
    first.progress(0, 1);
    second.progress(5, 1);
    first.progress(1, 1);
    assert_eq!(said(&board).await, ["step 1 try 1"], "only where it is now");
    assert_eq!(said(&board).await, ["step 5 try 1"]);
    assert!(is_quiet(&board).await);
}
