//! The protocol from outside: every type goes there and back, hostile bytes are refused without a panic, and client and server
//! meet over a real unix socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here, and says where")]

mod cases;
mod files;
mod hostile;
mod limits;
mod round_trip;
mod samples;
mod scheduler;
mod services;
