//! Requests about the scheduler itself.

use autoexec_model::api::{DaemonInfo, StoreReply, StoreVerb};
use autoexec_model::refusal::Refusal;

use super::call::{SMALL, STORE, call, raw};
use super::connection::Client;
use crate::convert::Encode;
use crate::pb;

impl Client {
    /// What the scheduler says of itself.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn info(&self) -> Result<DaemonInfo, Refusal> {
        let mut admin = self.admin_client();
        call(pb::InfoRequest {}, SMALL, async |message| admin.info(message).await).await
    }

    /// Checks, copies, measures or shrinks the store.
    ///
    /// # Errors
    /// The scheduler's refusal. A check that found damage is no error: see [`StoreReply::ok`].
    pub async fn store(&self, verb: StoreVerb) -> Result<StoreReply, Refusal> {
        let mut admin = self.admin_client();
        let message: pb::StoreRequest = verb.encode();
        call(message, STORE, async |message| admin.store(message).await).await
    }

    /// Ends the scheduler; with `idle_only` it refuses while a job is live.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn shutdown(&self, idle_only: bool) -> Result<(), Refusal> {
        let mut admin = self.admin_client();
        let message = pb::ShutdownRequest { idle_only };
        let _: pb::ShutdownReply = raw(message, SMALL, async |message| admin.shutdown(message).await).await?;
        Ok(())
    }
}
