//! One call of a built-in tool: its parameters, the environment it reads, where it publishes.
//!
//! Parameters were checked by the runner against the manifest; the getters here still refuse a wrong form, because a tool
//! can be started by hand. Files are bounded, so a wrong path cannot fill the memory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoexec_model::millis::Millis;
use serde_json::{Map, Value};

/// The environment of a tool: names and values as bytes.
pub type Environment = BTreeMap<OsString, OsString>;

/// The largest parameter file that is read: the runner's own bound on parameters is far below.
const MAX_PARAMS: u64 = 16 * 1024 * 1024;

/// Why a built-in tool did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// A parameter makes no sense.
    #[error("{0}")]
    Parameter(String),
    /// The work was done and the answer is no.
    #[error("{0}")]
    Failed(String),
    /// Whoever started the tool did not keep the contract.
    #[error("{0}")]
    Contract(String),
}

impl Stop {
    pub(crate) fn exit_code(&self) -> i32 {
        match self {
            Self::Failed(_) => 1,
            Self::Parameter(_) => 2,
            Self::Contract(_) => 70,
        }
    }
}

/// One call.
pub(crate) struct Call<'a> {
    params: Map<String, Value>,
    environment: &'a Environment,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl<'a> Call<'a> {
    /// Reads the parameter file that the environment names.
    pub(crate) fn read(
        environment: &'a Environment,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
    ) -> Result<Self, Stop> {
        let path = environment.get(OsStr::new("AUTOEXEC_PARAMS")).ok_or_else(|| {
            Stop::Contract("AUTOEXEC_PARAMS is not set: it names the file with the parameters".to_owned())
        })?;
        let bytes = read_bounded(Path::new(path), MAX_PARAMS)
            .map_err(|error| Stop::Contract(format!("cannot read the parameter file: {error}")))?;
        let params = serde_json::from_slice(&bytes)
            .map_err(|error| Stop::Contract(format!("the parameter file is not a JSON object: {error}")))?;
        Ok(Self { params, environment, out, err })
    }

    /// A line for people on standard output. It holds nothing that differs from one target to the next without need,
    /// so that equal results can be grouped.
    pub(crate) fn say(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    /// A line on standard error.
    pub(crate) fn warn(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }

    /// Publishes the outputs; called once, also before a failure.
    pub(crate) fn publish(&mut self, outputs: &Value) -> Result<(), Stop> {
        let Some(path) = self.environment.get(OsStr::new("AUTOEXEC_OUTPUT")) else {
            return Ok(());
        };
        std::fs::write(path, outputs.to_string())
            .map_err(|error| Stop::Contract(format!("cannot write the outputs: {error}")))
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.params.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is given and not empty.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Stop> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Stop::Parameter(format!("{name} must be a text"))),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Stop> {
        self.text(name)?.ok_or_else(|| Stop::Parameter(format!("{name} is missing")))
    }

    /// A whole number within bounds.
    pub(crate) fn number(&self, name: &str, bounds: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Stop> {
        let Some(value) = self.given(name) else {
            return Ok(None);
        };
        value.as_u64().filter(|number| bounds.contains(number)).map(Some).ok_or_else(|| {
            Stop::Parameter(format!("{name} must be a whole number from {} to {}", bounds.start(), bounds.end()))
        })
    }

    /// A bool; absent is false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Stop> {
        match self.given(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Stop::Parameter(format!("{name} must be true or false"))),
        }
    }

    /// A length of time, more than nothing.
    pub(crate) fn duration(&self, name: &str, otherwise: Duration) -> Result<Duration, Stop> {
        let Some(value) = self.given(name) else {
            return Ok(otherwise);
        };
        let millis = value.as_str().and_then(|text| text.parse::<Millis>().ok()).map(|millis| millis.as_millis());
        match millis {
            Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
            _ => Err(Stop::Parameter(format!("{name} must be a length of time above zero, such as 30s"))),
        }
    }

    /// Names with text values, such as HTTP headers; numbers and bools are taken as text.
    pub(crate) fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, Stop> {
        let wrong = || Stop::Parameter(format!("{name} must be names with text values"));
        match self.given(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key.clone(), text.clone())),
                    Value::Number(number) => Ok((key.clone(), number.to_string())),
                    Value::Bool(flag) => Ok((key.clone(), flag.to_string())),
                    Value::Null | Value::Array(_) | Value::Object(_) => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// Where the runner put the file that the parameter names.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        self.given(name)?;
        self.environment.get(OsStr::new(name)).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// A variable of the environment as text; not UTF-8 counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(OsStr::new(name))?.to_str().filter(|text| !text.is_empty())
    }

    /// The host to look at: the parameter, else the target's own address.
    pub(crate) fn host(&self) -> Result<String, Stop> {
        if let Some(host) = self.text("host")? {
            return Ok(host.to_owned());
        }
        self.variable("AUTOEXEC_TARGET_ADDRESS").map(str::to_owned).ok_or_else(|| {
            Stop::Parameter("host is missing, and there is no target whose address could be used".to_owned())
        })
    }
}

/// Reads a file, refusing one that is larger than `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}
