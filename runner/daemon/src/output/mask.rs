//! Secrets are masked by value before anything is written or sent, also where a value is cut by a chunk's border.
//!
//! The last bytes of a chunk that could be the beginning of a secret are held back until the next chunk, so what comes out
//! does not depend on where the chunks were cut.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What stands for a secret.
pub(crate) const MASK: &[u8] = b"******";

/// Shorter values are not masked: they would hide ordinary text and give themselves away by it.
const MIN_SECRET: usize = 3;

/// The values to mask.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    values: Arc<Vec<String>>,
    finder: Option<Arc<AhoCorasick>>,
    longest: usize,
}

impl Secrets {
    /// The values of the secret parameters, in the forms in which programs print them.
    pub(crate) fn new(params: &Map<String, Value>, names: &[String]) -> Self {
        let mut values = Vec::new();
        for value in names.iter().filter_map(|name| params.get(name)) {
            collect(value, &mut values);
        }
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        for value in &values {
            patterns.push(value.clone().into_bytes());
            patterns.push(STANDARD.encode(value).into_bytes());
            if let Ok(json) = serde_json::to_string(value) {
                patterns.push(json.trim_matches('"').as_bytes().to_vec());
            }
            // Programs print many-line secrets line by line.
            patterns.extend(value.lines().filter(|line| line.len() >= 8).map(|line| line.as_bytes().to_vec()));
        }
        patterns.sort();
        patterns.dedup();
        let longest = patterns.iter().map(Vec::len).max().unwrap_or(0);
        let finder = if patterns.is_empty() {
            None
        } else {
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns).ok().map(Arc::new)
        };
        Self { values: Arc::new(values), finder, longest }
    }

    /// Whether a text holds one of the values.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.values.iter().any(|value| text.contains(value.as_str()))
    }

    /// A text with the values masked.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut masker = Masker::new(self);
        let mut bytes = masker.push(text.as_bytes());
        bytes.extend(masker.finish());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A value with every text in it masked.
    pub(crate) fn mask_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.mask_value(item)).collect()),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), self.mask_value(value))).collect())
            }
            Value::Number(number) if self.are_in(&number.to_string()) => Value::String(self.mask(&number.to_string())),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// Every text and number of a value that is long enough to be masked. Whether something is on or off is in every output.
fn collect(value: &Value, into: &mut Vec<String>) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => return items.iter().for_each(|item| collect(item, into)),
        Value::Object(map) => return map.values().for_each(|item| collect(item, into)),
        Value::Null | Value::Bool(_) => return,
    };
    if text.len() >= MIN_SECRET {
        into.push(text);
    }
}

/// Masks one stream.
pub(crate) struct Masker {
    finder: Option<Arc<AhoCorasick>>,
    longest: usize,
    held: Vec<u8>,
}

impl Masker {
    pub(crate) fn new(secrets: &Secrets) -> Self {
        Self { finder: secrets.finder.clone(), longest: secrets.longest, held: Vec::new() }
    }

    /// Takes bytes, gives back those that are decided.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.finder.is_none() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let decided = self.held.len().saturating_sub(self.longest - 1);
        self.take(decided)
    }

    /// Gives back what was held.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.take(self.held.len())
    }

    /// Masks every match that begins before `decided`; the longest one there is wholly in the buffer.
    fn take(&mut self, decided: usize) -> Vec<u8> {
        let Some(finder) = &self.finder else { return std::mem::take(&mut self.held) };
        let mut out = Vec::with_capacity(decided);
        let mut at = 0;
        for found in finder.find_iter(&self.held) {
            if found.start() >= decided {
                break;
            }
            out.extend_from_slice(self.held.get(at..found.start()).unwrap_or_default());
            out.extend_from_slice(MASK);
            at = found.end();
        }
        if at < decided {
            out.extend_from_slice(self.held.get(at..decided).unwrap_or_default());
            at = decided;
        }
        self.held.drain(..at);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Masker, Secrets};
    use serde_json::{Map, Value};

    fn secrets(values: &[&str]) -> Secrets {
        let params: Map<String, Value> =
            values.iter().enumerate().map(|(n, value)| (format!("s{n}"), Value::String((*value).to_owned()))).collect();
        let names: Vec<String> = params.keys().cloned().collect();
        Secrets::new(&params, &names)
    }

    #[test]
    fn the_result_does_not_depend_on_where_the_stream_is_cut() {
        let secrets = secrets(&["hunter2", "hunter2000", "abcabd"]);
        let text = b"x hunter2 hunter2000 abcabcabd aGVsbG8 hunter200 hunte";
        let whole = secrets.mask(&String::from_utf8_lossy(text));
        assert_eq!(whole, "x ****** ****** abc****** aGVsbG8 ******00 hunte");
        for size in 1..text.len() {
            let mut masker = Masker::new(&secrets);
            let mut out = Vec::new();
            for piece in text.chunks(size) {
                out.extend(masker.push(piece));
            }
            out.extend(masker.finish());
            assert_eq!(String::from_utf8_lossy(&out), whole, "cut every {size} bytes");
        }
    }

    #[test]
    fn secrets_that_are_no_text_are_masked_too() {
        let params =
            serde_json::json!({ "pin": 482_913, "keys": ["first-key", { "k": "second-key" }], "on": true, "n": 7 });
        let Value::Object(params) = params else { panic!("an object") };
        let names: Vec<String> = params.keys().cloned().collect();
        let secrets = Secrets::new(&params, &names);
        assert_eq!(secrets.mask("482913 first-key true second-key 7"), "****** ****** true ****** 7");
        assert!(secrets.are_in("pin=482913"));
        assert_eq!(
            secrets.mask_value(&serde_json::json!({ "n": 482_913, "m": 1 })),
            serde_json::json!({ "n": "******", "m": 1 })
        );
    }

    #[test]
    fn base64_and_json_forms_are_masked() {
        let secrets = secrets(&["pass\"word\nx"]);
        assert_eq!(secrets.mask("cGFzcyJ3b3JkCng="), "******");
        assert_eq!(secrets.mask(r#"{"p":"pass\"word\nx"}"#), r#"{"p":"******"}"#);
    }
}
