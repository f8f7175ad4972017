//! Tools and files that grants name by digest: asked for once, kept, and found again after a restart.
//!
//! A tool lives in memory. A file lives below the runner's folder under its SHA-256, checked when it arrives.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autoexec_model::grant::ToolPackage;
use autoexec_model::id::Digest;
use autoexec_process::files;
use autoexec_wire::session::RunnerMessage;
use tokio::sync::{mpsc, watch};

/// Tools kept in memory; when there are more, all are let go of and asked for again. One is at most 8 MiB, most are a few KiB.
const MAX_TOOLS: usize = 512;

/// How long an attempt waits for a tool or a file before it fails to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// The largest file that is taken, in bytes: what one stream of the supervisor carries.
const MAX_FILE: usize = 64 << 20;

/// Something that a grant names could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupplyError {
    /// It did not come in time.
    #[error("{what} did not arrive from the scheduler within {} s", PATIENCE.as_secs())]
    Late {
        /// What.
        what: String,
    },
    /// It could not be kept.
    #[error("cannot keep {path}")]
    Keep {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Tools and files of one runner.
pub(crate) struct Supply {
    folder: PathBuf,
    tools: Mutex<HashMap<Digest, Arc<ToolPackage>>>,
    arriving: Mutex<HashMap<String, Vec<u8>>>,
    arrived: watch::Sender<u64>,
    /// What was asked for and did not come yet: a thousand attempts that want the same file ask once.
    asked: Mutex<HashSet<String>>,
    wants: mpsc::Sender<RunnerMessage>,
}

/// As long as one lives, its holder is the one who asked.
struct Asking<'a> {
    supply: &'a Supply,
    name: &'a str,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        lock(&self.supply.asked).remove(self.name);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Supply {
    /// Keeps files below `folder` and asks through `wants`.
    pub(crate) fn new(folder: &Path, wants: mpsc::Sender<RunnerMessage>) -> Self {
        Self {
            folder: folder.to_owned(),
            tools: Mutex::default(),
            arriving: Mutex::default(),
            arrived: watch::Sender::new(0),
            asked: Mutex::default(),
            wants,
        }
    }

    /// A tool; asks the scheduler for it when it is not here.
    pub(crate) async fn tool(&self, name: &str, digest: &Digest) -> Result<Arc<ToolPackage>, SupplyError> {
        let find = || lock(&self.tools).get(digest).cloned();
        let ask = RunnerMessage::NeedTool { digest: digest.clone() };
        self.wait_for(find, &digest.0, ask, || format!("tool `{name}`")).await
    }

    /// The path of a file; asks the scheduler for it when it is not here.
    pub(crate) async fn file(&self, name: &str, sha256: &str) -> Result<PathBuf, SupplyError> {
        let path = self.folder.join(sha256);
        let find = || path.is_file().then(|| path.clone());
        let ask = RunnerMessage::NeedFile { sha256: sha256.to_owned() };
        self.wait_for(find, sha256, ask, || format!("file `{name}`")).await
    }

    /// A tool arrived. One whose content is not what its digest says is dropped.
    pub(crate) fn take_tool(&self, package: ToolPackage) {
        if autoexec_tools::package::digest(&package) != package.digest {
            tracing::warn!(tool = %package.name, digest = %package.digest.short(), "a tool arrived that is not what was asked for");
            return;
        }
        let mut tools = lock(&self.tools);
        if tools.len() >= MAX_TOOLS {
            tools.clear();
        }
        tools.insert(package.digest.clone(), Arc::new(package));
        drop(tools);
        self.arrived.send_modify(|count| *count += 1);
    }

    /// A piece of a file arrived. A piece that does not follow, or a whole that is not what was asked for, is dropped; whoever
    /// waits for it asks again or gives up.
    pub(crate) fn take_file(&self, sha256: &str, offset: u64, bytes: &[u8], end: bool) -> Result<(), SupplyError> {
        let mut arriving = lock(&self.arriving);
        let whole = arriving.entry(sha256.to_owned()).or_default();
        if offset == 0 {
            whole.clear();
        }
        if whole.len() as u64 != offset || whole.len() + bytes.len() > MAX_FILE {
            arriving.remove(sha256);
            return Ok(());
        }
        whole.extend_from_slice(bytes);
        if !end {
            return Ok(());
        }
        let whole = arriving.remove(sha256).unwrap_or_default();
        drop(arriving);
        if files::Digest::of(&whole).to_string() != sha256 {
            tracing::warn!(%sha256, "a file arrived that is not what was asked for");
            return Ok(());
        }
        self.keep(sha256, &whole)?;
        self.arrived.send_modify(|count| *count += 1);
        Ok(())
    }

    fn keep(&self, sha256: &str, bytes: &[u8]) -> Result<(), SupplyError> {
        let path = self.folder.join(sha256);
        let keep = |source| SupplyError::Keep { path: path.display().to_string(), source };
        std::fs::create_dir_all(&self.folder).map_err(keep)?;
        let temporary = self.folder.join(format!(".{sha256}.part"));
        std::fs::write(&temporary, bytes).map_err(keep)?;
        std::fs::rename(&temporary, &path).map_err(keep)
    }

    async fn wait_for<T>(
        &self,
        find: impl Fn() -> Option<T>,
        name: &str,
        ask: RunnerMessage,
        what: impl Fn() -> String,
    ) -> Result<T, SupplyError> {
        let mut arrived = self.arrived.subscribe();
        let late = || SupplyError::Late { what: what() };
        // Asked again now and then: a connection may have broken between question and answer.
        for _ in 0..8 {
            if let Some(found) = find() {
                return Ok(found);
            }
            let asks = lock(&self.asked).insert(name.to_owned());
            let _asking = asks.then(|| Asking { supply: self, name });
            if asks {
                self.wants.send(ask.clone()).await.map_err(|_| late())?;
            }
            let patience = tokio::time::sleep(PATIENCE / 8);
            tokio::pin!(patience);
            loop {
                tokio::select! {
                    changed = arrived.changed() => {
                        if changed.is_err() {
                            return Err(late());
                        }
                        if let Some(found) = find() {
                            return Ok(found);
                        }
                    }
                    () = &mut patience => break,
                }
            }
        }
        find().ok_or_else(late)
    }
}

#[cfg(test)]
#[path = "supply_tests.rs"]
mod tests;
