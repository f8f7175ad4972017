//! The list of exceptions: which findings are excused, and which excuses are no longer needed.
//!
//! Fails on a line without its three parts and on an entry that excuses nothing.

use super::finding::Finding;

pub(super) const PATH: &str = "tests/tests/tidy/allow.txt";

/// A reason shorter than this says nothing.
const SHORTEST_REASON: usize = 15;

#[derive(Debug)]
struct Entry {
    line: usize,
    rule: String,
    path: String,
    item: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Allowed {
    entries: Vec<Entry>,
    malformed: Vec<Finding>,
}

impl Allowed {
    /// Reads the list; malformed lines are kept as findings.
    pub(super) fn parse(text: &str) -> Self {
        let mut allowed = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match parse_entry(index + 1, line) {
                Some(entry) => allowed.entries.push(entry),
                None => allowed.malformed.push(Finding::new(
                    PATH,
                    index + 1,
                    format!("not an exception: `{line}`"),
                    "write `rule | path or path#function | reason`, the reason in a few words",
                )),
            }
        }
        allowed
    }

    /// Malformed lines, and entries for rules that do not exist.
    pub(super) fn faults(&self, rules: &[&str]) -> Vec<Finding> {
        let unknown = self.entries.iter().filter(|entry| !rules.contains(&entry.rule.as_str())).map(|entry| {
            Finding::new(
                PATH,
                entry.line,
                format!("no rule is called `{}`", entry.rule),
                "use the name that the failing test printed",
            )
        });
        self.malformed.iter().cloned().chain(unknown).collect()
    }

    /// What is left of the findings of one rule, together with its entries that excuse nothing.
    pub(super) fn apply(&self, rule: &str, findings: Vec<Finding>) -> Vec<Finding> {
        let entries: Vec<&Entry> = self.entries.iter().filter(|entry| entry.rule == rule).collect();
        let stale =
            entries.iter().filter(|entry| !findings.iter().any(|finding| entry.excuses(finding))).map(|entry| {
                Finding::new(
                    PATH,
                    entry.line,
                    format!("`{}` no longer needs this exception", entry.path),
                    "delete the line",
                )
            });
        let stale: Vec<Finding> = stale.collect();
        let kept = findings.into_iter().filter(|finding| !entries.iter().any(|entry| entry.excuses(finding)));
        kept.chain(stale).collect()
    }
}

impl Entry {
    fn excuses(&self, finding: &Finding) -> bool {
        self.path == finding.path && (self.item.is_none() || self.item == finding.item)
    }
}

fn parse_entry(line: usize, text: &str) -> Option<Entry> {
    let mut parts = text.splitn(3, '|').map(str::trim);
    let (rule, place, reason) = (parts.next()?, parts.next()?, parts.next()?);
    if rule.is_empty() || place.is_empty() || reason.len() < SHORTEST_REASON {
        return None;
    }
    let (path, item) = match place.split_once('#') {
        Some((path, item)) => (path, Some(item.to_owned())),
        None => (place, None),
    };
    Some(Entry { line, rule: rule.to_owned(), path: path.to_owned(), item })
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn finding(path: &str, item: &str) -> Finding {
        Finding::new(path, 7, "too long", "split it").about(item)
    }

    #[test]
    fn an_entry_excuses_its_path_or_only_its_function() {
        let allowed = Allowed::parse("size | a.rs | one big table of codes\nsize | b.rs#run | the body of a command\n");
        let left = allowed.apply("size", vec![finding("a.rs", "x"), finding("b.rs", "run"), finding("b.rs", "walk")]);
        assert_eq!(left, vec![finding("b.rs", "walk")]);
    }

    #[test]
    fn an_entry_that_excuses_nothing_is_a_finding() {
        let allowed = Allowed::parse("# head\n\nsize | a.rs | one big table of codes\n");
        assert_eq!(places(&allowed.apply("size", vec![])), [format!("{PATH}:3")]);
        assert_eq!(allowed.apply("words", vec![]), vec![], "an entry speaks only for its own rule");
    }

    #[test]
    fn malformed_lines_and_unknown_rules_are_findings() {
        let allowed = Allowed::parse("size | a.rs\nsize | a.rs | because\nshape | a.rs | one big table of codes\n");
        assert_eq!(places(&allowed.faults(&["size"])), [format!("{PATH}:1"), format!("{PATH}:2"), format!("{PATH}:3")]);
    }
}
