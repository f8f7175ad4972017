//! The generated services on top of the traits: decode, delegate, encode.

use std::sync::Arc;

use autoexec_model::refusal::Refusal;
use futures::StreamExt;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::api::{AdminApi, FleetApi, JobsApi, Replies, RunnersApi};
use crate::convert::{Decode, Encode, field, required};
use crate::field::FieldError;
use crate::pb;
use crate::pb::admin_server::Admin;
use crate::pb::fleet_server::Fleet;
use crate::pb::jobs_server::Jobs;
use crate::pb::runners_server::Runners;
use crate::status::{to_refusal, to_status};

/// A stream as the generated services want it.
type Sent<P> = BoxStream<'static, Result<P, Status>>;

/// [`JobsApi`] as a service.
pub(super) struct JobsService<T>(pub(super) Arc<T>);

/// [`RunnersApi`] as a service.
pub(super) struct RunnersService<T>(pub(super) Arc<T>);

/// [`FleetApi`] as a service.
pub(super) struct FleetService<T>(pub(super) Arc<T>);

/// [`AdminApi`] as a service.
pub(super) struct AdminService<T>(pub(super) Arc<T>);

#[tonic::async_trait]
impl<T: JobsApi> Jobs for JobsService<T> {
    type WatchStream = Sent<pb::WatchUpdate>;
    type OutputStream = Sent<pb::OutputPiece>;

    async fn plan(&self, request: Request<pb::PlanRequest>) -> Result<Response<pb::PlanReply>, Status> {
        reply(self.0.plan(read(request)?).await)
    }

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Result<Response<pb::SubmitReply>, Status> {
        reply(self.0.submit(read(request)?).await)
    }

    async fn list(&self, request: Request<pb::JobsQuery>) -> Result<Response<pb::JobsPage>, Status> {
        reply(self.0.jobs(read(request)?).await)
    }

    async fn show(&self, request: Request<pb::ShowRequest>) -> Result<Response<pb::JobView>, Status> {
        let pb::ShowRequest { job, clusters } = request.into_inner();
        reply(self.0.show(required("job", job).map_err(refused)?, clusters).await)
    }

    async fn targets(&self, request: Request<pb::TargetsQuery>) -> Result<Response<pb::TargetsPage>, Status> {
        reply(self.0.targets(read(request)?).await)
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let pb::WatchRequest { job, since } = request.into_inner();
        stream(self.0.watch(job, since).await)
    }

    async fn output(&self, request: Request<pb::OutputQuery>) -> Result<Response<Self::OutputStream>, Status> {
        stream(self.0.output(read(request)?).await)
    }

    async fn explain(&self, request: Request<pb::ExplainRequest>) -> Result<Response<pb::ExplainReply>, Status> {
        let pb::ExplainRequest { job, target } = request.into_inner();
        let explanations = self.0.explain(required("job", job).map_err(refused)?, target).await.map_err(to_status)?;
        Ok(Response::new(pb::ExplainReply { explanations: explanations.encode() }))
    }

    async fn operate(&self, request: Request<pb::OperateRequest>) -> Result<Response<pb::JobView>, Status> {
        let pb::OperateRequest { job, operation, by } = request.into_inner();
        let operation = required("operation", operation).map_err(refused)?;
        reply(self.0.operate(job, operation, by).await)
    }
}

#[tonic::async_trait]
impl<T: RunnersApi> Runners for RunnersService<T> {
    type SessionStream = Sent<pb::SchedulerMessage>;

    async fn session(
        &self,
        request: Request<Streaming<pb::RunnerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let messages = request.into_inner().map(|item| match item {
            Ok(message) => message.decode().map_err(Refusal::from),
            Err(status) => Err(to_refusal(&status)),
        });
        stream(self.0.session(messages.boxed()).await)
    }
}

#[tonic::async_trait]
impl<T: FleetApi> Fleet for FleetService<T> {
    async fn list_tools(&self, _: Request<pb::ListToolsRequest>) -> Result<Response<pb::ListToolsReply>, Status> {
        let tools = self.0.tools().await.map_err(to_status)?;
        Ok(Response::new(pb::ListToolsReply { tools: tools.encode() }))
    }

    async fn show_tool(&self, request: Request<pb::ShowToolRequest>) -> Result<Response<pb::ToolHelp>, Status> {
        reply(self.0.tool(request.into_inner().name).await)
    }

    async fn check_tool(&self, request: Request<pb::ToolPackage>) -> Result<Response<pb::CheckReply>, Status> {
        reply(self.0.check_tool(read(request)?).await)
    }

    async fn list_targets(
        &self,
        request: Request<pb::ListTargetsRequest>,
    ) -> Result<Response<pb::ListTargetsReply>, Status> {
        let pb::ListTargetsRequest { inventory, targets } = request.into_inner();
        let inventory = field("inventory", inventory).map_err(refused)?;
        let targets = self.0.list_targets(inventory, targets).await.map_err(to_status)?;
        Ok(Response::new(pb::ListTargetsReply { targets: targets.encode() }))
    }

    async fn schema(&self, request: Request<pb::SchemaRequest>) -> Result<Response<pb::SchemaReply>, Status> {
        let kind = field("kind", request.into_inner().kind).map_err(refused)?;
        let json = self.0.schema(kind).await.map_err(to_status)?;
        Ok(Response::new(pb::SchemaReply { json }))
    }
}

#[tonic::async_trait]
impl<T: AdminApi> Admin for AdminService<T> {
    async fn info(&self, _: Request<pb::InfoRequest>) -> Result<Response<pb::DaemonInfo>, Status> {
        reply(self.0.info().await)
    }

    async fn store(&self, request: Request<pb::StoreRequest>) -> Result<Response<pb::StoreReply>, Status> {
        reply(self.0.store(read(request)?).await)
    }

    async fn shutdown(&self, request: Request<pb::ShutdownRequest>) -> Result<Response<pb::ShutdownReply>, Status> {
        self.0.shutdown(request.into_inner().idle_only).await.map_err(to_status)?;
        Ok(Response::new(pb::ShutdownReply {}))
    }
}

/// A request as a type of the model.
fn read<P: Decode<M>, M>(request: Request<P>) -> Result<M, Status> {
    request.into_inner().decode().map_err(refused)
}

/// An answer.
fn reply<P, M: Encode<P>>(result: Result<M, Refusal>) -> Result<Response<P>, Status> {
    result.map(|model| Response::new(model.encode())).map_err(to_status)
}

/// A stream of answers.
fn stream<P: 'static, M: Encode<P> + 'static>(
    result: Result<Replies<M>, Refusal>,
) -> Result<Response<Sent<P>>, Status> {
    let replies = result.map_err(to_status)?;
    Ok(Response::new(replies.map(|item| item.map(Encode::encode).map_err(to_status)).boxed()))
}

/// A message that cannot be read.
fn refused(error: FieldError) -> Status {
    to_status(error.into())
}
