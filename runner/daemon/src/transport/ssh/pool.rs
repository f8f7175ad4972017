//! Connections kept over commands, steps and phases: one for each way to reach a target.
//!
//! ```text
//!   (absent) --get--> Connecting --ok--> Ready --idle too long, or dead--> (absent)
//!                         \--error--> (absent), and everybody who waited gets the error
//! ```
//!
//! At most one handshake runs for each key, at most [`PoolOptions::handshakes`] run at all. Jump hosts are shared through the pool too.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use autoexec_process::channel::ExecChannel;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;

use super::connect::SshConnector;
use super::connection::SshConnection;
use super::environment::SshEnvironment;
use super::error::SshError;
use super::resolve::ResolvedTarget;
use super::target::SshTarget;

/// The pool's bounds.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Handshakes at once. More only queue in the CPU, here and (behind one jump host) there. Default 64.
    pub handshakes: usize,
    /// An unused connection is closed after this. Default 60 s.
    pub idle_timeout: Duration,
    /// Unused connections kept; the longest unused are closed first. Each costs a file descriptor and some 90 KiB (measured). Default 512.
    pub max_idle: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { handshakes: 64, idle_timeout: Duration::from_secs(60), max_idle: 512 }
    }
}

/// What the pool holds now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Handshakes running or waiting for their turn.
    pub connecting: usize,
    /// Connections with something running on them.
    pub busy: usize,
    /// Connections kept for later.
    pub idle: usize,
}

/// A pool of connections. Clones are the same pool; it closes its idle connections when the last clone is gone.
#[derive(Clone)]
pub struct SshPool {
    inner: Arc<Inner>,
}

type Pending = Shared<BoxFuture<'static, Result<SshConnection, SshError>>>;

enum Slot {
    Connecting(Pending),
    Ready(SshConnection),
}

struct Inner {
    connector: SshConnector,
    options: PoolOptions,
    handshakes: Semaphore,
    slots: Mutex<HashMap<PoolKey, Slot>>,
    /// Random for each pool: a key in memory must not be a hash of a password that can be guessed.
    salt: [u8; 32],
}

/// Everything that makes two connections interchangeable, digested: user, address, port, proofs, host key rule and the hops before.
type PoolKey = [u8; 32];

impl SshPool {
    /// A pool for the user that `env` describes. Must be called inside a tokio runtime: a task closes idle connections.
    pub fn new(env: SshEnvironment, options: PoolOptions) -> Self {
        let mut salt = [0; 32];
        if getrandom::fill(&mut salt).is_err() {
            // A kernel that cannot give randomness yet: the standard library's per-process seed is what is left.
            salt[..8].copy_from_slice(&RandomState::new().hash_one(0u8).to_le_bytes());
        }
        let inner = Arc::new(Inner {
            connector: SshConnector::new(env),
            handshakes: Semaphore::new(options.handshakes.clamp(1, Semaphore::MAX_PERMITS)),
            options,
            slots: Mutex::default(),
            salt,
        });
        tokio::spawn(sweep_forever(Arc::downgrade(&inner), inner.options.idle_timeout));
        Self { inner }
    }

    /// A live connection to the target: the one that is there, the one that is being made, or a new one.
    ///
    /// # Errors
    /// As [`SshConnector::connect`]. A failure is given to everybody who waited for it, and forgotten.
    pub async fn get(&self, target: &SshTarget) -> Result<SshConnection, SshError> {
        self.get_resolved(&target.resolve(self.inner.connector.environment())?).await
    }

    /// The same for a target that is resolved already.
    ///
    /// # Errors
    /// As [`SshPool::get`].
    pub async fn get_resolved(&self, target: &ResolvedTarget) -> Result<SshConnection, SshError> {
        self.pending(target).await
    }

    /// A connection that nobody else gets: for work that must go on when the shared one is stalled or full.
    ///
    /// # Errors
    /// As [`SshPool::get`].
    pub async fn dedicated(&self, target: &SshTarget) -> Result<SshConnection, SshError> {
        let target = target.resolve(self.inner.connector.environment())?;
        Inner::connect(Arc::clone(&self.inner), target).await
    }

    /// Starts `command` on the target's shared connection. When that one turns out to be dead before anything was sent, once more on
    /// a new one.
    ///
    /// # Errors
    /// As [`SshPool::get`] and [`SshConnection::exec`].
    pub async fn exec(&self, target: &SshTarget, command: &str) -> Result<ExecChannel, SshError> {
        let target = target.resolve(self.inner.connector.environment())?;
        let connection = self.get_resolved(&target).await?;
        match connection.exec(command).await {
            Err(SshError::Lost { maybe_started: false, .. }) => {
                self.inner.forget(&self.inner.key(&target), &connection);
                self.get_resolved(&target).await?.exec(command).await
            }
            result => result,
        }
    }

    /// What the pool holds now.
    pub fn stats(&self) -> PoolStats {
        let slots = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().fold(PoolStats::default(), |mut stats, slot| {
            match slot {
                Slot::Connecting(_) => stats.connecting += 1,
                Slot::Ready(connection) if connection.busy() > 0 => stats.busy += 1,
                Slot::Ready(_) => stats.idle += 1,
            }
            stats
        })
    }

