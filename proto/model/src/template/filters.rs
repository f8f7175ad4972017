//! What templates can use besides minijinja's own filters, and the words that exist, for hints.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, Value as Jinja};
use serde_json::Value;

/// Filters, for hints; whether one exists is asked of the environment.
pub(crate) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "dirname",
    "first",
    "float",
    "format",
    "fromjson",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "quote",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Tests, for hints.
pub(crate) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// Every function there is. `debug` is left out: it prints all values, secrets too.
pub(crate) const FUNCTIONS: &[&str] = &["all", "dict", "namespace", "range"];

/// Statements that read other templates: there are none.
pub(crate) const REFUSED_STATEMENTS: &[&str] = &["include", "import", "from", "extends", "block"];

/// Largest compiled pattern; a template's author must not be able to fill the memory.
const MAX_REGEX: usize = 256 * 1024;

pub(crate) fn install(env: &mut Environment<'static>) {
    env.remove_global("debug");
    env.remove_filter("pprint");
    env.add_filter("tojson", |value: &Jinja, options: Kwargs| -> Result<String, Error> {
        let indent: Option<bool> = options.get("indent")?;
        options.assert_all_used()?;
        if indent.unwrap_or(false) { serde_json::to_string_pretty(value).map_err(json_error) } else { json(value) }
    });
    env.add_filter("fromjson", |text: &str| -> Result<Jinja, Error> {
        let value: Value = serde_json::from_str(text).map_err(|e| failed(format!("the text is not JSON: {e}")))?;
        Ok(Jinja::from(Serde(&value)))
    });
    env.add_filter("b64encode", |text: &str| STANDARD.encode(text));
    env.add_filter("b64decode", |text: &str| -> Result<String, Error> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| failed("the text is not base64".to_owned()))?;
        String::from_utf8(bytes).map_err(|_| failed("the decoded bytes are not UTF-8 text".to_owned()))
    });
    env.add_filter("quote", quote);
    env.add_filter("basename", |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned());
    env.add_filter("dirname", dirname);
    env.add_filter("regex_search", |text: &str, pattern: &str| -> Result<Jinja, Error> {
        let found =
            regex(pattern)?.captures(text).and_then(|c| c.get(1).or_else(|| c.get(0)).map(|m| m.as_str().to_owned()));
        Ok(Jinja::from(found))
    });
    env.add_filter("regex_replace", |text: &str, pattern: &str, with: &str| -> Result<String, Error> {
        Ok(regex(pattern)?.replace_all(text, with).into_owned())
    });
    install_all(env, BTreeMap::new());
}

pub(crate) fn install_all(env: &mut Environment<'static>, values: BTreeMap<String, Value>) {
    let values: BTreeMap<String, Jinja> = values.into_iter().map(|(k, v)| (k, Jinja::from(Serde(&v)))).collect();
    env.add_function("all", move |path: &str| -> Result<Jinja, Error> {
        values.get(path).cloned().ok_or_else(|| failed(format!("there are no values of all targets for `{path}` here")))
    });
}

/// A value as one line of JSON.
pub(crate) fn json(value: &Jinja) -> Result<String, Error> {
    serde_json::to_string(value).map_err(json_error)
}

/// One word for a POSIX shell, whatever is in it.
fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn dirname(path: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((dir, _)) => if dir.is_empty() { "/" } else { dir }.to_owned(),
        None => if path.starts_with('/') { "/" } else { "." }.to_owned(),
    }
}

fn regex(pattern: &str) -> Result<regex::Regex, Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .build()
        .map_err(|_| failed(format!("`{pattern}` is not a regular expression, or too large a one")))
}

fn json_error(error: serde_json::Error) -> Error {
    failed(format!("the value cannot be written as JSON: {error}"))
}

fn failed(detail: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail)
}
