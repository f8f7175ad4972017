//! Host names and ranges with their settings: a map, or a plain list when there is nothing to say about them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::settings::HostSettings;
use crate::diagnostic::Located;

/// Host names or ranges with the settings of the hosts that they stand for, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hosts {
    entries: Vec<HostEntry>,
}

/// One name or range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HostEntry {
    /// The name or range as written.
    pub(super) pattern: Located<String>,
    /// Whether brackets in it are part of the name, as in `[::1]:22`, and not a range.
    pub(super) literal: bool,
    /// What holds for its hosts.
    pub(super) settings: HostSettings,
}

impl Hosts {
    /// Names in which brackets mean nothing. Of two with one name, the later stands.
    pub(super) fn literal(list: impl IntoIterator<Item = (String, HostSettings)>) -> Self {
        let entry =
            |(name, settings): (String, HostSettings)| HostEntry { pattern: name.into(), literal: true, settings };
        Self { entries: list.into_iter().map(entry).collect() }
    }

    /// Each name or range, in order.
    pub(super) fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Serialize for Hosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|entry| (&entry.pattern, &entry.settings)))
    }
}

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HostsVisitor)
    }
}

struct HostsVisitor;

impl<'de> Visitor<'de> for HostsVisitor {
    type Value = Hosts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of host names or ranges such as `web[01-40]: {}`, or a list of them")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Hosts, E> {
        Ok(Hosts::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hosts, A::Error> {
        let mut entries = Vec::new();
        while let Some(pattern) = map.next_key::<Located<String>>()? {
            let settings = map.next_value::<Option<HostSettings>>()?.unwrap_or_default();
            entries.push(HostEntry { pattern, literal: false, settings });
        }
        Ok(Hosts { entries })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Hosts, A::Error> {
        let mut entries = Vec::new();
        while let Some(pattern) = seq.next_element::<Located<String>>()? {
            entries.push(HostEntry { pattern, literal: false, settings: HostSettings::default() });
        }
        Ok(Hosts { entries })
    }
}

impl JsonSchema for Hosts {
    fn schema_name() -> Cow<'static, str> {
        "Hosts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let settings = generator.subschema_for::<HostSettings>();
        json_schema!({
            "description": "Host names or ranges such as web[01-40], with settings or as a list.",
            "oneOf": [
                { "type": "object", "additionalProperties": { "oneOf": [settings, { "type": "null" }] } },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}
