//! From a resolved target to an authenticated connection: address, TCP (or a channel of the jump host), banner, key exchange with the
//! host key, authentication. One deadline covers it all; what fails is named by its phase.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::algorithms::preferred;
use super::auth::authenticate;
use super::connection::SshConnection;
use super::environment::SshEnvironment;
use super::error::{ConnectFailure, Phase, SshError};
use super::handler::{ClientHandler, Ending, HandshakeError};
use super::host_key::HostKeyCheck;
use super::identity::KeyCache;
use super::key_file::lower;
use super::resolve::ResolvedTarget;
use super::stream::{Carrier, Seen, Watched};
use super::target::SshTarget;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
/// Unanswered signs of life before a connection is given up.
const MAX_SILENT_KEEPALIVES: usize = 3;
/// Received messages that wait for a command's consumer, at most 32 KiB each: together 1 MiB for each command.
const COMMAND_BUFFER: usize = 32;
/// The same on a jump host. What waits there is bounded by the windows of the connections inside (2 MiB for each command), so this
/// bound must never be the one that holds: it would stall every target behind the jump host for one slow consumer.
const JUMP_BUFFER: usize = 64 * 1024;
/// What a host may send of one command before it must wait for us.
const WINDOW: u32 = 2 * 1024 * 1024;

/// Makes connections. Clones share the opened keys.
#[derive(Clone)]
pub struct SshConnector {
    env: Arc<SshEnvironment>,
    keys: Arc<KeyCache>,
}

impl SshConnector {
    /// A connector for the user that `env` describes.
    pub fn new(env: SshEnvironment) -> Self {
        Self { env: Arc::new(env), keys: Arc::default() }
    }

    /// The user it works for.
    pub fn environment(&self) -> &SshEnvironment {
        &self.env
    }

    /// Connects to a target through its own jump hosts, sharing nothing. Time-out: the target's, for each hop and the target itself.
    ///
    /// # Errors
    /// Every [`SshError`] but `SessionLimit`; nothing was started on the target.
    pub async fn connect(&self, target: &SshTarget) -> Result<SshConnection, SshError> {
        self.connect_resolved(&target.resolve(&self.env)?).await
    }

    /// The same for a target that is resolved already.
    ///
    /// # Errors
    /// As [`SshConnector::connect`].
    pub fn connect_resolved<'a>(
        &'a self,
        target: &'a ResolvedTarget,
    ) -> Pin<Box<dyn Future<Output = Result<SshConnection, SshError>> + Send + 'a>> {
        Box::pin(async move {
            let via = match &target.via {
                Some(hop) => Some(self.connect_resolved(hop).await?),
                None => None,
            };
            self.connect_over(target, via).await
        })
    }

    /// Connects to a target through a connection to its jump host, or directly.
    pub(crate) async fn connect_over(
        &self,
        target: &ResolvedTarget,
        via: Option<SshConnection>,
    ) -> Result<SshConnection, SshError> {
        let candidates = self.keys.candidates(target, &self.env).await?;
        let check = Arc::new(HostKeyCheck::read(target).await?);
        let deadline = Instant::now() + target.connect_timeout;
        let carrier = match &via {
            Some(jump) => tunnel(target, jump, deadline).await?,
            None => dial(target, deadline).await?,
        };
        let ending = Arc::new(Ending::default());
        let mut handle = shake_hands(target, carrier, check, &ending, deadline).await?;
        let proved = timeout_at(deadline, authenticate(&mut handle, target, candidates, &ending)).await;
        proved.map_err(|_| timed_out(target, Phase::Authentication))??;
        tracing::debug!(target = %target.label, user = %target.user, "connected");
        Ok(SshConnection::new(target, handle, ending, via))
    }
}

fn timed_out(target: &ResolvedTarget, phase: Phase) -> SshError {
    let why = format!("no end within {} s", target.connect_timeout.as_secs_f32());
    SshError::Connect { target: target.label.clone(), failure: ConnectFailure::Timeout, phase, why }
}

async fn tunnel(
    target: &ResolvedTarget,
    jump: &SshConnection,
    deadline: Instant,
) -> Result<Box<dyn Carrier>, SshError> {
    let opened = timeout_at(deadline, jump.open_tunnel(&target.host, target.port)).await;
    let channel = opened.map_err(|_| timed_out(target, Phase::Tcp))?.map_err(|why| SshError::Connect {
        target: target.label.clone(),
        failure: ConnectFailure::Jump,
        phase: Phase::Tcp,
        why: format!("{}: {why}", jump.label()),
    })?;
    Ok(Box::new(channel.into_stream()))
}

async fn dial(target: &ResolvedTarget, deadline: Instant) -> Result<Box<dyn Carrier>, SshError> {
    let addresses = resolve_name(target, deadline).await?;
    let mut last = timed_out(target, Phase::Tcp);
    for (index, address) in addresses.iter().enumerate() {
        // What is left is shared by the addresses that are left, so that a dead first one does not take it all.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Our packets are small and each one is waited for; without this each step of the handshake costs 40 ms.
                stream.set_nodelay(true).map_err(|e| dial_error(target, *address, &e))?;
                return Ok(Box::new(stream));
            }
            Ok(Err(e)) => last = dial_error(target, *address, &e),
            Err(_) => last = timed_out(target, Phase::Tcp),
        }
    }
    Err(last)
}

