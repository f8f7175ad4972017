//! Shipped code does not panic on purpose, and no lint is silenced with a bare `allow`.

use super::code::{line_of, pattern};
use super::finding::Finding;
use super::tree::Tree;

/// `.expect(` only with a message: a parser may have a method of that name.
const PANICS: &str = r##"\.unwrap\(\)|\.unwrap_unchecked\(|\.expect\(\s*(?:"|r#*"|&?format!|concat!)|\b(?:todo|unimplemented|dbg|panic)!"##;

pub(super) fn panics(tree: &Tree) -> Vec<Finding> {
    let call = pattern(PANICS);
    let mut found = Vec::new();
    for file in tree.rust() {
        for hit in call.find_iter(&file.live) {
            let what = format!("`{}` outside tests", hit.as_str().split_whitespace().next().unwrap_or_default());
            found.push(Finding::new(
                &file.path,
                line_of(&file.live, hit.start()),
                what,
                "return an error that names the failed operation, or make the case impossible by its type",
            ));
        }
    }
    found
}

pub(super) fn allows(tree: &Tree) -> Vec<Finding> {
    let attribute = pattern(r"#\s*!?\s*\[\s*(?:cfg_attr\s*\([^\]]*,\s*)?allow\s*\(");
    let mut found = Vec::new();
    for file in tree.rust() {
        for hit in attribute.find_iter(&file.code) {
            found.push(Finding::new(
                &file.path,
                line_of(&file.code, hit.start()),
                "an `allow` attribute",
                "use `#[expect(lint, reason = \"...\")]`: it fails once it is no longer needed",
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn panics_outside_tests_are_found() {
        let text = "fn f() {\n    a.unwrap();\n    b.expect(\n        \"there\");\n    todo!();\n    // c.unwrap()\n    self.expect(Token::Comma);\n    d.unwrap_or(1);\n}\n#[cfg(test)]\nmod tests {\n    fn g() { a.unwrap() }\n}\n";
        let tree = Tree::sample(&[("a/src/a.rs", text), ("a/tests/a.rs", text)]);
        assert_eq!(places(&panics(&tree)), ["a/src/a.rs:2", "a/src/a.rs:3", "a/src/a.rs:5"]);
    }

    #[test]
    fn allow_attributes_are_found_in_tests_too() {
        let text = "#![allow(dead_code)]\n#[expect(dead_code, reason = \"x\")]\n// #[allow(x)]\n#[cfg_attr(test, allow(dead_code))]\nconst A: &str = \"#[allow(x)]\";\n";
        let tree = Tree::sample(&[("a/tests/a.rs", text)]);
        assert_eq!(places(&allows(&tree)), ["a/tests/a.rs:1", "a/tests/a.rs:4"]);
    }
}
