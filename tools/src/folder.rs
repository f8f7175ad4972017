//! A tool as files: read from a folder of the user or from the table inside the program, and its digest.
//!
//! Reading is bounded in number, size and depth, so that a wrong path (a home folder, `/`) ends in a clear error and not in full memory.
//! Symbolic links are refused: what a tool consists of must not depend on what lies outside its folder. Names that begin
//! with a dot or end with `~` are left out, because editors and version control leave such files behind.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use autoexec_model::grant::ToolFile;
use autoexec_model::id::Digest;

/// The manifest's file name.
pub const MANIFEST: &str = "tool.yaml";

/// Bytes of one tool, all files together: a tool is a program, not a payload; payloads are `file` parameters.
pub const MAX_TOOL_BYTES: u64 = 8 * 1024 * 1024;

/// Files of one tool: more would be a source tree.
const MAX_FILES: usize = 1_000;

/// Folders below a tool's own: more would be a loop or a source tree.
const MAX_DEPTH: usize = 8;

/// The files of a tool, as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Text of the manifest.
    pub(crate) manifest: String,
    /// All other files, sorted by name.
    pub(crate) files: Vec<ToolFile>,
}

/// Why a tool's folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("cannot read {}", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no manifest.
    #[error("{} has no {MANIFEST}", .0.display())]
    NoManifest(PathBuf),
    /// The manifest is not text.
    #[error("{} is not UTF-8", .0.display())]
    ManifestNotText(PathBuf),
    /// A file name is not UTF-8.
    #[error("the name of {} is not UTF-8", .0.display())]
    NameNotText(PathBuf),
    /// A symbolic link, a pipe or a device.
    #[error("{} is neither a file nor a folder (symbolic links are not followed)", .0.display())]
    NotAFile(PathBuf),
    /// Too large.
    #[error("{} holds more than {} MiB", .0.display(), MAX_TOOL_BYTES / 1024 / 1024)]
    TooLarge(PathBuf),
    /// Too many files, or folders too deep.
    #[error("{} holds more than {MAX_FILES} files or more than {MAX_DEPTH} levels of folders", .0.display())]
    TooMany(PathBuf),
}

impl Folder {
    /// Reads the folder of one tool.
    pub(crate) fn read(path: &Path) -> Result<Self, FolderError> {
        let mut reading = Reading { root: path, left: MAX_TOOL_BYTES, files: Vec::new() };
        reading.folder(path, 0)?;
        Self::of(path, reading.files)
    }

    /// Takes the manifest out of the files of one tool.
    pub(crate) fn of(path: &Path, mut files: Vec<ToolFile>) -> Result<Self, FolderError> {
        let at = files
            .iter()
            .position(|file| file.name == MANIFEST)
            .ok_or_else(|| FolderError::NoManifest(path.to_owned()))?;
        let manifest =
            String::from_utf8(files.remove(at).bytes).map_err(|_| FolderError::ManifestNotText(path.join(MANIFEST)))?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { manifest, files })
    }

    /// The digest of the content: manifest, names, modes and bytes, in the order of the names, each with its length before it so
    /// that no two different tools are the same sequence of bytes.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(b"autoexec tool 1");
        part(self.manifest.as_bytes());
        for file in &self.files {
            part(file.name.as_bytes());
            part(&file.mode.to_le_bytes());
            part(&file.bytes);
        }
        Digest(hasher.finalize().to_hex().to_string())
    }
}

/// A folder being read, and what it may still hold.
struct Reading<'a> {
    root: &'a Path,
    left: u64,
    files: Vec<ToolFile>,
}

