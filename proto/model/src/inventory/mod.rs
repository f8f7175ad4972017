//! Which hosts there are and how they are reached.
//!
//! [`Inventory::parse`] reads the YAML; [`Inventory::resolve`] turns it into one flat list of [`Host`]s: ranges such as
//! `web[01-40]` expanded, groups inside groups followed, settings merged. Hosts named on the command line become an inventory
//! with [`Inventory::from_hosts`].
//!
//! **Who wins** when something is set in more than one place, strongest first: the host's own entry (of several entries for
//! one host, the later), then the groups that it is in (a child before its parents; of groups that are equally deep, the
//! later in the file), then `defaults`. Labels and variables are merged name by name, everything else value by value.
//!
//! **`{{ n }}`** in a host's settings is its number, without padding: `web07` has the number 7. `{{ name }}` is its name.
//! Texts in `vars` that read neither stay templates for the steps.
//!
//! Nothing here reads a file or an environment variable: paths are text, and passwords are references.

mod file;
mod host;
mod hosts;
mod resolve;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod tree;

pub use file::{GroupEntry, Inventory, MAX_HOSTS, schema};
pub use host::Host;
pub use hosts::Hosts;
pub use settings::{Chance, HostSettings, Jump, SimSpec};
