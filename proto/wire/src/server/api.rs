//! The traits that a scheduler implements. A method may be written as `async fn` when what it holds across an await is `Send`.
//!
//! Every method may be called many times at once, and its future may be dropped when the caller goes away: work that must not
//! be left half done belongs in a task of its own.

use autoexec_model::api::{
    CheckReply, DaemonInfo, JobRef, JobsPage, JobsQuery, Operation, OutputPiece, OutputQuery, PlanReply, PlanRequest,
    SchemaKind, Source, StoreReply, StoreVerb, SubmitReply, SubmitRequest, TargetInfo, TargetsPage, TargetsQuery,
    ToolHelp, ToolRow, WatchUpdate,
};
use autoexec_model::grant::ToolPackage;
use autoexec_model::refusal::Refusal;
use autoexec_model::view::{Explanation, JobView};
use futures::stream::BoxStream;

use crate::session::{RunnerMessage, SchedulerMessage};

/// What a stream yields until it ends; an `Err` is its last item.
///
/// It is polled only as fast as the reader reads, so it must be bounded behind, and it is dropped when the reader goes away.
pub type Replies<T> = BoxStream<'static, Result<T, Refusal>>;

/// Jobs, for clients.
pub trait JobsApi: Send + Sync + 'static {
    /// Says everything that a job would do.
    fn plan(&self, request: PlanRequest) -> impl Future<Output = Result<PlanReply, Refusal>> + Send;

    /// Runs a job; answers once it is durable.
    fn submit(&self, request: SubmitRequest) -> impl Future<Output = Result<SubmitReply, Refusal>> + Send;

    /// A page of jobs, newest first. A `limit` of 0 means that the scheduler chooses.
    fn jobs(&self, query: JobsQuery) -> impl Future<Output = Result<JobsPage, Refusal>> + Send;

    /// One job; with `clusters`, identical outputs too.
    fn show(&self, job: JobRef, clusters: bool) -> impl Future<Output = Result<JobView, Refusal>> + Send;

    /// A page of the targets of a job. A `limit` of 0 means that the scheduler chooses.
    fn targets(&self, query: TargetsQuery) -> impl Future<Output = Result<TargetsPage, Refusal>> + Send;

    /// What changes in a job after revision `since`, until it is final.
    fn watch(&self, job: u64, since: u64) -> impl Future<Output = Result<Replies<WatchUpdate>, Refusal>> + Send;

    /// Output of a job.
    fn output(&self, query: OutputQuery) -> impl Future<Output = Result<Replies<OutputPiece>, Refusal>> + Send;

    /// Why a job, or one target of it, is not finished.
    fn explain(
        &self,
        job: JobRef,
        target: Option<String>,
    ) -> impl Future<Output = Result<Vec<Explanation>, Refusal>> + Send;

    /// Acts on a job; answers with the job after it. `by` is who asks, for the record.
    fn operate(
        &self,
        job: u64,
        operation: Operation,
        by: String,
    ) -> impl Future<Output = Result<JobView, Refusal>> + Send;
}

/// The stream of a runner.
pub trait RunnersApi: Send + Sync + 'static {
    /// One connection of one runner. `messages` ends when the runner goes away; an `Err` in it is a message that cannot be read
    /// or the end of a connection that broke.
    fn session(
        &self,
        messages: Replies<RunnerMessage>,
    ) -> impl Future<Output = Result<Replies<SchedulerMessage>, Refusal>> + Send;
}

/// What there is to work with, for clients.
pub trait FleetApi: Send + Sync + 'static {
    /// The catalogue of tools, by name.
    fn tools(&self) -> impl Future<Output = Result<Vec<ToolRow>, Refusal>> + Send;

    /// One tool, explained.
    fn tool(&self, name: String) -> impl Future<Output = Result<ToolHelp, Refusal>> + Send;

    /// Whether a tool of the client can be used as it is. A tool that cannot is no refusal: see [`CheckReply::ok`].
    fn check_tool(&self, tool: ToolPackage) -> impl Future<Output = Result<CheckReply, Refusal>> + Send;

    /// The targets that a selector chooses from an inventory.
    fn list_targets(
        &self,
        inventory: Option<Source>,
        targets: Option<String>,
    ) -> impl Future<Output = Result<Vec<TargetInfo>, Refusal>> + Send;

    /// The JSON Schema of a format, as text.
    fn schema(&self, kind: SchemaKind) -> impl Future<Output = Result<String, Refusal>> + Send;
}

/// The scheduler itself, for operators.
pub trait AdminApi: Send + Sync + 'static {
    /// What it says of itself.
    fn info(&self) -> impl Future<Output = Result<DaemonInfo, Refusal>> + Send;

    /// Checks, copies, measures or shrinks the store.
    fn store(&self, verb: StoreVerb) -> impl Future<Output = Result<StoreReply, Refusal>> + Send;

    /// Begins to end; answers before it ends. With `idle_only` it refuses while a job is live.
    fn shutdown(&self, idle_only: bool) -> impl Future<Output = Result<(), Refusal>> + Send;
}
