//! Groups and phases: who moves together, in which order, and what must hold before it goes on.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::step::StepSpec;
use crate::batch::BatchSpec;
use crate::budget::Budget;
use crate::diagnostic::Located;
use crate::millis::Millis;
use crate::plan::{BetweenMode, Place, Strategy};
use crate::selector::Selector;

/// Phases that share targets and a strategy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Its name, unique in the job.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub name: Located<String>,
    /// `rolling`: batch after batch, each through all phases. `oneshot`: all phases start together, each over all targets.
    /// When nothing is said: `rolling` if `batches` is written, else `oneshot`.
    #[serde(default)]
    pub strategy: Option<Located<Strategy>>,
    /// Narrows the targets of the job.
    #[serde(default)]
    pub targets: Option<Located<Selector>>,
    /// How the targets are cut: `1 5% 25% *2`, `[1, 5%, 25%]` or `{count: 3}`. One batch when nothing is said.
    #[serde(default)]
    pub batches: Option<Located<BatchSpec>>,
    /// In which order the targets move; that of the inventory when nothing is said.
    #[serde(default)]
    pub order: Option<Located<OrderSpec>>,
    /// Tasks of one phase that may run at once.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parallel: Option<Located<u32>>,
    /// What happens between batches.
    #[serde(default)]
    pub between: Option<Located<BetweenSpec>>,
    /// How many targets may go wrong, by kind of failure, before the group stops itself.
    #[serde(default)]
    pub budget: Option<Located<Budget>>,
    /// What is done, in order.
    pub phases: Vec<Located<PhaseSpec>>,
    /// What must succeed on the targets of a batch before the next batch begins.
    #[serde(default)]
    pub health: Vec<Located<StepSpec>>,
}

/// An ordered list of steps, applied to each target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// Its name, unique in the job.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub name: Located<String>,
    /// Where the steps run: on the `target`, on the `runner` once, or on the runner once per target (`runner-target`).
    #[serde(default)]
    pub on: Located<Place>,
    /// For a `runner` phase of a rolling group: the batch in which it runs; `first` when nothing is said.
    #[serde(default)]
    pub batch: Option<Located<BatchChoice>>,
    /// Expression; the phase is skipped for a target when it is false.
    #[serde(default)]
    pub when: Option<Located<String>>,
    /// Narrows how many tasks of this phase may run at once.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parallel: Option<Located<u32>>,
    /// Narrows the targets, for phases that stand at the top of the job.
    #[serde(default)]
    pub targets: Option<Located<Selector>>,
    /// What is done, in order.
    pub steps: Vec<Located<StepSpec>>,
}

/// The batch in which something runs that runs once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BatchChoice {
    /// The first one.
    #[default]
    First,
    /// The one in the middle; of an even number, the earlier of the two.
    Middle,
    /// The last one.
    Last,
}

/// What happens between batches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BetweenSpec {
    /// Who decides that the next batch begins; nobody (`continue`) when nothing is said.
    #[serde(default)]
    pub mode: BetweenMode,
    /// How long to wait first.
    #[serde(default)]
    pub soak: Millis,
}

/// By what the targets of a group are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrderBy {
    /// As in the inventory.
    #[default]
    Inventory,
    /// At random; the plan prints the seed, so that the order can be had again.
    Random,
    /// By name, numbers in names by value: `web2` before `web10`.
    Name,
}

/// In which order the targets of a group move; `random` alone is short for `{by: random}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OrderSpec {
    /// By what they are ordered.
    pub by: OrderBy,
    /// For `random`: the same seed gives the same order.
    pub seed: Option<u64>,
    /// A label whose values take turns, so that no batch is all of one zone.
    pub spread: Option<Located<String>>,
}

impl GroupSpec {
    /// The strategy, written or implied.
    pub fn strategy(&self) -> Strategy {
        match (&self.strategy, &self.batches) {
            (Some(strategy), _) => strategy.value,
            (None, Some(_)) => Strategy::Rolling,
            (None, None) => Strategy::Oneshot,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderMap {
    /// By what the targets are ordered.
    #[serde(default)]
    by: OrderBy,
    /// For `random`: the same seed gives the same order.
    #[serde(default)]
    seed: Option<u64>,
    /// A label whose values take turns, so that no batch is all of one zone.
    #[serde(default)]
    spread: Option<Located<String>>,
}

impl<'de> Deserialize<'de> for OrderSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderVisitor)
    }
}

struct OrderVisitor;

impl<'de> Visitor<'de> for OrderVisitor {
    type Value = OrderSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inventory, random, name or {by: .., seed: .., spread: ..}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OrderSpec, E> {
        let by = OrderBy::deserialize(de::value::StrDeserializer::<E>::new(text))?;
        Ok(OrderSpec { by, seed: None, spread: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrderSpec, A::Error> {
        let OrderMap { by, seed, spread } = OrderMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(OrderSpec { by, seed, spread })
    }
}

impl JsonSchema for OrderSpec {
    fn schema_name() -> Cow<'static, str> {
        "OrderSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "In which order the targets of a group move.",
            "oneOf": [generator.subschema_for::<OrderBy>(), generator.subschema_for::<OrderMap>()],
        })
    }
}
