//! What the supervisor sends: a mark, then frames.
//!
//! A frame is one line of words; some are followed by as many bytes as the line says. [`crate::parser`] reads them.

use bytes::Bytes;

/// The longest frame line. Reasons are one line of an operating system's message.
pub const MAX_LINE: usize = 8 * 1024;
/// The longest content of `$AUTOEXEC_OUTPUT` that is sent.
pub const MAX_RESULT: usize = 1 << 20;
/// Noise before the mark beyond this means that no supervisor is going to answer.
pub const MAX_NOISE: usize = 1 << 20;

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One message of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// This channel started the execution.
    Started {
        /// The worker's process id.
        pid: u64,
    },
    /// It had been started before.
    Attached {
        /// The worker's process id.
        pid: u64,
    },
    /// There is no such execution.
    Unknown,
    /// It was not started, and with this key never will be unless the reason says that the payload was cut.
    Refused {
        /// A word for the kind, then the text of the host.
        reason: String,
    },
    /// Bytes of a stream at an absolute offset.
    Data {
        /// Which one.
        stream: Stream,
        /// Position of the first byte.
        offset: u64,
        /// At least one byte.
        bytes: Bytes,
    },
    /// So many bytes of a stream were dropped until now, because it is longer than the cap.
    Dropped {
        /// Which one.
        stream: Stream,
        /// Bytes, in total, that this supervisor has seen dropped.
        total: u64,
    },
    /// The script itself cut its output file short (`> /dev/stdout` does it); later bytes follow at the lower offset.
    Truncated {
        /// Which one.
        stream: Stream,
        /// Where we were.
        from: u64,
        /// Where the file ends now.
        to: u64,
    },
    /// Nothing happened, but the supervisor is there.
    Heartbeat,
    /// What the tool wrote to `$AUTOEXEC_OUTPUT`.
    Result {
        /// The beginning of it, at most [`MAX_RESULT`].
        bytes: Bytes,
        /// Its real length.
        total: u64,
    },
    /// The script ended.
    Exit {
        /// As the host's shell reports it.
        code: u32,
    },
    /// It was killed by the kill command.
    Killed {
        /// The script's own code, when it still ended by itself.
        code: Option<u32>,
    },
    /// It had begun and is gone without a trace of its end.
    Lost {
        /// Why, for people.
        reason: String,
    },
    /// The answer of a command that is not a run.
    Answer {
        /// Words.
        text: String,
    },
}

/// What came is not the supervisor's language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too much noise before the mark.
    #[error("no supervisor answered within {MAX_NOISE} bytes of noise")]
    Noise,
    /// A line without an end.
    #[error("a frame line is longer than {MAX_LINE} bytes")]
    LongLine,
    /// A line that means nothing.
    #[error("not a frame: {line:?}")]
    Unknown {
        /// Its beginning.
        line: String,
    },
}
