//! The YAML reader's errors in one clear sentence each, with a hint where one helps.
//!
//! Everything that serde and the reader can report is mapped here; what is not expected to happen keeps the reader's own words.

use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;

use super::locate;
use crate::diagnostic::{Diagnostic, Place, SourceFile, hint_for};

/// What is wrong, and what to write instead.
struct Finding {
    message: String,
    hint: Option<String>,
}

/// The diagnostic for one error of the reader.
pub(super) fn explain(src: &SourceFile, error: &Error) -> Diagnostic {
    let error = innermost(error);
    let place = place_of(src, error);
    // A tab often makes the scanner stumble at the end of the line above.
    let below = place.map(|place| Place { line: place.line.saturating_add(1), column: 1, len: 1 });
    let place =
        if locate::has_tab_indent(src, below.map_or(0, |at| at.line)) && is_about_tab(error) { below } else { place };
    let finding = tab_in_indent(src, place).or_else(|| unquoted_template(src, place)).unwrap_or_else(|| find(error));
    src.error(place, finding.message).maybe_hint(finding.hint)
}

fn place_of(src: &SourceFile, error: &Error) -> Option<Place> {
    let place = locate::token(src, error.location()?)?;
    match error {
        Error::SerdeMissingField { .. } => locate::head_of_map(src, place),
        Error::SerdeUnknownVariant { variant, .. } => Some(locate::value_after(src, place, variant)),
        Error::SerdeInvalidType { .. } | Error::SerdeInvalidValue { .. } | Error::SerdeInvalidLength { .. } => {
            Some(locate::value_after(src, place, ""))
        }
        // Everything else stands where the reader stood.
        _ => Some(place), // not our enum: the YAML reader's errors
    }
}

fn innermost(mut error: &Error) -> &Error {
    while let Error::WithSnippet { error: inner, .. } = error {
        error = inner;
    }
    error
}

/// YAML forbids tabs in indentation, and its readers complain about whatever comes of them, sometimes a line too early.
fn tab_in_indent(src: &SourceFile, place: Option<Place>) -> Option<Finding> {
    let line = place?.line;
    locate::has_tab_indent(src, line).then(tab)
}

fn is_about_tab(error: &Error) -> bool {
    find(error).message == tab().message
}

fn tab() -> Finding {
    hinted("a tab is used for indentation", "YAML is indented with spaces only")
}

/// `x: {{ params.y }}` without quotes is a map in a map, which nobody means.
fn unquoted_template(src: &SourceFile, place: Option<Place>) -> Option<Finding> {
    let line = src.line(place?.line)?;
    let bare = [": {{", "- {{", "[{{", "[ {{", ", {{"].iter().any(|opening| line.contains(opening));
    bare.then(|| Finding {
        message: "a value that begins with `{{` must be quoted".to_owned(),
        hint: Some("write \"{{ ... }}\": without quotes, YAML reads braces as a map".to_owned()),
    })
}

fn plain(message: impl Into<String>) -> Finding {
    Finding { message: message.into(), hint: None }
}

fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { message: message.into(), hint: Some(hint.into()) }
}

fn find(error: &Error) -> Finding {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            Finding { message: format!("unknown key `{field}`"), hint: hint_for(field, expected) }
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            Finding { message: format!("unknown value `{variant}`"), hint: hint_for(variant, expected) }
        }
        Error::SerdeMissingField { field, .. } => plain(format!("missing key `{field}`")),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => plain(format!("`{key}` is written twice")),
            None => plain("a key is written twice"),
        },
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => wrong_type(unexpected, expected),
        Error::SerdeInvalidLength { len, expected, .. } => plain(format!("expected {expected}, found {len} values")),
        Error::InvalidScalar { ty, .. } => plain(format!("expected {}", scalar_word(ty))),
        Error::InvalidBooleanStrict { .. } => {
            hinted("expected true or false", "`yes`, `no`, `on` and `off` are not booleans here")
        }
        Error::NullIntoString { .. } => hinted("a text is missing here", "write it, or \"\" for an empty one"),
        Error::Unexpected { expected, .. } => unexpected(expected),
        Error::Eof { .. } => plain("the file ends too early"),
        Error::MultipleDocuments { .. } => {
            hinted("the file holds more than one document", "remove the `---` and what follows, or split the file")
        }
        Error::UnknownAnchor { .. } => hinted(
            "this alias names no anchor",
            "put a text that begins with `*` in quotes; an anchor `&name` must stand before its alias",
        ),
        Error::Budget { breach, .. } => over_budget(breach),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => plain("aliases make this file too large"),
        Error::RecursiveReferencesRequireWeakTypes { .. } => plain("this alias stands inside its own anchor"),
        Error::UnsupportedTag { tag, .. } => hinted(format!("the tag `{tag}` means nothing here"), "remove it"),
        Error::NonFiniteFloat { value, .. } => {
            hinted(format!("`{value}` is not a number that can be used"), "quote it when it is a text")
        }
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => plain("expected a word, found a list"),
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => {
            hinted("only one of these keys can be written", "remove the other")
        }
        Error::Message { msg, .. } => from_text(msg),
        Error::AliasError { error, .. } => find(innermost(error)),
        // What remains is the scanner's, about features that are switched off, or about the reader itself.
        other => from_scanner(&other.render_with_formatter(&serde_saphyr::UserMessageFormatter)),
    }
}

