//! Requests about jobs.

use autoexec_model::api::{
    JobRef, JobsPage, JobsQuery, Operation, OutputPiece, OutputQuery, PlanReply, PlanRequest, SubmitReply,
    SubmitRequest, TargetsPage, TargetsQuery, WatchUpdate,
};
use autoexec_model::refusal::Refusal;
use autoexec_model::view::{Explanation, JobView};

use super::call::{LARGE, Replies, SMALL, begin, call, raw, replies, unreadable};
use super::connection::Client;
use crate::convert::{Decode, Encode};
use crate::pb;

impl Client {
    /// Says everything that a job would do.
    ///
    /// # Errors
    /// The scheduler's refusal; [`Code::Exhausted`](autoexec_model::refusal::Code::Exhausted) when the request is larger than [`MAX_LARGE_MESSAGE`](crate::limits::MAX_LARGE_MESSAGE).
    pub async fn plan(&self, request: PlanRequest) -> Result<PlanReply, Refusal> {
        let mut jobs = self.jobs_client();
        call(request.encode(), LARGE, async |message| jobs.plan(message).await).await
    }

    /// Runs a job; answered once it is durable.
    ///
    /// # Errors
    /// The scheduler's refusal; [`Code::Exhausted`](autoexec_model::refusal::Code::Exhausted) when the request is larger than [`MAX_LARGE_MESSAGE`](crate::limits::MAX_LARGE_MESSAGE).
    pub async fn submit(&self, request: SubmitRequest) -> Result<SubmitReply, Refusal> {
        let mut jobs = self.jobs_client();
        call(request.encode(), LARGE, async |message| jobs.submit(message).await).await
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn jobs(&self, query: JobsQuery) -> Result<JobsPage, Refusal> {
        let mut jobs = self.jobs_client();
        call(query.encode(), SMALL, async |message| jobs.list(message).await).await
    }

    /// One job; `clusters` asks for identical outputs too.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn show(&self, job: JobRef, clusters: bool) -> Result<JobView, Refusal> {
        let mut jobs = self.jobs_client();
        call(pb::ShowRequest { job: Some(job.encode()), clusters }, SMALL, async |message| jobs.show(message).await)
            .await
    }

    /// A page of the targets of a job.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn targets(&self, query: TargetsQuery) -> Result<TargetsPage, Refusal> {
        let mut jobs = self.jobs_client();
        call(query.encode(), SMALL, async |message| jobs.targets(message).await).await
    }

    /// What changes in a job after revision `since`, until it is final.
    ///
    /// # Errors
    /// The scheduler's refusal, here or as the last item.
    pub async fn watch(&self, job: u64, since: u64) -> Result<Replies<WatchUpdate>, Refusal> {
        let mut jobs = self.jobs_client();
        Ok(replies(begin(async { jobs.watch(pb::WatchRequest { job, since }).await }).await?))
    }

    /// Output of a job.
    ///
    /// # Errors
    /// The scheduler's refusal, here or as the last item.
    pub async fn output(&self, query: OutputQuery) -> Result<Replies<OutputPiece>, Refusal> {
        let message: pb::OutputQuery = query.encode();
        let mut jobs = self.jobs_client();
        Ok(replies(begin(async { jobs.output(message).await }).await?))
    }

    /// Why a job, or one target of it, is not finished.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn explain(&self, job: JobRef, target: Option<String>) -> Result<Vec<Explanation>, Refusal> {
        let message = pb::ExplainRequest { job: Some(job.encode()), target };
        let mut jobs = self.jobs_client();
        let reply: pb::ExplainReply = raw(message, SMALL, async |message| jobs.explain(message).await).await?;
        reply.explanations.decode().map_err(|error| unreadable(error.inside("explanations")))
    }

    /// Acts on a job; answered with the job after it. `by` is who asks, for the record.
    ///
    /// # Errors
    /// The scheduler's refusal; [`Code::Illegal`](autoexec_model::refusal::Code::Illegal) when the job is not in a state in which this may be done.
    pub async fn operate(&self, job: u64, operation: Operation, by: String) -> Result<JobView, Refusal> {
        let message = pb::OperateRequest { job, operation: Some(operation.encode()), by };
        let mut jobs = self.jobs_client();
        call(message, SMALL, async |message| jobs.operate(message).await).await
    }
}
