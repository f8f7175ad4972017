//! Reading the YAML that people write: strictly, within limits, with errors that point.
//!
//! - `yes`, `no`, `on` and `off` are words, not booleans; only `true` and `false` are.
//! - Keys that are written twice, unknown keys, several documents in one file and custom tags are errors.
//! - Size, depth, aliases and the work that aliases cause are limited, so that no file can exhaust the reader.
//! - A byte order mark at the beginning is skipped.
//!
//! [`parse`] answers with exactly one error, the first in the text; checks of meaning that come after it collect all of theirs.

mod entries;
mod explain;
mod locate;

pub use entries::Entries;

use serde::de::DeserializeOwned;
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

pub use crate::diagnostic::Located;
use crate::diagnostic::{Diagnosed, SourceFile};

/// Bytes of one job or manifest: a thousand times the longest that anyone writes by hand.
pub const MAX_FILE: usize = 4 << 20;

/// Bytes of one inventory: room for 100,000 hosts with an address and labels each.
pub const MAX_INVENTORY: usize = 32 << 20;

/// Nesting of lists and maps: far deeper than our formats go, shallow enough for the stack of any thread.
const MAX_DEPTH: usize = 64;

/// Uses of aliases: each must be read again, so they are kept few.
const MAX_ALIASES: usize = 1000;

/// Values that aliases may add altogether; a real file repeats an anchor of some lines some dozens of times.
const MAX_REPLAYED: usize = 20_000;

/// Reads one document of at most [`MAX_FILE`] bytes.
///
/// # Errors
/// One diagnostic that points at the first thing in the text that is not as `T` wants it.
pub fn parse<T: DeserializeOwned>(src: &SourceFile) -> Diagnosed<T> {
    parse_up_to(src, MAX_FILE)
}

/// Reads one document of at most so many bytes.
///
/// # Errors
/// Like [`parse`].
pub fn parse_up_to<T: DeserializeOwned>(src: &SourceFile, max_bytes: usize) -> Diagnosed<T> {
    if src.text.len() > max_bytes {
        let message = format!("the file has {} bytes; at most {max_bytes} are read", src.text.len());
        return Err(src.error(None, message).into());
    }
    let text = src.text.strip_prefix('\u{feff}').unwrap_or(&src.text);
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Err(src.error(None, "the file is empty").into());
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| explain::explain(src, &error).into())
}

fn options() -> serde_saphyr::Options {
    let defaults = Budget::default();
    // One scalar needs at least one byte, so the limit on bytes already limits nodes and events.
    let limits = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
        max_aliases: MAX_ALIASES,
        max_events: defaults.max_events.max(4_000_000),
        max_nodes: defaults.max_nodes.max(2_000_000),
        max_total_scalar_bytes: defaults.max_total_scalar_bytes.max(MAX_INVENTORY),
        max_documents: 1,
        enforce_alias_anchor_ratio: false,
    };
    serde_saphyr::options! {
        budget: limits,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}