impl Reading<'_> {
    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), FolderError> {
        if depth > MAX_DEPTH {
            return Err(FolderError::TooMany(self.root.to_owned()));
        }
        for entry in entries(path)? {
            let name = entry.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| FolderError::NameNotText(entry.clone()))?;
            if is_left_out(name) {
                continue;
            }
            let kind =
                fs::symlink_metadata(&entry).map_err(|source| FolderError::Read { path: entry.clone(), source })?;
            if kind.is_dir() {
                self.folder(&entry, depth + 1)?;
            } else if kind.is_file() {
                self.file(&entry, kind.permissions().mode())?;
            } else {
                return Err(FolderError::NotAFile(entry));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, mode: u32) -> Result<(), FolderError> {
        let failed = |source| FolderError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(self.left + 1).read_to_end(&mut bytes).map_err(failed)?;
        self.left =
            self.left.checked_sub(bytes.len() as u64).ok_or_else(|| FolderError::TooLarge(self.root.to_owned()))?;
        if self.files.len() >= MAX_FILES {
            return Err(FolderError::TooMany(self.root.to_owned()));
        }
        let name = path.strip_prefix(self.root).ok().and_then(Path::to_str);
        let name = name.ok_or_else(|| FolderError::NameNotText(path.to_owned()))?.to_owned();
        self.files.push(ToolFile { name, mode: plain_mode(mode), bytes });
        Ok(())
    }
}

/// Executable or not is all that counts, so that the umask of whoever unpacked a tool does not change its digest.
fn plain_mode(mode: u32) -> u32 {
    if mode & 0o100 == 0 { 0o644 } else { 0o755 }
}

/// Names that are left out of a tool.
pub(crate) fn is_left_out(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~')
}

/// What lies in a folder, sorted.
pub(crate) fn entries(path: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |source| FolderError::Read { path: path.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
        // A folder with more is not a folder of tools; the bound keeps `/` and `/proc` out of memory.
        if entries.len() > 10 * MAX_FILES {
            return Err(FolderError::TooMany(path.to_owned()));
        }
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(manifest: &str, files: &[(&str, u32, &str)]) -> Folder {
        let mut all: Vec<_> = files
            .iter()
            .map(|(name, mode, text)| ToolFile {
                name: (*name).to_owned(),
                mode: *mode,
                bytes: text.as_bytes().to_vec(),
            })
            .collect();
        all.push(ToolFile { name: MANIFEST.to_owned(), mode: 0o644, bytes: manifest.as_bytes().to_vec() });
        Folder::of(Path::new("t"), all).unwrap()
    }

    #[test]
    fn the_digest_depends_on_content_names_and_modes_and_on_nothing_else() {
        let tool = folder("m", &[("a", 0o644, "1"), ("b", 0o644, "2")]);
        assert_eq!(tool.digest(), folder("m", &[("b", 0o644, "2"), ("a", 0o644, "1")]).digest(), "order of reading");
        for other in [
            folder("n", &[("a", 0o644, "1"), ("b", 0o644, "2")]),
            folder("m", &[("a", 0o755, "1"), ("b", 0o644, "2")]),
            folder("m", &[("a", 0o644, "1"), ("c", 0o644, "2")]),
            folder("m", &[("a", 0o644, "12"), ("b", 0o644, "")]),
            folder("m", &[("a", 0o644, "1")]),
        ] {
            assert_ne!(tool.digest(), other.digest(), "{other:?}");
        }
    }

    #[test]
    fn a_folder_is_read_whole_without_what_editors_leave_behind() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("tool.yaml", "m"), ("run.sh", "x"), ("run.sh~", "old"), (".git", "?")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        fs::create_dir(dir.path().join("lib")).unwrap();
        fs::write(dir.path().join("lib/part.sh"), "y").unwrap();
        fs::set_permissions(dir.path().join("run.sh"), fs::Permissions::from_mode(0o700)).unwrap();
        let tool = Folder::read(dir.path()).unwrap();
        let seen: Vec<_> = tool.files.iter().map(|file| (file.name.as_str(), file.mode)).collect();
        assert_eq!(seen, [("lib/part.sh", 0o644), ("run.sh", 0o755)]);
        assert_eq!(tool.manifest, "m");
    }

    #[test]
    fn links_missing_manifests_and_large_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::read(dir.path()), Err(FolderError::NoManifest(_))));
        fs::write(dir.path().join("tool.yaml"), "m").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(matches!(Folder::read(dir.path()), Err(FolderError::NotAFile(path)) if path == link));
        fs::remove_file(&link).unwrap();
        let large = File::create(dir.path().join("large")).unwrap();
        large.set_len(MAX_TOOL_BYTES + 1).unwrap();
        assert!(matches!(Folder::read(dir.path()), Err(FolderError::TooLarge(_))));
    }
}
