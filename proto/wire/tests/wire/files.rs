//! The `.proto` files as their readers in other languages find them: short, and every name explained.

use std::path::Path;

/// The longest file that is still read in one sitting.
const MAX_LINES: usize = 250;

fn proto_files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../autoexec/v1");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push((name, std::fs::read_to_string(&path).unwrap()));
    }
    assert!(files.len() > 5, "the protocol has more files than {}", files.len());
    files
}

/// Whether a line declares something that a reader has to understand.
fn declares(line: &str) -> bool {
    let line = line.trim();
    let statement =
        line.ends_with(';') && !["syntax ", "package ", "import "].iter().any(|word| line.starts_with(word));
    let block = ["message ", "enum ", "service ", "oneof "].iter().any(|word| line.starts_with(word));
    !line.starts_with("//") && (statement || block)
}

#[test]
fn everything_declared_has_a_comment_before_it() {
    for (name, text) in proto_files() {
        assert!(text.starts_with("// "), "{name} has no head");
        let lines: Vec<&str> = text.lines().collect();
        for (index, pair) in lines.windows(2).enumerate() {
            if declares(pair[1]) {
                assert!(pair[0].trim().starts_with("// "), "{name}:{}: `{}` has no comment", index + 2, pair[1].trim());
            }
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for (name, text) in proto_files() {
        assert!(text.lines().count() <= MAX_LINES, "{name} has more than {MAX_LINES} lines");
    }
}
