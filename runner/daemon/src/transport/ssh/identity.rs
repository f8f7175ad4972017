//! The keys a target's user may prove himself with: from files, through a cache.
//!
//! The cache exists because an encrypted key costs 0.1 s and more to open, and a fleet shares one: without it, 1,000 targets are
//! minutes of CPU. An entry counts as long as the file and the passphrase are the same.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::{PrivateKey, PublicKey};
use tokio::sync::Mutex;

use super::environment::SshEnvironment;
use super::error::SshError;
use super::key_file::{FileStamp, KeyMaterial, KeyProblem, inspect, load};
use super::resolve::{Identity, Origin, ResolvedTarget};
use super::secret::Secret;

/// Keys kept; a fleet has a few. When full it starts again.
const MAX_CACHED: usize = 256;

/// A proof to offer, in the order of offering.
pub(crate) enum Candidate {
    /// We hold the key.
    Key {
        /// How the key is called among what was tried.
        label: String,
        /// The key.
        key: Arc<PrivateKey>,
    },
    /// Only an agent can sign with it: the file is encrypted and there is no passphrase.
    OnlyAgent {
        /// How the key is called among what was tried.
        label: String,
        /// Its public half.
        key: PublicKey,
        /// The file, when the inventory named it and so must be usable.
        required: Option<PathBuf>,
    },
}

/// What files gave: proofs, and a line for each file that gave none.
#[derive(Default)]
pub(crate) struct Candidates {
    pub(crate) offers: Vec<Candidate>,
    pub(crate) skipped: Vec<String>,
}

struct Cached {
    stamp: FileStamp,
    passphrase: Option<Secret>,
    material: KeyMaterial,
}

/// Opened keys by path.
#[derive(Default)]
pub(crate) struct KeyCache {
    // Held while a file is opened, so that a thousand targets open it once.
    entries: Mutex<HashMap<PathBuf, Cached>>,
}

impl KeyCache {
    /// The target's candidates, in order.
    ///
    /// # Errors
    /// [`SshError::KeyFile`] for a file that the inventory names and that cannot be used.
    pub(crate) async fn candidates(
        &self,
        target: &ResolvedTarget,
        env: &SshEnvironment,
    ) -> Result<Candidates, SshError> {
        let mut found = Candidates::default();
        for identity in &target.identities {
            let label = env.shown(&identity.path);
            match self.open(&identity.path, target.passphrase.as_ref()).await {
                Ok(KeyMaterial::Open(key)) => found.offers.push(Candidate::Key { label, key }),
                Ok(KeyMaterial::Locked(key)) if target.agent_socket.is_some() => {
                    let required = (identity.origin == Origin::Inventory).then(|| identity.path.clone());
                    found.offers.push(Candidate::OnlyAgent { label, key, required });
                }
                Ok(KeyMaterial::Locked(_)) => {
                    let why = KeyProblem::Unusable("encrypted, and neither a passphrase nor an agent is there".into());
                    found.skip(target, identity, &label, &why)?;
                }
                Err(problem) => found.skip(target, identity, &label, &problem)?,
            }
        }
        Ok(found)
    }

    async fn open(&self, path: &PathBuf, passphrase: Option<&Secret>) -> Result<KeyMaterial, KeyProblem> {
        let mut entries = self.entries.lock().await;
        let stamp = inspect(path)?;
        if let Some(cached) = entries.get(path).filter(|c| c.stamp == stamp && c.passphrase.as_ref() == passphrase) {
            return Ok(cached.material.clone());
        }
        let (file, secret) = (path.clone(), passphrase.cloned());
        let opened = tokio::task::spawn_blocking(move || load(&file, secret.as_ref())).await;
        let material = opened.map_err(|e| KeyProblem::Unusable(e.to_string()))??;
        if entries.len() >= MAX_CACHED {
            entries.clear();
        }
        entries.insert(path.clone(), Cached { stamp, passphrase: passphrase.cloned(), material: material.clone() });
        Ok(material)
    }
}

impl Candidates {
    fn skip(
        &mut self,
        target: &ResolvedTarget,
        identity: &Identity,
        label: &str,
        problem: &KeyProblem,
    ) -> Result<(), SshError> {
        match (identity.origin, problem) {
            (Origin::Default, KeyProblem::Missing) => Ok(()),
            (Origin::Default, KeyProblem::Unusable(_)) | (Origin::SshConfig, _) => {
                self.skipped.push(format!("{label} ({})", problem.why()));
                Ok(())
            }
            (Origin::Inventory, _) => {
                Err(SshError::KeyFile { target: target.label.clone(), path: identity.path.clone(), why: problem.why() })
            }
        }
    }
}
