//! A small scheduler for tests: it expects the samples and answers with samples, and the stream of a runner is answered message
//! by message. It listens on a real unix socket and ends with the test.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autoexec_model::api::*;
use autoexec_model::grant::ToolPackage;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_model::view::{Explanation, JobView};
use autoexec_wire::client::Client;
use autoexec_wire::server::{AdminApi, FleetApi, JobsApi, Replies, RunnersApi, router, serve_unix};
use autoexec_wire::session::{RunnerMessage, SchedulerMessage};
use futures::StreamExt;
use tokio::net::UnixListener;
use tokio::sync::{Notify, oneshot};

use crate::samples::Samples;

/// Jobs with a meaning of their own.
pub(crate) const ENDLESS_JOB: u64 = 1;
pub(crate) const REFUSED_JOB: u64 = 2;
pub(crate) const BROKEN_JOB: u64 = 3;
pub(crate) const HUGE_JOB: u64 = 4;

/// What every test waits at most for something that happens at once.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The value that everything is compared with.
pub(crate) fn sample() -> Samples {
    Samples::new("é", 9)
}

/// The scheduler.
#[derive(Default)]
pub(crate) struct Scheduler {
    /// Pieces of the endless job that were made.
    pub(crate) made: AtomicUsize,
    /// Readers of the endless job that went away.
    pub(crate) gone: Notify,
    /// Sessions that ended because the runner's messages did.
    pub(crate) session_over: Notify,
}

/// Refuses what is not what the test sent.
fn expect<T: PartialEq + Debug>(got: &T, want: &T) -> Result<(), Refusal> {
    if got == want { Ok(()) } else { Err(Refusal::new(Code::Internal, format!("got {got:?}, expected {want:?}"))) }
}

/// Tells when the stream that holds it is dropped.
struct Leaving(Arc<Scheduler>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.gone.notify_one();
    }
}

/// The refusal of [`REFUSED_JOB`].
pub(crate) fn the_refusal() -> Refusal {
    Refusal::new(Code::Illegal, "job 2 is `succeeded`,\nand cannot be paused: «ü»")
        .hint("`autoexec show 2`")
        .hint("retry")
}

/// What the API is served by: the scheduler and a handle on it for streams that outlive the call.
struct Api(Arc<Scheduler>);

impl JobsApi for Api {
    async fn plan(&self, request: PlanRequest) -> Result<PlanReply, Refusal> {
        if request.inventory.as_ref().is_none_or(|inventory| inventory.bytes.len() < 1000) {
            expect(&request, &sample().plan_request())?;
        }
        Ok(sample().plan_reply())
    }

    async fn submit(&self, request: SubmitRequest) -> Result<SubmitReply, Refusal> {
        expect(&request, &sample().submit())?;
        Ok(sample().submit_reply())
    }

    async fn jobs(&self, query: JobsQuery) -> Result<JobsPage, Refusal> {
        expect(&query, &sample().jobs_query())?;
        Ok(JobsPage { rows: vec![sample().job_row()], more: true })
    }

    async fn show(&self, job: JobRef, clusters: bool) -> Result<JobView, Refusal> {
        match job {
            JobRef::Id(REFUSED_JOB) => Err(the_refusal()),
            JobRef::Id(HUGE_JOB) => Err(Refusal::new(Code::Invalid, "é".repeat(100_000)).hint("shorter")),
            JobRef::Id(_) | JobRef::Last | JobRef::Name(_) => {
                let clusters = if clusters { sample().job_view().clusters } else { Vec::new() };
                Ok(JobView { name: job.to_string(), clusters, ..sample().job_view() })
            }
        }
    }

    async fn targets(&self, query: TargetsQuery) -> Result<TargetsPage, Refusal> {
        if query.job == HUGE_JOB {
            let mut page = sample().targets_page();
            page.rows[0].outputs = serde_json::Value::String("x".repeat(65 * 1024 * 1024));
            return Ok(page);
        }
        expect(&query, &sample().targets_query())?;
        Ok(sample().targets_page())
    }

    async fn watch(&self, job: u64, since: u64) -> Result<Replies<WatchUpdate>, Refusal> {
        if job == REFUSED_JOB {
            return Err(the_refusal());
        }
        let mut updates =
            vec![Ok(sample().watch_update()), Ok(WatchUpdate { lines: vec![], ..sample().watch_update() })];
        updates.drain(..usize::try_from(since).unwrap());
        if job == BROKEN_JOB {
            updates.push(Err(the_refusal()));
        }
        Ok(futures::stream::iter(updates).boxed())
    }

    async fn output(&self, query: OutputQuery) -> Result<Replies<OutputPiece>, Refusal> {
        if query.job == ENDLESS_JOB {
            let leaving = Leaving(Arc::clone(&self.0));
            let pieces = futures::stream::repeat_with(move || {
                leaving.0.made.fetch_add(1, Ordering::SeqCst);
                Ok(OutputPiece { bytes: vec![b'x'; 64 * 1024], ..sample().output_piece() })
            });
            return Ok(pieces.boxed());
        }
        expect(&query, &sample().output_query())?;
        Ok(futures::stream::iter([Ok(sample().output_piece())]).boxed())
    }

