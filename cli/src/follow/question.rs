//! The questions that a person is asked while following a job, and what each key means. Pure.

use autoexec_model::api::Operation;
use autoexec_model::state::JobState;
use autoexec_model::view::JobView;

use crate::exit;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Ctrl-C was pressed.
    Leave,
    /// The job waits at a gate for a confirmation.
    Gate,
    /// The job waits for the verdict on interrupted targets, which one key cannot give.
    Unresolved,
    /// The job is paused.
    Paused,
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A letter, in lower case.
    Letter(char),
    /// Enter.
    Enter,
    /// Ctrl-C, or the terminal is gone.
    Interrupt,
}

/// What a key means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Go on watching.
    Watch,
    /// Leave; the job goes on.
    Detach,
    /// Do this to the job.
    Do(Operation),
}

impl Question {
    /// What a job that stands still asks for; none when it moves or has ended.
    pub(super) fn of(view: &JobView) -> Option<Self> {
        match exit::state(view)? {
            JobState::Waiting if view.batches.iter().any(|batch| batch.state == "held") => Some(Self::Gate),
            JobState::Waiting => Some(Self::Unresolved),
            JobState::Paused => Some(Self::Paused),
            JobState::Scheduled
            | JobState::Queued
            | JobState::Running
            | JobState::Pausing
            | JobState::Stopping
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Aborted => None,
        }
    }

    /// The text; the answer is one key.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Leave => "[d]etach, [p]ause or [x] cancel the job? Enter goes on watching: ",
            Self::Gate => "[c]onfirm, [r]eject or [d]etach? ",
            Self::Unresolved => "say how they ended with `resolve`. [d]etach? ",
            Self::Paused => "[r]esume, [x] cancel or [d]etach? ",
        }
    }

    /// What this key means; none when it means nothing here.
    pub(super) fn answer(self, key: Key) -> Option<Answer> {
        let cancel = || Answer::Do(Operation::Cancel { reason: String::new() });
        match (self, key) {
            (Self::Leave, Key::Enter) => Some(Answer::Watch),
            // A job that stands still has nothing to watch: the question stays.
            (Self::Gate | Self::Unresolved | Self::Paused, Key::Enter) => None,
            (_, Key::Interrupt | Key::Letter('d')) => Some(Answer::Detach),
            (Self::Leave, Key::Letter('p')) => Some(Answer::Do(Operation::Pause)),
            // Never the letter that confirms.
            (Self::Leave | Self::Paused, Key::Letter('x')) => Some(cancel()),
            (Self::Gate, Key::Letter('c')) => Some(Answer::Do(Operation::Confirm)),
            (Self::Gate, Key::Letter('r')) => Some(Answer::Do(Operation::Reject)),
            (Self::Paused, Key::Letter('r')) => Some(Answer::Do(Operation::Resume)),
            (Self::Leave | Self::Gate | Self::Unresolved | Self::Paused, Key::Letter(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn each_standstill_has_its_question() {
        let question = |state: &str, batch: &str| {
            let mut view = sample::job();
            view.state = state.to_owned();
            view.batches[2].state = batch.to_owned();
            Question::of(&view)
        };
        assert_eq!(question("waiting", "held"), Some(Question::Gate));
        assert_eq!(question("waiting", "running"), Some(Question::Unresolved));
        assert_eq!(question("paused", "held"), Some(Question::Paused));
        // A batch that soaks is held too, and the job still runs.
        assert_eq!(question("running", "held"), None);
        assert_eq!(question("failed", "failed"), None);
    }

    #[test]
    fn every_key_that_a_question_names_has_a_meaning() {
        for question in [Question::Leave, Question::Gate, Question::Unresolved, Question::Paused] {
            let named = question.text().split('[').skip(1).filter_map(|rest| rest.chars().next());
            for letter in named {
                assert!(question.answer(Key::Letter(letter)).is_some(), "{question:?} {letter}");
            }
            assert_eq!(question.answer(Key::Letter('z')), None);
            assert_eq!(question.answer(Key::Interrupt), Some(Answer::Detach));
        }
        assert_eq!(Question::Leave.answer(Key::Enter), Some(Answer::Watch));
        assert_eq!(Question::Gate.answer(Key::Enter), None, "a gate's question is not lost by a stray key");
        assert_eq!(Question::Leave.answer(Key::Letter('c')), None, "the key that confirms never cancels");
        assert_eq!(Question::Gate.answer(Key::Letter('c')), Some(Answer::Do(Operation::Confirm)));
        assert_eq!(Question::Paused.answer(Key::Letter('r')), Some(Answer::Do(Operation::Resume)));
    }
}
