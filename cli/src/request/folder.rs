//! Folders with tools of the user, packed so that the scheduler can check and keep them.
//!
//! The same bounds and rules as the catalogue's: regular files only, hidden files and editor backups left out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use autoexec_model::grant::{ToolFile, ToolPackage};
use autoexec_model::id::Digest;

use super::source;
use crate::error::Failure;

/// The manifest's file name.
const MANIFEST: &str = "tool.yaml";

/// Bytes of one tool: a tool is a program, not a payload.
const MAX_MIB: u64 = 8;

/// Files of one tool, and tools of one folder: more would be a source tree.
const MAX_FILES: usize = 1_000;

/// Folders below a tool's own.
const MAX_DEPTH: usize = 8;

/// The tools in a folder: the folder itself when it holds a manifest, or each folder in it that does.
pub(super) fn tools(dir: &Path) -> Result<Vec<ToolPackage>, Failure> {
    if dir.join(MANIFEST).is_file() {
        return Ok(vec![tool(dir)?]);
    }
    let folders: Vec<PathBuf> = entries(dir)?.into_iter().filter(|path| path.join(MANIFEST).is_file()).collect();
    if folders.is_empty() {
        return Err(no_manifest(dir));
    }
    folders.iter().map(|folder| tool(folder)).collect()
}

/// One tool.
pub(crate) fn tool(dir: &Path) -> Result<ToolPackage, Failure> {
    let mut files = Vec::new();
    let mut left = MAX_MIB * 1024 * 1024;
    collect(dir, dir, &mut files, &mut left, 0)?;
    let at = files.iter().position(|file: &ToolFile| file.name == MANIFEST).ok_or_else(|| no_manifest(dir))?;
    let manifest = String::from_utf8(files.remove(at).bytes)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8", dir.join(MANIFEST).display()), "save it as UTF-8"))?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let digest = digest(&manifest, &files);
    Ok(ToolPackage { name: name(dir), digest, manifest, files })
}

/// A tool is called as its folder; the scheduler checks that its manifest says the same.
fn name(dir: &Path) -> String {
    let resolved = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    resolved.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<ToolFile>, left: &mut u64, depth: usize) -> Result<(), Failure> {
    let many = || {
        Failure::usage(
            format!("{} holds too many files or folders to be a tool", root.display()),
            "name the tool's own folder",
        )
    };
    if depth > MAX_DEPTH {
        return Err(many());
    }
    for path in entries(dir)? {
        let found = fs::symlink_metadata(&path).map_err(|source| Failure::Read { path: path.clone(), source })?;
        if found.is_dir() {
            collect(root, &path, files, left, depth + 1)?;
            continue;
        }
        if !found.is_file() {
            let what = format!("{} is neither a file nor a folder", path.display());
            return Err(Failure::usage(what, "put the file itself there: links are not followed"));
        }
        if files.len() >= MAX_FILES {
            return Err(many());
        }
        *left = left
            .checked_sub(found.len())
            .ok_or_else(|| Failure::TooLarge { path: root.to_owned(), limit_mib: MAX_MIB })?;
        let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        files.push(ToolFile {
            name: inside,
            mode: plain_mode(found.permissions().mode()),
            bytes: source::file(&path)?,
        });
    }
    Ok(())
}

/// Executable or not is all that counts, so that the umask of whoever unpacked a tool does not change its digest.
fn plain_mode(mode: u32) -> u32 {
    if mode & 0o100 == 0 { 0o644 } else { 0o755 }
}

/// Sorted; without what editors and version control leave behind.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |source| Failure::Read { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !name.ends_with('~') {
            paths.push(entry.path());
        }
        if paths.len() > MAX_FILES {
            return Err(Failure::usage(
                format!("{} holds too many files to be a tool", dir.display()),
                "name the tool's own folder",
            ));
        }
    }
    paths.sort();
    Ok(paths)
}

/// As the catalogue computes it: each part with its length before it. A test holds the two together.
fn digest(manifest: &str, files: &[ToolFile]) -> Digest {
    let mut bytes = Vec::new();
    let mut part = |content: &[u8]| {
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(content);
    };
    part(b"autoexec tool 1");
    part(manifest.as_bytes());
    for file in files {
        part(file.name.as_bytes());
        part(&file.mode.to_le_bytes());
        part(&file.bytes);
    }
    Digest::of(&bytes)
}

fn no_manifest(dir: &Path) -> Failure {
    Failure::usage(
        format!("{} has no {MANIFEST}", dir.display()),
        "a tool is a folder with a tool.yaml and an executable",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(root: &Path, name: &str) -> PathBuf {
        let dir = root.join(name);
        fs::create_dir_all(dir.join("lib")).expect("made");
        fs::write(dir.join(MANIFEST), format!("name: {name}\n")).expect("written");
        fs::write(dir.join("run"), "#!/bin/sh\n").expect("written");
        fs::set_permissions(dir.join("run"), fs::Permissions::from_mode(0o755)).expect("mode");
        fs::write(dir.join("lib/a.sh"), "a").expect("written");
        fs::write(dir.join(".hidden"), "no").expect("written");
        fs::write(dir.join("run~"), "no").expect("written");
        dir
    }

    #[test]
    fn a_folder_is_packed_whole() {
        let temp = tempfile::tempdir().expect("a folder");
        let tool = tool(&folder(temp.path(), "rotate")).expect("packed");
        let files: Vec<(&str, u32)> = tool.files.iter().map(|file| (file.name.as_str(), file.mode & 0o111)).collect();
        assert_eq!(files, [("lib/a.sh", 0), ("run", 0o111)]);
        assert_eq!((tool.name.as_str(), tool.manifest.as_str()), ("rotate", "name: rotate\n"));
    }

    #[test]
    fn the_digest_is_the_one_that_the_catalogue_computes() {
        let temp = tempfile::tempdir().expect("a folder");
        let tool = tool(&folder(temp.path(), "rotate")).expect("packed");
        assert_eq!(tool.digest, autoexec_tools::package::digest(&tool));
    }

    #[test]
    fn a_folder_of_tools_gives_each_of_them() {
        let temp = tempfile::tempdir().expect("a folder");
        folder(temp.path(), "b");
        folder(temp.path(), "a");
        let names: Vec<String> = tools(temp.path()).expect("packed").into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(tools(&temp.path().join("a")).expect("packed").len(), 1);
        assert!(tools(&temp.path().join("a/lib")).expect_err("none").to_string().contains("has no tool.yaml"));
    }

    #[test]
    fn links_are_refused() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = folder(temp.path(), "x");
        symlink("/etc/passwd", dir.join("link")).expect("linked");
        assert!(tool(&dir).expect_err("link").to_string().contains("neither a file nor a folder"));
    }
}
