//! The smallest parts of a selector, and how they match.

use std::collections::HashSet;

use super::select::{Selectable, SelectorError};
use crate::nodeset;

/// One part of a selector that matches on its own.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// As it was written.
    pub text: String,
    /// Byte offset in the selector.
    pub at: usize,
    /// Whether it says what is *not* meant: then matching nothing is harmless.
    pub negated: bool,
    /// What it asks.
    pub kind: LeafKind,
}

/// What a leaf asks.
#[derive(Clone, Debug)]
pub enum LeafKind {
    /// Nothing: every target.
    All,
    /// Being in a group.
    Group(String),
    /// A name or an address: plain ones, expanded ranges and wildcards.
    Names(Names),
    /// Exactly this name or address.
    Quoted(String),
    /// A label.
    Label {
        /// Its name.
        key: String,
        /// Whether it must match, or must not.
        equal: bool,
        /// The values.
        value: Names,
    },
}

/// A set of texts, some with wildcards.
#[derive(Clone, Debug)]
pub struct Names {
    /// In the order of the pattern, for people and for inventories made of them.
    plain: Vec<String>,
    lookup: HashSet<String>,
    globs: Vec<String>,
}

/// A host as people type it: `[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// User to log in as.
    pub user: Option<&'a str>,
    /// Host name or address, without brackets.
    pub host: &'a str,
    /// Port.
    pub port: Option<u16>,
}

impl Leaf {
    /// Whether the host is meant by this part alone.
    pub fn matches(&self, host: &dyn Selectable) -> bool {
        match &self.kind {
            LeafKind::All => true,
            LeafKind::Group(group) => host.in_group(group),
            LeafKind::Names(names) => names.matches(host.name()) || names.matches(host.address()),
            LeafKind::Quoted(name) => host.name() == name || host.address() == name,
            LeafKind::Label { key, equal, value } => host.label(key).is_some_and(|v| value.matches(v)) == *equal,
        }
    }

    /// The names that this part spells out, without wildcards.
    pub fn spelled(&self) -> Vec<&str> {
        match &self.kind {
            LeafKind::Names(names) => names.spelled().collect(),
            LeafKind::Quoted(name) => vec![name],
            LeafKind::All | LeafKind::Group(_) | LeafKind::Label { .. } => Vec::new(),
        }
    }
}

impl Names {
    /// The names without wildcards, in the order of the pattern.
    pub fn spelled(&self) -> impl Iterator<Item = &str> {
        self.plain.iter().map(String::as_str)
    }

    /// Whether some of it has wildcards.
    pub fn has_wildcards(&self) -> bool {
        !self.globs.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.plain.len() + self.globs.len()
    }

    /// Takes the other's names as well, so that a long list of hosts is one look-up and not one for each of its words.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.plain.extend(other.plain);
        self.lookup.extend(other.lookup);
        self.globs.extend(other.globs);
    }

    fn matches(&self, text: &str) -> bool {
        self.lookup.contains(text) || self.globs.iter().any(|pattern| glob(pattern, text))
    }
}

impl SelectorError {
    pub(crate) fn moved(mut self, by: usize) -> Self {
        self.at += by;
        self
    }
}

/// A word as a set of names; at most `left` of them.
pub(crate) fn names(word: &str, left: usize) -> Result<Names, SelectorError> {
    let all = if is_ipv6(word) {
        vec![word.to_owned()]
    } else {
        nodeset::expand(word).map_err(|e| SelectorError { at: e.at, what: e.what, hint: e.hint })?
    };
    if all.len() > left {
        return Err(super::parse::flaw(
            0,
            format!("the selector names more than {} hosts", nodeset::MAX_NAMES),
            "narrow the ranges",
        ));
    }
    let (globs, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| has_wildcard(name));
    // `deploy@web2:2222` also means the host `web2`, when the inventory knows it by that name.
    let mut lookup: HashSet<String> = plain.iter().cloned().collect();
    lookup.extend(plain.iter().map(|name| endpoint(name).host.to_owned()));
    Ok(Names { plain, lookup, globs })
}

/// Exactly this text, without wildcards.
pub(crate) fn exactly(word: &str) -> Names {
    Names { plain: vec![word.to_owned()], lookup: HashSet::from([word.to_owned()]), globs: Vec::new() }
}

/// `[::1]`, `[fe80::1]:22`, `root@[::1]`: brackets around an address, not a range.
fn is_ipv6(word: &str) -> bool {
    let host = endpoint(word).host;
    host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Takes `[user@]host[:port]` apart. What does not fit stays in the host.
pub fn endpoint(word: &str) -> Endpoint<'_> {
    let (user, rest) = match word.rsplit_once('@') {
        Some((user, rest)) if !user.is_empty() => (Some(user), rest),
        Some(_) | None => (None, word),
    };
    if let Some((host, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        return Endpoint { user, host, port: after.strip_prefix(':').and_then(port) };
    }
    match rest.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') && port(number).is_some() => {
            Endpoint { user, host, port: port(number) }
        }
        Some(_) | None => Endpoint { user, host: rest, port: None },
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether `text` fits `pattern`, where `*` stands for any text and `?` for one character. Walks back to the last `*` only,
/// so the time is at most the product of the two lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("a*b", "aaab", true),
            ("a*b", "aaac", false),
            ("?", "ü", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
        assert!(!glob(&"*a".repeat(200), &"a".repeat(150)), "no blow-up");
    }

    #[test]
    fn endpoints() {
        for (word, user, host, port) in [
            ("web1", None, "web1", None),
            ("deploy@web2:2222", Some("deploy"), "web2", Some(2222)),
            ("127.0.1.1:22", None, "127.0.1.1", Some(22)),
            ("::1", None, "::1", None),
            ("[::1]:22", None, "::1", Some(22)),
            ("root@[fe80::1]", Some("root"), "fe80::1", None),
            ("web:http", None, "web:http", None),
            ("web:0", None, "web:0", None),
        ] {
            assert_eq!(endpoint(word), Endpoint { user, host, port }, "{word}");
        }
    }
}
