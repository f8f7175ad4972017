//! The services: thin. They decode nothing and decide nothing; they ask the planner, the engine and the store.

mod admin;
mod clusters;
mod fleet;
mod jobs;
mod output;
mod plan;
mod runners;
mod watch;

use std::sync::Arc;

use autoexec_model::refusal::{Code, Refusal};
use autoexec_store::{EmbeddedReader, StoreReader};
use std::path::PathBuf;
use tokio::sync::watch as channel;

use crate::engine::Handle;
use crate::shelf::Shelf;

/// What every service works with.
pub(crate) struct Services {
    pub(crate) engine: Handle,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) state_dir: PathBuf,
    pub(crate) shutdown: channel::Sender<bool>,
    pub(crate) activity: Arc<crate::idle::Activity>,
    pub(crate) runner_streams: std::sync::atomic::AtomicU64,
}

impl Services {
    /// Reads the store on a thread of its own: the engine is not held up.
    async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn StoreReader) -> Result<T, autoexec_store::StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let dir = self.state_dir.clone();
        let result =
            tokio::task::spawn_blocking(move || EmbeddedReader::open(&dir).and_then(|reader| read(&reader))).await;
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(store_refusal(&error)),
            Err(error) => Err(Refusal::new(Code::Internal, format!("reading the store failed: {error}"))),
        }
    }
}

/// An error of the store as an answer to a client.
pub(crate) fn store_refusal(error: &autoexec_store::StoreError) -> Refusal {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Refusal::new(Code::Internal, message).hint("`autoexec store verify` checks the store")
}
