//! What can be wrong with the value of a parameter.

use crate::diagnostic::{Diagnostic, Place, SourceFile};

/// How the hint about a missing quote begins.
pub(super) const QUOTE_IT: &str = "put it in quotes: ";

/// One wrong value, or one that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{name}`: {fault}")]
pub struct ParamError {
    /// The parameter.
    pub name: String,
    /// What is wrong.
    pub fault: Box<ParamFault>,
    /// What to give instead.
    pub hint: Option<String>,
    /// Where the declaration says what is broken; none for values that were given from outside.
    pub place: Option<Place>,
    /// Whether the line at that place holds a secret, so that it must not be shown.
    pub hidden: bool,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamFault {
    /// Nobody declared it.
    #[error("there is no such parameter")]
    Unknown,
    /// It must be given and was not.
    #[error("a value is required")]
    Missing,
    /// The value is of another kind.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What it should be.
        expected: String,
        /// What it is; for a secret, only its kind.
        found: String,
    },
    /// Too small, too large, too short or too long.
    #[error("{what} is {found}; {bound} allowed is {limit}")]
    OutOfBounds {
        /// What was measured.
        what: &'static str,
        /// The measure; for a secret, only its length.
        found: String,
        /// `the smallest` or `the largest`.
        bound: &'static str,
        /// The bound.
        limit: String,
    },
    /// The text does not match.
    #[error("{found} does not match `{pattern}`")]
    Mismatch {
        /// The text in quotes; for a secret, the words "the value".
        found: String,
        /// The regular expression.
        pattern: String,
    },
    /// Not one of the options.
    #[error("{found} is not one of the options")]
    NotAnOption {
        /// The text in quotes; for a secret, the words "the value".
        found: String,
    },
    /// Chosen twice.
    #[error("{found} is chosen twice")]
    Twice {
        /// The text in quotes; for a secret, the words "the value".
        found: String,
    },
    /// Text that cannot be read as its type.
    #[error("{found} is not {expected}")]
    Unreadable {
        /// The text in quotes; for a secret, the words "the value".
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The content of a file must be read first, which is not done here.
    #[error("a file must be given by its path")]
    NeedsFile,
    /// The declaration contradicts itself.
    #[error("{0}")]
    Declaration(String),
}

impl ParamError {
    /// A wrong value.
    pub(super) fn new(name: &str, fault: ParamFault) -> Self {
        Self { name: name.to_owned(), fault: Box::new(fault), hint: None, place: None, hidden: false }
    }

    /// The same error with a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error at a place of the declaration.
    #[must_use]
    pub(super) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// The same error about a line that must not be shown.
    #[must_use]
    pub(super) fn hide(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The error as one that points into the file that declares the parameter.
    pub fn to_diagnostic(&self, src: &SourceFile) -> Diagnostic {
        let error = src.error(self.place, self.to_string()).maybe_hint(self.hint_as_written(src));
        if self.hidden { error.without_snippet() } else { error }
    }

    /// The value is read as a number before it is refused, so `1.10` has become 1.1: the hint must quote what was written.
    fn hint_as_written(&self, src: &SourceFile) -> Option<String> {
        let hint = self.hint.as_ref()?;
        let line =
            self.place.filter(|_| hint.starts_with(QUOTE_IT)).and_then(|place| Some((place, src.line(place.line)?)));
        let Some((place, line)) = line else { return Some(hint.clone()) };
        let written: String =
            line.chars().skip(place.column.saturating_sub(1) as usize).take(place.len as usize).collect();
        Some(format!("{QUOTE_IT}\"{written}\""))
    }
}
