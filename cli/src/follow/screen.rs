//! The live view on a terminal: lines that are redrawn in place, and lines that scroll up once they are settled.

use std::collections::BTreeSet;
use std::io::Write;

use autoexec_model::view::JobView;
use crossterm::QueueableCommand;
use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::terminal::{Clear, ClearType};

use crate::render::{Look, live};
use crate::ui::Ui;

/// What stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// Lines that will be redrawn.
    drawn: usize,
    /// Batches whose line has scrolled up.
    settled: BTreeSet<u32>,
}

impl Screen {
    /// Draws the job as it stands.
    pub(super) fn draw(&mut self, ui: &Ui, view: &JobView) {
        let (look, rows) = ui.live_look();
        let (controls, lines) = self.frame(view, &look, rows);
        ui.draw(&controls, &lines);
    }

    /// Takes the moving lines away; what has scrolled up stays.
    pub(super) fn clear(&mut self, ui: &Ui) {
        ui.draw(&self.erasure(), "");
        self.drawn = 0;
    }

    /// Leaves the moving lines where they are; the next ones are drawn below.
    pub(super) fn settle(&mut self) {
        self.drawn = 0;
    }

    /// Says a line above the moving ones.
    pub(super) fn say(&mut self, ui: &Ui, line: &str) {
        self.clear(ui);
        ui.talk(line);
    }

    /// The bytes that take the old lines away, and the new lines.
    fn frame(&mut self, view: &JobView, look: &Look, rows: usize) -> (Vec<u8>, String) {
        let controls = self.erasure();
        let mut lines = String::new();
        for batch in &view.batches {
            if !live::is_settled(batch) {
                // A batch that is retried moves again.
                self.settled.remove(&batch.index);
            } else if self.settled.insert(batch.index) {
                lines.push_str(&live::batch_line(batch, view, look));
                lines.push('\n');
            }
        }
        let moving = live::moving(view, look, rows.saturating_sub(1));
        self.drawn = moving.len();
        for line in moving {
            lines.push_str(&line);
            lines.push('\n');
        }
        (controls, lines)
    }

    fn erasure(&self) -> Vec<u8> {
        let mut controls = Vec::new();
        if let Ok(lines) = u16::try_from(self.drawn)
            && lines > 0
        {
            // Writing to memory cannot fail.
            let _ = controls
                .queue(MoveUp(lines))
                .and_then(|out| out.queue(MoveToColumn(0)))
                .and_then(|out| out.queue(Clear(ClearType::FromCursorDown)));
            let _ = controls.flush();
        }
        controls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_settled_batch_is_printed_once_and_again_after_a_retry() {
        let mut screen = Screen::default();
        let look = sample::look(80);
        let mut view = sample::job();
        let (controls, lines) = screen.frame(&view, &look, 24);
        assert_eq!(
            (controls.len(), lines.lines().count()),
            (0, 4),
            "two batches that are over, one that moves, the job: {lines}"
        );
        let (controls, lines) = screen.frame(&view, &look, 24);
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert_eq!(String::from_utf8_lossy(&controls), "\u{1b}[2A\u{1b}[1G\u{1b}[J");
        view.batches[1].state = "running".to_owned();
        let (_, lines) = screen.frame(&view, &look, 24);
        assert_eq!(lines.lines().count(), 3, "{lines}");
        view.batches[1].state = "succeeded".to_owned();
        let (_, lines) = screen.frame(&view, &look, 24);
        assert_eq!(lines.lines().count(), 3, "{lines}");
    }

    #[test]
    fn no_more_lines_move_than_the_terminal_has() {
        let mut view = sample::job();
        let batch = view.batches[2].clone();
        view.batches = (1..=50).map(|index| autoexec_model::view::BatchView { index, ..batch.clone() }).collect();
        let mut screen = Screen::default();
        screen.frame(&view, &sample::look(80), 10);
        assert!(screen.drawn < 10, "{}", screen.drawn);
    }
}
