//! How much may go wrong before a group stops itself, per outcome class: `{ failed: 2%, unreachable: 3, scope: group }`.
//!
//! A budget is exceeded when a count is **greater** than its limit: `failed: 0` stops at the first failure. Shares are rounded
//! down, so 2% of 412 targets is 8 and the ninth failure stops. A class that is not named has the default of its group, which the
//! planner knows. Reading fails on an unknown class, a negative number and a share above 100%.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::batch::Percent;
use crate::outcome::OutcomeClass;
pub use crate::plan::BudgetScope;

/// How many targets may end in one class.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Allowance {
    /// So many.
    Count(u32),
    /// This share of the scope, rounded down.
    Percent(Percent),
}

/// What a group, or a job, allows to go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Targets whose tool ran and failed, or could not be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Allowance>,
    /// Targets that could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<Allowance>,
    /// Targets that were stopped because their time was up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<Allowance>,
    /// Targets of which nobody knows how they ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Allowance>,
    /// What the limits are counted over.
    #[serde(default)]
    pub scope: BudgetScope,
}

/// The text is not an allowance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an allowance; write a number such as `3` or a share such as `2%`")]
pub struct AllowanceError {
    /// What was written, at most its first 24 characters.
    pub text: String,
}

impl Allowance {
    /// Nothing of the class is allowed.
    pub const NONE: Self = Self::Count(0);

    /// The largest number that does not exceed the budget, for a scope of `total` targets.
    pub fn limit(&self, total: u32) -> u32 {
        match self {
            Self::Count(count) => *count,
            Self::Percent(share) => share.floor_of(total),
        }
    }
}

impl Budget {
    /// The classes that a budget can name, in the order in which they are shown.
    pub const CLASSES: [OutcomeClass; 4] =
        [OutcomeClass::Failed, OutcomeClass::Unreachable, OutcomeClass::TimedOut, OutcomeClass::Interrupted];

    /// Nothing may go wrong.
    pub fn strict(scope: BudgetScope) -> Self {
        let none = Some(Allowance::NONE);
        Self { failed: none, unreachable: none, timed_out: none, interrupted: none, scope }
    }

    /// What is allowed in this class; none when the budget does not name it.
    pub fn allowance(&self, class: OutcomeClass) -> Option<Allowance> {
        match class {
            OutcomeClass::Failed => self.failed,
            OutcomeClass::Unreachable => self.unreachable,
            OutcomeClass::TimedOut => self.timed_out,
            OutcomeClass::Interrupted => self.interrupted,
            OutcomeClass::Succeeded | OutcomeClass::Stopped => None,
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Percent(share) => share.fmt(f),
        }
    }
}

impl FromStr for Allowance {
    type Err = AllowanceError;

    fn from_str(text: &str) -> Result<Self, AllowanceError> {
        let trimmed = text.trim();
        let parsed = if trimmed.ends_with('%') {
            trimmed.parse().ok().map(Self::Percent)
        } else if trimmed.bytes().all(|b| b.is_ascii_digit()) {
            trimmed.parse().ok().map(Self::Count)
        } else {
            None
        };
        parsed.ok_or_else(|| AllowanceError { text: text.chars().take(24).collect() })
    }
}

impl Serialize for Allowance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Percent(share) => serializer.collect_str(share),
        }
    }
}

impl<'de> Deserialize<'de> for Allowance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllowanceVisitor)
    }
}

struct AllowanceVisitor;

impl Visitor<'_> for AllowanceVisitor {
    type Value = Allowance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number such as `3` or a share such as `2%`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Allowance, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Allowance, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Allowance, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Allowance, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for Allowance {
    fn schema_name() -> Cow<'static, str> {
        "Allowance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How many targets may end so: a number, or a share of the scope rounded down.",
            "oneOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\d+(\.\d)?%?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_round_down() {
        let limit = |text: &str, total| text.parse::<Allowance>().expect(text).limit(total);
        assert_eq!(limit("2%", 412), 8);
        assert_eq!(limit("2%", 49), 0);
        assert_eq!(limit("12.5%", 16), 2);
        assert_eq!(limit("100%", u32::MAX), u32::MAX);
        assert_eq!(limit("3", 1), 3);
        assert_eq!(limit("0", 100), 0);
    }

    #[test]
    fn reads_the_form_of_the_design() {
        let json = r#"{"failed": "2%", "unreachable": 3, "timed_out": 0, "scope": "group"}"#;
        let budget: Budget = serde_json::from_str(json).expect("a budget");
        assert_eq!(budget.allowance(OutcomeClass::Failed).map(|a| a.limit(100)), Some(2));
        assert_eq!(budget.allowance(OutcomeClass::Unreachable), Some(Allowance::Count(3)));
        assert_eq!(budget.allowance(OutcomeClass::TimedOut), Some(Allowance::NONE));
        assert_eq!(budget.allowance(OutcomeClass::Interrupted), None);
        assert_eq!(
            serde_json::to_string(&budget).expect("json"),
            r#"{"failed":"2%","unreachable":3,"timed_out":0,"scope":"group"}"#
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for json in [
            r#"{"failed": -1}"#,
            r#"{"failed": "2"x"#,
            r#"{"faild": 1}"#,
            r#"{"failed": "200%"}"#,
            r#"{"failed": 1.5}"#,
        ] {
            serde_json::from_str::<Budget>(json).expect_err(json);
        }
        let error = "many".parse::<Allowance>().expect_err("no number");
        assert_eq!(error.to_string(), "`many` is not an allowance; write a number such as `3` or a share such as `2%`");
    }

    proptest! {
        #[test]
        fn a_share_never_allows_more_than_the_scope(tenths in 0u16..=1000, total: u32) {
            let share = Percent::from_tenths(tenths).expect("in range");
            prop_assert!(Allowance::Percent(share).limit(total) <= total);
            let shown = Allowance::Percent(share);
            prop_assert_eq!(shown.to_string().parse::<Allowance>(), Ok(shown));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,12}") {
            let _ = text.parse::<Allowance>();
        }
    }
}
