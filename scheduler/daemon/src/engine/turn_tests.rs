//! Tests of one turn of the engine, for what depends on which messages share it.

use std::collections::BTreeMap;

use autoexec_model::grant::RunnerHello;
use autoexec_model::id::RunnerId;
use autoexec_wire::session::SchedulerMessage;
use tokio::sync::{mpsc, watch};

use super::{Engine, Message};

fn engine(dir: &std::path::Path) -> Engine {
    Engine::open(dir, watch::Sender::new(0)).expect("opened")
}

fn hello(stream: u64) -> (Message, mpsc::Receiver<SchedulerMessage>) {
    let (outbox, inbox) = mpsc::channel(8);
    let runner = RunnerId("r1".into());
    let hello = RunnerHello { runner, version: "1".into(), capacity: 1, labels: BTreeMap::new(), live: Vec::new() };
    (Message::Hello { hello, outbox, stream }, inbox)
}

fn gone(stream: u64) -> Message {
    Message::Gone { runner: RunnerId("r1".into()), stream }
}

fn is_connected(engine: &Engine) -> bool {
    engine.state.runners.iter().any(|runner| runner.connected)
}

#[test]
fn the_end_of_an_old_stream_in_the_turn_of_the_new_hello_is_no_news() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut engine = engine(dir.path());
    let (first, mut old) = hello(1);
    engine.turn(vec![first]).expect("a turn");
    assert!(matches!(old.try_recv(), Ok(SchedulerMessage::Welcome { .. })));
    let (second, mut new) = hello(2);
    engine.turn(vec![second, gone(1)]).expect("a turn");
    assert!(is_connected(&engine));
    assert!(matches!(new.try_recv(), Ok(SchedulerMessage::Welcome { .. })));
    assert_eq!(old.try_recv(), Err(mpsc::error::TryRecvError::Disconnected), "the old stream is let go of");
    engine.turn(vec![gone(2)]).expect("a turn");
    assert!(!is_connected(&engine));
    assert_eq!(new.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
}

#[test]
fn a_runner_that_comes_and_goes_in_one_turn_is_gone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut engine = engine(dir.path());
    let (message, mut inbox) = hello(1);
    engine.turn(vec![message, gone(1)]).expect("a turn");
    assert!(!is_connected(&engine));
    assert_eq!(inbox.try_recv(), Err(mpsc::error::TryRecvError::Disconnected), "and not welcomed");
}

#[test]
fn a_runner_that_does_not_read_is_gone_once_its_stream_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut engine = engine(dir.path());
    let (message, inbox) = hello(1);
    drop(inbox);
    engine.turn(vec![message]).expect("a turn");
    assert!(is_connected(&engine), "its stream has not ended yet");
    engine.turn(vec![gone(1)]).expect("a turn");
    assert!(!is_connected(&engine));
}
