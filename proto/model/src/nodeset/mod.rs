//! Many names in few characters: `web[01-40,52].x[1-2],db1`.
//!
//! [`expand`] turns a pattern into names, [`fold`] turns names into a pattern, and expanding what was folded gives the same
//! set again. Zero padding is kept: `[01-10]` begins with `01`. A pattern is refused when its brackets do not match, when a
//! range runs backwards, or when it stands for more than [`MAX_NAMES`] names; the error names the byte and what to write.

mod expand;
mod fold;

pub use expand::{NodesetError, expand, parts};
pub use fold::{fold, natural_cmp};

/// Names that one pattern may stand for: ten times the largest fleet that the product is made for, and small enough that a
/// mistyped `[1-999999999]` costs nothing.
pub const MAX_NAMES: usize = 100_000;
