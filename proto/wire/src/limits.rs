//! The sizes and times that bound every message and every call.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The largest message of the requests that carry whole files: plan, submit, check a tool, and the stream of a runner.
/// A job may bring its inventory, its tools and its files; 64 MiB holds 100,000 hosts, and a scheduler can afford a few at once.
pub const MAX_LARGE_MESSAGE: usize = 64 * MIB;

/// The largest message of every other request: names, selectors and numbers never come near it.
pub const MAX_MESSAGE: usize = 4 * MIB;

/// The largest reply. A page of 10,000 targets with outputs and the plan of 10,000 targets fit.
pub const MAX_REPLY: usize = 64 * MIB;

/// The largest piece of a file in one message: small enough that output and heartbeats never wait long behind it.
pub const MAX_FILE_PIECE: usize = 256 * KIB;

/// The largest refusal that travels whole, as JSON, in bytes. It travels in headers, which peers bound; longer ones are cut.
pub const MAX_REFUSAL: usize = 48 * KIB;

/// What of a refusal's message is repeated as the text of the gRPC status, for clients that do not read the details, in bytes.
pub const MAX_STATUS_TEXT: usize = 2 * KIB;

/// The largest header list that our client accepts: a refusal of [`MAX_REFUSAL`] in base64, its text percent-encoded, and room.
pub const MAX_HEADERS: u32 = 128 * 1024;

/// Time to open a connection. On one host it takes a millisecond; a scheduler that needs longer does not answer at all.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for an answer, or for the beginning of a stream. Planning for 10,000 targets takes a few seconds on a busy host.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Time for work on the store, which reads or writes all of it.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(3600);

/// Messages of a runner that wait to be sent. The runner spools on disk; this only keeps the stream busy.
pub const SESSION_QUEUE: usize = 64;
