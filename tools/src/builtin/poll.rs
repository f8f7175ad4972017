//! Asking again and again until the answer is right or the time is up.
//!
//! The last answer is kept, so that a time-out can say what was seen. The number of rounds is bounded by time: an interval is never
//! shorter than [`SHORTEST_INTERVAL`].

use std::time::{Duration, Instant};

/// Asking more often than this would be an attack on the service that is waited for.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a built-in tool is a process of its own and measures its own waiting"
        )]
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How long to go on, and how often to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) timeout: Duration,
    pub(crate) interval: Duration,
}

/// What one round found.
pub(crate) enum Probe<T> {
    /// The answer is right.
    Right(T),
    /// Not yet; what was seen.
    NotYet(T),
}

/// How the polling ended: the last answer, how often it was asked, how long it took.
#[derive(Debug)]
pub(crate) struct Polled<T> {
    pub(crate) right: bool,
    pub(crate) last: T,
    pub(crate) attempts: u64,
    pub(crate) waited: Duration,
}

/// Asks until `ask` is satisfied or the time is up. `ask` gets the time that is left and must not take longer.
pub(crate) fn poll<T, E>(pace: Pace, mut ask: impl FnMut(Duration) -> Result<Probe<T>, E>) -> Result<Polled<T>, E> {
    let start = Stopwatch::start();
    let interval = pace.interval.max(SHORTEST_INTERVAL);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let left = pace.timeout.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        let round_began = Stopwatch::start();
        let (right, last) = match ask(left)? {
            Probe::Right(last) => (true, last),
            Probe::NotYet(last) => (false, last),
        };
        let waited = start.elapsed();
        let pause = interval.saturating_sub(round_began.elapsed());
        // A round that would begin after the end is not begun.
        if right || waited + pause >= pace.timeout {
            return Ok(Polled { right, last, attempts, waited });
        }
        std::thread::sleep(pause);
    }
}

/// Milliseconds for an output.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
