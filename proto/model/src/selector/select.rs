//! The parsed form, and what can be asked of it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse;
use super::term::{Leaf, LeafKind};

/// What a selector asks of a host.
pub trait Selectable {
    /// Its name in the inventory.
    fn name(&self) -> &str;
    /// Where it is reached.
    fn address(&self) -> &str;
    /// The value of a label, if it has it.
    fn label(&self, key: &str) -> Option<&str>;
    /// Whether it is in this group, directly or through a group inside it.
    fn in_group(&self, group: &str) -> bool;
}

/// A parsed selector. It compares and prints by its text.
#[derive(Clone)]
pub struct Selector {
    text: String,
    expr: Expr,
}

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Leaf(Leaf),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

/// The text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at} of the selector); {hint}", at = .at + 1)]
pub struct SelectorError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// Names that a selector spells out, so that a planner can say which of them nobody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// Groups after `@`.
    pub groups: Vec<String>,
    /// Host names and addresses, ranges expanded, without wildcards.
    pub hosts: Vec<String>,
}

impl Selector {
    /// The selector that matches every target.
    pub fn all() -> Self {
        let kind = LeafKind::All;
        Self { text: "*".to_owned(), expr: Expr::Leaf(Leaf { text: "*".to_owned(), at: 0, negated: false, kind }) }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this host is meant.
    pub fn matches(&self, host: &dyn Selectable) -> bool {
        self.expr.matches(host)
    }

    /// The groups and hosts that the text spells out.
    pub fn names(&self) -> Mentioned {
        let mut out = Mentioned::default();
        for leaf in self.leaves() {
            match &leaf.kind {
                LeafKind::Group(group) => out.groups.push(group.clone()),
                LeafKind::Names(names) => out.hosts.extend(names.spelled().map(str::to_owned)),
                LeafKind::Quoted(name) => out.hosts.push(name.clone()),
                LeafKind::All | LeafKind::Label { .. } => {}
            }
        }
        out
    }

    /// The smallest parts of the text, from left to right, so that a planner can say which of them matches nothing.
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut out = Vec::new();
        self.expr.leaves(&mut out);
        out
    }

    /// The hosts that the text names, when it is only a list of plain names and addresses (`127.0.1.1,127.0.1.2`,
    /// `10.0.0.[1-3]`, `web1,deploy@web2:2222`): usable without an inventory. None when it asks for anything else.
    pub fn literal_hosts(&self) -> Option<Vec<String>> {
        let mut out = Vec::new();
        self.expr.literals(&mut out).then_some(out)
    }
}

impl Expr {
    fn matches(&self, host: &dyn Selectable) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.matches(host),
            Self::Not(inner) => !inner.matches(host),
            Self::All(list) => list.iter().all(|e| e.matches(host)),
            Self::Any(list) => list.iter().any(|e| e.matches(host)),
        }
    }

    fn leaves<'a>(&'a self, out: &mut Vec<&'a Leaf>) {
        match self {
            Self::Leaf(leaf) => out.push(leaf),
            Self::Not(inner) => inner.leaves(out),
            Self::All(list) | Self::Any(list) => list.iter().for_each(|e| e.leaves(out)),
        }
    }

    /// Collects plain names in their order, each once; false when there is anything else.
    fn literals(&self, out: &mut Vec<String>) -> bool {
        match self {
            Self::Any(list) => list.iter().all(|e| e.literals(out)),
            Self::Leaf(leaf) => match &leaf.kind {
                LeafKind::Names(names) if !names.has_wildcards() => {
                    out.extend(names.spelled().map(str::to_owned));
                    true
                }
                LeafKind::Names(_)
                | LeafKind::Quoted(_)
                | LeafKind::All
                | LeafKind::Group(_)
                | LeafKind::Label { .. } => false,
            },
            Self::Not(_) | Self::All(_) => false,
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let expr = parse::parse(text)?;
        Ok(Self { text: text.trim().to_owned(), expr })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({:?})", self.text)
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Selector {}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "Which targets are meant: names, ranges and globs, `@group`, `label=value`, joined with `&`, `|`, `,`, `!` and parentheses.",
            "examples": ["@web & zone=a*", "web[01-40],db1"],
        })
    }
}
