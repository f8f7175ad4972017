//! A running command seen from the runner's side, whatever carries it: a local process or an SSH channel.
//!
//! Both queues are bounded: a reader that is slow slows the command, it does not fill the memory.

use bytes::Bytes;
use tokio::sync::mpsc;

/// Chunks that may wait in each direction. 32 chunks of at most 64 KiB bound a channel to 2 MiB each way.
pub const CHANNEL_DEPTH: usize = 32;

/// What a running command sends back. `Exit` and `Signal` come at most once; nothing follows `Closed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// Bytes of the command's standard output, in order.
    Stdout(Bytes),
    /// Bytes of the command's standard error, in order.
    Stderr(Bytes),
    /// The command ended by itself with this code.
    Exit(u32),
    /// The command was ended by this signal (its name without `SIG`).
    Signal(String),
    /// The carrier is gone. Before an `Exit` or `Signal` this means that the connection was lost.
    Closed {
        /// What broke, for people; empty when the command had ended.
        reason: String,
    },
}

/// The two ends of a running command. Dropping `stdin` is end-of-file for the command; dropping `events` closes the carrier.
#[derive(Debug)]
pub struct ExecChannel {
    /// Bytes for the command's standard input.
    pub stdin: mpsc::Sender<Bytes>,
    /// What the command sends back.
    pub events: mpsc::Receiver<ChannelEvent>,
}
