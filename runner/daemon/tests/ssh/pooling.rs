//! The pool: one connection for each way to a target, one handshake at a time for it, none kept for ever.

use std::time::Duration;

use autoexec_runner::transport::ssh::{PoolOptions, PoolStats, SshError, SshPool, SshTarget};

use super::{environment, target, until, with_key, within, works};
use crate::sshd::{Sshd, free_port};

fn accepted(sshd: &Sshd) -> usize {
    sshd.log().matches("Accepted publickey").count()
}

#[tokio::test]
async fn many_at_once_share_one_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let target = target(&sshd, "127.0.1.1");
    let connections = within(futures::future::join_all((0..50).map(|_| pool.get(&target)))).await;
    for connection in &connections {
        works(connection.as_ref().unwrap()).await;
    }
    assert_eq!(accepted(&sshd), 1, "{}", sshd.log());
    assert_eq!(pool.stats(), PoolStats { connecting: 0, busy: 0, idle: 1 });
}

#[tokio::test]
async fn another_key_user_or_address_is_another_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let other_key = sshd.make_key("other", "ed25519", "");
    sshd.authorize(&other_key);
    let one = target(&sshd, "127.0.1.1");
    let other_key = SshTarget { auth: with_key(other_key), ..one.clone() };
    let other_address = target(&sshd, "127.0.1.2");
    let renamed = SshTarget { name: "an-alias".into(), ..one.clone() };
    for target in [&one, &other_key, &other_address, &renamed, &one] {
        works(&within(pool.get(target)).await.unwrap()).await;
    }
    assert_eq!(accepted(&sshd), 3, "a second name is no second connection");
    let dedicated = within(pool.dedicated(&one)).await.unwrap();
    works(&dedicated).await;
    assert_eq!(accepted(&sshd), 4);
    assert_eq!(pool.stats().idle, 3, "a dedicated connection is not the pool's");
}

#[tokio::test]
async fn a_failure_goes_to_everybody_who_waits_and_is_forgotten() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let port = free_port();
    let nobody = SshTarget { port: Some(port), ..target(&sshd, "127.0.1.1") };
    let results = within(futures::future::join_all((0..10).map(|_| pool.get(&nobody)))).await;
    assert!(results.iter().all(|result| matches!(result, Err(SshError::Connect { .. }))));
    assert_eq!(pool.stats(), PoolStats::default());
}

#[tokio::test]
async fn a_dead_connection_is_replaced() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let target = target(&sshd, "127.0.1.1");
    let first = within(pool.get(&target)).await.unwrap();
    works(&first).await;
    sshd.kill_connections();
    // At once, so that the pool may still hold the dead one: `exec` must not give that to the caller.
    let finished = super::finish(within(pool.exec(&target, "echo again")).await.unwrap()).await;
    assert_eq!(finished.stdout, b"again\n");
    until("the first one is known to be dead", || !first.is_alive()).await;
    assert_eq!(accepted(&sshd), 2);
}

#[tokio::test]
async fn a_connection_that_a_consumer_stalls_does_not_keep_others_from_the_target() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let target = SshTarget { connect_timeout: Some(Duration::from_secs(1)), ..target(&sshd, "127.0.1.1") };
    // Nobody reads this one: its connection stands still, and the memory does not grow.
    let flood = within(pool.exec(&target, "exec yes")).await.unwrap();
    until("the flood is under way", || flood.events.len() == flood.events.max_capacity()).await;
    let finished = super::finish(within(pool.exec(&target, "echo still there")).await.unwrap()).await;
    assert_eq!(finished.stdout, b"still there\n");
    drop(flood);
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let Some(sshd) = Sshd::start() else { return };
    let options = PoolOptions { idle_timeout: Duration::from_millis(300), ..PoolOptions::default() };
    let pool = SshPool::new(environment(&sshd), options);
    let (idle, busy) = (target(&sshd, "127.0.1.1"), target(&sshd, "127.0.1.2"));
    works(&within(pool.get(&idle)).await.unwrap()).await;
    let channel = within(pool.exec(&busy, "exec cat")).await.unwrap();
    until("the idle one is closed", || pool.stats() == PoolStats { connecting: 0, busy: 1, idle: 0 }).await;
    until("on the host too", || sshd.connection_pids().len() == 1).await;
    super::finish(channel).await;
    until("then the other one", || pool.stats() == PoolStats::default() && sshd.connection_pids().is_empty()).await;
}

#[tokio::test]
async fn no_more_idle_connections_than_allowed_are_kept() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions { max_idle: 3, handshakes: 2, ..PoolOptions::default() });
    for n in 1..=8 {
        works(&within(pool.get(&target(&sshd, &format!("127.0.4.{n}")))).await.unwrap()).await;
    }
    assert!(pool.stats().idle <= 3, "{:?}", pool.stats());
    until("the host has closed the others", || sshd.connection_pids().len() <= 3).await;
    pool.close().await;
    until("and now all", || sshd.connection_pids().is_empty()).await;
}
