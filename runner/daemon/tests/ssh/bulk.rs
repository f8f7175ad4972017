//! Many targets: 200 addresses of one sshd. The measuring form is `cargo test --release -- --ignored --nocapture measure_200`.

use std::sync::Arc;
use std::time::Duration;

use autoexec_runner::transport::ssh::{HostKeyPolicy, PoolOptions, SshPool, SshTarget};
use futures::StreamExt as _;
use tokio::time::Instant;

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

/// User and system time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Resident memory of this process in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_200() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = Arc::new(SshPool::new(environment(&sshd), PoolOptions::default()));
    let fleet = fleet(&sshd, 200);
    for phase in ["connect + true", "true again"] {
        let (wall, used, resident) = (Instant::now(), cpu(), memory());
        run_true(&pool, &fleet).await;
        let (wall, used, grown) = (wall.elapsed(), cpu() - used, memory().saturating_sub(resident));
        eprintln!(
            "200 targets, {IN_FLIGHT} in flight, {phase}: {wall:.2?} wall, {used:.2?} client CPU, {grown} KiB more memory"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_bulk() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = SshPool::new(environment(&sshd), PoolOptions::default());
    let connection = pool.get(&target(&sshd, "127.0.1.1")).await.unwrap();
    let (wall, used) = (Instant::now(), cpu());
    let finished = finish(connection.exec("head -c 524288000 /dev/zero").await.unwrap()).await;
    assert_eq!(finished.stdout.len(), 524_288_000);
    eprintln!("500 MiB of output: {:.2?} wall, {:.2?} client CPU", wall.elapsed(), cpu() - used);
}
