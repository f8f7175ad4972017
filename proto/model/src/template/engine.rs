//! The engine: minijinja made strict and bounded. It fails as [`TemplateError`] says.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value as Jinja};
use serde_json::Value;

use super::error::{Source, TemplateError};
use super::references::References;
use super::scan::{self, Scan};
use super::{MAX_OUTPUT, MAX_TEMPLATE, filters};

/// Steps of evaluation in one template: about a tenth of a second.
const FUEL: u64 = 1_000_000;

/// Calls inside each other while a template is evaluated.
const MAX_DEPTH: usize = 64;

/// Lists and maps inside each other in a value that is rendered.
const MAX_NESTING: u32 = 64;

/// Renders templates and evaluates expressions.
pub struct Engine {
    env: Environment<'static>,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// An engine with the filters of [`filters`](crate::template) and no values of its own.
    pub fn new() -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(MAX_DEPTH);
        // Needed for the place of an error; nothing of the values is kept in what we make of it.
        env.set_debug(true);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_formatter(format_value);
        // Only delimiters can make it fail, and they are the usual ones.
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            env.set_syntax(syntax);
        }
        filters::install(&mut env);
        Self { env }
    }

    /// Gives `all('phases.p.steps.s.key')` its values, by the text in its parentheses.
    #[must_use]
    pub fn with_all(mut self, values: BTreeMap<String, Value>) -> Self {
        filters::install_all(&mut self.env, values);
        self
    }

    /// The text with its holes filled. A list or map becomes JSON, an absent value (`null`) nothing.
    ///
    /// # Errors
    /// A [`TemplateError`] for bad syntax, an unknown name, a filter that fails, and a result above [`MAX_OUTPUT`].
    pub fn render(&self, template: &str, ctx: &Value) -> Result<String, TemplateError> {
        if !is_template(template) {
            return bounded(template).map(|()| template.to_owned());
        }
        self.render_text(template, ctx, &Jinja::from(Serde(ctx)))
    }

    /// Every text inside the value rendered. A text that is exactly one `{{ expression }}` becomes the expression's value with
    /// its type; keys of maps stay as they are.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub fn render_value(&self, value: &Value, ctx: &Value) -> Result<Value, TemplateError> {
        self.render_inside(value, ctx, &Jinja::from(Serde(ctx)), 0)
    }

    /// Whether an expression such as `params.drain and target.labels.zone == "a"` holds.
    ///
    /// # Errors
    /// A [`TemplateError`] for bad syntax, an unknown name, braces around the expression, and a value that is neither true nor
    /// false: the text `"false"` must not count as true.
    pub fn eval_bool(&self, expr: &str, ctx: &Value) -> Result<bool, TemplateError> {
        refuse_braces(expr)?;
        let value = self.eval(Source::expression(expr), expr, ctx, &Jinja::from(Serde(ctx)))?;
        match value {
            Value::Bool(yes) => Ok(yes),
            other => Err(TemplateError::not_a_bool(expr, &other)),
        }
    }

    /// Finds what is wrong with a template without knowing any value, and what it reads.
    ///
    /// # Errors
    /// A [`TemplateError`] for bad syntax and for unknown filters, tests, functions and statements.
    pub fn check(&self, template: &str) -> Result<References, TemplateError> {
        if !is_template(template) {
            return bounded(template).map(|()| References::default());
        }
        let source = Source::template(template);
        source.bounded()?;
        let compiled = self.env.template_from_str(template).map_err(|e| TemplateError::of(e, source, None))?;
        let scan = Scan::template(template);
        self.known_words(&scan, source)?;
        Ok(self.references(scan, compiled.undeclared_variables(false)))
    }

    /// As [`Engine::check`], for a bare expression.
    ///
    /// # Errors
    /// As [`Engine::check`], and for braces around the expression.
    pub fn check_expr(&self, expr: &str) -> Result<References, TemplateError> {
        refuse_braces(expr)?;
        let source = Source::expression(expr);
        source.bounded()?;
        let compiled = self.env.compile_expression(expr).map_err(|e| TemplateError::of(e, source, None))?;
        let scan = Scan::expression(expr);
        self.known_words(&scan, source)?;
        Ok(self.references(scan, compiled.undeclared_variables(false)))
    }

    /// As [`Engine::check`], for every text inside a value.
    ///
    /// # Errors
    /// As [`Engine::check`]; the first one found.
    pub fn check_value(&self, value: &Value) -> Result<References, TemplateError> {
        let mut out = References::default();
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match value {
                Value::String(text) => out.merge(self.check(text)?),
                Value::Array(list) => todo.extend(list.iter().rev()),
                Value::Object(map) => todo.extend(map.values().rev()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        Ok(out)
    }

    fn render_text(&self, template: &str, ctx: &Value, values: &Jinja) -> Result<String, TemplateError> {
        let source = Source::template(template);
        source.bounded()?;
        let fail = |e| TemplateError::of(e, source, Some(ctx));
        let compiled = self.env.template_from_str(template).map_err(fail)?;
        let mut out = Bounded { bytes: Vec::new(), full: false };
        let rendered = compiled.render_captured_to(values.clone(), &mut out).map(|_| ());
        if out.full {
            return Err(TemplateError::too_large(source));
        }
        rendered.map_err(fail)?;
        String::from_utf8(out.bytes).map_err(|_| TemplateError::not_text(source))
    }

    fn render_inside(&self, value: &Value, ctx: &Value, values: &Jinja, depth: u32) -> Result<Value, TemplateError> {
        if depth > MAX_NESTING {
            return Err(TemplateError::too_deep(MAX_NESTING));
        }
        Ok(match value {
            Value::String(text) if !is_template(text) => Value::String(text.clone()),
            Value::String(text) => match scan::sole_expression(text) {
                Some(expr) => self.eval(Source::template(text), expr, ctx, values)?,
                None => Value::String(self.render_text(text, ctx, values)?),
            },
            Value::Array(list) => {
                let list: Result<_, _> = list.iter().map(|v| self.render_inside(v, ctx, values, depth + 1)).collect();
                Value::Array(list?)
            }
            Value::Object(map) => {
                let entry = |(k, v): (&String, &Value)| Ok((k.clone(), self.render_inside(v, ctx, values, depth + 1)?));
                let map: Result<_, TemplateError> = map.iter().map(entry).collect();
                Value::Object(map?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    /// `source` is what an error shows; `expr` is what is evaluated, a part of it or all of it.
    fn eval(&self, source: Source<'_>, expr: &str, ctx: &Value, values: &Jinja) -> Result<Value, TemplateError> {
        source.bounded()?;
        let fail = |e| TemplateError::of(e, source, Some(ctx));
        let compiled = self.env.compile_expression(expr).map_err(fail)?;
        let value = compiled.eval(values.clone()).map_err(fail)?;
        if value.is_undefined() {
            return Err(TemplateError::unknown(source, Some(ctx)));
        }
        if value.as_str().is_some_and(|text| text.len() > MAX_OUTPUT) {
            return Err(TemplateError::too_large(source));
        }
        serde_json::to_value(&value).map_err(|e| TemplateError::failed(source, e.to_string()))
    }

    /// Minijinja finds unknown filters only when it comes to them; a job must not begin with one.
    fn known_words(&self, scan: &Scan, source: Source<'_>) -> Result<(), TemplateError> {
        let mut state = self.env.empty_state();
        for (filter, at) in &scan.filters {
            if state.apply_filter(filter, &[]).is_err_and(|e| e.kind() == minijinja::ErrorKind::UnknownFilter) {
                return Err(TemplateError::unknown_word(source, *at, "filter", filter, filters::FILTERS));
            }
        }
        for (test, at) in &scan.tests {
            if state.perform_test(test, &[]).is_err_and(|e| e.kind() == minijinja::ErrorKind::UnknownTest) {
                return Err(TemplateError::unknown_word(source, *at, "test", test, filters::TESTS));
            }
        }
        for (function, at) in &scan.calls {
            if !filters::FUNCTIONS.contains(&function.as_str()) && !scan.declares_macros {
                return Err(TemplateError::unknown_word(source, *at, "function", function, filters::FUNCTIONS));
            }
        }
        match scan.statements.iter().find(|(word, _)| filters::REFUSED_STATEMENTS.contains(&word.as_str())) {
            Some((word, at)) => Err(TemplateError::refused_statement(source, *at, word)),
            None => Ok(()),
        }
    }

    fn references(&self, scan: Scan, undeclared: HashSet<String>) -> References {
        let roots: BTreeSet<String> =
            undeclared.into_iter().filter(|root| !filters::FUNCTIONS.contains(&root.as_str())).collect();
        let mut out = References { all: scan.all, ..References::default() };
        for path in scan.paths {
            if path.segments.first().is_some_and(|root| roots.contains(root)) {
                if path.guarded {
                    out.guarded.insert(path.segments.clone());
                }
                out.paths.insert(path.segments);
            }
        }
        out.roots = roots;
        out
    }
}

/// Whether there is anything to fill in.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

fn refuse_braces(expr: &str) -> Result<(), TemplateError> {
    let trimmed = expr.trim();
    if trimmed.is_empty() {
        return Err(TemplateError::empty_expression());
    }
    if trimmed.contains("{{") && trimmed.contains("}}") || trimmed.contains("{%") {
        return Err(TemplateError::braces(expr));
    }
    Ok(())
}

pub(crate) fn bounded(template: &str) -> Result<(), TemplateError> {
    if template.len() > MAX_TEMPLATE { Err(TemplateError::template_too_large()) } else { Ok(()) }
}

/// Texts as they are, nothing for an absent value, JSON for lists and maps, and the usual form for numbers.
fn format_value(out: &mut Output, _: &mut State, value: &Jinja) -> Result<(), minijinja::Error> {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::None => Ok(()),
        // Minijinja prints `True`, as Python does; tools and JSON expect `true`.
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => Ok(out.write_str(&filters::json(value)?)?),
        _ => match value.as_str() {
            // not our enum: the template engine's kinds
            Some(text) => Ok(out.write_str(text)?),
            None => Ok(out.write_fmt(format_args!("{value}"))?),
        },
    }
}

/// Takes bytes until there are too many.
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            self.full = true;
            return Err(std::io::Error::other("the result is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
