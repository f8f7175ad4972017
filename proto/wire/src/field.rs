//! Errors about one field of a message, with the path to it: `phase.steps[2].retries: is missing`.

use autoexec_model::refusal::{Code, Refusal};

/// A field of a message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{path}` {what}")]
pub struct FieldError {
    /// Where it is: names of fields with dots between, `[n]` for the n-th element from 0, `[name]` for an entry of a map.
    pub path: String,
    /// What is wrong with it, as the end of a sentence.
    pub what: String,
}

impl FieldError {
    /// An error about the value itself; whoever knows where it was adds the path with [`FieldError::inside`].
    pub fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into() }
    }

    /// A field that must be there and is not.
    pub fn missing(field: &str) -> Self {
        Self { path: field.to_owned(), what: "is missing".to_owned() }
    }

    /// The same error seen from outside: `outer` holds what the error is about.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        let joined = match self.path.chars().next() {
            None => outer.to_owned(),
            Some('[') => format!("{outer}{}", self.path),
            Some(_) => format!("{outer}.{}", self.path),
        };
        self.path = joined;
        self
    }

    /// The same error in the element of a list.
    #[must_use]
    pub fn at_index(self, index: usize) -> Self {
        self.inside(&format!("[{index}]"))
    }
}

impl From<FieldError> for Refusal {
    /// The sender made the message wrong: [`Code::Invalid`].
    fn from(error: FieldError) -> Self {
        Self::new(Code::Invalid, format!("the message cannot be read: {error}"))
            .hint("both programs should have the same version; `autoexec --version` shows it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_from_the_outermost_field_to_the_wrong_one() {
        let error = FieldError::missing("retries").at_index(2).inside("steps").inside("phase");
        assert_eq!(error.to_string(), "field `phase.steps[2].retries` is missing");
    }

    #[test]
    fn an_unreadable_message_is_the_senders_fault() {
        let refusal = Refusal::from(FieldError::missing("job"));
        assert_eq!(refusal.code, Code::Invalid);
        assert!(refusal.message.contains("`job` is missing"), "{refusal}");
    }
}
