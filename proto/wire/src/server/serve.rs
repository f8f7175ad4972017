//! The routes of all services with their bounds, and a server on a unix socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use autoexec_model::refusal::{Code, Refusal};
use futures::{FutureExt, Stream};
use tokio::net::{UnixListener, UnixStream};
use tonic::service::Routes;
use tonic::transport::Server;

use super::adapters::{AdminService, FleetService, JobsService, RunnersService};
use super::api::{AdminApi, FleetApi, JobsApi, RunnersApi};
use super::sizes::TwoSizes;
use crate::limits::{MAX_LARGE_MESSAGE, MAX_MESSAGE, MAX_REPLY};
use crate::pb::admin_server::AdminServer;
use crate::pb::fleet_server::FleetServer;
use crate::pb::jobs_server::JobsServer;
use crate::pb::runners_server::RunnersServer;

/// Methods whose requests carry whole files.
const LARGE_JOBS: &[&str] = &["/autoexec.v1.Jobs/Plan", "/autoexec.v1.Jobs/Submit"];
const LARGE_FLEET: &[&str] = &["/autoexec.v1.Fleet/CheckTool", "/autoexec.v1.Fleet/ListTargets"];

/// Wait before the next try when a connection cannot be accepted: too many open files, which only time heals.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All services, each with its bounds.
pub fn router<J: JobsApi, R: RunnersApi, F: FleetApi, A: AdminApi>(
    jobs: Arc<J>,
    runners: Arc<R>,
    fleet: Arc<F>,
    admin: Arc<A>,
) -> Routes {
    let jobs = |limit| {
        JobsServer::new(JobsService(Arc::clone(&jobs)))
            .max_decoding_message_size(limit)
            .max_encoding_message_size(MAX_REPLY)
    };
    let fleet = |limit| {
        FleetServer::new(FleetService(Arc::clone(&fleet)))
            .max_decoding_message_size(limit)
            .max_encoding_message_size(MAX_REPLY)
    };
    let runners = RunnersServer::new(RunnersService(runners))
        .max_decoding_message_size(MAX_LARGE_MESSAGE)
        .max_encoding_message_size(MAX_LARGE_MESSAGE);
    let admin = AdminServer::new(AdminService(admin))
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_REPLY);
    Routes::new(TwoSizes { small: jobs(MAX_MESSAGE), large: jobs(MAX_LARGE_MESSAGE), large_methods: LARGE_JOBS })
        .add_service(TwoSizes {
            small: fleet(MAX_MESSAGE),
            large: fleet(MAX_LARGE_MESSAGE),
            large_methods: LARGE_FLEET,
        })
        .add_service(runners)
        .add_service(admin)
        .prepare()
}

/// Serves on a unix socket until `shutdown` is ready. Then it takes no new connection, gives open calls and streams at most `grace`
/// to end, and returns.
///
/// # Errors
/// [`Code::Internal`] when the server itself fails; a connection that fails ends alone.
pub async fn serve_unix(
    listener: UnixListener,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> Result<(), Refusal> {
    let shutdown = shutdown.shared();
    let overdue = {
        let shutdown = shutdown.clone();
        async move {
            shutdown.await;
            tokio::time::sleep(grace).await;
        }
    };
    let server = Server::builder().add_routes(routes).serve_with_incoming_shutdown(connections(listener), shutdown);
    tokio::select! {
        result = server => result.map_err(|error| Refusal::new(Code::Internal, format!("the server failed: {error}"))),
        () = overdue => Ok(()),
    }
}

/// Connections as they come. A connection that cannot be accepted is tried again, so the stream never ends by itself.
fn connections(listener: UnixListener) -> impl Stream<Item = Result<UnixStream, io::Error>> {
    futures::stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => return Some((Ok(connection), listener)),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    })
}
