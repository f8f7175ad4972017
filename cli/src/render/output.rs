//! Output of targets: raw, under a header for each target, line by line behind its name, or as JSON.
//!
//! Lines are put together from pieces per target and stream; a line longer than the bound is shown in parts.

use std::collections::BTreeMap;

use autoexec_model::api::OutputPiece;
use autoexec_model::grant::Stream;
use serde_json::{Value, json};

use super::{style, text};

/// Bytes of a line that are held while its end has not come: one piece of the wire, so that memory is bounded by the targets.
const MAX_LINE: usize = 64 * 1024;

/// Puts the name of the target before each line.
#[derive(Default)]
pub(crate) struct Prefixed {
    open: BTreeMap<(String, Stream), Vec<u8>>,
}

impl Prefixed {
    /// The lines that this piece completes.
    pub(crate) fn take(&mut self, piece: &OutputPiece) -> String {
        let key = (piece.target.clone(), piece.stream);
        let held = self.open.entry(key.clone()).or_default();
        held.extend_from_slice(&piece.bytes);
        let upto = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole = if held.len() - upto > MAX_LINE || piece.end { held.len() } else { upto };
        let lines: Vec<u8> = held.drain(..whole).collect();
        if piece.end || held.is_empty() {
            self.open.remove(&key);
        }
        named(&piece.target, &lines)
    }

    /// What is left when the stream ends.
    pub(crate) fn rest(&mut self) -> String {
        std::mem::take(&mut self.open).iter().map(|((target, _), bytes)| named(target, bytes)).collect()
    }
}

fn named(target: &str, bytes: &[u8]) -> String {
    let content = text::harmless(&String::from_utf8_lossy(bytes));
    content.lines().map(|line| format!("{} {}\n", style::faint(&format!("{target}:")), line)).collect()
}

/// Puts a header before the output of each target.
#[derive(Default)]
pub(crate) struct Headed {
    last: Option<(String, String)>,
    open_line: bool,
}

impl Headed {
    /// The header, when this piece begins another target or phase.
    pub(crate) fn header(&mut self, piece: &OutputPiece) -> Option<String> {
        if piece.bytes.is_empty() {
            return None;
        }
        let key = (piece.target.clone(), piece.phase.clone());
        let changed = self.last.as_ref() != Some(&key);
        let first = self.last.is_none();
        let before = if self.open_line && changed { "\n" } else { "" };
        self.open_line = piece.bytes.last() != Some(&b'\n');
        if !changed {
            return None;
        }
        let gap = if first { "" } else { "\n" };
        let shown = format!("{before}{gap}{}\n", style::strong(&format!("── {} · {}", piece.target, piece.phase)));
        self.last = Some(key);
        Some(shown)
    }

    /// A line end, when the last line has none.
    pub(crate) fn rest(&self) -> &'static str {
        if self.open_line { "\n" } else { "" }
    }
}

/// One piece for programs; bytes that are no UTF-8 are replaced, the raw form keeps them.
pub(crate) fn json(piece: &OutputPiece) -> Value {
    json!({
        "target": piece.target, "phase": piece.phase, "attempt": piece.attempt.n, "stream": piece.stream.word(),
        "offset": piece.offset, "text": String::from_utf8_lossy(&piece.bytes), "end": piece.end,
    })
}

#[cfg(test)]
mod tests {
    use autoexec_model::id::{AttemptId, JobId, TaskIx};
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured};

    fn piece(target: &str, text: &str, end: bool) -> OutputPiece {
        OutputPiece {
            attempt: AttemptId { job: JobId(17), task: TaskIx(0), n: 1 },
            target: target.to_owned(),
            phase: "main".to_owned(),
            stream: Stream::Stdout,
            offset: 0,
            bytes: text.as_bytes().to_vec(),
            end,
        }
    }

    #[test]
    fn lines_of_several_targets_do_not_mix() {
        let mut prefixed = Prefixed::default();
        let mut shown = prefixed.take(&piece("web01", "one\ntw", false));
        shown.push_str(&prefixed.take(&piece("web02", "uno\n", false)));
        shown.push_str(&prefixed.take(&piece("web01", "o\r\nthree", true)));
        shown.push_str(&prefixed.take(&piece("web02", "due", false)));
        shown.push_str(&prefixed.rest());
        assert_eq!(bare(&shown), "web01: one\nweb02: uno\nweb01: two\nweb01: three\nweb02: due\n");
        assert!(coloured(&shown).starts_with("^[2mweb01:^[0m one\n"));
    }

    #[test]
    fn a_line_without_end_is_not_held_for_ever() {
        let mut prefixed = Prefixed::default();
        let shown = prefixed.take(&piece("web01", &"x".repeat(MAX_LINE + 1), false));
        assert_eq!(shown.matches('x').count(), MAX_LINE + 1);
        assert_eq!(prefixed.rest(), "");
    }

    #[test]
    fn each_target_has_a_header() {
        let mut headed = Headed::default();
        let mut shown = String::new();
        for piece in [
            piece("web01", "one\n", false),
            piece("web01", "two", true),
            piece("web02", "uno", false),
            piece("web02", "", true),
        ] {
            shown.push_str(&headed.header(&piece).unwrap_or_default());
            shown.push_str(&String::from_utf8_lossy(&piece.bytes));
        }
        shown.push_str(headed.rest());
        expect![[r#"
            ── web01 · main
            one
            two

            ── web02 · main
            uno
        "#]]
        .assert_eq(&bare(&shown));
        expect![[
            r#"{"target":"web01","phase":"main","attempt":1,"stream":"stdout","offset":0,"text":"one\n","end":false}"#
        ]]
        .assert_eq(&json(&piece("web01", "one\n", false)).to_string());
    }
}
