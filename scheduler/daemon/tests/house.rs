//! A scheduler in a folder of its own, that can be ended and begun again; and the jobs that tests submit to it.
//!
//! It runs on a thread with its own runtime, so that it ends whole when it is told to. Every wait has a deadline.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use autoexec_model::api::{
    JobRef, JobSource, OutputPiece, OutputQuery, ParamFile, PlanRequest, Source, SubmitReply, SubmitRequest, SubmitWhat,
};
use autoexec_model::refusal::Refusal;
use autoexec_model::view::JobView;
use autoexec_scheduler::{SchedulerOptions, ServeError, serve};
use autoexec_wire::client::Client;
use futures::StreamExt as _;
use tokio::sync::watch;

/// Longer than anything here takes on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A scheduler.
pub(crate) struct House {
    dir: tempfile::TempDir,
    idle: Option<Duration>,
    live: Option<Live>,
}

struct Live {
    shutdown: watch::Sender<bool>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl House {
    /// A scheduler that stays until it is told to end.
    pub(crate) async fn new() -> Self {
        Self::with_idle(None).await
    }

    /// A scheduler that leaves after so long without work.
    pub(crate) async fn with_idle(idle: Option<Duration>) -> Self {
        let dir = tempfile::Builder::new().prefix("axs").tempdir().unwrap();
        let mut house = Self { dir, idle, live: None };
        house.begin().await;
        house
    }

    /// A scheduler on the folder that another one left.
    pub(crate) async fn on_copy_of(from: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("axs").tempdir().unwrap();
        std::fs::rename(from, dir.path().join("state")).unwrap();
        let mut house = Self { dir, idle: None, live: None };
        house.begin().await;
        house
    }

    async fn begin(&mut self) {
        let options = SchedulerOptions::new(self.state(), self.socket(), self.idle);
        std::fs::create_dir_all(&options.state_dir).unwrap();
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let (shutdown, _) = watch::channel(false);
        let stop = shutdown.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(serve(options, stop, move |_| {
                let _ = ready.send(());
            }))
        });
        self.live = Some(Live { shutdown, thread });
        in_time("the scheduler to listen", is_ready).await.unwrap();
    }

    /// Where its store is.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    /// A path beside its store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A connection to it.
    pub(crate) async fn client(&self) -> Client {
        Client::connect_unix(&self.socket()).await.unwrap()
    }

    /// Whether it has ended by itself, and how.
    pub(crate) async fn ends_by_itself(&mut self) -> Result<(), ServeError> {
        let live = self.live.take().unwrap();
        in_time("the scheduler to leave", tokio::task::spawn_blocking(move || live.thread.join()))
            .await
            .unwrap()
            .unwrap()
    }

    /// Whether it is there still.
    pub(crate) fn is_there(&self) -> bool {
        self.live.as_ref().is_some_and(|live| !live.thread.is_finished())
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        if let Some(live) = &self.live {
            live.shutdown.send_replace(true);
        }
        self.ends_by_itself().await.unwrap();
    }

    /// Ends it and begins it again on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.begin().await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            live.shutdown.send_replace(true);
            let ended = live.thread.join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))), "the scheduler ended badly: {ended:?}");
        }
    }
}

/// Waits for something, at most so long as a test may.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

/// A request for a job file on simulated hosts `h1`, `h2` and so on.
pub(crate) fn request(job: &str, hosts: u32) -> PlanRequest {
    let inventory = format!("defaults: {{ transport: sim }}\nhosts: [\"h[1-{hosts}]\"]\n");
    PlanRequest {
        job: JobSource::File(Source { name: "job.yaml".into(), bytes: job.into() }),
        inventory: Some(Source { name: "hosts.yaml".into(), bytes: inventory.into() }),
        targets: Some("*".into()),
        ..PlanRequest::default()
    }
}

/// The same with a file parameter.
pub(crate) fn with_file(mut request: PlanRequest, param: &str, bytes: &[u8]) -> PlanRequest {
    request.files.push(ParamFile { param: param.into(), name: format!("{param}.txt"), bytes: bytes.into() });
    request
}

/// One step on each host.
pub(crate) const ONE: &str = "name: one\nsteps:\n  - { id: first, run: echo hi }\n";

/// Submits a request.
pub(crate) async fn submit(client: &Client, request: PlanRequest) -> u64 {
    try_submit(client, request, None).await.unwrap().job.0
}

/// Submits a request with a key.
pub(crate) async fn try_submit(
    client: &Client,
    request: PlanRequest,
    key: Option<&str>,
) -> Result<SubmitReply, Refusal> {
    let what = SubmitWhat::Plan(Box::new(request));
    client.submit(SubmitRequest { what, by: "ann".into(), idempotency_key: key.map(str::to_owned) }).await
}

/// A job as it stands.
pub(crate) async fn show(client: &Client, job: u64) -> JobView {
    client.show(JobRef::Id(job), false).await.unwrap()
}

/// The job once it is in a state.
pub(crate) async fn once(client: &Client, job: u64, state: &str) -> JobView {
    let mut updates = client.watch(job, 0).await.unwrap();
    let mut last = String::new();
    let found = async {
        while let Some(update) = updates.next().await {
            let view = update.unwrap().job;
            if view.state == state {
                return Some(view);
            }
            last = view.state;
        }
        None
    };
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(Some(view)) => view,
        Ok(None) | Err(_) => panic!("job {job} did not become {state}; it is {last}"),
    }
}

/// Everything that a query yields.
pub(crate) async fn pieces(client: &Client, query: OutputQuery) -> Vec<OutputPiece> {
    let stream = client.output(query).await.unwrap();
    in_time("the end of the output", stream.map(Result::unwrap).collect::<Vec<_>>()).await
}

/// The bytes of one stream of a target, which must follow each other without gaps.
pub(crate) async fn text(client: &Client, job: u64, target: &str) -> String {
    let query = OutputQuery { job, targets: Some(target.into()), ..OutputQuery::default() };
    let mut bytes: Vec<u8> = Vec::new();
    for piece in pieces(client, query).await {
        assert_eq!(piece.target, target);
        if piece.stream == autoexec_model::grant::Stream::Stdout {
            assert_eq!(piece.offset, bytes.len() as u64, "no gap and no repetition");
            bytes.extend(piece.bytes);
        }
    }
    String::from_utf8(bytes).unwrap()
}
