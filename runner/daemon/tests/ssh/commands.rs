//! Commands on a connection: bytes both ways, exact and bounded, ends and signals.

use autoexec_process::channel::{ChannelEvent, ExecChannel};
use bytes::Bytes;

use super::{Finished, connect, read_all, run, target, until, within, works};
use crate::sshd::Sshd;

#[tokio::test]
async fn a_command_is_sent_as_it_is() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    works(&connection).await;
    let finished = run(&connection, r#"printf '%s|' "a  b" 'c"d' $((1+1)); printf '\000\377'"#).await;
    assert_eq!(finished.stdout, b"a  b|c\"d|2|\x00\xff");
    assert_eq!(run(&connection, "").await.exit, Some(0));
}

#[tokio::test]
async fn fifty_mebibytes_come_exactly_and_slowly_read_they_wait_on_the_host() {
    const SIZE: usize = 50 * 1024 * 1024;
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let counter = sshd.path("counter");
    // Numbered lines: a lost, doubled or swapped chunk changes the sum.
    let command = format!("seq -f %063.0f 1 819200 | tee {0}.copy | {{ cat; echo done > {0}; }}", counter.display());
    let ExecChannel { stdin, mut events } = within(connection.exec(&command)).await.unwrap();
    drop(stdin);
    // Nobody reads: the host must be stopped by the window long before it has written everything.
    let copy = sshd.path("counter.copy");
    let mut last = (u64::MAX, 0);
    until("the host stops writing", || {
        let size = std::fs::metadata(&copy).map_or(0, |meta| meta.len());
        last = if size == last.0 && size > 0 { (size, last.1 + 1) } else { (size, 0) };
        last.1 > 40
    })
    .await;
    assert!(last.0 < SIZE as u64 / 2, "{} bytes were taken without a reader", last.0);
    assert!(!counter.exists());
    let mut received = Vec::with_capacity(SIZE);
    let mut exit = None;
    while let Some(event) = within(events.recv()).await {
        match event {
            ChannelEvent::Stdout(bytes) => {
                assert!(bytes.len() <= 64 * 1024);
                received.extend_from_slice(&bytes);
            }
            ChannelEvent::Exit(code) => exit = Some(code),
            ChannelEvent::Closed { reason } => assert_eq!(reason, ""),
            ChannelEvent::Stderr(_) | ChannelEvent::Signal(_) => panic!("{event:?}"),
        }
    }
    assert_eq!((exit, received.len()), (Some(0), SIZE));
    assert!(received == std::fs::read(&copy).unwrap(), "the bytes differ");
}

#[tokio::test]
async fn ten_mebibytes_of_input_come_back() {
    const SIZE: usize = 10 * 1024 * 1024;
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let data: Vec<u8> = (0..SIZE).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect();
    let ExecChannel { stdin, events } = within(connection.exec("exec cat")).await.unwrap();
    let bytes = Bytes::from(data.clone());
    let sending = async move {
        for start in (0..SIZE).step_by(64 * 1024) {
            stdin.send(bytes.slice(start..(start + 64 * 1024).min(SIZE))).await.unwrap();
        }
    };
    let (finished, ()) = within(async { tokio::join!(read_all(events), sending) }).await;
    assert_eq!((finished.exit, finished.stdout.len()), (Some(0), SIZE));
    assert!(finished.stdout == data, "the bytes differ");
}

#[tokio::test]
async fn input_that_nobody_reads_does_not_hang_the_end() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let ExecChannel { stdin, events } = within(connection.exec("exit 7")).await.unwrap();
    let sending = tokio::spawn(async move { while stdin.send(Bytes::from(vec![0; 64 * 1024])).await.is_ok() {} });
    let finished = within(read_all(events)).await;
    assert_eq!((finished.exit, finished.reason.as_str()), (Some(7), ""));
    within(sending).await.unwrap();
}

#[tokio::test]
async fn twenty_commands_at_once_on_one_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let commands = (0..20).map(|n| {
        let connection = connection.clone();
        async move { (n, run(&connection, &format!("seq {n} {}; exit {n}", n + 20_000)).await) }
    });
    for (n, finished) in futures::future::join_all(commands).await {
        let expected: String = (n..=n + 20_000).map(|line| format!("{line}\n")).collect();
        assert!(finished.stdout == expected.as_bytes(), "the output of {n} differs");
        assert_eq!(finished.exit, Some(n));
    }
    assert_eq!(sshd.connection_pids().len(), 1, "one connection carried them all");
    assert_eq!(connection.busy(), 0);
}

#[tokio::test]
async fn a_signal_is_told_by_its_name() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    for name in ["TERM", "KILL", "SEGV"] {
        let finished = run(&connection, &format!("kill -{name} $$")).await;
        assert_eq!((finished.signal.as_deref(), finished.exit, finished.reason.as_str()), (Some(name), None, ""));
    }
}

#[tokio::test]
async fn output_after_the_exit_is_not_lost() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let fifo = sshd.path("fifo");
    crate::sshd::run("mkfifo", &[fifo.to_str().unwrap()]);
    // The child outlives the command and speaks when the test says so.
    let command = format!("{{ read line < {}; echo late; }} & echo early; exit 4", fifo.display());
    let ExecChannel { stdin, mut events } = within(connection.exec(&command)).await.unwrap();
    drop(stdin);
    let mut seen = Vec::new();
    while !seen.contains(&ChannelEvent::Exit(4)) {
        seen.push(within(events.recv()).await.unwrap());
    }
    tokio::task::spawn_blocking(move || std::fs::write(fifo, "go\n").unwrap()).await.unwrap();
    let rest = within(read_all(events)).await;
    assert_eq!(rest, Finished { stdout: b"late\n".to_vec(), ..Finished::default() });
}

#[tokio::test]
async fn dropping_the_events_frees_the_connection_for_the_others() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let flood = within(connection.exec("exec yes")).await.unwrap();
    until("the flood is under way", || flood.events.len() == flood.events.max_capacity()).await;
    drop(flood);
    works(&connection).await;
    until("nothing runs on it any more", || connection.busy() == 0).await;
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_nothing_open() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    for _ in 0..20 {
        // Polled once, then dropped: the request is on its way.
        let mut starting = Box::pin(connection.exec("exec cat"));
        assert!(futures::poll!(starting.as_mut()).is_pending());
    }
    until("all of them are gone", || connection.busy() == 0).await;
    works(&connection).await;
}

#[tokio::test]
async fn closing_ends_what_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let channel = within(connection.exec("exec cat")).await.unwrap();
    assert_eq!(connection.idle_for(), None);
    connection.close().await;
    let finished = within(read_all(channel.events)).await;
    assert_eq!(finished.reason, "closed by us");
    until("closed", || !connection.is_alive()).await;
}
