//! Files made so that a crash leaves either the old or the new one, and readable by their owner only.
//!
//! Fails as files fail; each error names the operation and the path.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{During, Result};

/// Makes a directory for its owner only; one that is there stays as it is.
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other.during("create directory", path),
    }
}

/// Makes a directory and those above it.
pub(crate) fn make_dirs(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).during("create directory", path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).during("sync directory", path)
}

/// Opens a file for reading and writing, made with mode 0600 when it is missing.
pub(crate) fn open_rw(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes a new file with mode 0600; fails when it is there.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a small file whole: temporary file beside it, sync, rename, sync of the directory.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    remove_if_there(&temporary)?;
    let mut file = create_new(&temporary).during("create", &temporary)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).during("write", &temporary)?;
    fs::rename(&temporary, path).during("rename into place", path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Removes a file that may already be gone.
pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.during("remove", path),
    }
}

/// Removes a directory with what is in it; it may already be gone.
pub(crate) fn remove_dir_if_there(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.during("remove directory", path),
    }
}

/// The size of a file, or `None` when it is not there.
pub(crate) fn size_if_there(path: &Path) -> Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(meta.len())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).during("look at", path),
    }
}

/// What is in a directory, sorted by name; empty when it is not there. Names that are not UTF-8 are not ours and are left out.
pub(crate) fn list(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).during("list", path),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.during("list", path)?;
        if let Some(name) = entry.file_name().to_str() {
            found.push((name.to_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
