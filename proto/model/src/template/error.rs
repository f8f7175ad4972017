//! What can go wrong with a template, said so that its author can mend it. No message ever holds a value, only names: values
//! may be secrets.

use std::fmt;

use serde_json::Value;

use super::scan::{self, Path, Scan};
use super::{MAX_OUTPUT, MAX_TEMPLATE};

/// A template that cannot be checked, rendered or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Which kind of mistake.
    pub kind: TemplateErrorKind,
    /// What is wrong, in one clause.
    pub message: String,
    /// Line in the template, from 1, when it is known.
    pub line: Option<u32>,
    /// Byte offset in the template, when it is known.
    pub at: Option<usize>,
    /// The template or expression, at most its first 120 characters.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Kinds of mistakes in templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// It cannot be read, or uses a filter or function that does not exist.
    Syntax,
    /// It reads a name that does not exist.
    Unknown {
        /// The dotted name, up to the part that does not exist.
        name: String,
    },
    /// It was evaluated and failed, or passed a bound.
    Failed,
}

/// The text that an error is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    text: &'a str,
    expression: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn template(text: &'a str) -> Self {
        Self { text, expression: false }
    }

    pub(crate) fn expression(text: &'a str) -> Self {
        Self { text, expression: true }
    }

    /// Refuses what would need much memory or stack to read.
    pub(crate) fn bounded(self) -> Result<(), TemplateError> {
        super::engine::bounded(self.text)?;
        match scan::too_complex(self.text, self.expression) {
            Some((at, what)) => {
                Err(TemplateError::at(self, at, what.to_owned(), "split it, with `{% set %}` for instance"))
            }
            None => Ok(()),
        }
    }

    fn scan(self) -> Scan {
        if self.expression { Scan::expression(self.text) } else { Scan::template(self.text) }
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    /// One line: the message, where, in what, and the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.text.is_empty() {
            write!(f, " in `{}`", self.text.replace('\n', "\\n"))?;
        }
        if let Some(line) = self.line.filter(|line| *line > 1) {
            write!(f, " (line {line})")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl TemplateError {
    /// From the engine's error; with the values, to find out which name does not exist.
    pub(crate) fn of(error: minijinja::Error, source: Source<'_>, ctx: Option<&Value>) -> Self {
        use minijinja::ErrorKind as Kind;
        let line = error.line().and_then(|n| u32::try_from(n).ok());
        let at = error.range().map(|r| r.start).filter(|at| *at <= source.text.len());
        let detail = error.detail().map(str::to_owned);
        let said = detail.unwrap_or_else(|| error.kind().to_string());
        let (kind, message, hint) = match error.kind() {
            Kind::UndefinedError => {
                return Self { line, ..Self::unknown(source, ctx) };
            }
            Kind::SyntaxError | Kind::BadEscape | Kind::InvalidDelimiter => {
                (TemplateErrorKind::Syntax, format!("bad syntax: {said}"), None)
            }
            Kind::OutOfFuel => {
                (TemplateErrorKind::Failed, "it takes too long to evaluate".to_owned(), Some("make its loops shorter"))
            }
            Kind::TemplateNotFound | Kind::BadInclude => {
                (TemplateErrorKind::Syntax, "it reads another template".to_owned(), Some("templates stand alone here"))
            }
            _ => (TemplateErrorKind::Failed, said, None), // not our enum: the template engine's errors
        };
        Self { kind, message, line, at, text: clip(source.text), hint: hint.map(str::to_owned) }
    }

    /// A name that does not exist: the first one of the text that the values do not have.
    pub(crate) fn unknown(source: Source<'_>, ctx: Option<&Value>) -> Self {
        let missing = ctx.and_then(|ctx| source.scan().paths.iter().find_map(|path| missing(path, ctx)));
        let Some(missing) = missing else {
            return Self::failed(source, "it reads a value that does not exist".to_owned());
        };
        let line = line_of(source.text, missing.at);
        Self {
            message: format!("unknown name `{}`", missing.name),
            kind: TemplateErrorKind::Unknown { name: missing.name },
            line,
            at: Some(missing.at),
            text: clip(source.text),
            hint: Some(missing.hint),
        }
    }

    pub(crate) fn unknown_word(source: Source<'_>, at: usize, what: &str, word: &str, known: &[&str]) -> Self {
        let near = nearest(word, known.iter().copied());
        let hint =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
        Self::at(source, at, format!("unknown {what} `{word}`"), &hint)
    }

    pub(crate) fn refused_statement(source: Source<'_>, at: usize, word: &str) -> Self {
        Self::at(source, at, format!("`{word}` reads another template"), "templates stand alone here")
    }

    pub(crate) fn braces(expr: &str) -> Self {
        let inner = expr.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        let hint = format!("write it bare: `{}`", clip(inner));
        Self::at(Source::expression(expr), 0, "an expression needs no braces".to_owned(), &hint)
    }

    pub(crate) fn empty_expression() -> Self {
        Self::at(
            Source::expression(""),
            0,
            "the expression is empty".to_owned(),
            "write a condition such as `params.drain`",
        )
    }

    pub(crate) fn not_a_bool(expr: &str, value: &Value) -> Self {
        let kind = match value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        let mut error =
            Self::failed(Source::expression(expr), format!("the condition gives {kind}, not true or false"));
        error.hint = Some("compare it, such as `… == \"yes\"` or `… > 0`".to_owned());
        error
    }

    pub(crate) fn too_large(source: Source<'_>) -> Self {
        Self::failed(source, format!("the result is larger than {MAX_OUTPUT} bytes"))
    }

    pub(crate) fn template_too_large() -> Self {
        Self::failed(Source::template(""), format!("the template is larger than {MAX_TEMPLATE} bytes"))
    }

    pub(crate) fn too_deep(bound: u32) -> Self {
        Self::failed(Source::template(""), format!("lists and maps are nested more than {bound} deep"))
    }

    pub(crate) fn not_text(source: Source<'_>) -> Self {
        Self::failed(source, "the result is not UTF-8 text".to_owned())
    }

    pub(crate) fn failed(source: Source<'_>, message: String) -> Self {
        Self { kind: TemplateErrorKind::Failed, message, line: None, at: None, text: clip(source.text), hint: None }
    }

    fn at(source: Source<'_>, at: usize, message: String, hint: &str) -> Self {
        Self {
            kind: TemplateErrorKind::Syntax,
            message,
            line: line_of(source.text, at),
            at: Some(at),
            text: clip(source.text),
            hint: Some(hint.to_owned()),
        }
    }
}

struct Missing {
    name: String,
    at: usize,
    hint: String,
}

/// The part of a path that the values do not have.
fn missing(path: &Path, ctx: &Value) -> Option<Missing> {
    if path.guarded {
        return None;
    }
    let mut value = ctx;
    for (i, segment) in path.segments.iter().enumerate() {
        let next = match value {
            Value::Object(map) => map.get(segment),
            Value::Array(list) => segment.parse::<usize>().ok().and_then(|n| list.get(n)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        match next {
            Some(next) => value = next,
            None => {
                let name = path.segments[..=i].join(".");
                return Some(Missing { name, at: path.at, hint: beside(segment, value) });
            }
        }
    }
    None
}

/// What exists where the name was looked for.
fn beside(word: &str, value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "there is nothing".to_owned(),
        // `steps.install-nginx` is read as `steps.install` minus `nginx`.
        Value::Object(map) if let Some(dashed) = dashed(word, map.keys()) => {
            format!("a name with `-` is written as `[\"{dashed}\"]`")
        }
        Value::Object(map) => match nearest(word, map.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let shown: Vec<&str> = map.keys().map(String::as_str).take(8).collect();
                let more = if map.len() > shown.len() { ", …" } else { "" };
                format!("there is {}{more}", shown.join(", "))
            }
        },
        Value::Array(list) => format!("it is a list of {}", list.len()),
        Value::Null => "what stands before it is empty".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => "what stands before it has no parts".to_owned(),
    }
}

/// A name that goes on with a dash where the word ends.
fn dashed<'a>(word: &str, mut names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    names.find(|name| name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'))).map(String::as_str)
}

/// The candidate that is a typing mistake away, if there is one.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (word.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, candidate)| candidate)
}

fn line_of(text: &str, at: usize) -> Option<u32> {
    let before = text.get(..at)?;
    u32::try_from(before.matches('\n').count() + 1).ok()
}

fn clip(text: &str) -> String {
    let mut out: String = text.chars().take(120).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
