//! The tests that look at the whole, in one binary: modules by theme.

#[cfg(test)]
mod e2e;
mod generated;
#[cfg(test)]
mod harness;
mod tidy;
