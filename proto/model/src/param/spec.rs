//! How a parameter is declared.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::diagnostic::Located;

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParamType {
    /// A text.
    #[default]
    String,
    /// A whole number of 64 bits.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// One of `options`.
    Select,
    /// Some of `options`, each at most once.
    Multiselect,
    /// Any value: list, map, text, number.
    Json,
    /// A file: its content travels to where the tool runs.
    File,
    /// A text that is never shown or stored in the clear.
    Secret,
    /// A day: `2025-01-31`.
    Date,
    /// A moment with its offset: `2025-01-31T14:00:00Z` or `2025-01-31T14:00:00+02:00`.
    Datetime,
    /// A length of time: `30s`, `1h30m`.
    Duration,
}

/// One parameter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParamSpec {
    /// What kind of value it takes; a text when nothing is said.
    #[serde(rename = "type", default)]
    pub kind: ParamType,
    /// Whether it must be given. A required parameter has no default.
    #[serde(default)]
    pub required: bool,
    /// Its value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Located<Value>>,
    /// Regular expression that a text must match somewhere; write `^` and `$` to match all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Located<String>>,
    /// Smallest value, or shortest length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Located<Value>>,
    /// Largest value, or longest length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Located<Value>>,
    /// What can be chosen, for `select` and `multiselect`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Located<ParamOption>>,
    /// What it is for; shown in help and in errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether the value is kept out of plans, logs and output, whatever its type.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParamOption {
    /// What the tool gets: a text, a number or a boolean.
    pub value: Value,
    /// What people read; the value when it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl ParamType {
    /// Every type, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::String,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::Select,
        Self::Multiselect,
        Self::Json,
        Self::File,
        Self::Secret,
        Self::Date,
        Self::Datetime,
        Self::Duration,
    ];

    /// The word for it in YAML and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Select => "select",
            Self::Multiselect => "multiselect",
            Self::Json => "json",
            Self::File => "file",
            Self::Secret => "secret",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Duration => "duration",
        }
    }
}

impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl ParamSpec {
    /// Whether its value must be kept apart: never in a plan, a log or an output.
    pub fn is_secret(&self) -> bool {
        self.secret || self.kind == ParamType::Secret
    }
}

impl ParamOption {
    /// The value as people type it.
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for ParamOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OptionVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionMap {
    value: Value,
    label: Option<String>,
}

struct OptionVisitor;

impl OptionVisitor {
    fn bare<E>(value: impl Into<Value>) -> Result<ParamOption, E> {
        Ok(ParamOption { value: value.into(), label: None })
    }
}

impl<'de> Visitor<'de> for OptionVisitor {
    type Value = ParamOption;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or {value: .., label: ..}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ParamOption, E> {
        Self::bare(text)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<ParamOption, E> {
        Self::bare(value)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<ParamOption, E> {
        Self::bare(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ParamOption, E> {
        Self::bare(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<ParamOption, E> {
        Self::bare(number)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ParamOption, A::Error> {
        let OptionMap { value, label } = OptionMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(de::Error::custom("the value of an option must be a text, a number or a boolean"))
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(ParamOption { value, label }),
        }
    }
}

impl JsonSchema for ParamOption {
    fn schema_name() -> Cow<'static, str> {
        "ParamOption".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = serde_json::json!({ "type": ["string", "number", "boolean"] });
        json_schema!({
            "description": "Something that can be chosen: a value, or a value with the label that people read.",
            "oneOf": [
                scalar,
                {
                    "type": "object",
                    "properties": { "value": scalar, "label": { "type": "string" } },
                    "required": ["value"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
