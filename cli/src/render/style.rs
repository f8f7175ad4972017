//! The colours and what they mean. Nothing is said by colour alone.

use owo_colors::OwoColorize;

/// Gives a text its colour.
pub(crate) type Paint = fn(&str) -> String;

/// As it is.
pub(crate) fn none(text: &str) -> String {
    text.to_owned()
}

/// It went well.
pub(crate) fn good(text: &str) -> String {
    text.green().to_string()
}

/// It went wrong.
pub(crate) fn bad(text: &str) -> String {
    text.red().to_string()
}

/// Something to be careful about.
pub(crate) fn warn(text: &str) -> String {
    text.yellow().to_string()
}

/// What can be typed.
pub(crate) fn hint(text: &str) -> String {
    text.cyan().to_string()
}

/// A heading.
pub(crate) fn strong(text: &str) -> String {
    text.bold().to_string()
}

/// Of less weight.
pub(crate) fn faint(text: &str) -> String {
    text.dimmed().to_string()
}

/// The colour of the word for a state, a verdict or a class of outcome. Words of a newer scheduler have none.
pub(crate) fn word(word: &str) -> Paint {
    match word {
        "succeeded" => good,
        "failed" | "aborted" | "unreachable" | "timed_out" | "interrupted" | "unresolved" => bad,
        "ignored" | "cancelled" | "paused" | "pausing" | "stopping" | "held" | "stopped" => warn,
        "skipped" => faint,
        "waiting" | "running" | "queued" | "scheduled" => none,
        // not our enum: a word of a newer scheduler.
        _ => none,
    }
}
