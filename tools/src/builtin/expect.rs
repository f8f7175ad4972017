//! Which HTTP statuses are accepted: `200`, `200,204`, `200-299`, `2xx`, and any list of these.
//!
//! Fails on anything else, naming the part that makes no sense.

use std::ops::RangeInclusive;

/// A set of HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Reads the text form; the error names the part that is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).map(part).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(parts))
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

fn part(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || format!("expect: `{text}` is no status: write 200, 200-299 or 2xx");
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().map_err(|_| wrong())?;
        return if (1..=5).contains(&class) { Ok(class * 100..=class * 100 + 99) } else { Err(wrong()) };
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let from = status(from).ok_or_else(wrong)?;
    let to = status(to).ok_or_else(wrong)?;
    if from <= to { Ok(from..=to) } else { Err(wrong()) }
}

fn status(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|status| (100..=599).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_classes_are_understood() {
        let statuses = Statuses::parse("200, 204,300-302,4xx").unwrap();
        for (status, wanted) in
            [(200, true), (201, false), (204, true), (301, true), (303, false), (404, true), (500, false)]
        {
            assert_eq!(statuses.contains(status), wanted, "{status}");
        }
    }

    #[test]
    fn anything_else_is_named_in_the_error() {
        for text in ["", "ok", "200,", "99", "600", "299-200", "9xx", "xx", "200-"] {
            let error = Statuses::parse(text).unwrap_err();
            assert!(error.contains("write 200"), "{text}: {error}");
        }
    }
}
