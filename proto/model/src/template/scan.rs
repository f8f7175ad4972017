//! Reads the code in a template as words, to find dotted names, filters and calls in the order in which they stand.
//!
//! The engine has already accepted the syntax when the result is used; on anything else the scan gives less, never panics.

use std::collections::BTreeSet;

use super::words::{Region, Word, Words, regions, words};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) paths: Vec<Path>,
    pub(crate) filters: Vec<(String, usize)>,
    pub(crate) tests: Vec<(String, usize)>,
    pub(crate) calls: Vec<(String, usize)>,
    pub(crate) statements: Vec<(String, usize)>,
    /// Texts in `all('…')`.
    pub(crate) all: BTreeSet<String>,
    /// A macro declares functions of its own.
    pub(crate) declares_macros: bool,
}

/// A dotted name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) at: usize,
    /// Somewhere in the text it is followed by `default(…)` or `is defined`.
    pub(crate) guarded: bool,
}

/// Words of one expression. A chain such as `a + b + c` is a tree as deep as it is long.
const MAX_WORDS: usize = 1000;

/// Brackets and signs inside each other.
const MAX_NESTING: usize = 40;

/// Statements inside each other, `elif` included.
const MAX_STATEMENTS: usize = 40;

const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "recursive",
    "ignore",
    "missing",
    "without",
    "with",
    "context",
    "as",
];

impl Scan {
    /// A template: text with code in it.
    pub(crate) fn template(text: &str) -> Self {
        let mut scan = Self::default();
        for region in regions(text) {
            let (words, _) = words(text, region.code.start, region.code.end);
            if let (true, Some((Word::Name(word), at))) = (region.statement, words.first()) {
                scan.statements.push(((*word).to_owned(), *at));
                scan.declares_macros |= *word == "macro";
            }
            scan.read(&words, usize::from(region.statement));
        }
        scan.spread_guards();
        scan
    }

    /// A bare expression.
    pub(crate) fn expression(text: &str) -> Self {
        let mut scan = Self::default();
        let (words, _) = words(text, 0, text.len());
        scan.read(&words, 0);
        scan.spread_guards();
        scan
    }

    fn read(&mut self, words: &Words<'_>, first: usize) {
        let mut i = first;
        while let Some((word, at)) = words.get(i) {
            let Word::Name(name) = word else {
                i += 1;
                continue;
            };
            let before = |back: usize| i.checked_sub(back).and_then(|j| words.get(j)).map(|(w, _)| w);
            let is_test = before(1) == Some(&Word::Name("is"))
                || before(1) == Some(&Word::Name("not")) && before(2) == Some(&Word::Name("is"));
            if before(1) == Some(&Word::Sign('|')) {
                self.filters.push(((*name).to_owned(), *at));
            } else if is_test && *name != "not" {
                self.tests.push(((*name).to_owned(), *at));
            } else if !KEYWORDS.contains(name) && !is_test {
                i = self.name(words, i, name, *at);
                continue;
            }
            i += 1;
        }
    }

    /// A name that is no keyword, filter or test, at `i`; gives the index after it.
    fn name(&mut self, words: &Words<'_>, i: usize, name: &str, at: usize) -> usize {
        let word = |i: usize| words.get(i).map(|(w, _)| w);
        match word(i + 1) {
            // The name of an argument, or of what is set.
            Some(Word::Sign('=')) => return i + 1,
            Some(Word::Sign('(')) => {
                self.calls.push((name.to_owned(), at));
                if let (true, Some(Word::Text(path))) = (name == "all", word(i + 2)) {
                    self.all.insert((*path).to_owned());
                }
                return i + 1;
            }
            Some(_) | None => {}
        }
        let (mut segments, mut next) = (vec![name.to_owned()], i + 1);
        loop {
            let (segment, len) = match (word(next), word(next + 1), word(next + 2)) {
                (Some(Word::Sign('.')), Some(Word::Name(s) | Word::Number(s)), _) => (*s, 2),
                (Some(Word::Sign('[')), Some(Word::Text(s) | Word::Number(s)), Some(Word::Sign(']'))) => (*s, 3),
                _ => break, // not our enum: a window of three words
            };
            // `name.upper()` reads `name` and calls a method of the value.
            if len == 2 && word(next + 2) == Some(&Word::Sign('(')) {
                next += 2;
                break;
            }
            segments.push(segment.to_owned());
            next += len;
        }
        let after = [word(next), word(next + 1), word(next + 2)];
        let guarded = matches!(
            after,
            [Some(Word::Sign('|')), Some(Word::Name("default" | "d")), _]
                | [Some(Word::Name("is")), Some(Word::Name("defined" | "undefined")), _]
                | [Some(Word::Name("is")), Some(Word::Name("not")), Some(Word::Name("defined" | "undefined"))]
        );
        self.paths.push(Path { segments, at, guarded });
        next
    }

