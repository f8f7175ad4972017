//! One place where a rule does not hold: where, what, and how to mend it.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Path from the root of the repository.
    pub(super) path: String,
    /// Counted from one.
    pub(super) line: usize,
    /// The function it is about, when the rule is about functions.
    pub(super) item: Option<String>,
    pub(super) what: String,
    pub(super) mend: &'static str,
}

impl Finding {
    pub(super) fn new(path: &str, line: usize, what: impl Into<String>, mend: &'static str) -> Self {
        Self { path: path.to_owned(), line, item: None, what: what.into(), mend }
    }

    pub(super) fn about(mut self, item: &str) -> Self {
        self.item = Some(item.to_owned());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    mend: {}", self.path, self.line, self.what, self.mend)
    }
}

/// `path:line` of each finding, for the tests of the rules.
pub(super) fn places(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{}:{}", f.path, f.line)).collect()
}
