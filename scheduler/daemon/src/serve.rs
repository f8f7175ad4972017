//! Starting and ending a scheduler.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autoexec_model::refusal::Refusal;
use autoexec_store::RetainPolicy;
use autoexec_wire::server::{router, serve_unix};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};

use crate::engine::{Engine, EngineError, Handle, INBOX, Message};
use crate::grpc::Services;
use crate::idle::Activity;
use crate::shelf::{SHELF, Shelf};

/// How often the scheduler looks whether it may leave.
const IDLE_CHECK: Duration = Duration::from_secs(1);

/// How often old jobs are removed.
const RETENTION: Duration = Duration::from_secs(3_600);

/// How long open calls may go on when the scheduler ends.
const GRACE: Duration = Duration::from_secs(3);

/// How a scheduler is set up.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Folder of its store; made by the caller, for this user only.
    pub state_dir: PathBuf,
    /// The socket that it listens on, for this user only.
    pub socket: PathBuf,
    /// It leaves after so long without work and without anyone asking; none means never.
    pub idle: Option<Duration>,
    /// What old jobs are kept.
    pub retention: RetainPolicy,
}

impl SchedulerOptions {
    /// A scheduler with the usual retention.
    pub fn new(state_dir: PathBuf, socket: PathBuf, idle: Option<Duration>) -> Self {
        Self { state_dir, socket, idle, retention: RetainPolicy::default() }
    }
}

/// Why a scheduler ended, or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The engine failed.
    #[error("the scheduler stopped")]
    Engine(#[source] EngineError),
    /// The socket could not be made.
    #[error("cannot listen on {}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The server failed.
    #[error("the server failed")]
    Server(#[source] Refusal),
    /// The engine's thread could not be made, or panicked.
    #[error("the engine's thread {0}")]
    Thread(&'static str),
}

/// Runs a scheduler until `shutdown` turns true, it has been idle for long enough, or it fails.
///
/// `ready` is called once it listens, with what it repaired when it opened its store.
///
/// # Errors
/// Why it could not begin or go on. Nothing that was acknowledged is lost in any case.
pub async fn serve(
    options: SchedulerOptions,
    shutdown: watch::Sender<bool>,
    ready: impl FnOnce(&[String]),
) -> Result<(), ServeError> {
    let (changes, changed) = watch::channel(0);
    let dir = options.state_dir.clone();
    let engine = tokio::task::spawn_blocking(move || Engine::open(&dir, changes))
        .await
        .map_err(|_| ServeError::Thread("panicked"))?
        .map_err(ServeError::Engine)?;
    let recovery = engine.recovery.clone();
    let (inbox, messages) = mpsc::channel(INBOX);
    let handle = Handle::new(inbox, changed);
    let runtime = tokio::runtime::Handle::current();
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || {
            // The receiver is gone only when the whole scheduler is.
            let _ = ended.send(engine.run(messages, &runtime));
        })
        .map_err(|_| ServeError::Thread("could not be made"))?;
    let activity = Arc::new(Activity::default());
    activity.touch();
    let services = Arc::new(Services {
        engine: handle.clone(),
        shelf: Arc::new(Shelf::open(&options.state_dir.join(SHELF))),
        state_dir: options.state_dir.clone(),
        shutdown: shutdown.clone(),
        activity: Arc::clone(&activity),
        runner_streams: 0.into(),
    });
    let listener = listen(&options)?;
    let routes = router(Arc::clone(&services), Arc::clone(&services), Arc::clone(&services), services);
    let mut stopping = shutdown.subscribe();
    let stop = async move {
        // Whoever holds the sender is gone: then there is nothing to wait for either.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    ready(&recovery);
    let server = serve_unix(listener, routes, stop, GRACE);
    tokio::pin!(server);
    let keeper = keep_house(handle.clone(), options.clone(), Arc::clone(&activity), shutdown.clone());
    let housekeeping = tokio::spawn(keeper);
    let mut end = end;
    let result = tokio::select! {
        served = &mut server => {
            // The engine may have ended already; then its own result says why.
            let _ = handle.tell(Message::Stop).await;
            let engine = (&mut end).await.map_err(|_| ServeError::Thread("panicked"))?;
            engine.map_err(ServeError::Engine)?;
            served.map_err(ServeError::Server)
        }
        engine = &mut end => engine.map_err(|_| ServeError::Thread("panicked"))?.map_err(ServeError::Engine),
    };
    housekeeping.abort();
    // The socket of a scheduler that is gone would only mislead.
    let _ = std::fs::remove_file(&options.socket);
    result
}

fn listen(options: &SchedulerOptions) -> Result<UnixListener, ServeError> {
    let failed = |source| ServeError::Socket { path: options.socket.clone(), source };
    // The store's lock is ours, so whoever made this socket is gone.
    match std::fs::remove_file(&options.socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&options.socket).map_err(failed)?;
    std::fs::set_permissions(&options.socket, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Leaves when idle, and removes old jobs.
async fn keep_house(engine: Handle, options: SchedulerOptions, activity: Arc<Activity>, shutdown: watch::Sender<bool>) {
    let mut check = tokio::time::interval(IDLE_CHECK);
    let mut retention = tokio::time::interval(RETENTION);
    loop {
        tokio::select! {
            _ = check.tick() => {
                let Some(idle) = options.idle else { continue };
                if !activity.is_idle_for(idle) {
                    continue;
                }
                let live = engine.query(|engine| engine.state.jobs.values().any(|job| !job.state.is_final())).await;
                match live {
                    Ok(true) => activity.touch(),
                    Ok(false) => {
                        tracing::info!("idle; leaving");
                        shutdown.send_replace(true);
                        return;
                    }
                    Err(_) => return,
                }
            }
            _ = retention.tick() => {
                let policy = options.retention;
                let removed = engine.query(move |engine| engine.retain(&policy)).await;
                match removed {
                    Ok(Ok(report)) if !report.jobs.is_empty() => tracing::info!(jobs = report.jobs.len(), "old jobs removed"),
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "old jobs could not be removed"),
                    Err(_) => return,
                }
            }
        }
    }
}
