//! Runs each rule over the repository, one test per rule, so that a failure names the rule.

use super::allow::{self, Allowed};
use super::finding::Finding;
use super::tree::Tree;
use super::{arms, docs, heads, layers, names, panics, paths, proto, purity, sizes, words};

type Check = fn(&Tree) -> Vec<Finding>;

/// The names used in `allow.txt`.
const RULES: &[(&str, Check)] = &[
    ("file-size", sizes::files),
    ("function-length", sizes::function_lengths),
    ("arguments", sizes::arguments),
    ("head-doc", heads::check),
    ("layers", layers::check),
    ("wildcard-arms", arms::check),
    ("panics", panics::panics),
    ("allow-attributes", panics::allows),
    ("names", names::check),
    ("purity", purity::check),
    ("words", words::check),
    ("links", docs::links),
    ("examples", docs::examples),
    ("decisions", docs::decisions),
    ("proto", proto::check),
    ("machine-paths", paths::check),
];

/// Fails with every place where the rule does not hold.
#[track_caller]
fn hold(rule: &str) {
    let (_, check) = RULES.iter().find(|(name, _)| *name == rule).expect("each test names a rule of the table");
    let tree = Tree::load();
    let left = allowed(&tree).apply(rule, check(&tree));
    assert!(left.is_empty(), "{}", report(rule, &left));
}

fn allowed(tree: &Tree) -> Allowed {
    Allowed::parse(tree.file(allow::PATH).map_or("", |file| file.text.as_str()))
}

fn report(rule: &str, findings: &[Finding]) -> String {
    let places: Vec<String> = findings.iter().map(ToString::to_string).collect();
    format!(
        "rule `{rule}` does not hold in {} places:\n{}\nAn exception is a line in {} with its reason.",
        places.len(),
        places.join("\n"),
        allow::PATH
    )
}

#[test]
fn files_are_short() {
    hold("file-size");
}

#[test]
fn functions_are_short() {
    hold("function-length");
}

#[test]
fn functions_take_few_arguments() {
    hold("arguments");
}

#[test]
fn files_begin_with_a_head() {
    hold("head-doc");
}

#[test]
fn crates_depend_in_one_direction() {
    hold("layers");
}

#[test]
fn core_and_model_have_no_wildcard_arms() {
    hold("wildcard-arms");
}

#[test]
fn shipped_code_does_not_panic_on_purpose() {
    hold("panics");
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    hold("allow-attributes");
}

#[test]
fn modules_are_named_for_what_they_do() {
    hold("names");
}

#[test]
fn core_and_model_are_pure() {
    hold("purity");
}

#[test]
fn types_use_the_words_of_the_glossary() {
    hold("words");
}

#[test]
fn links_resolve() {
    hold("links");
}

#[test]
fn examples_are_numbered_and_listed() {
    hold("examples");
}

#[test]
fn decisions_are_listed() {
    hold("decisions");
}

#[test]
fn protocol_fields_are_explained() {
    hold("proto");
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    hold("machine-paths");
}

#[test]
fn exceptions_are_well_formed() {
    let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
    let faults = allowed(&Tree::load()).faults(&names);
    assert!(faults.is_empty(), "{}", report("exceptions", &faults));
}

#[test]
fn every_rule_passes_on_an_empty_tree() {
    let empty = Tree::sample(&[]);
    for (name, check) in RULES {
        assert_eq!(check(&empty), vec![], "{name}");
    }
}

#[test]
fn a_report_names_place_fault_and_mend() {
    let finding = Finding::new("a/src/b.rs", 12, "601 lines without tests, 600 allowed", "split it");
    let text = report("file-size", &[finding]);
    for part in ["file-size", "a/src/b.rs:12:", "601 lines", "mend: split it", allow::PATH] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}
