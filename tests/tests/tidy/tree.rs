//! The files of the repository, read once: those git tracks or would track, else all but build output.
//!
//! Panics when the root cannot be read at all; a file that vanishes meanwhile is left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::code;

pub(super) struct File {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    /// Empty when the file is not UTF-8.
    pub(super) text: String,
    /// For Rust: the text with comments and the inside of literals blanked, the same length.
    pub(super) code: String,
    /// `code` with test modules blanked too. All of it is blank in a file that holds only tests.
    pub(super) live: String,
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let is_rust = path.ends_with(".rs");
        let masked = if is_rust { code::mask(&text) } else { String::new() };
        let live = code::without_tests(&masked);
        Self { path: path.to_owned(), text, code: masked, live }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// The repository this test was built from.
    pub(super) fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let paths = git_files(&root).unwrap_or_else(|| walked_files(&root));
        let read = paths.into_iter().filter_map(|path| {
            let bytes = std::fs::read(root.join(&path)).ok()?;
            Some((path, String::from_utf8(bytes).unwrap_or_default()))
        });
        Self::new(read.collect())
    }

    /// A small tree in memory, for the tests of the rules.
    pub(super) fn sample(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn new(mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let mut files: Vec<File> = files.into_iter().map(|(path, text)| File::new(&path, text)).collect();
        let test_modules: Vec<String> =
            files.iter().flat_map(|file| code::test_modules(&file.path, &file.text, &file.code)).collect();
        for file in &mut files {
            let declared_as_test = test_modules
                .iter()
                .any(|module| file.path == format!("{module}.rs") || file.path.starts_with(&format!("{module}/")));
            if declared_as_test || in_test_folder(&file.path) {
                file.live = code::blank(&file.live);
            }
        }
        Self { files }
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a file or a folder with files in it is there.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub(super) fn with_suffix<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(suffix))
    }
}

fn in_test_folder(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "fuzz"))
}

/// `None` without git, or where git does not know this folder.
fn git_files(root: &Path) -> Option<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(listed.stdout).ok()?;
    let paths: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walked_files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root.join(&folder)).expect("a folder of the repository can be read");
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && !matches!(entry.file_name().to_str(), Some("target" | ".git")) {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_found_and_a_walk_sees_what_git_sees() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(Tree::load().file("Cargo.toml").is_some());
        let walked = walked_files(&root);
        assert!(walked.contains(&"tests/tests/tidy/tree.rs".to_owned()));
        assert!(!walked.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
    }

    #[test]
    fn a_module_declared_for_tests_has_no_live_code() {
        let tree = Tree::sample(&[
            ("a/src/lib.rs", "mod plan;\n#[cfg(test)]\nmod samples;\n"),
            ("a/src/samples.rs", "fn x() {}\n"),
            (
                "a/src/plan.rs",
                "fn x() {}\n#[cfg(all(unix, test))]\n#[path = \"plan_samples.rs\"]\nmod more;\n#[cfg(test)]\nmod tests;\n",
            ),
            ("a/src/plan_samples.rs", "fn x() {}\n"),
            ("a/src/plan/tests/more.rs", "fn x() {}\n"),
            ("a/tests/whole.rs", "fn x() {}\n"),
        ]);
        let live: Vec<&str> =
            tree.rust().filter(|file| file.live.contains("fn x")).map(|file| file.path.as_str()).collect();
        assert_eq!(live, ["a/src/plan.rs"]);
    }
}
