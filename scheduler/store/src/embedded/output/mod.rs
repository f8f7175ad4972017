//! Output of attempts: append-only segment files and an index in the database.
//!
//! One commit makes one frame per job (more when it holds over 1 MiB), however many chunks it has: many small chunks are
//! cheap. The database says how many bytes of each segment are acknowledged; what stands behind them is a torn tail.

pub(crate) mod check;
pub(crate) mod frame;
pub(crate) mod intake;
pub(crate) mod reading;
pub(crate) mod repair;
pub(crate) mod writer;
