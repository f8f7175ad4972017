//! References to passwords. A password itself is never written in a file that this product reads.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a password is found when it is needed, on the runner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialRef {
    /// `{{ params.NAME }}`: a secret parameter of the job.
    Param(String),
    /// `env:NAME`: an environment variable of the runner.
    Env(String),
    /// `file:PATH`: the first line of a file that only the runner's user can read.
    File(String),
}

/// A credential as written. Text that is no reference is dropped while reading, because it may be the secret itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CredentialSpec(Option<CredentialRef>);

/// The text is no reference. It is not repeated: it may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a password is not written here, only where to find it")]
pub struct CredentialError;

impl CredentialError {
    /// What to write instead.
    pub const HINT: &'static str =
        "write \"{{ params.NAME }}\" for a parameter of type secret, `env:NAME` or `file:PATH`";
}

impl CredentialSpec {
    /// A reference.
    pub const fn new(reference: CredentialRef) -> Self {
        Self(Some(reference))
    }

    /// The reference.
    ///
    /// # Errors
    /// When what was written is none.
    pub fn reference(&self) -> Result<&CredentialRef, CredentialError> {
        self.0.as_ref().ok_or(CredentialError)
    }
}

impl FromStr for CredentialRef {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("env:") {
            return is_variable(name).then(|| Self::Env(name.to_owned())).ok_or(CredentialError);
        }
        if let Some(path) = text.strip_prefix("file:") {
            return (!path.is_empty()).then(|| Self::File(path.to_owned())).ok_or(CredentialError);
        }
        let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
        let name = inner.and_then(|inner| inner.strip_prefix("params."));
        name.filter(|name| is_variable(name)).map(|name| Self::Param(name.to_owned())).ok_or(CredentialError)
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(name) => write!(f, "{{{{ params.{name} }}}}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl Serialize for CredentialSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(reference) => serializer.collect_str(reference),
            None => serializer.serialize_str("[redacted]"),
        }
    }
}

impl<'de> Deserialize<'de> for CredentialSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(text.parse().ok()))
    }
}

impl JsonSchema for CredentialSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CredentialRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a password is found: \"{{ params.NAME }}\", env:NAME or file:PATH. Never the password itself.",
            "type": "string",
            "pattern": r"^\s*(\{\{\s*params\.\w+\s*\}\}|env:\w+|file:.+)\s*$",
        })
    }
}
