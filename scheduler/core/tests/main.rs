//! Tests of the core: small plans as data, inputs in, events and effects out; and laws over random plans and inputs.
//!
//! Every event that any test applies is followed by all invariants, and every world ends with a replay of its journal.

mod budgets;
mod explain;
mod gates;
mod invariants;
mod laws;
mod layout;
mod legality;
mod messages;
mod operators;
mod plans;
mod random;
mod retry;
mod rolling;
mod runners;
mod views;
mod words;
mod world;
