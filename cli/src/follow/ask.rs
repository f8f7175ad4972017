//! Asks one question and reads one key, while the stream of updates goes on. The terminal is raw only that long.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::oneshot;

use super::question::{Answer, Key, Question};
use crate::error::Failure;

/// How often the reading thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// A question that waits for its key.
pub(super) struct Asking {
    question: Question,
    answer: oneshot::Receiver<Answer>,
    unwanted: Arc<AtomicBool>,
}

impl Asking {
    /// Begins to read. The text of the question is already on the terminal.
    pub(super) fn begin(question: Question) -> Result<Self, Failure> {
        enable_raw_mode().map_err(|source| Failure::Terminal { source })?;
        let unwanted = Arc::new(AtomicBool::new(false));
        let (sender, answer) = oneshot::channel();
        let stop = Arc::clone(&unwanted);
        // A thread, because the terminal can only be read by blocking; it ends within one look.
        std::thread::spawn(move || {
            if let Some(found) = first_answer(question, &stop) {
                let _ = sender.send(found);
            }
        });
        Ok(Self { question, answer, unwanted })
    }

    /// What was asked.
    pub(super) fn question(&self) -> Question {
        self.question
    }

    /// The answer; a terminal that cannot be read any more is left.
    pub(super) async fn answer(&mut self) -> Answer {
        (&mut self.answer).await.unwrap_or(Answer::Detach)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        // A terminal that is gone needs no mode.
        let _ = disable_raw_mode();
    }
}

fn first_answer(question: Question, unwanted: &AtomicBool) -> Option<Answer> {
    while !unwanted.load(Ordering::Relaxed) {
        match next_key() {
            Ok(Some(key)) => {
                if let Some(answer) = question.answer(key) {
                    return Some(answer);
                }
            }
            Ok(None) => {}
            Err(_) => return Some(Answer::Detach),
        }
    }
    None
}

fn next_key() -> io::Result<Option<Key>> {
    if !poll(LOOK)? {
        return Ok(None);
    }
    Ok(match read()? {
        Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) => meaning(code, modifiers),
        Event::Key(_)
        | Event::FocusGained
        | Event::FocusLost
        | Event::Mouse(_)
        | Event::Paste(_)
        | Event::Resize(..) => None,
    })
}

fn meaning(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
    match code {
        // In raw mode the terminal makes no signal of it.
        KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Interrupt),
        KeyCode::Char(letter) => Some(Key::Letter(letter.to_ascii_lowercase())),
        KeyCode::Enter => Some(Key::Enter),
        // not our enum: all other keys of a keyboard.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_is_no_letter() {
        assert_eq!(meaning(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Interrupt));
        assert_eq!(meaning(KeyCode::Char('C'), KeyModifiers::SHIFT), Some(Key::Letter('c')));
        assert_eq!(meaning(KeyCode::Enter, KeyModifiers::NONE), Some(Key::Enter));
        assert_eq!(meaning(KeyCode::Up, KeyModifiers::NONE), None);
    }
}
