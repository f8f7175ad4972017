//! Whether a value is what its parameter asks for, and its one normal form.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use regex::Regex;
use serde_json::Value;

use super::error::{ParamError, ParamFault, QUOTE_IT};
use super::spec::{ParamSpec, ParamType};
use crate::millis::Millis;
use crate::plan::PlanFile;

/// Bytes of one text: larger things are files.
const MAX_TEXT: usize = 1 << 20;

/// Characters of a value that an error repeats.
const MAX_SHOWN: usize = 60;

impl ParamSpec {
    /// The value in its normal form: dates and lengths of time in their shortest exact text, moments in UTC.
    ///
    /// # Errors
    /// When the value is of another type, outside the bounds, or not one of the options.
    pub fn check(&self, name: &str, value: &Value) -> Result<Value, ParamError> {
        let checker = Checker { spec: self, name };
        match self.kind {
            ParamType::String | ParamType::Secret => checker.text(value),
            ParamType::Int => checker.int(value),
            ParamType::Float => checker.float(value),
            ParamType::Bool => match value {
                Value::Bool(_) => Ok(value.clone()),
                other => Err(checker.wrong_type("true or false", other)),
            },
            ParamType::Select => checker.option(value),
            ParamType::Multiselect => checker.several(value),
            ParamType::Json => Ok(value.clone()),
            ParamType::File => checker.file(value),
            ParamType::Date => checker.date(value),
            ParamType::Datetime => checker.moment(value),
            ParamType::Duration => checker.duration(value),
        }
    }
}

pub(super) struct Checker<'a> {
    pub(super) spec: &'a ParamSpec,
    pub(super) name: &'a str,
}

