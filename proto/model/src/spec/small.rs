//! Values that can be written in more than one way: a word for the usual case, a map for the rest.
//!
//! Each has its own visitor instead of an untagged enum, because the error must say what can be written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::credential::CredentialSpec;
use crate::diagnostic::Located;
use crate::millis::Millis;
use crate::plan::{BecomeMethod, Retries};

/// Whose rights a step runs with.
#[derive(Debug, Clone, PartialEq)]
pub enum BecomeSpec {
    /// `false`: those of the user who logged in, even when a default says otherwise.
    Nobody,
    /// Another user's.
    User(BecomeUser),
}

/// Another user, and how its rights are had.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BecomeUser {
    /// The user; a template.
    pub user: Located<String>,
    /// By which program.
    #[serde(default)]
    pub method: BecomeMethod,
    /// Where the password is found; none when the program needs none.
    #[serde(default)]
    pub password: Option<Located<CredentialSpec>>,
}

/// How often and when a step is tried again; a number alone is `max`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RetriesSpec {
    /// Further tries after the first, at most 100.
    pub max: u32,
    /// Wait before the first of them.
    pub delay: Millis,
    /// What the wait is multiplied by each time.
    pub backoff: Backoff,
    /// The longest wait.
    pub max_delay: Option<Millis>,
}

/// What a wait is multiplied by, exact to a thousandth; 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// In thousandths.
    pub milli: u32,
}

/// The program that runs a script, and its first arguments. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter(pub Vec<String>);

/// More tries than this are no repair but a loop.
const MAX_RETRIES: u32 = 100;

impl RetriesSpec {
    /// In the plan's terms.
    pub fn to_plan(&self) -> Retries {
        let max_delay = self.max_delay.unwrap_or(Millis::ZERO);
        Retries { max: self.max, delay: self.delay, backoff_milli: self.backoff.milli, max_delay }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { milli: 1000 }
    }
}

impl Default for Interpreter {
    fn default() -> Self {
        Self(vec!["sh".to_owned()])
    }
}

// === impl BecomeSpec

impl Serialize for BecomeSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nobody => serializer.serialize_bool(false),
            Self::User(user) => user.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for BecomeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BecomeVisitor)
    }
}

struct BecomeVisitor;

impl<'de> Visitor<'de> for BecomeVisitor {
    type Value = BecomeSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user such as root, {user: .., method: sudo}, or false")
    }

    fn visit_str<E: de::Error>(self, user: &str) -> Result<BecomeSpec, E> {
        if user.trim().is_empty() {
            return Err(E::custom("the user to become is empty; write its name, or false"));
        }
        Ok(BecomeSpec::User(BecomeUser { user: user.into(), ..BecomeUser::default() }))
    }

    fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<BecomeSpec, E> {
        if wanted {
            return Err(E::custom("`become: true` does not say who; write the user: `become: root`"));
        }
        Ok(BecomeSpec::Nobody)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BecomeSpec, A::Error> {
        BecomeUser::deserialize(MapAccessDeserializer::new(map)).map(BecomeSpec::User)
    }
}

impl JsonSchema for BecomeSpec {
    fn schema_name() -> Cow<'static, str> {
        "BecomeSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Whose rights a step runs with: a user, a user with how, or false for those of the user who logged in.",
            "oneOf": [{ "type": "string", "minLength": 1 }, { "const": false }, generator.subschema_for::<BecomeUser>()],
        })
    }
}

// === impl RetriesSpec

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetriesMap {
    /// Further tries after the first, at most 100.
    #[schemars(range(max = 100))]
    max: u32,
    /// Wait before the first of them; none when nothing is said.
    #[serde(default)]
    delay: Millis,
    /// What the wait is multiplied by each time; 1 when nothing is said.
    #[serde(default)]
    backoff: Backoff,
    /// The longest wait.
    #[serde(default)]
    max_delay: Option<Millis>,
}

impl<'de> Deserialize<'de> for RetriesSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RetriesVisitor)
    }
}

struct RetriesVisitor;

impl RetriesVisitor {
    fn checked<E: de::Error>(retries: RetriesSpec) -> Result<RetriesSpec, E> {
        if retries.max > MAX_RETRIES {
            return Err(E::custom(format!("at most {MAX_RETRIES} further tries are allowed, not {}", retries.max)));
        }
        Ok(retries)
    }
}

impl<'de> Visitor<'de> for RetriesVisitor {
    type Value = RetriesSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of tries or {max: .., delay: .., backoff: .., max_delay: ..}")
    }

    fn visit_u64<E: de::Error>(self, max: u64) -> Result<RetriesSpec, E> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        Self::checked(RetriesSpec { max, ..RetriesSpec::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RetriesSpec, A::Error> {
        let RetriesMap { max, delay, backoff, max_delay } = RetriesMap::deserialize(MapAccessDeserializer::new(map))?;
        Self::checked(RetriesSpec { max, delay, backoff, max_delay })
    }
}

impl JsonSchema for RetriesSpec {
    fn schema_name() -> Cow<'static, str> {
        "RetriesSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How often and when a step is tried again; a number alone is `max`.",
            "oneOf": [{ "type": "integer", "minimum": 0, "maximum": 100 }, generator.subschema_for::<RetriesMap>()],
        })
    }
}

impl Serialize for Backoff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.milli.is_multiple_of(1000) {
            serializer.serialize_u32(self.milli / 1000)
        } else {
            serializer.serialize_f64(f64::from(self.milli) / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let factor = f64::deserialize(deserializer)?;
        if !(1.0..=100.0).contains(&factor) {
            return Err(de::Error::custom("the factor of a wait must be from 1 to 100"));
        }
        // Between 1,000 and 100,000 after the check above, so nothing is cut off.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be from 1 to 100")]
        let milli = (factor * 1000.0).round() as u32;
        Ok(Self { milli })
    }
}

impl JsonSchema for Backoff {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Backoff".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 1, "maximum": 100 })
    }
}

// === impl Interpreter

impl Interpreter {
    fn checked<E: de::Error>(words: Vec<String>) -> Result<Self, E> {
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            Some(_) | None => Err(E::custom("the interpreter is empty; write a program such as `sh` or [bash, -eu]")),
        }
    }
}

impl Serialize for Interpreter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Interpreter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InterpreterVisitor)
    }
}

struct InterpreterVisitor;

impl<'de> Visitor<'de> for InterpreterVisitor {
    type Value = Interpreter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a program such as `bash -eu` or [python3, -u]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Interpreter, E> {
        Interpreter::checked(text.split_whitespace().map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Interpreter, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = seq.next_element::<String>()? {
            words.push(word);
        }
        Interpreter::checked(words)
    }
}

impl JsonSchema for Interpreter {
    fn schema_name() -> Cow<'static, str> {
        "Interpreter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The program that runs a script, and its first arguments.",
            "oneOf": [{ "type": "string", "minLength": 1 }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
        })
    }
}
