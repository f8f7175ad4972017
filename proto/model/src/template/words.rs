//! Cuts a template into pieces of code, and code into words. On text that the engine would refuse it gives something, never
//! panics.

use std::ops::Range;

/// One word of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word<'a> {
    Name(&'a str),
    Text(&'a str),
    Number(&'a str),
    Sign(char),
    /// `==`, `!=`, `<=`, `>=`, `//`, `**`.
    Operator,
}

/// Words with their byte offsets.
pub(crate) type Words<'a> = Vec<(Word<'a>, usize)>;

/// A piece of code in a template.
pub(crate) struct Region {
    /// With its delimiters.
    pub(crate) whole: Range<usize>,
    /// Without them and without the signs that trim white space.
    pub(crate) code: Range<usize>,
    /// `{% %}`, not `{{ }}`.
    pub(crate) statement: bool,
}

/// Every piece of code, without comments and without what stands between `raw` and `endraw`.
pub(crate) fn regions(text: &str) -> Vec<Region> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('{').map(|i| at + i) {
        let after = start + 2;
        match text.as_bytes().get(start + 1) {
            Some(b'{') => at = push_region(text, start, false, &mut out),
            Some(b'%') => {
                at = push_region(text, start, true, &mut out);
                let raw = out.last().is_some_and(|r| text[r.code.clone()].trim() == "raw");
                if raw {
                    at = end_of_raw(text, at);
                }
            }
            Some(b'#') => at = text[after..].find("#}").map_or(text.len(), |i| after + i + 2),
            Some(_) | None => at = start + 1,
        }
    }
    out
}

fn end_of_raw(text: &str, mut at: usize) -> usize {
    while let Some(start) = text[at..].find("{%").map(|i| at + i) {
        let inner = text[start + 2..].trim_start_matches(['-', '+']).trim_start();
        if inner.starts_with("endraw") {
            return start;
        }
        at = start + 2;
    }
    text.len()
}

/// Adds the region that begins at `start`; gives the offset after it.
fn push_region(text: &str, start: usize, statement: bool, out: &mut Vec<Region>) -> usize {
    let mut begin = start + 2;
    if text[begin..].starts_with(['-', '+']) {
        begin += 1;
    }
    let (_, end) = words(text, begin, text.len());
    let closed = end < text.len();
    let mut code_end = end;
    if closed && text[begin..end].ends_with(['-', '+']) {
        code_end -= 1;
    }
    let after = if closed { end + 2 } else { text.len() };
    out.push(Region { whole: start..after, code: begin..code_end, statement });
    after
}

/// The words of the code from `at` on, up to a `}}` or `%}` that no brace inside it needs, or `end`; and where they ended.
pub(crate) fn words(text: &str, mut at: usize, end: usize) -> (Words<'_>, usize) {
    let mut out = Words::new();
    let mut braces = 0u32;
    while at < end {
        let rest = &text[at..end];
        let Some(c) = rest.chars().next() else { break };
        if braces == 0 && (rest.starts_with("}}") || rest.starts_with("%}")) {
            break;
        }
        let len = match c {
            '"' | '\'' => {
                let len = text_len(rest, c);
                out.push((Word::Text(rest.get(1..len.saturating_sub(1)).unwrap_or("")), at));
                len
            }
            c if c.is_alphabetic() || c == '_' => {
                let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                out.push((Word::Name(&rest[..len]), at));
                len
            }
            c if c.is_ascii_digit() => {
                let len = rest.bytes().take_while(u8::is_ascii_digit).count();
                out.push((Word::Number(&rest[..len]), at));
                len
            }
            c if c.is_whitespace() => c.len_utf8(),
            _ => sign(rest, c, at, &mut braces, &mut out), // not our enum: a character
        };
        at += len;
    }
    (out, at)
}

fn sign<'a>(rest: &str, c: char, at: usize, braces: &mut u32, out: &mut Words<'a>) -> usize {
    if ["==", "!=", "<=", ">=", "//", "**"].iter().any(|op| rest.starts_with(op)) {
        out.push((Word::Operator, at));
        return 2;
    }
    match c {
        '{' => *braces += 1,
        '}' => *braces = braces.saturating_sub(1),
        _ => {} // not our enum: a character
    }
    out.push((Word::Sign(c), at));
    c.len_utf8()
}

/// Length of a quoted text with its quotes, or of the rest when it does not end.
fn text_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false, // not our enum: a character
            '\\' => escaped = true,
            c if c == quote => return i + 1,
            _ => {} // not our enum: a character
        }
    }
    rest.len()
}