    async fn explain(&self, job: JobRef, target: Option<String>) -> Result<Vec<Explanation>, Refusal> {
        expect(&(job, target), &(JobRef::Last, Some("web1".to_owned())))?;
        Ok(vec![sample().explanation(), sample().explanation()])
    }

    async fn operate(&self, job: u64, operation: Operation, by: String) -> Result<JobView, Refusal> {
        if job == REFUSED_JOB {
            return Err(the_refusal());
        }
        if !sample().operations().contains(&operation) {
            return Err(Refusal::new(Code::Internal, format!("unexpected {operation:?}")));
        }
        Ok(JobView { id: job, by, ..sample().job_view() })
    }
}

impl RunnersApi for Api {
    async fn session(&self, mut messages: Replies<RunnerMessage>) -> Result<Replies<SchedulerMessage>, Refusal> {
        let hello = match messages.next().await {
            Some(Ok(RunnerMessage::Hello(hello))) => hello,
            other => {
                return Err(Refusal::new(Code::Invalid, format!("expected a hello, got {other:?}")));
            }
        };
        expect(&hello, &sample().hello())?;
        let welcome = SchedulerMessage::Welcome {
            instance: "i".into(),
            keep: vec![],
            stop: vec![],
            heartbeat_ms: 1000,
            lease_ms: 5000,
        };
        let scheduler = Arc::clone(&self.0);
        let answers = messages.filter_map(async |message| match message {
            Ok(RunnerMessage::Heartbeat { at, .. }) => Some(Ok(SchedulerMessage::Renewed { until: at })),
            Ok(RunnerMessage::Accepted { .. }) => Some(Ok(SchedulerMessage::Grant(Box::new(sample().grant())))),
            Ok(RunnerMessage::Output { chunk, .. }) => Some(Ok(SchedulerMessage::OutputAck {
                attempt: chunk.attempt,
                stream: chunk.stream,
                offset: chunk.offset + chunk.bytes.len() as u64,
            })),
            Ok(RunnerMessage::Finished { attempt, epoch, .. }) => {
                Some(Ok(SchedulerMessage::FinishedAck { attempt, epoch }))
            }
            Ok(RunnerMessage::NeedTool { .. }) => Some(Ok(SchedulerMessage::Tool(sample().tool()))),
            Ok(RunnerMessage::Draining) => Some(Err(the_refusal())),
            Ok(_) => None,
            Err(refusal) => Some(Err(refusal)),
        });
        let over =
            futures::stream::once(async move { scheduler.session_over.notify_one() }).filter_map(async |()| None);
        Ok(futures::stream::once(async { Ok(welcome) }).chain(answers).chain(over).boxed())
    }
}

impl FleetApi for Api {
    async fn tools(&self) -> Result<Vec<ToolRow>, Refusal> {
        Ok(vec![sample().tool_row(), sample().tool_row()])
    }

    async fn tool(&self, name: String) -> Result<ToolHelp, Refusal> {
        let mut help = sample().tool_help();
        help.tool.name = name;
        Ok(help)
    }

    async fn check_tool(&self, tool: ToolPackage) -> Result<CheckReply, Refusal> {
        Ok(CheckReply { report: sample().lines(), ok: tool == sample().tool() })
    }

    async fn list_targets(
        &self,
        inventory: Option<Source>,
        targets: Option<String>,
    ) -> Result<Vec<TargetInfo>, Refusal> {
        expect(&(inventory, targets), &(Some(sample().source()), Some("@web".to_owned())))?;
        Ok(vec![sample().target_info()])
    }

    async fn schema(&self, kind: SchemaKind) -> Result<String, Refusal> {
        Ok(format!("{{\"title\":\"{}\"}}", kind.word()))
    }
}

impl AdminApi for Api {
    async fn info(&self) -> Result<DaemonInfo, Refusal> {
        Ok(sample().info())
    }

    async fn store(&self, verb: StoreVerb) -> Result<StoreReply, Refusal> {
        Ok(StoreReply { report: sample().lines(), json: serde_json::to_value(verb).unwrap(), ok: true })
    }

    async fn shutdown(&self, idle_only: bool) -> Result<(), Refusal> {
        if idle_only { Err(Refusal::new(Code::Illegal, "2 jobs are live")) } else { Ok(()) }
    }
}

/// A scheduler that listens, with what it needs to be ended.
pub(crate) struct Running {
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) socket: PathBuf,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), Refusal>>,
}

impl Running {
    /// One that listens in a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with_grace(folder, DEADLINE)
    }

    pub(crate) fn start_with_grace(folder: &Path, grace: Duration) -> Self {
        let socket = folder.join("scheduler socket %41");
        let listener = UnixListener::bind(&socket).unwrap();
        let scheduler = Arc::new(Scheduler::default());
        let api = Arc::new(Api(Arc::clone(&scheduler)));
        let routes = router(Arc::clone(&api), Arc::clone(&api), Arc::clone(&api), api);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let task = tokio::spawn(serve_unix(listener, routes, shutdown, grace));
        Self { scheduler, socket, stop, task }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect_unix(&self.socket).await.unwrap()
    }

    /// Tells it to end and waits until it has.
    pub(crate) async fn end(self) -> Result<(), Refusal> {
        self.stop.send(()).unwrap();
        let ended = tokio::time::timeout(DEADLINE, self.task).await.expect("the server ends").unwrap();
        std::fs::remove_file(&self.socket).unwrap();
        ended
    }
}
