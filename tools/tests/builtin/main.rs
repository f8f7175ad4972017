//! The tools that are compiled in, against real listeners on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod http;
mod ping;
mod tls;
mod wait;
