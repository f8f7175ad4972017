//! Text that fits: widths in columns, clipping, folded names, and what comes from targets made harmless.

use anstream::adapter::strip_str;
use autoexec_model::nodeset;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::Paint;

/// Columns that a text takes on a terminal. Colours count nothing.
pub(crate) fn width(text: &str) -> usize {
    strip_str(text).to_string().width()
}

/// The text without its colours.
pub(crate) fn colourless(text: &str) -> String {
    strip_str(text).to_string()
}

/// The text in at most `max` columns; what is cut off is shown by `…`.
pub(crate) fn clip(text: &str, max: usize) -> String {
    if text.width() <= max {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut used = 0;
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        // One column is kept for the mark.
        if used + 1 > max {
            break;
        }
        clipped.push(letter);
    }
    if max > 0 {
        clipped.push('…');
    }
    clipped
}

/// Text from a target or a scheduler, on a terminal: no escape sequence, no control character but line end and tab survives, so
/// that output cannot move the cursor, change the title or answer a question.
pub(crate) fn harmless(text: &str) -> String {
    // Programs that draw progress end their lines with a bare carriage return; on a terminal that would overwrite ours.
    strip_str(text)
        .to_string()
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .map(|letter| match letter {
            '\n' | '\t' => letter,
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => '\u{fffd}',
            // not our enum: every other letter.
            _ => letter,
        })
        .collect()
}

/// The first line, harmless.
pub(crate) fn first_line(text: &str) -> String {
    let text = harmless(text.trim());
    text.lines().next().unwrap_or_default().trim_end().to_owned()
}

/// Folded names in at most `max` columns: as many parts as fit, and how many names are left out.
pub(crate) fn clip_folded(folded: &str, size: usize, max: usize) -> String {
    if folded.width() <= max {
        return folded.to_owned();
    }
    let mut kept = String::new();
    let mut names = 0;
    for part in folded_parts(folded) {
        let count = nodeset::expand(part).map_or(1, |names| names.len());
        let rest = size.saturating_sub(names + count);
        let more = if rest > 0 { format!(",… (+{rest})") } else { String::new() };
        let comma = usize::from(!kept.is_empty());
        if kept.width() + comma + part.width() + more.width() > max {
            break;
        }
        if comma > 0 {
            kept.push(',');
        }
        kept.push_str(part);
        names += count;
    }
    if kept.is_empty() {
        let more = format!(" ({size})");
        return format!("{}{more}", clip(folded, max.saturating_sub(more.width())));
    }
    format!("{kept},… (+{})", size.saturating_sub(names))
}

/// The parts of a folded list: commas in brackets do not part.
fn folded_parts(folded: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut depth) = (0_usize, 0_usize);
    for (at, byte) in folded.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&folded[from..at]);
                from = at + 1;
            }
            // not our enum: bytes of names.
            _ => {}
        }
    }
    parts.push(&folded[from..]);
    parts
}

/// A sentence about a target, without the name of the target before it: where it is shown, the name already stands.
pub(crate) fn without_name<'a>(message: &'a str, target: &str) -> &'a str {
    message.strip_prefix(target).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message)
}

/// `1 target`, `2 targets`.
pub(crate) fn count(number: u32, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Non-zero counts as `10 succeeded, 1 failed`, each in its colour, in the order of `words`.
pub(crate) fn counts<'a>(pairs: impl IntoIterator<Item = (&'a str, u32)>, paint: fn(&str) -> Paint) -> String {
    let shown: Vec<String> = pairs
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(word, number)| paint(word)(&format!("{number} {}", word.replace('_', " "))))
        .collect();
    shown.join(", ")
}

/// A line that is filled from the left and never grows wider than it may.
pub(crate) struct Line {
    shown: String,
    left: usize,
}

impl Line {
    /// An empty line of so many columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { shown: String::new(), left: width }
    }

    /// Columns that are still free.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Adds a text in a colour, clipped when it does not fit.
    pub(crate) fn push(&mut self, text: &str, paint: Paint) {
        let text = clip(text, self.left);
        self.left -= text.width().min(self.left);
        if !text.is_empty() {
            self.shown.push_str(&paint(&text));
        }
    }

    /// Adds coloured text when all of it fits.
    pub(crate) fn push_whole(&mut self, coloured: &str) -> bool {
        let needed = width(coloured);
        if needed > self.left {
            return false;
        }
        self.left -= needed;
        self.shown.push_str(coloured);
        true
    }

    /// The line, without spaces at its end.
    pub(crate) fn end(self) -> String {
        self.shown.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_counts_columns() {
        assert_eq!(clip("nginx", 5), "nginx");
        assert_eq!(clip("nginx", 4), "ngi…");
        assert_eq!(clip("数据库", 4), "数…");
        assert_eq!(clip("nginx", 0), "");
    }

    #[test]
    fn folded_names_say_how_many_are_left_out() {
        let folded = "db[1-2],web[01-38,40],zoo";
        assert_eq!(clip_folded(folded, 42, 40), folded);
        assert_eq!(clip_folded(folded, 42, 20), "db[1-2],… (+40)");
        assert_eq!(
            clip_folded("web[01,03,05,07,09]", 5, 12),
            "web[01,0… (5)".chars().take(7).collect::<String>() + "… (5)"
        );
        assert_eq!(clip_folded(folded, 42, 24), "db[1-2],… (+40)");
    }

    #[test]
    fn output_of_targets_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{1b}]0;title\u{7}c\r\nd\te\u{9b}31m"), "abc\nd\te\u{fffd}31m");
        assert_eq!(harmless("10%\r20%\r\n"), "10%\n20%\n");
        assert_eq!(first_line("  one\u{8}\ntwo"), "one");
    }

    #[test]
    fn a_line_never_grows_too_wide() {
        let mut line = Line::new(10);
        line.push("12345", super::super::style::good);
        assert!(!line.push_whole("1234567"));
        line.push("1234567", super::super::style::bad);
        assert_eq!(width(&line.end()), 10);
    }
}
