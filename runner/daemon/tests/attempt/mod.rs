//! Whole jobs: a real runner with a real scheduler, on targets that are this machine or simulated.
//!
//! Scheduler and runner have a thread and a runtime each, so that ending one is as abrupt as the end of a process. Every wait
//! has a deadline.

mod failing;
mod simulated;
mod survive;
mod tools;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use autoexec_model::api::{
    JobRef, JobSource, Operation, OutputQuery, ParamFile, PlanRequest, Source, SubmitRequest, SubmitWhat, TargetsQuery,
};
use autoexec_model::grant::Stream;
use autoexec_model::view::{JobView, TargetRow};
use autoexec_runner::{Runner, RunnerOptions};
use autoexec_scheduler::{SchedulerOptions, serve};
use autoexec_wire::client::Client;
use futures::StreamExt as _;
use tokio::sync::{oneshot, watch};

/// Longer than anything here takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread that works until it is told to end.
struct Worker {
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn begin<F: Future<Output = ()>>(work: impl FnOnce(watch::Sender<bool>) -> F + Send + 'static) -> Self {
        let (shutdown, _) = watch::channel(false);
        let told = shutdown.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(work(told));
            runtime.shutdown_background();
        });
        Self { shutdown, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shutdown.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of it has been printed, and the test has failed or will.
            let _ = thread.join();
        }
    }
}

/// A scheduler with one runner.
struct Lab {
    // In the order in which they are to end.
    runner: Option<Worker>,
    scheduler: Option<Worker>,
    client: Client,
    dir: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("axr").tempdir().unwrap();
        std::fs::create_dir(dir.path().join("state")).unwrap();
        let (scheduler, client) = begin_scheduler(dir.path()).await;
        let mut lab = Self { runner: None, scheduler: Some(scheduler), client, dir };
        lab.begin_runner();
        lab
    }

    fn end_scheduler(&mut self) {
        self.scheduler = None;
    }

    async fn begin_scheduler(&mut self) {
        let (scheduler, client) = begin_scheduler(self.dir.path()).await;
        self.scheduler = Some(scheduler);
        self.client = client;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn begin_runner(&mut self) {
        let options = RunnerOptions {
            name: "r1".into(),
            capacity: 100,
            labels: BTreeMap::new(),
            folder: self.path("runner"),
            socket: self.path("s"),
            program: self.path("program"),
        };
        let work = move |shutdown: watch::Sender<bool>| async move {
            Runner::new(options).unwrap().run(shutdown.subscribe()).await;
        };
        self.runner = Some(Worker::begin(work));
    }

    /// Ends the runner; what it runs goes on.
    fn end_runner(&mut self) {
        self.runner = None;
    }

    /// Submits a job on targets that are this machine: `t1` and so on.
    async fn submit(&self, job: &str, targets: u32) -> u64 {
        self.submit_as(request(job, targets)).await
    }

    async fn submit_as(&self, request: PlanRequest) -> u64 {
        let what = SubmitWhat::Plan(Box::new(request));
        let request = SubmitRequest { what, by: "ann".into(), idempotency_key: None };
        self.client.submit(request).await.unwrap_or_else(|refusal| panic!("refused: {}", refusal.message)).job.0
    }

    /// The job when it is over, which must be in this state.
    async fn end(&self, job: u64, state: &str) -> JobView {
        let mut updates = self.client.watch(job, 0).await.unwrap();
        let last = async {
            let mut last = None;
            while let Some(update) = updates.next().await {
                last = Some(update.unwrap().job);
            }
            last.unwrap()
        };
        let Ok(view) = tokio::time::timeout(PATIENCE, last).await else {
            let view = self.client.show(JobRef::Id(job), false).await.unwrap();
            panic!("job {job} does not end: {} {:?} {:?}", view.state, view.reason, self.targets(job).await);
        };
        assert_eq!(view.state, state, "{:?}; output: {}", view.failures, self.text(job, Stream::Stdout).await);
        view
    }

    /// Submits and waits for the end.
    async fn run(&self, job: &str, state: &str) -> u64 {
        let id = self.submit(job, 1).await;
        self.end(id, state).await;
        id
    }

    async fn targets(&self, job: u64) -> Vec<TargetRow> {
        self.client.targets(TargetsQuery { job, outputs: true, ..TargetsQuery::default() }).await.unwrap().rows
    }

    /// Everything on one stream of all targets, in plan order.
    async fn text(&self, job: u64, stream: Stream) -> String {
        let query = OutputQuery { job, stream: Some(stream), ..OutputQuery::default() };
        let pieces = self.client.output(query).await.unwrap();
        let bytes: Vec<u8> = pieces.map(|piece| futures::stream::iter(piece.unwrap().bytes)).flatten().collect().await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn stdout(&self, job: u64) -> String {
        self.text(job, Stream::Stdout).await
    }

    async fn stderr(&self, job: u64) -> String {
        self.text(job, Stream::Stderr).await
    }

    async fn cancel(&self, job: u64) {
        self.client.operate(job, Operation::Cancel { reason: String::new() }, "ann".into()).await.unwrap();
    }
}

/// Begins a scheduler in a folder and connects to it.
async fn begin_scheduler(dir: &Path) -> (Worker, Client) {
    let socket = dir.join("s");
    let (ready, is_ready) = oneshot::channel();
    let options = SchedulerOptions::new(dir.join("state"), socket.clone(), None);
    let scheduler = Worker::begin(move |shutdown| async move {
        serve(options, shutdown, move |_| ready.send(()).unwrap()).await.unwrap();
    });
    tokio::time::timeout(PATIENCE, is_ready).await.unwrap().unwrap();
    (scheduler, Client::connect_unix(&socket).await.unwrap())
}

/// A job file on targets `t1` and so on, which are this machine.
fn request(job: &str, targets: u32) -> PlanRequest {
    on(job, &format!("defaults: {{ transport: local }}\nhosts: [\"t[1-{targets}]\"]\n"))
}

/// A job file on an inventory.
fn on(job: &str, inventory: &str) -> PlanRequest {
    PlanRequest {
        job: JobSource::File(Source { name: "job.yaml".into(), bytes: job.into() }),
        inventory: Some(Source { name: "hosts.yaml".into(), bytes: inventory.into() }),
        targets: Some("*".into()),
        ..PlanRequest::default()
    }
}

fn param_file(param: &str, bytes: &[u8]) -> ParamFile {
    ParamFile { param: param.into(), name: format!("{param}.txt"), bytes: bytes.into() }
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn lines_of(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Whether a process is there and not a zombie.
fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(')').map(|(_, rest)| !rest.trim_start().starts_with('Z')))
        .unwrap_or(false)
}