    /// Closes every connection, those in use too.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner));
        for slot in slots.into_values() {
            match slot {
                Slot::Ready(connection) => connection.close().await,
                Slot::Connecting(_) => {}
            }
        }
    }

    fn pending(&self, target: &ResolvedTarget) -> Pending {
        let key = self.inner.key(target);
        let mut slots = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(&key) {
            Some(Slot::Ready(connection)) if connection.is_alive() => {
                return futures::future::ready(Ok(connection.clone())).boxed().shared();
            }
            Some(Slot::Connecting(pending)) => return pending.clone(),
            Some(Slot::Ready(_)) | None => {}
        }
        let (inner, target) = (Arc::clone(&self.inner), target.clone());
        let label = target.label.clone();
        // A task of its own: whoever asked first may give up without taking the connection from the others.
        let task = tokio::spawn(async move {
            let result = Inner::connect(Arc::clone(&inner), target).await;
            inner.settle(key, &result);
            result
        });
        let gone =
            move |e: tokio::task::JoinError| SshError::Lost { target: label, why: e.to_string(), maybe_started: false };
        let pending = async move { task.await.unwrap_or_else(|e| Err(gone(e))) }.boxed().shared();
        slots.insert(key, Slot::Connecting(pending.clone()));
        pending
    }
}

impl Inner {
    /// Connects through the pool's jump hosts. The permit is taken after the hop stands: a hop needs one itself.
    async fn connect(self: Arc<Self>, target: ResolvedTarget) -> Result<SshConnection, SshError> {
        let via = match &target.via {
            Some(hop) => Some(SshPool { inner: Arc::clone(&self) }.pending(hop).await?),
            None => None,
        };
        let lost =
            |_| SshError::Lost { target: target.label.clone(), why: "the pool is closed".into(), maybe_started: false };
        let _permit = self.handshakes.acquire().await.map_err(lost)?;
        self.connector.connect_over(&target, via).await
    }

    fn settle(&self, key: PoolKey, result: &Result<SshConnection, SshError>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(connection) => drop(slots.insert(key, Slot::Ready(connection.clone()))),
            Err(_) => drop(slots.remove(&key)),
        }
        evict(&mut slots, self.options.idle_timeout, self.options.max_idle);
    }

    /// Drops a connection that turned out to be dead, unless another one has taken its place.
    fn forget(&self, key: &PoolKey, dead: &SshConnection) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Slot::Ready(held)) = slots.get(key)
            && Arc::ptr_eq(&held.inner, &dead.inner)
        {
            slots.remove(key);
        }
    }

    fn key(&self, target: &ResolvedTarget) -> PoolKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.salt);
        let via = target.via.as_deref().map(|hop| self.key(hop));
        let secret = |secret: &Option<super::secret::Secret>| secret.as_ref().map(|s| s.expose().to_owned());
        // Debug of a tuple quotes its strings, so that no two different tuples give the same text.
        let facts = (&target.user, &target.host, target.port, &target.host_key, &target.known_as, &target.known_hosts);
        let proofs = (&target.identities, &target.agent_socket, target.agent_offers_all);
        let secrets = zeroize::Zeroizing::new(format!("{:?}", (secret(&target.passphrase), secret(&target.password))));
        hasher.update(format!("{facts:?}{proofs:?}{via:?}").as_bytes());
        hasher.update(secrets.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Drops what is dead or idle too long, then the longest idle ones above the bound. Dropping a connection closes it.
fn evict(slots: &mut HashMap<PoolKey, Slot>, idle_timeout: Duration, max_idle: usize) {
    slots.retain(|_, slot| match slot {
        Slot::Connecting(_) => true,
        Slot::Ready(connection) => {
            connection.is_alive() && connection.idle_for().is_none_or(|idle| idle < idle_timeout)
        }
    });
    let idle_of = |(key, slot): (&PoolKey, &Slot)| match slot {
        Slot::Ready(connection) => connection.idle_for().map(|idle| (idle, *key)),
        Slot::Connecting(_) => None,
    };
    let mut idle: Vec<(Duration, PoolKey)> = slots.iter().filter_map(idle_of).collect();
    if idle.len() <= max_idle {
        return;
    }
    idle.sort_unstable_by(|a, b| b.cmp(a));
    for (_, key) in idle.drain(..idle.len() - max_idle) {
        slots.remove(&key);
    }
}

async fn sweep_forever(pool: Weak<Inner>, idle_timeout: Duration) {
    // Twice in the time-out, so that a connection stays at most half of it too long; never busier than ten times a second.
    let every = (idle_timeout / 2).max(Duration::from_millis(100));
    loop {
        tokio::time::sleep(every).await;
        let Some(inner) = pool.upgrade() else { return };
        let mut slots = inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        evict(&mut slots, inner.options.idle_timeout, inner.options.max_idle);
    }
}
