//! Simulated targets: seeded latency and failures, no host behind them.
//!
//! What happens to a step depends on the seed, the target's name, the attempt and the step, and on nothing else: the same
//! job behaves the same every time, and an attempt that is looked at again after a restart ends as it would have ended.

use std::time::Duration;

use autoexec_model::plan::{SimOptions, Step, Target};

/// What will happen to one try of a step on a simulated target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// How long it takes.
    pub(crate) takes: Duration,
    /// How it ends.
    pub(crate) end: End,
}

/// How a simulated step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The target cannot be reached.
    Unreachable,
    /// It never ends by itself.
    Hangs,
    /// It ends with this code.
    Exits(i32),
}

/// What will happen.
pub(crate) fn script(options: &SimOptions, target: &Target, step: &Step, attempt: u32, attempt_try: u32) -> Script {
    let draw = |what: &str, range: u64| -> u64 {
        let text = format!("{}|{}|{what}", options.seed, target.name);
        let hash = blake3::hash(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(hash.as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]));
        if range == 0 { 0 } else { u64::from_le_bytes(bytes) % range }
    };
    let each = format!("{}|{attempt}|{attempt_try}", step.id);
    let jitter = draw(&format!("jitter|{each}"), options.jitter.as_millis() + 1);
    let takes = Duration::from_millis(options.latency.as_millis() + jitter);
    let chance = |what: &str, ppm: u32| draw(&format!("{what}|{each}"), 1_000_000) < u64::from(ppm);
    // A host is away or there for a whole attempt, not for one step of it.
    let away = draw(&format!("away|{attempt}"), 1_000_000) < u64::from(options.unreachable_ppm);
    let end = if away {
        End::Unreachable
    } else if chance("hang", options.hang_ppm) {
        End::Hangs
    } else if chance("fail", options.fail_ppm) {
        End::Exits(1)
    } else {
        End::Exits(0)
    };
    Script { takes, end }
}
