//! The key of one execution: the name of its fence on the host where it runs.
//!
//! The key becomes a directory name and a word of a command line that an unknown login shell parses, so only
//! characters that mean nothing to any shell or file system are allowed. Making one fails with [`BadKey`].

use std::fmt;

/// The longest key, in bytes. File names may have 255; the rest is for prefixes of staged files.
pub const MAX_KEY: usize = 120;

/// Names one execution on a host: unique per attempt, step and try. Two starts with the same key run once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExecKey(String);

/// The text cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an execution key has 1 to 120 characters of A-Z a-z 0-9 . _ - and no dot or minus in front, not {0:?}")]
pub struct BadKey(pub String);

impl ExecKey {
    /// Checks and keeps the text.
    pub fn new(text: impl Into<String>) -> Result<Self, BadKey> {
        let text = text.into();
        let fits = (1..=MAX_KEY).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if fits { Ok(Self(text)) } else { Err(BadKey(text)) }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