impl Checker<'_> {
    pub(super) fn error(&self, fault: ParamFault) -> ParamError {
        let error = ParamError::new(self.name, fault);
        match &self.spec.help {
            Some(help) => error.hint(help.clone()),
            None => error,
        }
    }

    pub(super) fn wrong_type(&self, expected: &str, found: &Value) -> ParamError {
        let found = if self.spec.is_secret() { kind(found).to_owned() } else { described(found) };
        self.error(ParamFault::WrongType { expected: expected.to_owned(), found })
    }

    /// The text in quotes, unless it is secret.
    pub(super) fn shown(&self, text: &str) -> String {
        if self.spec.is_secret() { "the value".to_owned() } else { quoted(text) }
    }

    pub(super) fn unreadable(&self, text: &str, expected: &str) -> ParamError {
        self.error(ParamFault::Unreadable { found: self.shown(text), expected: expected.to_owned() })
    }

    fn str<'v>(&self, value: &'v Value, expected: &str) -> Result<&'v str, ParamError> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(_) | Value::Bool(_) => {
                let error = self.wrong_type(expected, value);
                Err(if self.spec.is_secret() {
                    error.hint("put it in quotes")
                } else {
                    error.hint(format!("{QUOTE_IT}\"{value}\""))
                })
            }
            Value::Null | Value::Array(_) | Value::Object(_) => Err(self.wrong_type(expected, value)),
        }
    }

    fn text(&self, value: &Value) -> Result<Value, ParamError> {
        let text = self.str(value, "a text")?;
        if text.len() > MAX_TEXT {
            let found = format!("{} bytes", text.len());
            let limit = format!("{MAX_TEXT} bytes");
            return Err(self
                .error(ParamFault::OutOfBounds { what: "its size", found, bound: "the largest", limit })
                .hint("use a parameter of type file"));
        }
        self.length("its length", text.chars().count(), "characters")?;
        if let Some(pattern) = &self.spec.pattern {
            let regex = self.regex()?;
            if regex.is_some_and(|regex| !regex.is_match(text)) {
                return Err(
                    self.error(ParamFault::Mismatch { found: self.shown(text), pattern: pattern.value.clone() })
                );
            }
        }
        Ok(value.clone())
    }

    /// The compiled pattern; broken ones are errors of the declaration.
    pub(super) fn regex(&self) -> Result<Option<Regex>, ParamError> {
        let Some(pattern) = &self.spec.pattern else { return Ok(None) };
        Regex::new(&pattern.value).map(Some).map_err(|error| {
            let why = error.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            ParamError::new(
                self.name,
                ParamFault::Declaration(format!("the pattern is not a regular expression: {last}")),
            )
            .at(pattern.place)
        })
    }

    fn length(&self, what: &'static str, length: usize, unit: &str) -> Result<(), ParamError> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let bound = |value: &Value| value.as_u64();
        self.bounds(what, format!("{length} {unit}").trim_end(), |limit| bound(limit).map(|limit| length.cmp(&limit)))
    }

    /// Compares with `min` and `max`. Bounds of the wrong type are found by the check of the declaration, and skipped here.
    fn bounds(
        &self,
        what: &'static str,
        found: &str,
        against: impl Fn(&Value) -> Option<Ordering>,
    ) -> Result<(), ParamError> {
        let sides =
            [(&self.spec.min, Ordering::Less, "the smallest"), (&self.spec.max, Ordering::Greater, "the largest")];
        for (limit, wrong, bound) in sides {
            let Some(limit) = limit else { continue };
            if against(&limit.value) == Some(wrong) {
                let limit = plain(&limit.value);
                return Err(self.error(ParamFault::OutOfBounds { what, found: found.to_owned(), bound, limit }));
            }
        }
        Ok(())
    }

    fn secret_or(&self, text: String) -> String {
        if self.spec.is_secret() { "a secret".to_owned() } else { text }
    }

    fn int(&self, value: &Value) -> Result<Value, ParamError> {
        let number = value.as_i64().ok_or_else(|| self.wrong_type("a whole number", value))?;
        self.bounds("the value", &self.secret_or(number.to_string()), |limit| {
            limit.as_i64().map(|limit| number.cmp(&limit))
        })?;
        Ok(number.into())
    }

    fn float(&self, value: &Value) -> Result<Value, ParamError> {
        let Value::Number(number) = value else { return Err(self.wrong_type("a number", value)) };
        let float = number.as_f64().ok_or_else(|| self.wrong_type("a number", value))?;
        self.bounds("the value", &self.secret_or(number.to_string()), |limit| {
            limit.as_f64().and_then(|limit| float.partial_cmp(&limit))
        })?;
        Ok(value.clone())
    }

    fn option(&self, value: &Value) -> Result<Value, ParamError> {
        if self.spec.options.iter().any(|option| option.value.value == *value) {
            return Ok(value.clone());
        }
        let text = plain(value);
        let texts: Vec<String> = self.spec.options.iter().map(|option| option.value.text()).collect();
        let fault = ParamFault::NotAnOption { found: self.shown(&text) };
        // The text is right and only the type is not, as in `8080` for the option "8080".
        if texts.contains(&text) && !self.spec.is_secret() {
            return Err(ParamError::new(self.name, fault)
                .hint("the option is of another type: put the value in quotes, or take them away"));
        }
        let allowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        Err(ParamError { hint: option_hint(&text, &allowed), ..ParamError::new(self.name, fault) })
    }

    fn several(&self, value: &Value) -> Result<Value, ParamError> {
        let Value::Array(items) = value else { return Err(self.wrong_type("a list of options", value)) };
        for (index, item) in items.iter().enumerate() {
            self.option(item)?;
            if items[..index].contains(item) {
                return Err(self.error(ParamFault::Twice { found: self.shown(&plain(item)) }));
            }
        }
        self.length("the number of choices", items.len(), "")?;
        Ok(value.clone())
    }

    fn file(&self, value: &Value) -> Result<Value, ParamError> {
        let read: Result<PlanFile, _> = serde_json::from_value(value.clone());
        let file = read.map_err(|_| self.error(ParamFault::NeedsFile))?;
        let size = file.size;
        self.bounds("its size", &format!("{size} bytes"), |limit| limit.as_u64().map(|limit| size.cmp(&limit)))?;
        Ok(value.clone())
    }

    fn date(&self, value: &Value) -> Result<Value, ParamError> {
        let text = self.str(value, "a day such as 2025-01-31")?;
        let date = read_date(text).ok_or_else(|| self.unreadable(text, "a day such as 2025-01-31"))?;
        self.bounds("the day", &self.secret_or(date.to_string()), |limit| {
            limit.as_str().and_then(read_date).map(|limit| date.cmp(&limit))
        })?;
        Ok(date.to_string().into())
    }

    fn moment(&self, value: &Value) -> Result<Value, ParamError> {
        let text = self.str(value, "a moment such as 2025-01-31T14:00:00Z")?;
        let moment = read_moment(text).ok_or_else(|| {
            let error = self.unreadable(text, "a moment such as 2025-01-31T14:00:00Z");
            error
                .hint("end it with `Z` or an offset such as `+02:00`: a moment without one is another moment elsewhere")
        })?;
        self.bounds("the moment", &self.secret_or(moment.to_string()), |limit| {
            limit.as_str().and_then(read_moment).map(|limit| moment.cmp(&limit))
        })?;
        Ok(moment.to_string().into())
    }

    fn duration(&self, value: &Value) -> Result<Value, ParamError> {
        let text = self.str(value, "a length of time such as 30s").map_err(|error| match value {
            Value::Number(number) => error.hint(format!(
                "write the unit as well: \"{}s\"",
                if self.spec.is_secret() { "..".to_owned() } else { number.to_string() }
            )),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => error,
        })?;
        let length: Millis =
            text.parse().map_err(|_| self.unreadable(text, "a length of time such as 30s or 1h30m"))?;
        self.bounds("the length of time", &self.secret_or(length.to_string()), |limit| {
            limit.as_str().and_then(|limit| limit.parse::<Millis>().ok()).map(|limit| length.cmp(&limit))
        })?;
        Ok(length.to_string().into())
    }
}

pub(super) fn read_date(text: &str) -> Option<Date> {
    // The parser also takes dates with a time and zone; a day is only a day.
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

pub(super) fn read_moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn option_hint(text: &str, allowed: &[&str]) -> Option<String> {
    let near = crate::diagnostic::nearest(text, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    near.or_else(|| Some(format!("options: {}", allowed.join(", "))))
}

/// A value without the quotes that JSON puts around texts.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    format!("`{}`", shown.escape_debug())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("{} {value}", kind(value).replace("a ", "the ")),
        Value::String(text) => format!("the text {}", quoted(text)),
    }
}