/// What the scanner says about text that is no YAML, in words for people who do not know how a scanner works.
fn from_scanner(message: &str) -> Finding {
    let what = message.split_once(" at line ").map_or(message, |(what, _)| what);
    let has = |words: &str| what.contains(words);
    if has("tab") {
        tab()
    } else if has("recursion limit") || has("nesting limit") {
        plain("lists and maps are nested too deeply")
    } else if has("unclosed bracket") {
        plain(what.replace("unclosed bracket", "this bracket is not closed:"))
    } else if has("misplaced bracket") {
        plain("this bracket closes nothing")
    } else if has("unexpected character: `\\u") || has("control character") {
        hinted("the file holds a character that is no text", "YAML is UTF-8 text without control characters")
    } else if has("unexpected character: `") || has("any token") {
        hinted("a value cannot begin with this character", "put the value in quotes")
    } else if has("multiline quoted scalar") || has("end of stream") && has("quoted") {
        hinted(
            "a quoted text is not closed, or goes on without indentation",
            "look for the missing quote on the lines above",
        )
    } else if has("escape") {
        hinted(
            "an unknown escape in a text in double quotes",
            "use single quotes, in which a backslash is only a backslash",
        )
    } else if has("mapping values are not allowed") {
        hinted("a `: ` where no key can be", "put a text that holds `: ` in quotes, and look at the indentation")
    } else if has("block collection") || has("block mapping") || has("indentation") || has("simple key") {
        hinted(
            "this line does not fit what stands above it",
            "look at its indentation, and for a `:` or `-` that is missing",
        )
    } else {
        plain(what)
    }
}

/// Custom errors carry their hint after a semicolon: `what is wrong; what to write`.
fn from_text(message: &str) -> Finding {
    match message.split_once("; ") {
        Some((what, hint)) => hinted(what, hint),
        None => plain(message),
    }
}

fn wrong_type(unexpected: &str, expected: &str) -> Finding {
    let found = found_word(unexpected);
    plain(format!("expected {}, found {found}", expected_word(expected)))
}

fn found_word(unexpected: &str) -> String {
    let word = match unexpected {
        "map" => "a map",
        "sequence" => "a list",
        "null" | "unit value" | "Option value" => "nothing",
        other => {
            return other
                .replace("string ", "the text ")
                .replace("boolean", "the boolean")
                .replace("integer", "the number")
                .replace("floating point", "the number");
        }
    };
    word.to_owned()
}

fn expected_word(expected: &str) -> String {
    match expected {
        name if name.starts_with("struct ") => "a map".to_owned(),
        "a string" | "string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        other => other.to_owned(),
    }
}

fn scalar_word(ty: &str) -> String {
    match ty {
        "boolean" => "true or false".to_owned(),
        "floating point" => "a number".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u8" | "u32" | "u64" => "a whole number, 0 or larger".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        other => other.to_owned(),
    }
}

fn unexpected(expected: &str) -> Finding {
    match expected {
        "string scalar" | "scalar" => plain("expected a single value, found a list or a map"),
        "sequence start" => hinted("expected a list", "write `- ` before each item, or [a, b]"),
        "mapping start" => hinted("expected a map", "write `key: value` lines, or {key: value}"),
        other => plain(format!("expected {other}")),
    }
}

fn over_budget(breach: &BudgetBreach) -> Finding {
    match breach {
        BudgetBreach::Depth { .. } => plain("lists and maps are nested too deeply"),
        BudgetBreach::Aliases { .. } | BudgetBreach::AliasAnchorRatio { .. } => {
            plain("aliases make this file too large")
        }
        BudgetBreach::Documents { .. } => {
            hinted("the file holds more than one document", "remove the `---` and what follows, or split the file")
        }
        // Every other breach is of size: events, nodes, bytes of values or comments, anchors.
        _ => plain("the file is too large"), // not our enum: the YAML reader's limits
    }
}
