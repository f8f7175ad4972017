//! The tools that need no process: the runner evaluates them itself.
//!
//! [`run`] is pure. `fail`, `assert` and `set-var` are decided here; `sleep` and `fetch` come back as an instruction, because time and
//! transport belong to the runner. Fails only when a parameter has the wrong form.

use autoexec_model::millis::Millis;
use serde_json::{Map, Value};

/// What a flow tool came to.
#[derive(Debug, Clone, PartialEq)]
pub enum FlowResult {
    /// The step succeeded and publishes these outputs.
    Outputs(Map<String, Value>),
    /// The step failed, as it was asked to.
    Failed {
        /// One sentence for people.
        message: String,
    },
    /// The runner waits that long, then the step has succeeded.
    Sleep(Millis),
    /// The runner pulls a file from the target.
    Fetch(FetchRequest),
}

/// A file to pull from the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// Absolute path on the target.
    pub src: String,
    /// Folder on the runner.
    pub dest: String,
    /// `true`: straight into `dest`. `false`: into `dest/<target>/<path on the target>`.
    pub flat: bool,
    /// The largest file that is accepted, in bytes.
    pub max_size: u64,
}

/// Why a flow tool could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The name is not one of the flow tools.
    #[error("there is no flow tool `{0}`")]
    UnknownTool(String),
    /// A required parameter is not there.
    #[error("{tool}: `{name}` is missing")]
    Missing {
        /// The tool.
        tool: &'static str,
        /// The parameter.
        name: &'static str,
    },
    /// A parameter has the wrong form.
    #[error("{tool}: `{name}` must be {wanted}")]
    WrongForm {
        /// The tool.
        tool: &'static str,
        /// The parameter.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
}

/// The names that [`run`] knows: what a manifest may write behind `flow:`.
pub const NAMES: [&str; 5] = ["assert", "fail", "fetch", "set-var", "sleep"];

/// Largest file that `fetch` accepts unless told otherwise: 64 MiB.
pub const DEFAULT_MAX_FETCH: u64 = 64 * 1024 * 1024;

/// Evaluates a flow tool with parameters that are already rendered and checked; for `assert`, `that` is already a bool.
///
/// # Errors
/// When the tool is unknown or a parameter is missing or has the wrong form.
pub fn run(name: &str, params: &Map<String, Value>) -> Result<FlowResult, FlowError> {
    match name {
        "assert" => assert(params),
        "fail" => Ok(FlowResult::Failed { message: message(params, "fail", "the step was told to fail")? }),
        "fetch" => fetch(params),
        "set-var" => set_var(params),
        "sleep" => Ok(FlowResult::Sleep(duration(params)?)),
        other => Err(FlowError::UnknownTool(other.to_owned())),
    }
}

fn assert(params: &Map<String, Value>) -> Result<FlowResult, FlowError> {
    match given(params, "that") {
        Some(Value::Bool(true)) => Ok(FlowResult::Outputs(Map::new())),
        Some(Value::Bool(false)) => {
            Ok(FlowResult::Failed { message: message(params, "assert", "the assertion does not hold")? })
        }
        Some(_) => {
            Err(FlowError::WrongForm { tool: "assert", name: "that", wanted: "an expression that is true or false" })
        }
        None => Err(FlowError::Missing { tool: "assert", name: "that" }),
    }
}

fn fetch(params: &Map<String, Value>) -> Result<FlowResult, FlowError> {
    let src = text(params, "fetch", "src")?.ok_or(FlowError::Missing { tool: "fetch", name: "src" })?;
    if !src.starts_with('/') || src.ends_with('/') || src.split('/').any(|part| part == "..") {
        return Err(FlowError::WrongForm {
            tool: "fetch",
            name: "src",
            wanted: "the absolute path of a file, without `..`",
        });
    }
    let dest = text(params, "fetch", "dest")?.ok_or(FlowError::Missing { tool: "fetch", name: "dest" })?;
    if dest.is_empty() {
        return Err(FlowError::WrongForm { tool: "fetch", name: "dest", wanted: "a folder on the runner" });
    }
    let flat = match given(params, "flat") {
        None => false,
        Some(Value::Bool(flat)) => *flat,
        Some(_) => {
            return Err(FlowError::WrongForm { tool: "fetch", name: "flat", wanted: "true or false" });
        }
    };
    let max_size = match given(params, "max_size") {
        None => DEFAULT_MAX_FETCH,
        Some(value) => value.as_u64().ok_or(FlowError::WrongForm {
            tool: "fetch",
            name: "max_size",
            wanted: "a number of bytes",
        })?,
    };
    Ok(FlowResult::Fetch(FetchRequest { src, dest, flat, max_size }))
}

