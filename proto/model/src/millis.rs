//! A length of time, written as people write it: `500ms`, `30s`, `5m`, `1h30m`, `2d`.
//!
//! Whole milliseconds, no fractions, no calendar. A bare number is refused, because `timeout: 5` means five seconds to one
//! reader and five minutes to the next. Parsing fails on an unknown or missing unit, on units that do not fall in size, and
//! above [`Millis::MAX`]; the error names the byte where it stopped and what to write instead.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in milliseconds, at most [`Millis::MAX`] when it is parsed.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Millis(u64);

/// The text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at}); {hint}", at = .at + 1)]
pub struct MillisError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// Units from the largest to the smallest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

const HOW: &str = "write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`";

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The longest time that can be written: 36,500 days. Longer ones are typing mistakes, and below it sums cannot overflow.
    pub const MAX: Self = Self(36_500 * 86_400_000);

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many seconds, at most the end of time.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// For the standard library and for timers.
    pub const fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Millis {
    /// The shortest exact form: `1m30s`, never `90s`; `0s` for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, size) in UNITS {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl FromStr for Millis {
    type Err = MillisError;

    fn from_str(text: &str) -> Result<Self, MillisError> {
        let trimmed = text.trim_end();
        let mut at = text.len() - text.trim_start().len();
        if at >= trimmed.len() {
            return Err(flaw(0, "the length of time is empty", HOW));
        }
        let mut total: u64 = 0;
        let mut smallest = usize::MAX;
        while at < trimmed.len() {
            let (unit, millis, next) = part(trimmed, at)?;
            if smallest != usize::MAX && unit <= smallest {
                return Err(flaw(at, "units must fall in size, each once", "write `1h30m`, not `30m1h`"));
            }
            smallest = unit;
            total = total.saturating_add(millis);
            at = next;
        }
        if total > Self::MAX.0 {
            return Err(flaw(0, "the length of time is longer than 36500d", "write a shorter one"));
        }
        Ok(Self(total))
    }
}

/// One number with its unit at `at`: the unit's index, the milliseconds, where the next part begins.
fn part(text: &str, at: usize) -> Result<(usize, u64, usize), MillisError> {
    let rest = &text[at..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(flaw(at, format!("expected a number, found `{}`", first_word(rest)), HOW));
    }
    let number: u64 = rest[..digits].parse().unwrap_or(u64::MAX);
    let after = &rest[digits..];
    let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
    let unit_at = at + digits;
    if letters == 0 {
        return Err(no_unit(unit_at, number, after));
    }
    let unit = &after[..letters];
    match UNITS.iter().position(|(name, _)| *name == unit) {
        Some(index) => Ok((index, number.saturating_mul(UNITS[index].1), unit_at + letters)),
        None => Err(flaw(unit_at, format!("unknown unit `{unit}`"), "the units are ms, s, m, h and d")),
    }
}

fn no_unit(at: usize, number: u64, after: &str) -> MillisError {
    if after.starts_with('.') || after.starts_with(',') {
        return flaw(
            at,
            "fractions are not allowed",
            "write the next smaller unit as well: `1h30m` for an hour and a half",
        );
    }
    if after.is_empty() {
        return flaw(at, format!("`{number}` has no unit"), &format!("write `{number}s` for seconds, or ms, m, h, d"));
    }
    flaw(at, format!("expected a unit, found `{}`", first_word(after)), HOW)
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| !c.is_whitespace()).take(16).collect()
}

fn flaw(at: usize, what: impl Into<String>, hint: &str) -> MillisError {
    MillisError { at, what: what.into(), hint: hint.to_owned() }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MillisVisitor)
    }
}

struct MillisVisitor;

impl Visitor<'_> for MillisVisitor {
    type Value = Millis;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as `30s` or `1h30m`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Millis, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Millis, E> {
        Err(E::custom(format!("`{number}` has no unit; write `{number}s` for seconds, or ms, m, h, d")))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Millis, E> {
        Err(E::custom(format!("`{number}` is not a length of time; {HOW}")))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Millis, E> {
        Err(E::custom(format!("`{number}` has no unit; {HOW}")))
    }
}

impl JsonSchema for Millis {
    fn schema_name() -> Cow<'static, str> {
        "Millis".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: whole numbers with the units d, h, m, s, ms, from large to small.",
            "pattern": r"^\s*(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?\s*$",
            "examples": ["500ms", "30s", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<u64, String> {
        text.parse::<Millis>().map(Millis::as_millis).map_err(|e| e.to_string())
    }

    #[test]
    fn forms_that_people_write() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
            (" 7s ", 7000),
            ("90s", 90_000),
        ] {
            assert_eq!(parse(text), Ok(millis), "{text}");
        }
        assert_eq!(Millis::from_secs(90).to_string(), "1m30s");
        assert_eq!(Millis::ZERO.to_string(), "0s");
    }

    #[test]
    fn errors_say_what_to_write() {
        let all = ["", "30", "5 s", "1.5h", "3w", "30m1h", "1h1h", "s", "-3s", "99999999999999999999d", "5µs"]
            .map(|text| format!("{text:?}: {}", parse(text).expect_err(text)))
            .join("\n");
        expect_test::expect![[r#"
            "": the length of time is empty (at character 1); write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`
            "30": `30` has no unit (at character 3); write `30s` for seconds, or ms, m, h, d
            "5 s": expected a unit, found `` (at character 2); write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`
            "1.5h": fractions are not allowed (at character 2); write the next smaller unit as well: `1h30m` for an hour and a half
            "3w": unknown unit `w` (at character 2); the units are ms, s, m, h and d
            "30m1h": units must fall in size, each once (at character 4); write `1h30m`, not `30m1h`
            "1h1h": units must fall in size, each once (at character 3); write `1h30m`, not `30m1h`
            "s": expected a number, found `s` (at character 1); write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`
            "-3s": expected a number, found `-3s` (at character 1); write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`
            "99999999999999999999d": the length of time is longer than 36500d (at character 1); write a shorter one
            "5µs": expected a unit, found `µs` (at character 2); write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`"#]]
        .assert_eq(&all);
        let bare = serde_json::from_str::<Millis>("30").expect_err("a bare number");
        assert!(bare.to_string().contains("write `30s`"), "{bare}");
    }

    proptest! {
        #[test]
        fn display_parses_back(millis in 0..=Millis::MAX.0) {
            let time = Millis(millis);
            prop_assert_eq!(time.to_string().parse::<Millis>(), Ok(time));
            let json = serde_json::to_string(&time).expect("a string");
            prop_assert_eq!(serde_json::from_str::<Millis>(&json).expect("the same"), time);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,24}|[0-9dhms. ]{0,12}") {
            let _ = text.parse::<Millis>();
        }
    }
}
