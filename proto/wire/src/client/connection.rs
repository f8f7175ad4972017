//! The connection that all requests share.

use std::io;
use std::path::Path;

use autoexec_model::refusal::Refusal;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};

use crate::limits::{CONNECT_TIMEOUT, MAX_HEADERS, MAX_LARGE_MESSAGE, MAX_REPLY};
use crate::pb::admin_client::AdminClient;
use crate::pb::fleet_client::FleetClient;
use crate::pb::jobs_client::JobsClient;
use crate::pb::runners_client::RunnersClient;
use crate::status::from_transport;

/// A connection to a scheduler.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// Connects to the unix socket of a scheduler on this host.
    ///
    /// # Errors
    /// [`Code::Unavailable`](autoexec_model::refusal::Code::Unavailable) when nobody listens there, or nobody answers in [`CONNECT_TIMEOUT`].
    pub async fn connect_unix(path: &Path) -> Result<Self, Refusal> {
        let socket = path.to_path_buf();
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
        });
        // HTTP wants an authority; the socket's path is the address.
        let channel = Endpoint::from_static("http://scheduler.invalid")
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_max_header_list_size(MAX_HEADERS)
            .connect_with_connector(connector)
            .await
            .map_err(|error| from_transport(&error, &path.display().to_string()))?;
        Ok(Self { channel })
    }

    pub(super) fn jobs_client(&self) -> JobsClient<Channel> {
        JobsClient::new(self.channel.clone()).max_decoding_message_size(MAX_REPLY)
    }

    pub(super) fn runners_client(&self) -> RunnersClient<Channel> {
        RunnersClient::new(self.channel.clone()).max_decoding_message_size(MAX_LARGE_MESSAGE)
    }

    pub(super) fn fleet_client(&self) -> FleetClient<Channel> {
        FleetClient::new(self.channel.clone()).max_decoding_message_size(MAX_REPLY)
    }

    pub(super) fn admin_client(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone()).max_decoding_message_size(MAX_REPLY)
    }
}
