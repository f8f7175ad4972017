//! How a batch expression stands in YAML and JSON: a text, a list, a number or `{ count: 3 }`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cut::{BatchPart, BatchSpec, MAX_PARTS, from_parts};

impl Serialize for BatchSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parts(_) => serializer.collect_str(self),
            Self::Count(count) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("count", count)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for BatchSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpecVisitor)
    }
}

struct SpecVisitor;

impl<'de> Visitor<'de> for SpecVisitor {
    type Value = BatchSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch expression such as `1 5% 25% *2`, a list such as `[1, 5%]`, or `{ count: 3 }`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BatchSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<BatchSpec, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<BatchSpec, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BatchSpec, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element::<BatchPart>()? {
            parts.push(part);
            if parts.len() > MAX_PARTS {
                break;
            }
        }
        from_parts(parts).map_err(de::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BatchSpec, A::Error> {
        let mut count: Option<u32> = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "count" || count.is_some() {
                return Err(de::Error::unknown_field(&key, &["count"]));
            }
            count = Some(map.next_value()?);
        }
        match count {
            Some(0) => Err(de::Error::custom("`count: 0` makes no batch; write 1 or more")),
            Some(count) => Ok(BatchSpec::Count(count)),
            None => Err(de::Error::missing_field("count")),
        }
    }
}

impl<'de> Deserialize<'de> for BatchPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl Visitor<'_> for PartVisitor {
    type Value = BatchPart;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part such as `1`, `5%`, `+10` or `*2`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BatchPart, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<BatchPart, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<BatchPart, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for BatchSpec {
    fn schema_name() -> Cow<'static, str> {
        "BatchSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let part = r"(\+?[1-9]\d*|\*[1-9]\d*|\d+(\.\d)?%)";
        json_schema!({
            "description": "How targets are cut into batches: `N`, `N%`, `+N`, `*N`, where the last part repeats; or a number of batches.",
            "examples": ["1 5% 25% *2"],
            "oneOf": [
                { "type": "string", "pattern": format!(r"^\s*{part}([\s,]+{part})*\s*$") },
                { "type": "integer", "minimum": 1 },
                { "type": "array", "minItems": 1, "items": { "oneOf": [
                    { "type": "string", "pattern": format!("^{part}$") },
                    { "type": "integer", "minimum": 1 },
                ] } },
                {
                    "type": "object",
                    "properties": { "count": { "type": "integer", "minimum": 1 } },
                    "required": ["count"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
