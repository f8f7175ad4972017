//! The rules of the house, checked by reading the repository: sizes, layers, words, docs.
//!
//! They read text and do not compile anything, so they take milliseconds and hold for code that is
//! not built on this machine too. `house` runs each rule over the repository; each rule's own file
//! shows on small samples that it can fail. A rule that finds nothing to read passes.
//!
//! An exception is one line in `allow.txt` with its reason. An entry that no longer excuses
//! anything fails as well, so the list can only shrink.

mod allow;
mod arms;
mod code;
mod docs;
mod finding;
mod functions;
mod heads;
mod house;
mod layers;
mod names;
mod panics;
mod paths;
mod proto;
mod purity;
mod sizes;
mod tree;
mod words;
