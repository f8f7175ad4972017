//! A map whose keys keep their order and their place.
//!
//! The order in which an engineer writes things is the order in which they happen and are shown. Reading fails on a key that
//! is written twice.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::diagnostic::{Located, Place};

/// Names with values, in the order in which they were written; no name twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<V> {
    list: Vec<(Located<String>, V)>,
}

impl<V> Entries<V> {
    /// None yet.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// The value under a name. Looks at every name: for large maps, build an index once.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.list.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// Where a name is written.
    pub fn place_of(&self, name: &str) -> Option<Place> {
        self.list.iter().find(|(key, _)| key.value == name).and_then(|(key, _)| key.place)
    }

    /// Whether the name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the value of a name; a new name goes to the end.
    pub fn set(&mut self, name: impl Into<Located<String>>, value: V) {
        let name = name.into();
        match self.list.iter_mut().find(|(key, _)| key.value == name.value) {
            Some((_, old)) => *old = value,
            None => self.list.push((name, value)),
        }
    }

    /// Names with values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Located<String>, &V)> + ExactSizeIterator {
        self.list.iter().map(|(key, value)| (key, value))
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(key, _)| key.value.as_str())
    }

    /// Values, in order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.list.iter().map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> FromIterator<(String, V)> for Entries<V> {
    /// Of two values with one name, the later stands.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(items: I) -> Self {
        let mut entries = Self::new();
        for (name, value) in items {
            entries.set(name, value);
        }
        entries
    }
}

impl<V> IntoIterator for Entries<V> {
    type Item = (Located<String>, V);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<V: Serialize> Serialize for Entries<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
    type Value = Entries<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
        let mut list: Vec<(Located<String>, V)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<Located<String>>()? {
            if !seen.insert(key.value.clone()) {
                return Err(de::Error::custom(format!("`{}` is written twice", key.value)));
            }
            list.push((key, map.next_value()?));
        }
        Ok(Entries { list })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Entries<V>, E> {
        Ok(Entries::new())
    }
}

impl<V: JsonSchema> JsonSchema for Entries<V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<V>(),
        })
    }
}
