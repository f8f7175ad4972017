//! The messages of the stream between a runner and its scheduler, in model types.
//!
//! Every one of them may arrive twice: it is known by (attempt, epoch) or by (attempt, stream, offset).

use autoexec_model::grant::{AttemptReport, Grant, LiveAttempt, OutputChunk, RunnerHello, Stream, ToolPackage};
use autoexec_model::id::{AttemptId, Digest, Epoch, UnixMillis};

/// The lease of an attempt, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// The attempt.
    pub attempt: AttemptId,
    /// Fences stale holders.
    pub epoch: Epoch,
}

/// From a runner to its scheduler.
#[derive(Debug, Clone, PartialEq)]
pub enum RunnerMessage {
    /// First on every connection, once.
    Hello(RunnerHello),
    /// These attempts of a grant are in the runner's journal.
    Accepted {
        /// Which, with the epochs of the grant.
        attempts: Vec<Lease>,
    },
    /// An attempt began.
    Started {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
        /// When, by the runner's clock.
        at: UnixMillis,
    },
    /// An attempt came to a step, or to a further try of it.
    Progress {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
        /// Index of the step in its phase, from 0.
        step: u32,
        /// Which try of it, from 1.
        attempt_try: u32,
    },
    /// A piece of output; sent again until it is acknowledged.
    Output {
        /// The piece.
        chunk: OutputChunk,
        /// The epoch of the attempt's lease.
        epoch: Epoch,
    },
    /// An attempt ended; sent again until it is acknowledged.
    Finished {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
        /// How it ended.
        report: AttemptReport,
    },
    /// A sign of life.
    Heartbeat {
        /// Attempts it holds now.
        live: Vec<LiveAttempt>,
        /// Now, by the runner's clock.
        at: UnixMillis,
    },
    /// It finishes what it holds and takes nothing more.
    Draining,
    /// It does not have this tool.
    NeedTool {
        /// Digest of the tool's content.
        digest: Digest,
    },
    /// It does not have this file.
    NeedFile {
        /// SHA-256 of its content in lower-case hexadecimal.
        sha256: String,
    },
}

/// From a scheduler to a runner.
#[derive(Debug, Clone, PartialEq)]
pub enum SchedulerMessage {
    /// Answer to [`RunnerMessage::Hello`], once.
    Welcome {
        /// Random name of the scheduler's store; another one than before means another scheduler.
        instance: String,
        /// Attempts that go on.
        keep: Vec<Lease>,
        /// Attempts to stop.
        stop: Vec<Lease>,
        /// Time between heartbeats, in milliseconds.
        heartbeat_ms: u64,
        /// Time after which a lease that was not renewed expires, in milliseconds.
        lease_ms: u64,
    },
    /// Attempts to execute.
    Grant(Box<Grant>),
    /// End a running attempt: polite signal, grace, kill, verified.
    Stop {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
        /// Whether a person asked for it and not a policy.
        cancel: bool,
        /// Why, for the report; may be empty.
        reason: String,
    },
    /// Forget an attempt that has not begun; one that has begun is stopped.
    Revoke {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
    },
    /// All leases of this runner were renewed.
    Renewed {
        /// Until when, by the scheduler's clock.
        until: UnixMillis,
    },
    /// Output is durable up to an offset.
    OutputAck {
        /// Whose.
        attempt: AttemptId,
        /// Which stream.
        stream: Stream,
        /// Bytes from 0 up to here need not be sent again.
        offset: u64,
    },
    /// A [`RunnerMessage::Finished`] is durable.
    FinishedAck {
        /// Which attempt.
        attempt: AttemptId,
        /// The epoch of its lease.
        epoch: Epoch,
    },
    /// Answer to [`RunnerMessage::NeedTool`].
    Tool(ToolPackage),
    /// Answer to [`RunnerMessage::NeedFile`], in pieces.
    File {
        /// SHA-256 of the whole content.
        sha256: String,
        /// At most [`crate::limits::MAX_FILE_PIECE`] bytes.
        bytes: Vec<u8>,
        /// Offset of the first byte, from 0.
        offset: u64,
        /// Whether this is the last piece.
        end: bool,
    },
}
