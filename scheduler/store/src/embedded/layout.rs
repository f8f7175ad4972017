//! Where everything lies in a store's directory. Names only; touches no file.

use std::path::{Path, PathBuf};

/// The paths of one store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.root.join("store.db")
    }

    pub(crate) fn wal(&self) -> PathBuf {
        self.root.join("store.db-wal")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.root.join("secret.key")
    }

    pub(crate) fn outputs(&self) -> PathBuf {
        self.root.join("outputs")
    }

    pub(crate) fn job_outputs(&self, job: u64) -> PathBuf {
        self.outputs().join(job.to_string())
    }

    pub(crate) fn segment(&self, job: u64, segment: u32) -> PathBuf {
        self.job_outputs(job).join(format!("{segment:06}.seg"))
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.blobs().join("incoming")
    }

    /// The first two digits are a folder, so that no folder becomes huge.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        self.blobs().join(digest.get(..2).unwrap_or("00")).join(digest)
    }

    /// A path as reports show it.
    pub(crate) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

/// The number in a segment's file name.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}
