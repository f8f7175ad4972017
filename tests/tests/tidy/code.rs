//! Reads Rust as text: what is code, what is comment or literal, what is only there for tests.
//!
//! Not a parser. It knows the shapes of literals and comments, and that braces match; that is
//! enough for rules about lines. Code that macros build is not seen.

use std::ops::Range;

use regex::Regex;

/// An attribute that keeps an item out of the shipped program, and further attributes after it.
const TEST_ATTRIBUTE: &str = r"#\[cfg\((?:test|(?:any|all)\((?:[^()\]]*,\s*)?test)\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*";

pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of the rules are fixed and valid")
}

/// The line of a byte offset, counted from one.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Blanks comments and the inside of literals. Quotes, lines and offsets stay where they were.
pub(super) fn mask(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while at < out.len() {
        let end = token_end(text, at);
        if let Some(inside) = end.blank {
            blank_bytes(&mut out[inside]);
        }
        at = end.next;
    }
    String::from_utf8(out).expect("whole characters were replaced by blanks")
}

/// The same number of lines, with nothing on them.
pub(super) fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// Blanks items that are only compiled for tests. Takes masked code.
pub(super) fn without_tests(masked: &str) -> String {
    let mut out = masked.as_bytes().to_vec();
    if masked.trim_start().starts_with("#![cfg(test)]") {
        return blank(masked);
    }
    for range in test_ranges(masked) {
        blank_bytes(&mut out[range]);
    }
    String::from_utf8(out).expect("whole characters were replaced by blanks")
}

/// How many lines are not inside test items. Takes masked code.
pub(super) fn lines_without_tests(masked: &str) -> usize {
    let in_tests: usize = test_ranges(masked).into_iter().map(|range| masked[range].lines().count()).sum();
    masked.lines().count().saturating_sub(in_tests)
}

/// Paths, without `.rs`, of modules that this file declares for tests only.
///
/// Takes the text and its masked code, because a `#[path]` is a literal.
pub(super) fn test_modules(path: &str, text: &str, masked: &str) -> Vec<String> {
    let declaration = pattern(&format!(r"{TEST_ATTRIBUTE}(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;"));
    let elsewhere = pattern(r#"#\[path\s*=\s*"([^"]+)\.rs"\]"#);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let base = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    };
    let named = |found: regex::Captures<'_>| {
        let range = found.get(0)?.range();
        let module = elsewhere
            .captures(&text[range])
            .map_or_else(|| format!("{base}/{}", &found[1]), |path| format!("{folder}/{}", &path[1]));
        Some(module)
    };
    declaration.captures_iter(masked).filter_map(named).collect()
}

/// The offset after the bracket that closes the one at `open`; the end of the text if none does.
pub(super) fn closing(masked: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in masked.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    masked.len()
}

/// The first `{` or `;` from `from` on that is not inside other brackets.
pub(super) fn body_or_end(masked: &str, from: usize) -> Option<(usize, u8)> {
    let mut at = from;
    while at < masked.len() {
        match masked.as_bytes()[at] {
            byte @ (b'{' | b';') => return Some((at, byte)),
            b'(' | b'[' => at = closing(masked, at),
            _ => at += 1,
        }
    }
    None
}

fn test_ranges(masked: &str) -> Vec<Range<usize>> {
    let attribute = pattern(TEST_ATTRIBUTE);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for found in attribute.find_iter(masked) {
        if ranges.last().is_some_and(|last| found.start() < last.end) {
            continue;
        }
        let end = match body_or_end(masked, found.end()) {
            Some((at, b'{')) => closing(masked, at),
            Some((at, _)) => at + 1,
            None => masked.len(),
        };
        ranges.push(found.start()..end);
    }
    ranges
}

fn blank_bytes(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Where the next token starts, and what of this one is to be blanked.
struct TokenEnd {
    next: usize,
    blank: Option<Range<usize>>,
}

fn token_end(text: &str, at: usize) -> TokenEnd {
    let rest = &text.as_bytes()[at..];
    match rest[0] {
        b'/' if rest.starts_with(b"//") => {
            let end = at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            TokenEnd { next: end, blank: Some(at..end) }
        }
        b'/' if rest.starts_with(b"/*") => {
            let end = at + block_comment(rest);
            TokenEnd { next: end, blank: Some(at..end) }
        }
        b'"' => literal(at, 1, at + quoted(rest, b'"')),
        b'\'' => match char_literal(&text[at..]) {
            Some(length) => literal(at, 1, at + length),
            None => TokenEnd { next: at + 1, blank: None },
        },
        byte if byte.is_ascii_alphanumeric() || byte == b'_' => word(rest, at),
        _ => TokenEnd { next: at + 1, blank: None },
    }
}

fn literal(at: usize, opening: usize, end: usize) -> TokenEnd {
    let inside = (at + opening).min(end)..end.saturating_sub(opening).max(at + opening).min(end);
    TokenEnd { next: end, blank: Some(inside) }
}

/// A word; when it is the prefix of a raw string, that string too.
fn word(rest: &[u8], at: usize) -> TokenEnd {
    let length = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(rest.len());
    let hashes = rest[length..].iter().take_while(|byte| **byte == b'#').count();
    let quote = length + hashes;
    let is_raw = matches!(&rest[..length], b"r" | b"br" | b"cr") && rest.get(quote) == Some(&b'"');
    if !is_raw {
        return TokenEnd { next: at + length, blank: None };
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let inside = &rest[quote + 1..];
    let size = inside.windows(close.len()).position(|window| window == close.as_slice()).unwrap_or(inside.len());
    let start = at + quote + 1;
    TokenEnd { next: (start + size + close.len()).min(at + rest.len()), blank: Some(start..start + size) }
}

/// The length of a quoted literal with its quotes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        return Some(quoted(rest.as_bytes(), b'\''));
    }
    chars.next().filter(|(_, second)| *second == '\'').map(|(offset, _)| offset + 1)
}

/// The length of a block comment; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_nothing_moves() {
        let text = "let a = \"x{\\\"\"; // {\nlet b: &'a str = r#\"\"}\"#; /* { /* } */ */ let c = '{'; let d = '\\'';\nlet é = b\"}\";\n";
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.lines().count(), text.lines().count());
        assert!(!masked.contains('{') && !masked.contains('}'), "{masked}");
        for kept in ["let a = \"", "let b: &'a str = r#\"", "let c = '", "let d = '", "let é = b\""] {
            assert!(masked.contains(kept), "{kept} is gone from {masked}");
        }
    }

    #[test]
    fn an_unfinished_literal_or_comment_ends_with_the_file() {
        for text in ["let a = \"x", "/* x", "r#\"x", "'\\", "\"\\", "'", "\"", "//"] {
            assert_eq!(mask(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn test_items_are_cut_and_the_rest_stays() {
        let code = "use a::b;\n#[cfg(test)]\nuse c::d;\nfn live() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n    fn dead() { if x { y } }\n}\nfn after() {}\n";
        let live = without_tests(&mask(code));
        assert!(live.contains("use a::b") && live.contains("fn live") && live.contains("fn after"), "{live}");
        assert!(!live.contains("c::d") && !live.contains("dead"), "{live}");
        assert_eq!(lines_without_tests(&mask(code)), 3);
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!((line_of("a\nb", 0), line_of("a\nb", 2)), (1, 2));
    }
}