fn set_var(params: &Map<String, Value>) -> Result<FlowResult, FlowError> {
    match given(params, "vars") {
        Some(Value::Object(vars)) => Ok(FlowResult::Outputs(vars.clone())),
        Some(_) => Err(FlowError::WrongForm { tool: "set-var", name: "vars", wanted: "names with values" }),
        None => Err(FlowError::Missing { tool: "set-var", name: "vars" }),
    }
}

fn duration(params: &Map<String, Value>) -> Result<Millis, FlowError> {
    let text = text(params, "sleep", "duration")?.ok_or(FlowError::Missing { tool: "sleep", name: "duration" })?;
    text.parse().map_err(|_| FlowError::WrongForm {
        tool: "sleep",
        name: "duration",
        wanted: "a length of time, such as 30s",
    })
}

fn message(params: &Map<String, Value>, tool: &'static str, otherwise: &str) -> Result<String, FlowError> {
    Ok(text(params, tool, "message")?.filter(|text| !text.is_empty()).unwrap_or_else(|| otherwise.to_owned()))
}

fn text(params: &Map<String, Value>, tool: &'static str, name: &'static str) -> Result<Option<String>, FlowError> {
    match given(params, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(FlowError::WrongForm { tool, name, wanted: "a text" }),
    }
}

/// A parameter that is there; null counts as absent.
fn given<'a>(params: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    params.get(name).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(name: &str, params: Value) -> Result<FlowResult, FlowError> {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        run(name, &params)
    }

    #[test]
    fn set_var_publishes_what_it_is_given() {
        let result = outcome("set-var", json!({"vars": {"color": "blue", "n": 3}})).unwrap();
        let FlowResult::Outputs(outputs) = result else { panic!("{result:?}") };
        assert_eq!(Value::Object(outputs), json!({"color": "blue", "n": 3}));
    }

    #[test]
    fn assert_fails_with_its_message_only_when_it_is_false() {
        assert_eq!(outcome("assert", json!({"that": true})).unwrap(), FlowResult::Outputs(Map::new()));
        let failed = FlowResult::Failed { message: "too small".to_owned() };
        assert_eq!(outcome("assert", json!({"that": false, "message": "too small"})).unwrap(), failed);
        assert!(
            outcome("assert", json!({"that": "1 < 2"})).is_err(),
            "an expression is evaluated before it comes here"
        );
        assert!(outcome("assert", json!({"that": null})).is_err());
    }

    #[test]
    fn fail_always_fails_and_says_why() {
        let failed = FlowResult::Failed { message: "not today".to_owned() };
        assert_eq!(outcome("fail", json!({"message": "not today"})).unwrap(), failed);
        assert!(matches!(outcome("fail", json!({})).unwrap(), FlowResult::Failed { message } if !message.is_empty()));
    }

    #[test]
    fn sleep_and_fetch_are_handed_to_the_runner() {
        assert_eq!(outcome("sleep", json!({"duration": "1m"})).unwrap(), FlowResult::Sleep(Millis::from_secs(60)));
        assert!(outcome("sleep", json!({"duration": 5})).is_err());
        let request = FetchRequest {
            src: "/etc/hosts".to_owned(),
            dest: "out".to_owned(),
            flat: false,
            max_size: DEFAULT_MAX_FETCH,
        };
        assert_eq!(outcome("fetch", json!({"src": "/etc/hosts", "dest": "out"})).unwrap(), FlowResult::Fetch(request));
    }

    #[test]
    fn fetch_refuses_paths_that_could_leave_the_destination() {
        for src in ["etc/hosts", "/etc/../../x", "/etc/", ""] {
            assert!(outcome("fetch", json!({"src": src, "dest": "out"})).is_err(), "{src}");
        }
        assert!(outcome("fetch", json!({"src": "/etc/hosts", "dest": ""})).is_err());
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert_eq!(outcome("dance", json!({})), Err(FlowError::UnknownTool("dance".to_owned())));
    }
}
