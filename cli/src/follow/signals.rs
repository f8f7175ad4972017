//! The signals that ask a command line to leave.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Failure;

/// Both of them, caught from now on.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Which came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// Ctrl-C.
    Interrupt,
    /// Somebody ends this process.
    Terminate,
}

impl Signals {
    /// Catches them.
    pub(super) fn catch() -> Result<Self, Failure> {
        let caught = |kind| signal(kind).map_err(|source| Failure::Signals { source });
        Ok(Self { interrupt: caught(SignalKind::interrupt())?, terminate: caught(SignalKind::terminate())? })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.interrupt.recv() => Caught::Interrupt,
            _ = self.terminate.recv() => Caught::Terminate,
        }
    }
}
