//! Every Rust file begins with a `//!` head doc; every shipped shell file with a comment.

use super::finding::Finding;
use super::tree::Tree;

const REMOTE_PLUGINS: &str = "plugins-remote/";

/// A shorter head says nothing about what, why or how it fails.
const SHORTEST_HEAD: usize = 20;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.rust().filter(|file| !has_head(file.text.lines(), "//!")).map(|file| {
        Finding::new(&file.path, 1, "no head doc", "begin the file with `//!`: what it is, why, and how it can fail")
    });
    let shell =
        tree.files.iter().filter(|file| file.path.starts_with(REMOTE_PLUGINS) && is_shell(&file.path, &file.text));
    let shell =
        shell.filter(|file| !has_head(file.text.lines().filter(|line| !line.starts_with("#!")), "#")).map(|file| {
            Finding::new(
                &file.path,
                1,
                "no head comment",
                "begin with `#` after the `#!` line: what it does, its parameters, how it can fail",
            )
        });
    rust.chain(shell).collect()
}

fn is_shell(path: &str, text: &str) -> bool {
    path.ends_with(".sh") || text.lines().next().is_some_and(|line| line.starts_with("#!") && line.ends_with("sh"))
}

/// Whether the first lines are a comment of this kind that says something.
fn has_head<'a>(lines: impl Iterator<Item = &'a str>, mark: &str) -> bool {
    let said: usize = lines
        .skip_while(|line| line.trim().is_empty())
        .map_while(|line| line.strip_prefix(mark))
        .map(|line| line.trim().len())
        .sum();
    said >= SHORTEST_HEAD
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn files_without_a_head_are_found() {
        let tree = Tree::sample(&[
            ("a/src/good.rs", "//! Cuts targets into batches.\n\nfn f() {}\n"),
            ("a/src/none.rs", "fn f() {}\n//! Cuts targets into batches.\n"),
            ("a/src/short.rs", "//! todo\nfn f() {}\n"),
            ("plugins-remote/good", "#!/bin/sh\n# Restarts a service and waits for it.\n"),
            ("plugins-remote/none", "#!/bin/sh\nset -eu\n"),
            ("plugins-remote/none.sh", "set -eu\n"),
            ("plugins-remote/manifest.yaml", "name: x\n"),
        ]);
        assert_eq!(
            places(&check(&tree)),
            ["a/src/none.rs:1", "a/src/short.rs:1", "plugins-remote/none:1", "plugins-remote/none.sh:1"]
        );
    }
}
