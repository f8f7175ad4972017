//! The core and the model ask the world for nothing: no clock, files, network, randomness, async.
//!
//! Addresses are data, so `std::net::IpAddr` and its kin are fine; sockets are not.

use super::code::{line_of, pattern};
use super::finding::Finding;
use super::tree::Tree;

const FOLDERS: &[&str] = &["scheduler/core/src/", "proto/model/src/"];

const WORLD: &[&str] = &[
    r"\bstd::(?:fs|env|process|thread)\b",
    r"\bstd::\{[^}]*\b(?:fs|env|process|thread)\b",
    r"\b(?:SystemTime|Instant)\b",
    r"\b(?:TcpStream|TcpListener|UdpSocket|UnixStream|UnixListener|ToSocketAddrs)\b",
    r"\b(?:tokio|rand|getrandom|futures)::",
    r"\b(?:Timestamp|Zoned|Uuid)::(?:now|now_v7|new_v4)\b",
    r"\basync\s+(?:fn|move|\{)|\.await\b",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let world = pattern(&WORLD.join("|"));
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder))) {
        for hit in world.find_iter(&file.live) {
            let what = format!("`{}` in a pure crate", hit.as_str().lines().next().unwrap_or_default());
            found.push(Finding::new(
                &file.path,
                line_of(&file.live, hit.start()),
                what,
                "let a driver ask, and pass the answer in as an argument (`now`, an id, the text of a file)",
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
    fn questions_to_the_world_are_found() {
        let text = "use std::time::{Duration, Instant};\nuse std::{collections::BTreeMap, fs};\nuse std::net::{IpAddr, TcpStream};\nfn f() {\n    let at = Timestamp::now();\n    std::env::var(x);\n}\nasync fn g() {}\n";
        let tree = Tree::sample(&[("proto/model/src/a.rs", text), ("cli/src/a.rs", text)]);
        let expected: Vec<String> =
            [1, 2, 3, 5, 6, 8].iter().map(|line| format!("proto/model/src/a.rs:{line}")).collect();
        assert_eq!(places(&check(&tree)), expected);
    }

    #[test]
    fn data_tests_and_comments_pass() {
        let text = "use std::net::IpAddr;\nuse std::time::Duration;\n// never std::fs\nfn brand() { operand::x() }\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(check(&Tree::sample(&[("scheduler/core/src/a.rs", text)])), vec![]);
    }
}
