//! Ceilings for files, for files of declarations, for functions and for arguments. Tests do not count.

use super::code;
use super::finding::Finding;
use super::functions::{Function, functions};
use super::tree::{File, Tree};

const FILE_LINES: usize = 600;
/// `lib.rs` and `mod.rs` hold declarations, re-exports and the head doc.
const DECLARATION_LINES: usize = 120;
const FUNCTION_LINES: usize = 80;
/// The body of a command is straight-line code from arguments to output.
const COMMAND_LINES: usize = 120;
const COMMANDS: &str = "cli/src/commands/";
const ARGUMENTS: usize = 5;

pub(super) fn files(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in live(tree) {
        let lines = code::lines_without_tests(&file.code);
        let (ceiling, mend) = match file.name() {
            "lib.rs" | "mod.rs" => (
                DECLARATION_LINES,
                "leave declarations and the head doc; move the code to files named for what they do",
            ),
            _ => (FILE_LINES, "split it by idea or by variant into files named for what they do"),
        };
        if lines > ceiling {
            found.push(Finding::new(&file.path, 1, format!("{lines} lines without tests, {ceiling} allowed"), mend));
        }
    }
    found
}

pub(super) fn function_lengths(tree: &Tree) -> Vec<Finding> {
    over_functions(tree, |file, function| {
        let ceiling = if file.path.starts_with(COMMANDS) { COMMAND_LINES } else { FUNCTION_LINES };
        (function.lines > ceiling).then(|| {
            let what = format!("fn {} has {} lines, {ceiling} allowed", function.name, function.lines);
            Finding::new(&file.path, function.line, what, "give its steps names: one function each")
        })
    })
}

pub(super) fn arguments(tree: &Tree) -> Vec<Finding> {
    over_functions(tree, |file, function| {
        (function.arguments > ARGUMENTS && !function.implements_trait).then(|| {
            let what = format!("fn {} takes {} arguments, {ARGUMENTS} allowed", function.name, function.arguments);
            Finding::new(&file.path, function.line, what, "put those that belong together into a struct with a name")
        })
    })
}

fn live(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.rust().filter(|file| !file.live.trim().is_empty())
}

fn over_functions(tree: &Tree, judge: impl Fn(&File, &Function) -> Option<Finding>) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in live(tree) {
        for function in functions(&file.live) {
            found.extend(judge(file, &function).map(|finding| finding.about(&function.name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn lines(count: usize) -> String {
        "const A: u8 = 0;\n".repeat(count)
    }

    #[test]
    fn a_file_over_its_ceiling_is_found_and_tests_do_not_count() {
        let tree = Tree::sample(&[
            ("a/src/long.rs", &lines(601)),
            ("a/src/fits.rs", &format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(600), lines(900))),
            ("a/src/mod.rs", &lines(121)),
            ("a/src/lib.rs", &lines(120)),
            ("a/tests/long.rs", &lines(900)),
        ]);
        assert_eq!(places(&files(&tree)), ["a/src/long.rs:1", "a/src/mod.rs:1"]);
    }

    #[test]
    fn a_long_function_is_found_and_commands_may_be_longer() {
        let body = |count: usize| format!("\nfn f() {{\n{}}}\n", "    g();\n".repeat(count));
        let tree = Tree::sample(&[
            ("a/src/long.rs", &body(79)),
            ("a/src/fits.rs", &body(78)),
            ("cli/src/commands/fits.rs", &body(118)),
            ("cli/src/commands/long.rs", &body(119)),
        ]);
        let found = function_lengths(&tree);
        assert_eq!(places(&found), ["a/src/long.rs:2", "cli/src/commands/long.rs:2"]);
        assert_eq!(found[0].item.as_deref(), Some("f"));
    }

    #[test]
    fn a_sixth_argument_is_found_unless_a_trait_asks_for_it() {
        let six = "fn f(a: A, b: B, c: C, d: D, e: E, f: F) {}\n";
        let tree = Tree::sample(&[
            ("a/src/six.rs", six),
            ("a/src/five.rs", "fn f(a: A, b: B, c: C, d: D, e: E) {}\n"),
            ("a/src/asked.rs", &format!("impl T for S {{\n{six}}}\n")),
        ]);
        assert_eq!(places(&arguments(&tree)), ["a/src/six.rs:1"]);
    }
}
