//! Everything that was given against everything that was declared.

use serde_json::{Map, Value};

use super::check::{Checker, plain, read_date, read_moment};
use super::error::{ParamError, ParamFault};
use super::spec::{ParamSpec, ParamType};
use crate::diagnostic::{Located, nearest};
use crate::millis::Millis;
use crate::yaml::Entries;

/// The value of every declared parameter, in the order of the declarations: given, by default, or null.
///
/// Secret values are among them; the caller keeps them apart by [`ParamSpec::is_secret`].
///
/// # Errors
/// Every unknown name, missing value, wrong value and broken declaration.
pub fn resolve_params(
    specs: &Entries<ParamSpec>,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<ParamError>> {
    let mut errors = check_declarations(specs);
    errors.extend(given.keys().filter(|name| !specs.contains(name)).map(|name| unknown(specs, name)));
    let mut values = Map::new();
    for (name, spec) in specs.iter() {
        let value = match (given.get(&name.value), &spec.default) {
            (Some(value), _) if !(value.is_null() && spec.kind != ParamType::Json) => spec.check(name, value),
            (_, Some(default)) => Ok(spec.check(name, &default.value).unwrap_or(Value::Null)),
            (_, None) if spec.required => Err(missing(name, spec)),
            (_, None) => Ok(Value::Null),
        };
        match value {
            Ok(value) => drop(values.insert(name.value.clone(), value)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// What the declarations themselves get wrong: names, defaults, patterns, bounds and options, each with its place.
pub fn check_declarations(specs: &Entries<ParamSpec>) -> Vec<ParamError> {
    specs.iter().filter_map(|(name, spec)| check_declaration(name, spec).err()).collect()
}

fn unknown(specs: &Entries<ParamSpec>, name: &str) -> ParamError {
    let error = ParamError::new(name, ParamFault::Unknown);
    match nearest(name, specs.names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if specs.is_empty() => error.hint("none is declared"),
        None => error.hint(format!("parameters: {}", specs.names().collect::<Vec<_>>().join(", "))),
    }
}

fn missing(name: &str, spec: &ParamSpec) -> ParamError {
    let error = ParamError::new(name, ParamFault::Missing);
    match &spec.help {
        Some(help) => error.hint(help.clone()),
        None => error,
    }
}

/// The first thing that is wrong with one declaration.
fn check_declaration(name: &Located<String>, spec: &ParamSpec) -> Result<(), ParamError> {
    let broken = |what: String| ParamError::new(name, ParamFault::Declaration(what));
    if !is_param_name(name) {
        let hint = "use letters, digits and `_`, beginning with a letter: the name becomes an environment variable";
        return Err(broken("the name cannot be used".to_owned()).at(name.place).hint(hint));
    }
    let checker = Checker { spec, name };
    checker.regex()?;
    if let Some(pattern) = &spec.pattern
        && !matches!(spec.kind, ParamType::String | ParamType::Secret)
    {
        return Err(broken(format!("a parameter of type {} takes no pattern", spec.kind)).at(pattern.place));
    }
    check_options(name, spec)?;
    check_bounds(name, spec)?;
    let Some(default) = &spec.default else { return Ok(()) };
    if spec.required {
        return Err(broken("a required parameter cannot have a default".to_owned())
            .at(default.place)
            .hint("remove one of them"));
    }
    if spec.is_secret() {
        return Err(broken("a secret cannot have a default".to_owned())
            .at(default.place)
            .hide()
            .hint("anyone who reads this file would know it"));
    }
    if spec.kind == ParamType::File {
        return Err(broken("a file cannot have a default".to_owned()).at(default.place));
    }
    spec.check(name, &default.value).map(drop).map_err(|error| bad_default(error, default))
}

fn bad_default(error: ParamError, default: &Located<Value>) -> ParamError {
    let what = format!("the default is wrong: {}", error.fault);
    ParamError { fault: Box::new(ParamFault::Declaration(what)), place: default.place, ..error }
}

fn check_options(name: &Located<String>, spec: &ParamSpec) -> Result<(), ParamError> {
    let broken = |what: String| ParamError::new(name, ParamFault::Declaration(what));
    let chooses = matches!(spec.kind, ParamType::Select | ParamType::Multiselect);
    match spec.options.first() {
        None if chooses => {
            return Err(broken(format!("a parameter of type {} needs options", spec.kind)).at(name.place));
        }
        Some(first) if !chooses => {
            let error = broken(format!("a parameter of type {} takes no options", spec.kind)).at(first.place);
            return Err(error.hint("use type: select"));
        }
        Some(_) | None => {}
    }
    for (index, option) in spec.options.iter().enumerate() {
        let text = option.value.text();
        if spec.options[..index].iter().any(|earlier| earlier.value.text() == text) {
            return Err(broken(format!("the option `{text}` is written twice")).at(option.place));
        }
        if spec.kind == ParamType::Multiselect && text.contains(',') {
            return Err(broken(format!("the option `{text}` has a comma, which separates choices")).at(option.place));
        }
    }
    Ok(())
}

fn check_bounds(name: &Located<String>, spec: &ParamSpec) -> Result<(), ParamError> {
    let broken = |what: String| ParamError::new(name, ParamFault::Declaration(what));
    for (side, bound) in [("min", &spec.min), ("max", &spec.max)] {
        let Some(bound) = bound else { continue };
        let Some(expected) = bound_type(spec.kind) else {
            return Err(broken(format!("a parameter of type {} takes no {side}", spec.kind)).at(bound.place));
        };
        if !is_bound(spec.kind, &bound.value) {
            return Err(broken(format!("{side} must be {expected}, not `{}`", plain(&bound.value))).at(bound.place));
        }
    }
    Ok(())
}

/// What a bound must be; none when the type has no order.
fn bound_type(kind: ParamType) -> Option<&'static str> {
    match kind {
        ParamType::String | ParamType::Secret => Some("a number of characters"),
        ParamType::Multiselect => Some("a number of choices"),
        ParamType::File => Some("a number of bytes"),
        ParamType::Int => Some("a whole number"),
        ParamType::Float => Some("a number"),
        ParamType::Date => Some("a day such as 2025-01-31"),
        ParamType::Datetime => Some("a moment such as 2025-01-31T14:00:00Z"),
        ParamType::Duration => Some("a length of time such as 30s"),
        ParamType::Bool | ParamType::Select | ParamType::Json => None,
    }
}

fn is_bound(kind: ParamType, bound: &Value) -> bool {
    match kind {
        ParamType::String | ParamType::Secret | ParamType::Multiselect | ParamType::File => bound.as_u64().is_some(),
        ParamType::Int => bound.as_i64().is_some(),
        ParamType::Float => bound.as_f64().is_some(),
        ParamType::Date => bound.as_str().and_then(read_date).is_some(),
        ParamType::Datetime => bound.as_str().and_then(read_moment).is_some(),
        ParamType::Duration => bound.as_str().is_some_and(|text| text.parse::<Millis>().is_ok()),
        ParamType::Bool | ParamType::Select | ParamType::Json => false,
    }
}

/// Names of parameters become environment variables and names in templates.
fn is_param_name(name: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.len() <= 64 && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
