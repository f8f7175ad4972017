//! The SSH transport against a private sshd.

mod authentication;
mod bulk;
mod commands;
mod failures;
mod host_keys;
mod jumps;
mod pooling;

use std::path::PathBuf;
use std::time::Duration;

use autoexec_process::channel::{ChannelEvent, ExecChannel};
use autoexec_runner::transport::ssh::{
    SshAuth, SshConfigUse, SshConnection, SshConnector, SshEnvironment, SshError, SshTarget,
};

use crate::sshd::Sshd;

/// Nothing here takes longer, on a slow machine, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user without agent and `~/.ssh`, in the server's own folder.
fn environment(sshd: &Sshd) -> SshEnvironment {
    SshEnvironment { home: Some(sshd.path("client")), user: Some(sshd.user.clone()), agent_socket: None }
}

fn connector(sshd: &Sshd) -> SshConnector {
    SshConnector::new(environment(sshd))
}

/// A target that everything is right about.
fn target(sshd: &Sshd, address: &str) -> SshTarget {
    SshTarget {
        address: Some(address.to_owned()),
        port: Some(sshd.port),
        auth: with_key(sshd.key()),
        known_hosts: vec![sshd.known_hosts(&format!("known-{address}"), &[address], "ed25519")],
        ssh_config: SshConfigUse::Off,
        ..SshTarget::named(address)
    }
}

fn with_key(path: PathBuf) -> SshAuth {
    SshAuth { identity_files: vec![path], agent: false, default_identities: false, ..SshAuth::default() }
}

async fn connect(sshd: &Sshd, target: &SshTarget) -> SshConnection {
    within(connector(sshd).connect(target)).await.unwrap_or_else(|e| panic!("{e}\n{}", sshd.log()))
}

async fn refused(sshd: &Sshd, target: &SshTarget) -> SshError {
    let error = within(connector(sshd).connect(target)).await.expect_err("the connection must not stand");
    assert!(error.was_before_start());
    assert!(!error.hint().is_empty());
    error
}

/// The result of something that must not hang.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

/// Everything that came from a command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Finished {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    exit: Option<u32>,
    signal: Option<String>,
    /// Why the carrier closed; empty when the command had ended.
    reason: String,
}

/// Reads to the end without sending anything.
async fn finish(channel: ExecChannel) -> Finished {
    let ExecChannel { stdin, events } = channel;
    drop(stdin);
    within(read_all(events)).await
}

async fn read_all(mut events: tokio::sync::mpsc::Receiver<ChannelEvent>) -> Finished {
    let mut finished = Finished::default();
    while let Some(event) = events.recv().await {
        match event {
            ChannelEvent::Stdout(bytes) => finished.stdout.extend_from_slice(&bytes),
            ChannelEvent::Stderr(bytes) => finished.stderr.extend_from_slice(&bytes),
            ChannelEvent::Exit(code) => assert!(finished.exit.replace(code).is_none(), "two exit codes"),
            ChannelEvent::Signal(name) => assert!(finished.signal.replace(name).is_none(), "two signals"),
            ChannelEvent::Closed { reason } => {
                finished.reason = reason;
                assert!(events.recv().await.is_none(), "something follows Closed");
                return finished;
            }
        }
    }
    panic!("the events ended without Closed: {finished:?}");
}

async fn run(connection: &SshConnection, command: &str) -> Finished {
    finish(within(connection.exec(command)).await.unwrap_or_else(|e| panic!("{e}"))).await
}

/// The connection works: a command runs on it.
async fn works(connection: &SshConnection) {
    let finished = run(connection, "echo out; echo err >&2; exit 3").await;
    let expected =
        Finished { stdout: b"out\n".to_vec(), stderr: b"err\n".to_vec(), exit: Some(3), ..Finished::default() };
    assert_eq!(finished, expected);
}
