//! The runner: what it has, and the loop that keeps it connected to its scheduler.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoexec_model::id::RunnerId;
use autoexec_wire::client::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::board::Board;
use crate::host::{LocalHost, source_chain};
use crate::session;
use crate::supply::Supply;
use crate::transport::ssh::{PoolOptions, SshEnvironment, SshPool};

/// Questions for tools and files that may wait for a connection: each attempt asks for one thing at a time.
const WANTS: usize = 256;

/// Pauses between attempts to reach the scheduler.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(5)];

/// How a runner is set up.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Its name, unique in its scheduler.
    pub name: String,
    /// Attempts it holds at once.
    pub capacity: u32,
    /// Labels, for choosing it.
    pub labels: BTreeMap<String, String>,
    /// Folder for local attempts, files and fetched files; made when it is missing, for this user only.
    pub folder: PathBuf,
    /// The scheduler's socket.
    pub socket: PathBuf,
    /// The autoexec program, which compiled-in tools are run with.
    pub program: PathBuf,
}

/// A runner could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Its folder could not be made.
    #[error("cannot make the runner's folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its folder cannot be named on a command line.
    #[error("the runner's folder cannot be used; choose a state folder with a plain path with `--state-dir`")]
    Path(#[source] autoexec_process::supervisor::BadDirectory),
}

/// What every attempt works with.
pub(crate) struct Equipment {
    pub(crate) local: LocalHost,
    pub(crate) pool: SshPool,
    pub(crate) supply: Supply,
    pub(crate) folder: PathBuf,
    pub(crate) program: String,
}

/// A runner.
pub struct Runner {
    options: RunnerOptions,
    equipment: Arc<Equipment>,
    board: Arc<Board>,
    wants: mpsc::Receiver<autoexec_wire::session::RunnerMessage>,
    attempts: Attempts,
}

/// Attempts that are being executed. When the last of these is dropped they are let go of: what runs on a host goes on there.
pub(crate) type Attempts = Arc<Mutex<JoinSet<()>>>;

impl Runner {
    /// A runner that has done nothing yet.
    ///
    /// # Errors
    /// When its folder cannot be used.
    pub fn new(options: RunnerOptions) -> Result<Self, RunnerError> {
        let attempts = options.folder.join("attempts");
        make_private(&options.folder)?;
        make_private(&attempts)?;
        let (wants, asked) = mpsc::channel(WANTS);
        let equipment = Equipment {
            local: LocalHost::new(&attempts).map_err(RunnerError::Path)?,
            pool: SshPool::new(SshEnvironment::of_process(), PoolOptions::default()),
            supply: Supply::new(&options.folder.join("files"), wants),
            folder: options.folder.clone(),
            program: options.program.display().to_string(),
        };
        Ok(Self {
            options,
            equipment: Arc::new(equipment),
            board: Arc::new(Board::default()),
            wants: asked,
            attempts: Attempts::default(),
        })
    }

    /// Works until `shutdown` turns true. Attempts that are live go on on their hosts and are found again.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut failures = 0;
        while !*shutdown.borrow_and_update() {
            let connected = tokio::select! {
                connected = self.connected() => connected,
                _ = shutdown.changed() => return,
            };
            failures = if connected { 0 } else { failures + 1 };
            let pause = PAUSES.get(failures).or(PAUSES.last()).copied().unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = shutdown.changed() => return,
            }
        }
    }

    /// One connection, from its beginning to its end; whether there was one.
    async fn connected(&mut self) -> bool {
        let client = match Client::connect_unix(&self.options.socket).await {
            Ok(client) => client,
            Err(refusal) => {
                tracing::debug!(%refusal, "scheduler not reached");
                return false;
            }
        };
        let session = session::Session {
            runner: RunnerId(self.options.name.clone()),
            capacity: self.options.capacity,
            labels: self.options.labels.clone(),
            equipment: Arc::clone(&self.equipment),
            board: Arc::clone(&self.board),
            attempts: Arc::clone(&self.attempts),
        };
        match session.run(client, &mut self.wants).await {
            Ok(()) => tracing::info!(runner = %self.options.name, "the scheduler ended the stream"),
            Err(refusal) => tracing::info!(runner = %self.options.name, why = %source_chain(&refusal), "stream lost"),
        }
        true
    }
}

fn make_private(path: &Path) -> Result<(), RunnerError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| RunnerError::Folder { path: path.to_owned(), source })
}
