//! The user's ssh-agent: which keys it holds, and signing with them.
//!
//! Can fail when the socket is gone or the agent does not answer; the caller tells so among what was tried.

use std::path::Path;

use russh::client::Handle;
use russh::keys::PublicKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use tokio::net::UnixStream;

use super::handler::ClientHandler;
use super::key_file::lower;

/// Keys taken from one agent. Servers take six tries; more only serve keys that files name.
const MAX_AGENT_KEYS: usize = 64;

/// An agent that answered.
pub(crate) struct Agent {
    pub(crate) client: AgentClient<UnixStream>,
    /// Its plain keys with their comments, in its order.
    pub(crate) keys: Vec<(PublicKey, String)>,
}

impl Agent {
    /// Connects and lists the keys. The session is bound first, so that keys with a destination constraint can be used.
    pub(crate) async fn open(socket: &Path, handle: &Handle<ClientHandler>) -> Result<Self, String> {
        let failed = |e: russh::keys::Error| lower(&e.to_string());
        let mut client = AgentClient::connect_uds(socket).await.map_err(failed)?;
        if let Some(binding) = handle.agent_session_binding() {
            // Agents that do not know this extension refuse it and go on.
            let bound = client.bind_session(binding, false).await;
            tracing::trace!(bound = bound.is_ok(), "agent session");
        }
        let identities = client.request_identities().await.map_err(failed)?;
        let plain = identities.into_iter().filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, comment } => Some((key, comment)),
            AgentIdentity::Certificate { .. } => None,
        });
        Ok(Self { client, keys: plain.take(MAX_AGENT_KEYS).collect() })
    }

    /// Whether the agent holds this key.
    pub(crate) fn holds(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|(held, _)| held.key_data() == key.key_data())
    }
}
