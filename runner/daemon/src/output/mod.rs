//! From the bytes of a command to the bytes that are kept: transcoded, masked, cut into pieces, and counted for clusters.
//!
//! What comes out depends on the bytes alone and not on how they were cut on the way in: a runner that starts again reads
//! an attempt from its beginning and makes the same stream, of which it sends only what is not stored yet.

mod cluster;
mod mask;
mod streams;
#[cfg(test)]
mod tests;

pub(crate) use mask::Secrets;
pub(crate) use streams::{MAX_CAPTURE, Output};
