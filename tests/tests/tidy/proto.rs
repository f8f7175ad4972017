//! Protocol files stay short, and each field says its unit, default and sender.

use super::code::pattern;
use super::finding::Finding;
use super::tree::{File, Tree};

const LINES: usize = 250;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_suffix(".proto").flat_map(|file| too_long(file).into_iter().chain(bare_fields(file))).collect()
}

fn too_long(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    (lines > LINES).then(|| {
        Finding::new(
            &file.path,
            1,
            format!("{lines} lines, {LINES} allowed"),
            "split it by subject: jobs, runners, agents, fleet",
        )
    })
}

/// Fields without a comment above them or on their line.
fn bare_fields(file: &File) -> Vec<Finding> {
    let field = pattern(r"^(?:repeated\s+|optional\s+)?(?:map\s*<[^>]*>|[\w.]+)\s+(\w+)\s*=\s*\d+\s*[;\[]");
    let open = pattern(r"^(message|oneof|enum|service|rpc|extend)\b[^{]*\{");
    let mut blocks: Vec<String> = Vec::new();
    let mut above = "";
    let mut found = Vec::new();
    for (index, line) in file.text.lines().map(str::trim).enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let in_message = blocks.last().is_some_and(|block| block == "message" || block == "oneof");
        let commented = line.contains("//") || above.starts_with("//") || above.ends_with("*/");
        if let Some(captures) =
            field.captures(code).filter(|captures| in_message && !commented && !captures[0].starts_with("option "))
        {
            let what = format!("field `{}` has no comment", &captures[1]);
            found.push(Finding::new(
                &file.path,
                index + 1,
                what,
                "say above it what it means: unit, default, who sends it",
            ));
        }
        for (at, brace) in code.char_indices().filter(|(_, c)| matches!(c, '{' | '}')) {
            if brace == '}' {
                blocks.pop();
            } else {
                let kind = open
                    .captures(code)
                    .filter(|captures| captures[0].len() == at + 1)
                    .map_or("", |captures| captures.get(1).map_or("", |kind| kind.as_str()));
                blocks.push(kind.to_owned());
            }
        }
        above = line;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn bare_fields_are_found_and_enum_values_are_not_fields() {
        let text = "syntax = \"proto3\";\nmessage A {\n  // Seconds.\n  uint64 wait = 1;\n  string name = 2;\n  map<string, string> labels = 3;\n  repeated B bs = 4; // All of them.\n  oneof what {\n    C c = 5;\n    // Why.\n    D d = 6 [deprecated = true];\n  }\n  enum E {\n    E_UNSPECIFIED = 0;\n  }\n  reserved 7;\n}\nmessage F {}\n";
        assert_eq!(
            places(&check(&Tree::sample(&[("proto/a.proto", text)]))),
            ["proto/a.proto:5", "proto/a.proto:6", "proto/a.proto:9"]
        );
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "\n".repeat(251);
        assert_eq!(places(&check(&Tree::sample(&[("proto/a.proto", &text)]))), ["proto/a.proto:1"]);
    }
}
