//! The one shape of "no": what was asked cannot be done, why, and what to do instead.
//!
//! The set of codes is closed. One table maps each of them to gRPC, HTTP and the exit code of the command line.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why something is refused, as a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The input is wrong: a file, a parameter, an expression.
    Invalid,
    /// What was named does not exist.
    NotFound,
    /// It exists and is not in a state in which this may be done.
    Illegal,
    /// Someone else holds it, or it exists already.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// A bound was reached.
    Exhausted,
    /// Nobody can do it now; trying again may help.
    Unavailable,
    /// A bug of ours.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::Invalid,
        Self::NotFound,
        Self::Illegal,
        Self::Conflict,
        Self::Denied,
        Self::Exhausted,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word for it on the wire and in JSON.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// Number of the gRPC status code that carries it.
    pub fn grpc(self) -> i32 {
        self.row().1
    }

    /// HTTP status that carries it.
    pub fn http(self) -> u16 {
        self.row().2
    }

    /// Exit code of the command line.
    pub fn exit(self) -> u8 {
        self.row().3
    }

    /// word, gRPC status, HTTP status, exit code.
    fn row(self) -> (&'static str, i32, u16, u8) {
        match self {
            Self::Invalid => ("invalid", 3, 400, 2),
            Self::NotFound => ("not_found", 5, 404, 2),
            Self::Illegal => ("illegal", 9, 409, 2),
            Self::Conflict => ("conflict", 6, 409, 2),
            Self::Denied => ("denied", 7, 403, 2),
            Self::Exhausted => ("exhausted", 8, 429, 2),
            Self::Unavailable => ("unavailable", 14, 503, 4),
            Self::Internal => ("internal", 13, 500, 70),
        }
    }
}

/// What was asked cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The class.
    pub code: Code,
    /// One sentence: what cannot be done and why; or several lines when it points into files.
    pub message: String,
    /// What to do about it, most useful first.
    pub hints: Vec<String>,
}

impl Refusal {
    /// A refusal without hints.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hints: Vec::new() }
    }

    /// The same with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
