//! What runners have to do with it: none there, away, full.

use autoexec_model::id::UnixMillis;
use autoexec_model::millis::Millis;

use super::reason::{Reason, ReasonCode};
use crate::decide::free;
use crate::state::{Runner, State};

/// Why no runner takes a task now; none when one has room.
pub(super) fn shortage(state: &State, now: UnixMillis) -> Option<Reason> {
    if state.runners.iter().any(|runner| free(runner) > 0) {
        return None;
    }
    if state.runners.is_empty() {
        let sentence = "no runner has ever connected to this scheduler".to_owned();
        return Some(Reason::new(ReasonCode::NoRunner, sentence).next(vec!["start a runner".to_owned()]));
    }
    let held: Vec<String> = state
        .runners
        .iter()
        .filter(|runner| runner.connected)
        .map(|runner| format!("`{}` holds {} of {}", runner.id, runner.live, runner.capacity))
        .collect();
    if held.is_empty() {
        let last = state.runners.iter().max_by_key(|runner| runner.since);
        return last.map(|runner| away(runner, now, "no runner is connected; "));
    }
    let sentence = format!("every runner holds as much as it can: {}", held.join(", "));
    Some(Reason::new(ReasonCode::RunnerFull, sentence))
}

/// The reason that a runner is away.
pub(super) fn away(runner: &Runner, now: UnixMillis, before: &str) -> Reason {
    let sentence = format!("{before}runner `{}` has been away for {}", runner.id, lasted(runner.since, now));
    Reason::new(ReasonCode::RunnerOffline, sentence).next(vec![format!("start runner `{}` again", runner.id)])
}

/// The time from one instant to another, in whole seconds, for people.
pub(super) fn lasted(from: UnixMillis, to: UnixMillis) -> Millis {
    Millis::from_secs(to.since(from) / 1000)
}

/// The time until an instant, in whole seconds and never less than what is left.
pub(super) fn left(until: UnixMillis, now: UnixMillis) -> Millis {
    Millis::from_secs(until.since(now).div_ceil(1000))
}
