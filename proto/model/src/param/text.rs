//! Values as they are typed on a command line: `-p version=1.10`.
//!
//! The declared type decides how the text is read, so `1.10` stays a text for a `string` and is refused for an `int`.

use serde_json::Value;

use super::check::Checker;
use super::error::{ParamError, ParamFault};
use super::spec::{ParamSpec, ParamType};

impl ParamSpec {
    /// The value that a text means for this parameter, checked and in its normal form.
    ///
    /// Choices of a `multiselect` are separated by commas. A `file` cannot be read here: its caller reads the file and gives
    /// [`ParamSpec::check`] a [`super::FileRef`].
    ///
    /// # Errors
    /// When the text cannot be read as the type, or the value is refused by [`ParamSpec::check`].
    pub fn parse_text(&self, name: &str, text: &str) -> Result<Value, ParamError> {
        let checker = Checker { spec: self, name };
        let value = match self.kind {
            ParamType::String | ParamType::Secret | ParamType::Date | ParamType::Datetime | ParamType::Duration => {
                Value::from(text)
            }
            ParamType::Int => {
                let number: i64 = text.trim().parse().map_err(|_| checker.unreadable(text, "a whole number"))?;
                number.into()
            }
            ParamType::Float => {
                let number: Option<f64> = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
                number.ok_or_else(|| checker.unreadable(text, "a number"))?.into()
            }
            ParamType::Bool => match text.trim() {
                "true" => true.into(),
                "false" => false.into(),
                _ => return Err(checker.unreadable(text, "true or false")), // not our enum: a text
            },
            ParamType::Json => {
                serde_json::from_str(text).map_err(|error| checker.unreadable(text, "JSON").hint(error.to_string()))?
            }
            ParamType::Select => self.option_of(text.trim()),
            ParamType::Multiselect if text.trim().is_empty() => Value::Array(Vec::new()),
            ParamType::Multiselect => text.split(',').map(|part| self.option_of(part.trim())).collect(),
            ParamType::File => return Err(checker.error(ParamFault::NeedsFile)),
        };
        self.check(name, &value)
    }

    /// The option that is written so; the text itself when there is none, so that the check can say what there is.
    fn option_of(&self, text: &str) -> Value {
        let chosen = self.options.iter().find(|option| option.value.text() == text);
        chosen.map_or_else(|| text.into(), |option| option.value.value.clone())
    }
}
