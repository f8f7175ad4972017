//! Why the engine ended.

use autoexec_core::apply::Illegal;
use autoexec_model::id::JobId;
use autoexec_store::StoreError;

/// Why the engine ended.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store could not keep what was decided.
    #[error("the journal could not be written; nothing that was not written has been acted on")]
    Append(#[source] StoreError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[source] StoreError),
    /// The journal contradicts itself, or a decision does not fit the state.
    #[error("a recorded fact does not fit the state")]
    Illegal(#[source] Illegal),
    /// A fact cannot be written down.
    #[error("a fact cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// A record of the journal is not one of ours.
    #[error("event {number} of {whose} cannot be read")]
    Record {
        /// Its number.
        number: u64,
        /// Of what: a job or the scheduler.
        whose: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A plan of the store is not one of ours.
    #[error("plan {digest} cannot be read")]
    Plan {
        /// Its digest.
        digest: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The jobs did not settle: a bug of ours.
    #[error("job {0} did not settle")]
    Unsettled(JobId),
}
