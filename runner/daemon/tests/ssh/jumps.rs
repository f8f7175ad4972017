//! Jump hosts: through one, through two, shared, and what fails behind them.

use autoexec_runner::transport::ssh::{
    ConnectFailure, HostKeyPolicy, PoolOptions, SshConnector, SshEnvironment, SshError, SshPool, SshTarget,
};

use super::{connect, connector, environment, refused, run, target, until, within, works};
use crate::sshd::{Setup, Sshd, free_port};

/// Where the server of a connection sees its client: tells whether a hop was really taken.
async fn peer_of(connection: &autoexec_runner::transport::ssh::SshConnection) -> String {
    let output = run(connection, "echo $SSH_CONNECTION").await.stdout;
    String::from_utf8(output).unwrap().split_whitespace().nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn through_one_and_two_hops() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    let hop_one = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.1") };
    let hop_two = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.2") };
    for hops in [vec![hop_one.clone()], vec![hop_one, hop_two]] {
        let many = hops.len();
        let target = SshTarget { jumps: Some(hops), ..target(&far, "127.0.1.9") };
        let connection = connect(&far, &target).await;
        works(&connection).await;
        assert_eq!(jump.connection_pids().len(), many, "each hop is a connection to the jump host");
        drop(connection);
        until("the hops go with the last connection", || jump.connection_pids().is_empty()).await;
    }
}

#[tokio::test]
async fn bulk_through_two_hops_is_exact() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    let hops = ["127.0.1.1", "127.0.1.2"].map(|address| SshTarget { jumps: Some(vec![]), ..target(&jump, address) });
    let connection = connect(&far, &SshTarget { jumps: Some(hops.to_vec()), ..target(&far, "127.0.1.9") }).await;
    let finished = run(&connection, "seq 1 500000").await;
    let expected: String = (1..=500_000).map(|n| format!("{n}\n")).collect();
    assert!(finished.stdout == expected.as_bytes(), "{} bytes", finished.stdout.len());
}

#[tokio::test]
async fn as_ssh_config_says() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    jump.authorize(&far.key());
    let home = far.path("client");
    std::fs::create_dir_all(home.join(".ssh/conf.d")).unwrap();
    let known = jump.known_hosts_line("127.0.1.1", "ed25519") + &far.known_hosts_line("127.0.1.9", "ed25519");
    std::fs::write(home.join(".ssh/known_hosts"), known).unwrap();
    let config = format!(
        "Include conf.d/*\nHost web*\n HostName 127.0.1.9\n Port {}\n ProxyJump bastion\n IdentityFile {}\n",
        far.port,
        far.key().display()
    );
    let bastion =
        format!("Host bastion\n HostName 127.0.1.1\n Port {}\n IdentityFile {}\n", jump.port, far.key().display());
    std::fs::write(home.join(".ssh/config"), config).unwrap();
    std::fs::write(home.join(".ssh/conf.d/bastion"), bastion).unwrap();
    let env = SshEnvironment { home: Some(home), ..environment(&far) };
    let web = SshTarget::named("web7");
    let connection = within(SshConnector::new(env).connect(&web)).await.unwrap();
    works(&connection).await;
    assert_eq!(jump.connection_pids().len(), 1);
    assert_eq!(connection.label(), format!("web7 ([127.0.1.9]:{})", far.port));
}

#[tokio::test]
async fn what_fails_behind_a_jump_host_is_told_apart() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    let hop = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.1") };
    // The target does not listen.
    let closed = SshTarget { jumps: Some(vec![hop.clone()]), port: Some(free_port()), ..target(&far, "127.0.1.9") };
    let error = refused(&far, &closed).await;
    assert!(matches!(&error, SshError::Connect { failure: ConnectFailure::Jump, .. }), "{error}");
    assert!(error.to_string().contains("cannot connect to 127.0.1.9"), "{error}");
    // The target is somebody else.
    let unknown =
        SshTarget { jumps: Some(vec![hop.clone()]), known_hosts: vec![far.path("none")], ..target(&far, "127.0.1.9") };
    assert!(matches!(refused(&far, &unknown).await, SshError::HostKeyUnknown { .. }));
    // The jump host is somebody else: told as the jump host's failure, and the target is never dialled.
    let stranger = SshTarget { known_hosts: vec![jump.path("none")], ..hop };
    let error = refused(&far, &SshTarget { jumps: Some(vec![stranger]), ..target(&far, "127.0.1.9") }).await;
    assert!(matches!(&error, SshError::HostKeyUnknown { .. }), "{error}");
    assert!(error.target().starts_with("jump host 127.0.1.1"), "{}", error.target());
}

#[tokio::test]
async fn a_jump_host_that_forbids_forwarding() {
    let setup = Setup { lines: vec!["AllowTcpForwarding no".into()], ..Setup::default() };
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start_with(&setup)) else { return };
    let hop = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.1") };
    let error = refused(&far, &SshTarget { jumps: Some(vec![hop]), ..target(&far, "127.0.1.9") }).await;
    assert!(error.to_string().contains("does not allow forwarding"), "{error}");
}

#[tokio::test]
async fn a_pool_shares_the_jump_host_and_a_stalled_target_does_not_stall_the_others() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    let pool = SshPool::new(environment(&far), PoolOptions::default());
    let hop = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.1") };
    let behind = |n: usize| SshTarget {
        host_key: Some(HostKeyPolicy::AcceptNew),
        jumps: Some(vec![hop.clone()]),
        ..target(&far, &format!("127.0.3.{n}"))
    };
    // Nobody reads this one.
    let flood = within(pool.exec(&behind(1), "exec yes")).await.unwrap();
    until("the flood is under way", || flood.events.len() == flood.events.max_capacity()).await;
    let others = (2..12).map(|n| {
        let (pool, target) = (pool.clone(), behind(n));
        async move { works(&within(pool.get(&target)).await.unwrap()).await }
    });
    futures::future::join_all(others).await;
    assert_eq!(jump.connection_pids().len(), 1, "one connection to the jump host carries all");
    drop(flood);
}

#[tokio::test]
async fn a_jump_host_that_breaks_ends_what_it_carries() {
    let (Some(far), Some(jump)) = (Sshd::start(), Sshd::start()) else { return };
    let hop = SshTarget { jumps: Some(vec![]), ..target(&jump, "127.0.1.1") };
    let target = SshTarget { jumps: Some(vec![hop]), ..target(&far, "127.0.1.9") };
    let connection = within(connector(&far).connect(&target)).await.unwrap();
    assert!(!peer_of(&connection).await.is_empty());
    let channel = within(connection.exec("exec sleep 600")).await.unwrap();
    jump.kill_connections();
    let finished = super::finish(channel).await;
    assert!(!finished.reason.is_empty());
    assert_eq!(finished.exit, None);
}
