//! Finds functions in masked code: their name, length and number of arguments.

use super::code::{body_or_end, closing, line_of, pattern};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Of the word `fn`, counted from one.
    pub(super) line: usize,
    /// From `fn` to the closing brace; zero without a body.
    pub(super) lines: usize,
    /// The receiver counts, as it does for clippy.
    pub(super) arguments: usize,
    /// The trait decides the signature, not this code.
    pub(super) implements_trait: bool,
}

pub(super) fn functions(masked: &str) -> Vec<Function> {
    let trait_impls = trait_impls(masked);
    let head = pattern(r"\bfn\s+(\w+)\s*([<(])");
    let mut found = Vec::new();
    for captures in head.captures_iter(masked) {
        let (Some(whole), Some(opening)) = (captures.get(0), captures.get(2)) else {
            continue;
        };
        let Some(open) = parameters(masked, opening.start()) else {
            continue;
        };
        let close = closing(masked, open);
        let start = line_of(masked, whole.start());
        let lines = match body_or_end(masked, close) {
            Some((body, b'{')) => line_of(masked, closing(masked, body) - 1) - start + 1,
            Some(_) | None => 0,
        };
        found.push(Function {
            name: captures[1].to_owned(),
            line: start,
            lines,
            arguments: count_parts(&masked[open + 1..close.saturating_sub(1).max(open + 1)]),
            implements_trait: trait_impls.iter().any(|range| range.contains(&whole.start())),
        });
    }
    found
}

fn trait_impls(masked: &str) -> Vec<std::ops::Range<usize>> {
    let head = pattern(r"(?m)^\s*(?:unsafe\s+)?impl\b[^{;]*\sfor\s[^{;]*\{");
    head.find_iter(masked).map(|found| found.start()..closing(masked, found.end() - 1)).collect()
}

/// The `(` of the parameters, past any generics.
fn parameters(masked: &str, from: usize) -> Option<usize> {
    let bytes = masked.as_bytes();
    let (mut at, mut depth) = (from, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'(' if depth == 0 => return Some(at),
            b'(' | b'[' | b'{' => {
                at = closing(masked, at);
                continue;
            }
            b'<' => depth += 1,
            b'>' if bytes[at - 1] != b'-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// How many parts commas make of it; commas inside brackets do not count, nor does one at the end.
fn count_parts(text: &str) -> usize {
    let (mut depth, mut previous) = (0_usize, b' ');
    let (mut parts, mut something) = (0, false);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'>' if previous != b'-' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts += usize::from(something);
                something = false;
            }
            _ => {}
        }
        let separates = byte == b',' && depth == 0;
        something |= !separates && !byte.is_ascii_whitespace();
        previous = byte;
    }
    parts + usize::from(something)
}

#[cfg(test)]
mod tests {
    use super::super::code::mask;
    use super::*;

    fn only(text: &str) -> Function {
        let mut found = functions(&mask(text));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn arguments_are_counted_past_generics_and_nested_commas() {
        assert_eq!(only("fn a() {}").arguments, 0);
        assert_eq!(only("fn a(&self, b: (u8, u8), c: HashMap<K, V>,) {}").arguments, 3);
        assert_eq!(
            only("fn a<F: Fn(u8, u8) -> Vec<u8>, const N: usize>(f: F, g: impl Fn(u8) -> u8) where F: X {}").arguments,
            2
        );
        assert_eq!(only("fn a(\n    b: u8, // one, two\n    c: [u8; 3],\n);").arguments, 2);
    }

    #[test]
    fn length_runs_to_the_matching_brace() {
        let function = only("\npub async fn a(b: u8)\nwhere\n    B: C,\n{\n    if x { \"}\" }\n}\nstruct S;\n");
        assert_eq!((function.line, function.lines), (2, 6));
        assert_eq!(only("trait T { fn a(&self); }").lines, 0);
    }

    #[test]
    fn methods_of_a_trait_impl_are_marked() {
        assert!(only("impl<'a> T<'a> for S {\n    fn a(&self) {}\n}\n").implements_trait);
        assert!(!only("impl<T> S<T> where for<'a> T: X {\n    fn a(&self) {}\n}\n").implements_trait);
    }
}
