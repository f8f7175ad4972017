//! A crate or module is named for what it does: nothing is called util, common, helpers or misc.

use super::code::{line_of, pattern};
use super::finding::Finding;
use super::tree::Tree;

const EMPTY_NAMES: &[&str] = &["util", "utils", "utility", "utilities", "common", "helper", "helpers", "misc"];
const MEND: &str = "name it for what it does; if it does several things, it is several modules";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let module = pattern(r"\bmod\s+(\w+)\s*\{");
    let package = pattern(r#"(?m)^name\s*=\s*"([^"]+)""#);
    let mut found = Vec::new();
    for file in &tree.files {
        let is_manifest = file.name() == "Cargo.toml";
        if file.is_rust() && file.path.trim_end_matches(".rs").split('/').any(says_nothing) {
            found.push(Finding::new(&file.path, 1, "the path names nothing", MEND));
        }
        let (text, names) = if is_manifest { (&file.text, &package) } else { (&file.code, &module) };
        for name in
            names.captures_iter(text).filter_map(|captures| captures.get(1)).filter(|name| says_nothing(name.as_str()))
        {
            found.push(Finding::new(
                &file.path,
                line_of(text, name.start()),
                format!("`{}` names nothing", name.as_str()),
                MEND,
            ));
        }
    }
    found
}

fn says_nothing(name: &str) -> bool {
    name.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found() {
        let tree = Tree::sample(&[
            ("a/Cargo.toml", "[package]\nname = \"autoexec-common\"\n"),
            ("a/src/string_utils.rs", ""),
            ("a/src/helpers/cut.rs", ""),
            ("a/src/commonality.rs", "mod batches {}\nmod misc {}\n"),
        ]);
        assert_eq!(
            places(&check(&tree)),
            ["a/Cargo.toml:2", "a/src/commonality.rs:2", "a/src/helpers/cut.rs:1", "a/src/string_utils.rs:1"]
        );
    }
}
