//! Tests of the core: small plans as data, inputs in, events and effects out; and laws over random plans and inputs.
//!
//! Every event that any test applies is followed by all invariants, and every world ends with a replay of its journal.

mod laws;
mod plans;
mod random;
mod words;
mod world;
