//! Starts the local scheduler, and stops it. One command line at a time, under a lock in its folder: the others wait and join.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use autoexec_wire::client::Client;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::time::{Instant, sleep};

use super::{Place, log};
use crate::error::Failure;

/// How long a start may take: a large journal is read first.
const START_DEADLINE: Duration = Duration::from_secs(15);

/// How long a stop may take: what is running is let go, the store is closed.
const STOP_DEADLINE: Duration = Duration::from_secs(15);

/// Pauses between two looks, growing so that a fast start is seen at once and a slow one costs nothing.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// How long the local scheduler stays without work and without a client.
const IDLE: &str = "15m";

/// Starts it, unless another command line was faster.
pub(super) async fn start(place: &Place) -> Result<Client, Failure> {
    let deadline = Instant::now() + START_DEADLINE;
    let _lock = lock(&place.state_dir, deadline).await?;
    if let Some(client) = answering(&place.socket).await {
        return Ok(client);
    }
    let from = log::size(&place.state_dir);
    let mut child = spawn(place)?;
    wait_for(place, &mut child, deadline, from).await
}

/// A scheduler that answers there.
pub(super) async fn answering(socket: &Path) -> Option<Client> {
    let client = Client::connect_unix(socket).await.ok()?;
    client.info().await.ok()?;
    Some(client)
}

async fn wait_for(place: &Place, child: &mut Child, deadline: Instant, from: u64) -> Result<Client, Failure> {
    let mut pauses = Pauses::new();
    loop {
        if let Some(client) = answering(&place.socket).await {
            return Ok(client);
        }
        let log = log::path(&place.state_dir);
        if let Ok(Some(status)) = child.try_wait() {
            // It may have left because another one holds the store; then that one answers.
            if let Some(client) = answering(&place.socket).await {
                return Ok(client);
            }
            return Err(Failure::DaemonEnded {
                status: status.to_string(),
                tail: log::tail(&place.state_dir, from),
                log,
            });
        }
        if Instant::now() >= deadline {
            let tail = log::tail(&place.state_dir, from);
            return Err(Failure::DaemonSilent { seconds: START_DEADLINE.as_secs(), tail, log });
        }
        pauses.next().await;
    }
}

fn spawn(place: &Place) -> Result<Child, Failure> {
    let failed = |source| Failure::Spawn { source };
    let program = std::env::current_exe().map_err(failed)?;
    let log = log::open(&place.state_dir).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("daemon").arg("--state-dir").arg(&place.state_dir).args(["--idle", IDLE]);
    for runner in &place.runners {
        command.args(["--runner", runner]);
    }
    command
        // The flags above say where it lives; what led us there must not lead it elsewhere.
        .env_remove("AUTOEXEC_STATE_DIR")
        .env_remove("AUTOEXEC_SOCKET")
        // It outlives the folder that the user happens to be in, and makes a session of its own as its first act.
        .current_dir(&place.state_dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log);
    command.spawn().map_err(failed)
}

/// Held while a scheduler is being started; the kernel lets it go when this process ends.
async fn lock(state_dir: &Path, deadline: Instant) -> Result<Flock<File>, Failure> {
    let failed = |source| Failure::Spawn { source };
    let path = state_dir.join("start.lock");
    let open = || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = open().map_err(failed)?;
    let mut pauses = Pauses::new();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((again, Errno::EWOULDBLOCK)) if Instant::now() < deadline => file = again,
            Err((_, errno)) => return Err(failed(errno.into())),
        }
        pauses.next().await;
    }
}

/// Stops the scheduler and waits until nobody answers any more. False when none was running.
pub(crate) async fn stop(place: &Place, idle_only: bool) -> Result<bool, Failure> {
    let Some(client) = answering(&place.socket).await else { return Ok(false) };
    client.shutdown(idle_only).await?;
    let deadline = Instant::now() + STOP_DEADLINE;
    let mut pauses = Pauses::new();
    while answering(&place.socket).await.is_some() {
        if Instant::now() >= deadline {
            let tail = Vec::new();
            return Err(Failure::DaemonSilent {
                seconds: STOP_DEADLINE.as_secs(),
                tail,
                log: log::path(&place.state_dir),
            });
        }
        pauses.next().await;
    }
    Ok(true)
}

/// Waits a little, each time a little longer.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Self {
        Self(PAUSES.0)
    }

    async fn next(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSES.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_starts_and_the_others_wait() {
        let temp = tempfile::tempdir().expect("a folder");
        let soon = || Instant::now() + Duration::from_millis(50);
        let held = lock(temp.path(), soon()).await.expect("free");
        assert!(lock(temp.path(), soon()).await.is_err(), "it is held");
        drop(held);
        lock(temp.path(), soon()).await.expect("free again");
    }

    #[tokio::test]
    async fn nothing_answers_where_nothing_is() {
        let temp = tempfile::tempdir().expect("a folder");
        assert!(answering(&temp.path().join("daemon.sock")).await.is_none());
    }
}
