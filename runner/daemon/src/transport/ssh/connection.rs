//! One authenticated connection, shared by the commands that run on it and by the connections it carries as a jump host.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Disconnect};
use tokio::time::Instant;

use super::handler::{ClientHandler, Ending};
use super::resolve::ResolvedTarget;

/// A connection to a target. Clones are the same connection; it closes when the last clone and the last command are gone.
#[derive(Clone)]
pub struct SshConnection {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) label: String,
    pub(crate) handle: Handle<ClientHandler>,
    pub(crate) ending: Arc<Ending>,
    /// How long a command may take to be opened.
    pub(crate) open_timeout: Duration,
    /// Commands running and connections carried.
    busy: AtomicUsize,
    last_used: Mutex<Instant>,
    /// When a session last ended; the host needs a moment to count it out.
    last_session_end: Mutex<Option<Instant>>,
    /// The jump host must live as long as what it carries; `busy` on it is given back when this is dropped.
    _via: Option<InUse>,
}

impl std::fmt::Debug for SshConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshConnection")
            .field("target", &self.inner.label)
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}

impl SshConnection {
    pub(crate) fn new(
        target: &ResolvedTarget,
        handle: Handle<ClientHandler>,
        ending: Arc<Ending>,
        via: Option<Self>,
    ) -> Self {
        let inner = Inner {
            label: target.label.clone(),
            handle,
            ending,
            open_timeout: target.connect_timeout,
            busy: AtomicUsize::new(0),
            last_used: Mutex::new(Instant::now()),
            last_session_end: Mutex::new(None),
            _via: via.map(|via| via.in_use()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What messages call the target.
    pub fn label(&self) -> &str {
        &self.inner.label
    }

    /// Whether the connection stands, as far as is known: a host that vanished is noticed by the keepalives.
    pub fn is_alive(&self) -> bool {
        !self.inner.handle.is_closed()
    }

    /// How long nothing has run on it; `None` while something does.
    pub fn idle_for(&self) -> Option<Duration> {
        let last = *self.inner.last_used.lock().unwrap_or_else(PoisonError::into_inner);
        (self.inner.busy.load(Ordering::Acquire) == 0).then(|| last.elapsed())
    }

    /// Commands running on it and connections it carries, now.
    pub fn busy(&self) -> usize {
        self.inner.busy.load(Ordering::Acquire)
    }

    /// Says goodbye. Commands that still run end with a lost connection; on the target they may go on.
    pub async fn close(&self) {
        self.inner.ending.note("closed by us".to_owned());
        // A connection that is gone already cannot be told.
        let told = self.inner.handle.disconnect(Disconnect::ByApplication, "done", "en").await;
        tracing::trace!(target = %self.inner.label, told = told.is_ok(), "closed");
    }

    /// A channel to another host, as this connection's host sees it.
    pub(crate) async fn open_tunnel(&self, host: &str, port: u16) -> Result<Channel<Msg>, String> {
        let opened = self.inner.handle.channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0).await;
        opened.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
                "it does not allow forwarding".to_owned()
            }
            russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed) => {
                format!("it cannot connect to {host}:{port}")
            }
            russh::Error::ChannelOpenFailure(other) => other.description().to_lowercase(),
            _ => self.inner.ending.why(),
        })
    }

    /// Marks the connection as used until the mark is dropped.
    pub(crate) fn in_use(&self) -> InUse {
        self.inner.busy.fetch_add(1, Ordering::AcqRel);
        InUse(Arc::clone(&self.inner))
    }
}

impl Inner {
    /// Notes that a session has ended just now.
    pub(crate) fn session_ended(&self) {
        *self.last_session_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a session ended within this time.
    pub(crate) fn session_ended_within(&self, time: Duration) -> bool {
        self.last_session_end.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < time)
    }
}

/// Something that runs on a connection: keeps it open and not idle.
pub(crate) struct InUse(pub(crate) Arc<Inner>);

impl Drop for InUse {
    fn drop(&mut self) {
        *self.0.last_used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
