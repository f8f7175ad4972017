//! The words of the glossary, and not their synonyms, name our types and messages.
//!
//! Only names of types are judged, and one word everywhere in code: prose may compare with other systems.

use super::code::pattern;
use super::finding::Finding;
use super::tree::Tree;

/// A word of other systems, and ours.
const SYNONYMS: &[(&str, &str)] = &[
    ("Round", "use Batch: a slice of targets that moves together"),
    ("Node", "use Target for a machine; in a tree or graph, name what the element is"),
    ("Minion", "use Runner, or Target"),
    ("Playbook", "use JobSpec for what is written, Plan for what is resolved"),
    ("Workflow", "use Job, or Plan"),
    ("Master", "use Scheduler"),
];

/// An importer speaks of what it imports.
const IMPORTERS: &str = "tools/src/import";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let declared = pattern(
        r"\b(?:struct|enum|trait|type|message)\s+(Round|Node|Minion|Playbook|Workflow|Master)(?:Id|State|Spec|Ref|Set|List)?\b",
    );
    let spoken = pattern(r"(?i)\w*playbook\w*");
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !file.path.starts_with(IMPORTERS)) {
        let text = if file.path.ends_with(".proto") { &file.text } else { &file.code };
        for (index, line) in text.lines().enumerate() {
            let hit = declared
                .captures(line)
                .map(|captures| (captures[0].to_owned(), mend(&captures[1])))
                .or_else(|| spoken.find(line).map(|hit| (hit.as_str().to_owned(), mend("Playbook"))));
            if let Some((word, mend)) = hit {
                found.push(Finding::new(&file.path, index + 1, format!("`{word}` is not a word of ours"), mend));
            }
        }
    }
    found
}

fn mend(word: &str) -> &'static str {
    SYNONYMS.iter().find(|(synonym, _)| *synonym == word).map_or("use a word of the glossary", |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn synonyms_are_found_in_code_and_protocol() {
        let tree = Tree::sample(&[
            (
                "a/src/a.rs",
                "// a playbook, a Node\nstruct Round;\nenum NodeState {}\nstruct Roundabout;\nlet my_playbook = \"playbook\";\nstruct Playbook;\n",
            ),
            ("proto/autoexec/v1/a.proto", "message Node {}\nmessage Batch {}\n"),
            ("tools/src/import/ansible.rs", "struct Playbook;\n"),
        ]);
        assert_eq!(
            places(&check(&tree)),
            ["a/src/a.rs:2", "a/src/a.rs:3", "a/src/a.rs:5", "a/src/a.rs:6", "proto/autoexec/v1/a.proto:1"]
        );
    }

    #[test]
    fn every_word_in_the_pattern_has_its_mend() {
        for (word, ours) in SYNONYMS {
            let text = format!("struct {word}Id;\n");
            let found = check(&Tree::sample(&[("a/src/a.rs", &text)]));
            assert_eq!(found.first().map(|finding| finding.mend), Some(*ours), "{word}");
        }
    }
}
