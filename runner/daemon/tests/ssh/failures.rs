//! What can go wrong on the way, told apart.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use autoexec_process::channel::ChannelEvent;
use autoexec_runner::transport::ssh::{ConnectFailure, Phase, SshError, SshTarget};
use tokio::time::Instant;

use super::{connect, read_all, refused, run, target, until, within, works};
use crate::sshd::{Setup, Sshd, free_port};

/// A listener that does `serve` with each connection, on its own thread, until the test process ends.
fn listener(serve: impl Fn(std::net::TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    port
}

fn on_port(sshd: &Sshd, port: u16) -> SshTarget {
    SshTarget { port: Some(port), connect_timeout: Some(Duration::from_millis(600)), ..target(sshd, "127.0.0.1") }
}

#[tokio::test]
async fn a_closed_port() {
    let Some(sshd) = Sshd::start() else { return };
    let error = refused(&sshd, &on_port(&sshd, free_port())).await;
    assert!(matches!(&error, SshError::Connect { failure: ConnectFailure::Refused, phase: Phase::Tcp, .. }), "{error}");
}

#[tokio::test]
async fn a_name_without_an_address() {
    let Some(sshd) = Sshd::start() else { return };
    let error =
        refused(&sshd, &SshTarget { address: Some("no-such-host.invalid".into()), ..target(&sshd, "127.0.0.1") }).await;
    assert!(matches!(&error, SshError::Resolve { host, .. } if host == "no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn a_host_that_accepts_and_stays_silent() {
    let Some(sshd) = Sshd::start() else { return };
    let held = std::sync::Mutex::new(Vec::new());
    let port = listener(move |stream| held.lock().unwrap().push(stream));
    let since = Instant::now();
    let error = refused(&sshd, &on_port(&sshd, port)).await;
    assert!(matches!(&error, SshError::Silent { .. }), "{error}");
    assert!(since.elapsed() >= Duration::from_millis(600) && since.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_host_that_closes_at_once() {
    let Some(sshd) = Sshd::start() else { return };
    let error = refused(&sshd, &on_port(&sshd, listener(drop))).await;
    assert!(
        matches!(&error, SshError::Connect { failure: ConnectFailure::Dropped, phase: Phase::Banner, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_that_is_full_says_so() {
    let Some(sshd) = Sshd::start() else { return };
    let port = listener(|mut stream| drop(stream.write_all(b"Exceeded MaxStartups\r\n")));
    let error = refused(&sshd, &on_port(&sshd, port)).await;
    assert!(matches!(&error, SshError::Connect { failure: ConnectFailure::Dropped, .. }), "{error}");
    assert!(error.to_string().contains("Exceeded MaxStartups"), "{error}");
}

#[tokio::test]
async fn a_host_that_speaks_something_else() {
    let Some(sshd) = Sshd::start() else { return };
    let answers: [&[u8]; 3] =
        [b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0x16, 0x03, 0x01, 0xff].repeat(100), b"220 no newline"];
    for (index, answer) in answers.into_iter().enumerate() {
        let answer = answer.to_vec();
        let held = std::sync::Mutex::new(Vec::new());
        let port = listener(move |mut stream| {
            stream.write_all(&answer).unwrap();
            // The last one keeps the connection open: only the time-out ends it.
            if index == 2 {
                held.lock().unwrap().push(stream);
            }
        });
        let error = refused(&sshd, &on_port(&sshd, port)).await;
        assert!(matches!(&error, SshError::Protocol { phase: Phase::Banner, .. }), "{index}: {error}");
        assert!(!error.to_string().contains('\u{16}'), "control characters must not reach the terminal: {error}");
    }
}

#[tokio::test]
async fn a_host_that_stops_in_the_key_exchange() {
    let Some(sshd) = Sshd::start() else { return };
    let held = std::sync::Mutex::new(Vec::new());
    let port = listener(move |mut stream| {
        stream.write_all(b"SSH-2.0-Stuck_1.0\r\n").unwrap();
        held.lock().unwrap().push(stream);
    });
    let error = refused(&sshd, &on_port(&sshd, port)).await;
    assert!(
        matches!(&error, SshError::Connect { failure: ConnectFailure::Timeout, phase: Phase::KeyExchange, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_with_only_old_algorithms() {
    let setup = Setup { lines: vec!["KexAlgorithms diffie-hellman-group14-sha1".into()], ..Setup::default() };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let error = refused(&sshd, &target(&sshd, "127.0.1.1")).await;
    assert!(matches!(&error, SshError::Protocol { phase: Phase::KeyExchange, .. }), "{error}");
    assert!(error.to_string().contains("diffie-hellman-group14-sha1"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_mid_command() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let mut channel = within(connection.exec("echo started; exec sleep 600")).await.unwrap();
    assert_eq!(within(channel.events.recv()).await, Some(ChannelEvent::Stdout("started\n".into())));
    sshd.kill_connections();
    let finished = within(read_all(channel.events)).await;
    assert_eq!((finished.exit, finished.signal), (None, None));
    assert!(!finished.reason.is_empty(), "the reason must be told");
    until("the connection is known to be dead", || !connection.is_alive()).await;
    let error = within(connection.exec("true")).await.expect_err("dead");
    assert!(matches!(&error, SshError::Lost { maybe_started: false, .. }), "{error}");
    assert!(error.was_before_start());
}

#[tokio::test]
async fn exit_255_is_an_exit_and_not_a_lost_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let finished = run(&connection, "exit 255").await;
    assert_eq!((finished.exit, finished.reason.as_str()), (Some(255), ""));
}

#[tokio::test]
async fn the_session_limit_is_its_own_error_and_passes() {
    let Some(sshd) = Sshd::start_with(&Setup { max_sessions: 2, ..Setup::default() }) else { return };
    let connection = connect(&sshd, &target(&sshd, "127.0.1.1")).await;
    let one = within(connection.exec("exec cat")).await.unwrap();
    let two = within(connection.exec("exec cat")).await.unwrap();
    let error = within(connection.exec("true")).await.expect_err("a third session");
    assert!(matches!(&error, SshError::SessionLimit { .. }), "{error}");
    assert!(error.was_before_start() && error.hint().contains("MaxSessions"));
    drop(one);
    super::finish(two).await;
    works(&connection).await;
}

#[tokio::test]
async fn a_host_that_vanishes_is_noticed_by_the_keepalives() {
    let Some(sshd) = Sshd::start() else { return };
    let patient = SshTarget { keepalive: Some(Duration::from_millis(100)), ..target(&sshd, "127.0.1.1") };
    let connection = connect(&sshd, &patient).await;
    let channel = within(connection.exec("exec sleep 600")).await.unwrap();
    // Stopped, not killed: the kernel keeps the connection open and nobody answers.
    for pid in sshd.connection_pids() {
        crate::sshd::run("sh", &["-c", &format!("kill -STOP {pid} $(cat /proc/{pid}/task/{pid}/children)")]);
    }
    let finished = super::finish(channel).await;
    assert!(finished.reason.contains("keepalive"), "{}", finished.reason);
    assert_eq!(finished.exit, None);
}
