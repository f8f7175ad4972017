//! No wildcard arm in the core and the model: a new state or event must be met by the compiler.
//!
//! A match over something that is not ours (text, numbers, a foreign enum) says so beside the arm:
//! `// not our enum: <why>`, on the line itself, above it, or first in the arm's block.

use super::code::pattern;
use super::finding::Finding;
use super::tree::Tree;

const FOLDERS: &[&str] = &["scheduler/core/src/", "proto/model/src/"];
const EXCUSE: &str = "// not our enum: ";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // `_`, or a tuple of nothing but `_`, perhaps with a guard.
    let arm = pattern(r"(?:^|[{,|])\s*(?:_|\(\s*_(?:\s*,\s*_)*\s*\))\s*(?:if\b.*)?=>");
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder))) {
        let text: Vec<&str> = file.text.lines().collect();
        for (index, line) in file.live.lines().enumerate().filter(|(_, line)| arm.is_match(line)) {
            let excused = text.get(index).is_some_and(|own| own.contains(EXCUSE))
                || [index.wrapping_sub(1), index + 1]
                    .iter()
                    .filter_map(|near| text.get(*near))
                    .any(|near| near.trim_start().starts_with(EXCUSE));
            if !excused {
                let what = format!("wildcard arm `{}`", line.trim());
                found.push(Finding::new(&file.path, index + 1, what, "name every variant, with `|` if they share an arm; when it is not our enum: `// not our enum: <why>`"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        places(&check(&Tree::sample(&[("scheduler/core/src/a.rs", text), ("cli/src/a.rs", text)])))
    }

    #[test]
    fn wildcard_arms_are_found() {
        assert_eq!(found("match s {\n    A => 1,\n    _ => 2,\n}\n"), ["scheduler/core/src/a.rs:3"]);
        assert_eq!(found("match s { A => 1, _ => 2 }\n"), ["scheduler/core/src/a.rs:1"]);
        assert_eq!(
            found("match s {\n    _ if x => 1,\n\n\n    (_, _) => 2,\n}\n"),
            ["scheduler/core/src/a.rs:2", "scheduler/core/src/a.rs:5"]
        );
    }

    #[test]
    fn bound_parts_excused_arms_and_tests_pass() {
        assert_eq!(found("match s {\n    Some(_) => 1,\n    (A, _) => 2,\n    B { .. } => \"_ =>\",\n}\n"), [""; 0]);
        assert_eq!(found("match s {\n    _ => 1, // not our enum: text from a file\n}\n"), [""; 0]);
        assert_eq!(found("match s {\n    _ => {\n        // not our enum: text from a file\n    }\n}\n"), [""; 0]);
        assert_eq!(found("#[cfg(test)]\nmod tests {\n    match s {\n        _ => 1,\n    }\n}\n"), [""; 0]);
    }
}
