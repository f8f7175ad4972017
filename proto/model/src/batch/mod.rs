//! How targets are cut into batches: `1 5% 25% *2`, `[1, 5%, 25%]` or `{ count: 3 }`.
//!
//! Parts are used from left to right and the last one repeats until every target has a batch. All arithmetic is on whole
//! numbers, so a plan is the same on every machine. Parsing fails on an unknown form and on a part that could make an empty
//! batch; the error names the byte and what to write instead.

mod cut;
mod form;

#[cfg(test)]
mod tests;

pub use cut::{BatchError, BatchPart, BatchSpec, Percent};
