//! Tools and files that plans name by digest, kept as long as a plan may name them.
//!
//! Shipped tools are in the program. Tools and files that came with a job are written below the state folder before the job
//! is accepted, so that a restart, or a newer program with other shipped tools, changes nothing for a job that runs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use autoexec_model::api::{LineKind, ReportLine};
use autoexec_model::grant::ToolPackage;
use autoexec_model::id::Digest;
use autoexec_model::plan::Plan;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_tools::Catalogue;

/// Name of its folder below that of the store.
pub(crate) const SHELF: &str = "shelf";

/// Tools and files of one scheduler.
pub(crate) struct Shelf {
    shipped: Catalogue,
    folder: PathBuf,
}

impl Shelf {
    /// The shipped tools, and what is kept below `folder`.
    pub(crate) fn open(folder: &Path) -> Self {
        Self { shipped: Catalogue::shipped(), folder: folder.to_owned() }
    }

    /// The tools that a job may use: the shipped ones and those that came with it, which win.
    ///
    /// # Errors
    /// When one that came with it cannot be used.
    pub(crate) fn catalogue(&self, brought: &[ToolPackage]) -> Result<Catalogue, Refusal> {
        let mut catalogue = self.shipped.clone();
        for package in brought {
            catalogue.bring(package).map_err(|found| {
                let text: Vec<String> = found.iter().map(ToString::to_string).collect();
                Refusal::new(Code::Invalid, format!("tool `{}` cannot be used\n{}", package.name, text.join("\n")))
            })?;
        }
        Ok(catalogue)
    }

    /// The shipped tools.
    pub(crate) fn shipped(&self) -> &Catalogue {
        &self.shipped
    }

    /// Keeps the tools of a plan, so that they are found by digest for as long as it may run.
    pub(crate) fn keep_tools(&self, plan: &Plan, catalogue: &Catalogue) -> Result<(), Refusal> {
        for (name, digest) in &plan.tools {
            let path = self.tool_path(digest);
            if path.is_file() {
                continue;
            }
            let package = catalogue.package(digest).ok_or_else(|| {
                Refusal::new(Code::Internal, format!("tool `{name}` of the plan is not in the catalogue"))
            })?;
            let bytes = serde_json::to_vec(&**package)
                .map_err(|error| Refusal::new(Code::Internal, format!("tool `{name}` cannot be encoded: {error}")))?;
            write_durably(&path, &bytes)?;
        }
        Ok(())
    }

    /// A tool by its digest.
    pub(crate) fn tool(&self, digest: &Digest) -> Result<Arc<ToolPackage>, Refusal> {
        let path = self.tool_path(digest);
        let bytes = std::fs::read(&path)
            .map_err(|error| Refusal::new(Code::NotFound, format!("tool {} is not kept: {error}", digest.short())))?;
        serde_json::from_slice(&bytes)
            .map(Arc::new)
            .map_err(|error| Refusal::new(Code::Internal, format!("{} cannot be read: {error}", path.display())))
    }

    /// Keeps a file under the SHA-256 of its content.
    pub(crate) fn keep_file(&self, sha256: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let path = self.file_path(sha256)?;
        if path.is_file() { Ok(()) } else { write_durably(&path, bytes) }
    }

    /// A file by the SHA-256 of its content.
    pub(crate) fn file(&self, sha256: &str) -> Result<Vec<u8>, Refusal> {
        let path = self.file_path(sha256)?;
        std::fs::read(&path)
            .map_err(|error| Refusal::new(Code::NotFound, format!("file {sha256} is not kept: {error}")))
    }

    /// Copies everything that is kept to another folder.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(), Refusal> {
        for kind in ["tools", "files"] {
            let from = self.folder.join(kind);
            let Ok(entries) = std::fs::read_dir(&from) else { continue };
            for entry in entries.flatten() {
                let (path, target) = (entry.path(), to.join(kind).join(entry.file_name()));
                // What is being written belongs to no job yet.
                if path.extension().is_some_and(|extension| extension == "part") {
                    continue;
                }
                let bytes = std::fs::read(&path).map_err(|error| {
                    Refusal::new(Code::Internal, format!("cannot read {}: {error}", path.display()))
                })?;
                write_durably(&target, &bytes)?;
            }
        }
        Ok(())
    }

    fn tool_path(&self, digest: &Digest) -> PathBuf {
        self.folder
            .join("tools")
            .join(format!("{}.json", digest.0.chars().filter(char::is_ascii_hexdigit).collect::<String>()))
    }

    fn file_path(&self, sha256: &str) -> Result<PathBuf, Refusal> {
        let plain = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if plain {
            Ok(self.folder.join("files").join(sha256))
        } else {
            Err(Refusal::new(Code::Invalid, "the name of a file is the SHA-256 of its content in hexadecimal"))
        }
    }
}

/// Writes a file whole or not at all, on disk before it returns.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let failed = |error: std::io::Error| {
        Refusal::new(Code::Unavailable, format!("cannot write {}: {error}", path.display())).hint("is the disk full?")
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    // A name of its own: two clients may bring the same tool at the same time.
    static PARTS: AtomicU64 = AtomicU64::new(0);
    let part = path.with_extension(format!("{}.part", PARTS.fetch_add(1, Ordering::Relaxed)));
    let mut file = std::fs::File::create(&part).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// A line of a report.
pub(crate) fn line(kind: LineKind, indent: u32, text: impl Into<String>) -> ReportLine {
    ReportLine { kind, indent, text: text.into() }
}