async fn resolve_name(target: &ResolvedTarget, deadline: Instant) -> Result<Vec<SocketAddr>, SshError> {
    let failed = |why: String| SshError::Resolve { target: target.label.clone(), host: target.host.clone(), why };
    let looked_up = timeout_at(deadline, tokio::net::lookup_host((target.host.as_str(), target.port))).await;
    let found = looked_up.map_err(|_| failed("the name service did not answer in time".into()))?;
    let addresses: Vec<SocketAddr> = found.map_err(|e| failed(lower(&e.to_string())))?.take(MAX_ADDRESSES).collect();
    if addresses.is_empty() { Err(failed("the name has no address".into())) } else { Ok(addresses) }
}

fn dial_error(target: &ResolvedTarget, address: SocketAddr, error: &io::Error) -> SshError {
    let failure = match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFailure::Refused,
        io::ErrorKind::TimedOut => ConnectFailure::Timeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ConnectFailure::Unreachable,
        io::ErrorKind::ConnectionReset => ConnectFailure::Dropped,
        _ => ConnectFailure::Other,
    };
    let why = format!("{address}: {}", lower(&error.to_string()));
    SshError::Connect { target: target.label.clone(), failure, phase: Phase::Tcp, why }
}

async fn shake_hands(
    target: &ResolvedTarget,
    carrier: Box<dyn Carrier>,
    check: Arc<HostKeyCheck>,
    ending: &Arc<Ending>,
    deadline: Instant,
) -> Result<Handle<ClientHandler>, SshError> {
    let config = Arc::new(client_config(target, &check));
    let stream = Watched::new(carrier, Arc::clone(&ending.seen));
    let handler = ClientHandler { check, ending: Arc::clone(ending) };
    let since = Instant::now();
    // The library's future is large; most of the time it is not there.
    match timeout_at(deadline, Box::pin(client::connect_stream(config, stream, handler))).await {
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(HandshakeError::HostKey(error))) => Err(*error),
        Ok(Err(HandshakeError::Protocol(error))) => Err(handshake_error(target, &ending.seen, &error)),
        Err(_) => Err(handshake_timeout(target, &ending.seen, since.elapsed())),
    }
}

fn client_config(target: &ResolvedTarget, check: &HostKeyCheck) -> client::Config {
    client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-autoexec".into()),
        window_size: WINDOW,
        channel_buffer_size: if target.carries_tunnels { JUMP_BUFFER } else { COMMAND_BUFFER },
        preferred: preferred(&check.known_types()),
        keepalive_interval: target.keepalive,
        keepalive_max: MAX_SILENT_KEEPALIVES,
        // The stream is made here, so this is only said for completeness.
        nodelay: true,
        ..client::Config::default()
    }
}

fn handshake_timeout(target: &ResolvedTarget, seen: &Seen, waited: Duration) -> SshError {
    if seen.has_banner() {
        return timed_out(target, Phase::KeyExchange);
    }
    match said(&seen.greeting()) {
        None => SshError::Silent { target: target.label.clone(), waited },
        Some(text) => SshError::Protocol {
            target: target.label.clone(),
            phase: Phase::Banner,
            why: format!("no SSH banner in time, but {text}"),
        },
    }
}

fn handshake_error(target: &ResolvedTarget, seen: &Seen, error: &russh::Error) -> SshError {
    let label = target.label.clone();
    let is_ended = matches!(error, russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_));
    let ended = seen.broken().unwrap_or_else(|| "the host closed the connection".to_owned());
    if seen.has_banner() {
        let why = if is_ended { ended } else { lower(&error.to_string()) };
        return SshError::Protocol { target: label, phase: Phase::KeyExchange, why };
    }
    let greeting = seen.greeting();
    // What sshd says when it is full, in its own words, before it closes.
    let is_full = greeting.starts_with(b"Exceeded MaxStartups") || greeting.starts_with(b"Not allowed at this time");
    match said(&greeting) {
        None => SshError::Connect { target: label, failure: ConnectFailure::Dropped, phase: Phase::Banner, why: ended },
        Some(text) if is_full => {
            SshError::Connect { target: label, failure: ConnectFailure::Dropped, phase: Phase::Banner, why: text }
        }
        Some(text) => {
            SshError::Protocol { target: label, phase: Phase::Banner, why: format!("not an SSH server: {text}") }
        }
    }
}

/// The first line the other side sent, safe to print; `None` when it sent nothing.
fn said(greeting: &[u8]) -> Option<String> {
    let line = greeting.split(|b| *b == b'\n').next().filter(|_| !greeting.is_empty())?;
    let text: String = String::from_utf8_lossy(line).chars().take(80).flat_map(char::escape_debug).collect();
    Some(format!("it said `{text}`"))
}
