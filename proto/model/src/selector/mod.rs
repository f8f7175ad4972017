//! Which targets are meant: `@web & zone=a*`, `web[01-40],db1`, `* & !@canary`.
//!
//! | form | matches |
//! |---|---|
//! | `*`, `all` | every target |
//! | `@web` | targets of the group, or of a group inside it |
//! | `web1`, `web[01-40]`, `web*`, `"all"` | by name or address; in quotes there are no wildcards |
//! | `zone=a*`, `zone!=b` | by label; `!=` also matches targets without the label |
//! | `a & b`, `a \| b`, `a,b`, `!a`, `( )` | both, either, either, not; `&` binds more tightly than `\|` and `,` |
//!
//! Parsing fails on what is not in the table; the error names the byte and what to write. It is bounded in depth and in names,
//! and matching a target takes time in proportion to the selector's length, whatever the wildcards.

mod lex;
mod parse;
mod select;
mod term;

#[cfg(test)]
mod tests;

pub use select::{Mentioned, Selectable, Selector, SelectorError};
pub use term::{Endpoint, Leaf, LeafKind, Names, endpoint};
