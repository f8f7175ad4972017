//! From text to tokens. A word reaches to the next space or operator; commas inside brackets belong to it.

use super::select::SelectorError;

/// Longest selector: about 100,000 addresses in a row.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// One token and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) at: usize,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    And,
    Or,
    Comma,
    Not,
    Open,
    Close,
    Equals,
    Differs,
    Word(&'a str),
    Quoted(&'a str),
}

pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SelectorError> {
    if text.len() > MAX_TEXT {
        return Err(super::parse::flaw(0, "the selector is longer than 4 MiB", "put the hosts into an inventory"));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, len) = token(text, at, c)?;
        out.push(Token { at, kind });
        at += len;
    }
    Ok(out)
}

fn token(text: &str, at: usize, c: char) -> Result<(Kind<'_>, usize), SelectorError> {
    let rest = &text[at..];
    Ok(match c {
        '&' if rest.starts_with("&&") => (Kind::And, 2),
        '|' if rest.starts_with("||") => (Kind::Or, 2),
        '&' => (Kind::And, 1),
        '|' => (Kind::Or, 1),
        ',' => (Kind::Comma, 1),
        '!' if rest.starts_with("!=") => (Kind::Differs, 2),
        '!' => (Kind::Not, 1),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        '=' if rest.starts_with("==") => (Kind::Equals, 2),
        '=' => (Kind::Equals, 1),
        '"' | '\'' => {
            let inner = &rest[1..];
            let Some(end) = inner.find(c) else {
                return Err(super::parse::flaw(at, "the quote does not end", "close it with the same quote"));
            };
            (Kind::Quoted(&inner[..end]), end + 2)
        }
        _ => {
            // not our enum: a character
            let len = word_len(rest)
                .map_err(|open| super::parse::flaw(at + open, "`[` without `]`", "write ranges as `[01-40]`"))?;
            (Kind::Word(&rest[..len]), len)
        }
    })
}

/// Length of the word at the beginning, or the offset of a bracket that does not end.
fn word_len(rest: &str) -> Result<usize, usize> {
    let mut open: Option<usize> = None;
    for (i, c) in rest.char_indices() {
        match (open, c) {
            (None, '[') => open = Some(i),
            (Some(_), ']') => open = None,
            (Some(_), _) => {}
            (None, c) if c.is_whitespace() || "&|,!()=\"'".contains(c) => return Ok(i),
            (None, _) => {}
        }
    }
    open.map_or(Ok(rest.len()), Err)
}
