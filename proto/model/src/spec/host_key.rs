//! How a host proves that it is the one meant: one word, or the keys that are accepted.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::HostKeyCheck;

/// How host keys are checked: `verify`, `accept-new`, `no`, or a list of the only keys that are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeySpec(pub HostKeyCheck);

impl Serialize for HostKeySpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            HostKeyCheck::Verify => serializer.serialize_str("verify"),
            HostKeyCheck::AcceptNew => serializer.serialize_str("accept-new"),
            HostKeyCheck::No => serializer.serialize_str("no"),
            HostKeyCheck::Pinned(keys) => keys.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HostKeySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HostKeyVisitor)
    }
}

struct HostKeyVisitor;

impl HostKeyVisitor {
    fn pinned<E: de::Error>(keys: Vec<String>) -> Result<HostKeySpec, E> {
        let wrong = keys.iter().find(|key| !is_host_key(key));
        match wrong {
            Some(key) => Err(E::custom(format!("`{key}` is no host key; write `SHA256:..` or `ssh-ed25519 AAAA..`"))),
            None if keys.is_empty() => Err(E::custom("the list of host keys is empty; no host could prove itself")),
            None => Ok(HostKeySpec(HostKeyCheck::Pinned(keys))),
        }
    }
}

/// A fingerprint, or a public key with its type in front.
fn is_host_key(text: &str) -> bool {
    let fingerprint = text.strip_prefix("SHA256:").is_some_and(|rest| rest.len() >= 43);
    let key = text.split_once(' ').is_some_and(|(kind, key)| {
        (kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-")) && key.starts_with("AAAA")
    });
    fingerprint || key
}

impl<'de> Visitor<'de> for HostKeyVisitor {
    type Value = HostKeySpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("verify, accept-new, no, or a list of host keys")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<HostKeySpec, E> {
        match text {
            "verify" => Ok(HostKeySpec(HostKeyCheck::Verify)),
            "accept-new" => Ok(HostKeySpec(HostKeyCheck::AcceptNew)),
            "no" => Ok(HostKeySpec(HostKeyCheck::No)),
            key if is_host_key(key) => Self::pinned(vec![key.to_owned()]),
            other => Err(E::unknown_variant(other, &["verify", "accept-new", "no"])),
        }
    }

    fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<HostKeySpec, E> {
        let word = if wanted { "verify" } else { "no" };
        Err(E::custom(format!("expected a word; write `host_key: {word}`")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HostKeySpec, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = seq.next_element::<String>()? {
            keys.push(key);
        }
        Self::pinned(keys)
    }
}

impl JsonSchema for HostKeySpec {
    fn schema_name() -> Cow<'static, str> {
        "HostKeyCheck".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How a host proves that it is the one meant: known already, noted when new, not at all, or by one of these keys.",
            "oneOf": [
                { "enum": ["verify", "accept-new", "no"] },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ],
        })
    }
}
