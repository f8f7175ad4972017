//! Rows under headings for people, rows of tab-separated fields for scripts.

use super::style::{self, Paint};
use super::text;

/// One field of a row.
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A field in a colour; what steers a terminal or parts fields is taken out.
    pub(crate) fn new(content: impl AsRef<str>, paint: Paint) -> Self {
        let text = text::harmless(content.as_ref()).replace(['\n', '\t'], " ");
        Self { text, paint }
    }

    /// A field as it is.
    pub(crate) fn plain(content: impl AsRef<str>) -> Self {
        Self::new(content, style::none)
    }
}

/// Rows of fields. The last column takes what width is left and is clipped; the others are as wide as they must be.
pub(crate) struct Table {
    head: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

/// Columns between two fields.
const GAP: usize = 2;

impl Table {
    /// A table without rows. No heading is printed when all of them are empty.
    pub(crate) fn new(head: &'static [&'static str]) -> Self {
        Self { head, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// For people, each line behind `indent` spaces.
    pub(crate) fn human(&self, width: usize, indent: usize) -> String {
        let widths = self.widths(width, indent);
        let mut shown = String::new();
        if self.head.iter().any(|name| !name.is_empty()) {
            let names: Vec<Cell> = self.head.iter().map(|name| Cell::new(name, style::faint)).collect();
            shown.push_str(&laid_out(&names, &widths, indent));
        }
        for row in &self.rows {
            shown.push_str(&laid_out(row, &widths, indent));
        }
        shown
    }

    /// For scripts: no heading, an empty field is `-`.
    pub(crate) fn plain(&self) -> String {
        let mut shown = String::new();
        for row in &self.rows {
            let fields: Vec<&str> =
                row.iter().map(|cell| if cell.text.is_empty() { "-" } else { cell.text.as_str() }).collect();
            shown.push_str(&fields.join("\t"));
            shown.push('\n');
        }
        shown
    }

    fn widths(&self, width: usize, indent: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|name| text::width(name)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(text::width(&cell.text));
            }
        }
        let Some((last, others)) = widths.split_last_mut() else { return widths };
        let others_end: usize = others.iter().map(|width| width + GAP).sum::<usize>() + indent;
        // A column that has nothing to say anywhere takes no width; one that would vanish keeps room for a word.
        *last = (*last).min(width.saturating_sub(others_end).max(12));
        widths
    }
}

fn laid_out(cells: &[Cell], widths: &[usize], indent: usize) -> String {
    let mut line = " ".repeat(indent);
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if *width == 0 {
            continue;
        }
        let text = text::clip(&cell.text, *width);
        let pad = width.saturating_sub(text::width(&text));
        line.push_str(&(cell.paint)(&text));
        if at + 1 < cells.len() {
            line.push_str(&" ".repeat(pad + GAP));
        }
    }
    format!("{}\n", line.trim_end())
}
