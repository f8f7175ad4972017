//! Many targets, each on one connection that is kept: addresses of one sshd.

use std::sync::Arc;
use std::time::Duration;

use autoexec_runner::transport::ssh::{HostKeyPolicy, PoolOptions, SshPool, SshTarget};
use futures::StreamExt as _;

use super::{environment, finish, target, within};
use crate::sshd::Sshd;

const IN_FLIGHT: usize = 50;

fn fleet(sshd: &Sshd, size: usize) -> Vec<SshTarget> {
    let one = SshTarget {
        host_key: Some(HostKeyPolicy::Pinned(vec![sshd.host_key("ed25519")])),
        connect_timeout: Some(Duration::from_secs(60)),
        ..target(sshd, "127.0.1.1")
    };
    (0..size)
        .map(|n| SshTarget { address: Some(format!("127.0.{}.{}", n / 250 + 1, n % 250 + 1)), ..one.clone() })
        .collect()
}

async fn run_true(pool: &Arc<SshPool>, fleet: &[SshTarget]) {
    let runs = fleet.iter().cloned().map(|target| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move {
            let channel = within(pool.exec(&target, "true")).await.unwrap();
            assert_eq!(finish(channel).await.exit, Some(0));
        })
    });
    // `spawn` is lazy here: a target begins when its turn in the window comes.
    futures::stream::iter(runs).buffer_unordered(IN_FLIGHT).for_each(|result| async move { result.unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_targets_two_phases_one_connection_each() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = Arc::new(SshPool::new(environment(&sshd), PoolOptions::default()));
    let fleet = fleet(&sshd, 60);
    run_true(&pool, &fleet).await;
    run_true(&pool, &fleet).await;
    assert_eq!(sshd.log().matches("Accepted publickey").count(), 60);
}
