//! The scheduler as its clients and runners see it: real services on a unix socket, and a runner that says what a test wants.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod delivery;
mod fleet;
mod hand;
mod hostile;
mod house;
mod life;
mod operate;
mod plans;
mod reading;
mod restart;
