//! The seam to the scheduler and the runners that run in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use autoexec_runner::{Runner, RunnerOptions};
use autoexec_scheduler::SchedulerOptions;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the local scheduler runs.
#[derive(Debug, Clone)]
pub(crate) struct ServeOptions {
    /// Folder of its store.
    pub(crate) state_dir: PathBuf,
    /// Where it is reached.
    pub(crate) socket: PathBuf,
    /// It leaves after so long without work and without a client; none means never.
    pub(crate) idle: Option<Duration>,
    /// Names of its runners.
    pub(crate) runners: Vec<String>,
    /// Attempts that each runner holds at once.
    pub(crate) capacity: u32,
}

/// Runs the scheduler and its runners until they are told to end or are idle for too long.
///
/// The runners are in this process, and speak to the scheduler over its socket like any other.
///
/// # Errors
/// When the store cannot be opened, the socket cannot be bound, or something that must not fail did.
pub(crate) async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let ServeOptions { state_dir, socket, idle, runners, capacity } = options;
    let shutdown = watch::Sender::new(false);
    let program = std::env::current_exe().context("the path of this program cannot be found")?;
    let mut running = JoinSet::new();
    for name in runners {
        let options = RunnerOptions {
            folder: state_dir.join("runners").join(&name),
            name,
            capacity,
            labels: BTreeMap::new(),
            socket: socket.clone(),
            program: program.clone(),
        };
        let runner = Runner::new(options).context("the runner cannot begin")?;
        running.spawn(runner.run(shutdown.subscribe()));
    }
    let signals = shutdown.clone();
    tokio::spawn(async move {
        if stop_signal().await.is_ok() {
            signals.send_replace(true);
        }
    });
    let scheduler = SchedulerOptions::new(state_dir, socket.clone(), idle);
    let result = autoexec_scheduler::serve(scheduler, shutdown.clone(), |recovered| {
        for text in recovered {
            tracing::warn!("recovered: {text}");
        }
        tracing::info!(socket = %socket.display(), pid = std::process::id(), "ready");
    })
    .await;
    shutdown.send_replace(true);
    while running.join_next().await.is_some() {}
    Ok(result?)
}

/// Ready when the process is asked to end.
async fn stop_signal() -> std::io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Runs one shipped tool of the runner as this process; its exit code.
pub(crate) fn tool_exec(name: &str) -> i32 {
    autoexec_runner::tool_exec(name)
}