    /// `a.b is defined and a.b > 1`: the second `a.b` is guarded by the first.
    fn spread_guards(&mut self) {
        let guarded: BTreeSet<Vec<String>> =
            self.paths.iter().filter(|p| p.guarded).map(|p| p.segments.clone()).collect();
        for path in &mut self.paths {
            path.guarded = (1..=path.segments.len()).any(|n| guarded.contains(&path.segments[..n]));
        }
    }
}

/// Where code is nested or chained so far that reading it recursively would need much stack, and what is too much there.
/// The engine's own parser does not bound everything that this does.
pub(crate) fn too_complex(text: &str, expression: bool) -> Option<(usize, &'static str)> {
    let mut open = 0usize;
    let whole = Region { whole: 0..text.len(), code: 0..text.len(), statement: false };
    let found = if expression { vec![whole] } else { regions(text) };
    for region in found {
        let end = if expression { text.len() } else { region.code.end };
        let (words, _) = words(text, region.code.start, end);
        if words.len() > MAX_WORDS {
            return Some((region.code.start, "an expression is too long"));
        }
        if let Some(at) = nested(&words) {
            return Some((at, "an expression is nested too deeply"));
        }
        if let (true, Some((Word::Name(word), _))) = (region.statement, words.first()) {
            open = match *word {
                // Each `elif` is an `if` inside the one before.
                "for" | "if" | "elif" | "with" | "filter" | "macro" | "call" | "autoescape" | "block" => open + 1,
                // Closing counts as one less, however many `elif` there were: the bound is on the safe side.
                word if word.starts_with("end") => open.saturating_sub(1),
                _ => open, // not our enum: a text
            };
            if open > MAX_STATEMENTS {
                return Some((region.code.start, "statements are nested too deeply"));
            }
        }
    }
    None
}

/// Where brackets, or signs before a value, are inside each other more than [`MAX_NESTING`] times.
fn nested(words: &Words<'_>) -> Option<usize> {
    let (mut brackets, mut signs) = (0usize, 0usize);
    for (word, at) in words {
        match word {
            Word::Sign('(' | '[' | '{') => brackets += 1,
            Word::Sign(')' | ']' | '}') => brackets = brackets.saturating_sub(1),
            // Counted over the whole expression: a sign in front of a bracket nests as well.
            Word::Sign('-') | Word::Name("not" | "if" | "else") => signs += 1,
            Word::Name(_) | Word::Text(_) | Word::Number(_) | Word::Sign(_) | Word::Operator => {}
        }
        if brackets + signs > MAX_NESTING {
            return Some(*at);
        }
    }
    None
}

/// The inner expression of a text that is exactly one `{{ expression }}`.
pub(crate) fn sole_expression(text: &str) -> Option<&str> {
    let mut found = regions(text);
    let region = found.pop()?;
    let closed = text.ends_with("}}") && region.code.end + 2 <= text.len();
    let whole = found.is_empty() && !region.statement && closed && region.whole == (0..text.len());
    whole.then(|| text[region.code].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_one_expression_is_told_from_others() {
        assert_eq!(sole_expression("{{ a }}"), Some("a"));
        assert_eq!(sole_expression("{{- a -}}"), Some("a"));
        assert_eq!(sole_expression("{{ {'a': {'b': 1}} }}"), Some("{'a': {'b': 1}}"));
        assert_eq!(sole_expression("{{ '}}' }}"), Some("'}}'"));
        for text in
            ["{{ a }} ", " {{ a }}", "{{ a }}{{ b }}", "{% set a = 1 %}", "a", "{{ a", "{# a #}", "{{ a }}{# b #}"]
        {
            assert_eq!(sole_expression(text), None, "{text}");
        }
    }
}
