//! Checked parameters as a tool gets them: environment, JSON file, staged files.
//!
//! Values travel as bytes and no shell ever evaluates one. A text is given as it is; booleans are `true` and `false`; lists, maps and
//! everything of type `json` are JSON text; null is not set. What an environment cannot carry (NUL, very long values) is staged as
//! a file instead, named by `AUTOEXEC_FILE_<param>`; it is in the JSON file in any case. Fails only when a `file` parameter is not a file
//! reference, which the check of parameters rules out.

use autoexec_model::param::{FileRef, ParamSpec, ParamType};
use autoexec_model::plan::Target;
use autoexec_model::yaml::Entries;
use serde_json::{Map, Value, json};

/// Longest value in an environment: Linux takes 128 KiB for name and value together, and other systems take less in total.
pub const MAX_ENV_VALUE: usize = 96 * 1024;

/// All values in an environment together: far below the 2 MiB of a usual Linux, because arguments and the inherited environment
/// share that room.
pub const MAX_ENV_TOTAL: usize = 512 * 1024;

/// How a tool is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invocation {
    /// Variables with their values, byte for byte.
    pub env: Vec<(String, Vec<u8>)>,
    /// Variables whose values are secret: masked in output and never written to disk by the runner.
    pub secret_env: Vec<(String, Secret)>,
    /// What is written to `$AUTOEXEC_PARAMS`: one JSON object with every parameter that is set. Secret when any parameter is.
    pub params_json: Secret,
    /// What is staged as files.
    pub files: Vec<StagedFile>,
}

/// Bytes that are not shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A file that the runner puts beside the tool, readable by the tool's user only, before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// The variable that gets the path.
    pub variable: String,
    /// A name for it that is unique in the call and safe in any folder.
    pub name: String,
    /// What is in it.
    pub content: StagedContent,
}

/// What is in a staged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedContent {
    /// A file that travels beside the grant.
    Reference(FileRef),
    /// A value that an environment cannot carry; perhaps secret, so it is not shown.
    Value(Secret),
}

/// Why a call cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The value of a `file` parameter is something else.
    #[error("`{0}` is not a reference to a file")]
    NotAFile(String),
}

/// Turns the checked values of a tool's parameters into a call. Values that nobody declared are left out.
///
/// # Errors
/// When the value of a `file` parameter is not a file reference.
pub fn invocation(specs: &Entries<ParamSpec>, values: &Map<String, Value>) -> Result<Invocation, InvocationError> {
    let mut call = Invocation::default();
    let mut carried = Vec::new();
    let mut object = Map::new();
    for (name, spec) in specs.iter() {
        let Some(value) = values.get(&name.value).filter(|value| !value.is_null()) else {
            continue;
        };
        object.insert(name.value.clone(), value.clone());
        if is_reserved(name) {
            continue;
        }
        if spec.kind == ParamType::File {
            let file: FileRef =
                serde_json::from_value(value.clone()).map_err(|_| InvocationError::NotAFile(name.value.clone()))?;
            let content = StagedContent::Reference(file);
            call.files.push(StagedFile { variable: name.value.clone(), name: name.value.clone(), content });
        } else {
            carried.push(Carried {
                name: name.value.clone(),
                secret: spec.is_secret(),
                bytes: text(spec, value).into_bytes(),
            });
        }
    }
    call.params_json = Secret(Value::Object(object).to_string().into_bytes());
    let limit = spill_limit(&carried);
    for value in carried {
        value.place(limit, &mut call);
    }
    Ok(call)
}

/// What every tool is told about where it runs, beside its parameters and the paths of its files.
pub fn context(job: &str, step: &str, attempt: u32, target: Option<&Target>) -> Vec<(String, Vec<u8>)> {
    let mut variables = vec![("AUTOEXEC_JOB", job.to_owned()), ("AUTOEXEC_STEP", step.to_owned())];
    variables.push(("AUTOEXEC_ATTEMPT", attempt.to_string()));
    if let Some(target) = target {
        variables.push(("AUTOEXEC_TARGET", target_json(target)));
        variables.push(("AUTOEXEC_TARGET_NAME", target.name.clone()));
        variables.push(("AUTOEXEC_TARGET_ADDRESS", target.address.clone()));
        if let Some(port) = target.port {
            variables.push(("AUTOEXEC_TARGET_PORT", port.to_string()));
        }
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
}

/// Names that would change how programs are found, loaded or read instead of telling the tool something.
pub fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "BASHOPTS",
        "BASH_ENV",
        "CDPATH",
        "ENV",
        "GCONV_PATH",
        "GLOBIGNORE",
        "HOME",
        "IFS",
        "LOGNAME",
        "PATH",
        "PS4",
        "SHELL",
        "SHELLOPTS",
        "TMPDIR",
        "USER",
        "_",
    ];
    NAMES.contains(&name) || ["AUTOEXEC_", "LD_", "DYLD_"].iter().any(|prefix| name.starts_with(prefix))
}

/// A value on its way into the environment or into a file.
struct Carried {
    name: String,
    secret: bool,
    bytes: Vec<u8>,
}

impl Carried {
    fn size(&self) -> usize {
        // The equals sign and the NUL at the end count too.
        self.name.len() + self.bytes.len() + 2
    }

    fn place(self, limit: usize, call: &mut Invocation) {
        if self.bytes.contains(&0) || self.size() > limit {
            call.files.push(StagedFile {
                variable: format!("AUTOEXEC_FILE_{}", self.name),
                name: self.name,
                content: StagedContent::Value(Secret(self.bytes)),
            });
        } else if self.secret {
            call.secret_env.push((self.name, Secret(self.bytes)));
        } else {
            call.env.push((self.name, self.bytes));
        }
    }
}

/// Values above this size are staged as files: the largest go first, until the rest fits.
fn spill_limit(carried: &[Carried]) -> usize {
    let mut sizes: Vec<usize> = carried.iter().map(Carried::size).filter(|size| *size <= MAX_ENV_VALUE).collect();
    sizes.sort_unstable();
    let mut total = 0;
    let mut limit = MAX_ENV_VALUE;
    for size in sizes {
        total += size;
        if total > MAX_ENV_TOTAL {
            // This size and all above it: equal sizes are treated alike, so the result does not depend on the order.
            limit = size - 1;
            break;
        }
    }
    limit
}

fn text(spec: &ParamSpec, value: &Value) -> String {
    match value {
        Value::String(text) if spec.kind != ParamType::Json => text.clone(),
        other => other.to_string(),
    }
}

/// The target as JSON: what templates know of it, without how it is reached.
fn target_json(target: &Target) -> String {
    let mut object = json!({
        "name": target.name,
        "address": target.address,
        "port": target.port,
        "user": target.user,
        "labels": target.labels,
        "groups": target.groups,
        "vars": target.vars,
    });
    if object.to_string().len() > MAX_ENV_VALUE {
        // Variables are the one part without a natural bound; a tool that needs one of them gets it as a parameter.
        object["vars"] = Value::Null;
    }
    object.to_string()
}

#[cfg(test)]
mod tests {
    use autoexec_model::diagnostic::SourceFile;

    use super::*;

    fn specs(yaml: &str) -> Entries<ParamSpec> {
        autoexec_model::yaml::parse(&SourceFile::new("specs", yaml)).unwrap()
    }

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("not an object") };
        map
    }

    #[test]
    fn every_type_has_one_form_in_the_environment() {
        let specs = specs(
            "s: {}\nn: { type: int }\nf: { type: float }\nb: { type: bool }\nj: { type: json }\njs: { type: json }\n\
             m: { type: multiselect, options: [a, b] }\nd: { type: duration }\nabsent: {}\nempty: {}\n",
        );
        let values = object(json!({
            "s": "a'b\n$(id)", "n": 5, "f": 1.5, "b": true, "j": {"k": [1]}, "js": "text", "m": ["a", "b"], "d": "1m",
            "absent": null, "empty": "", "undeclared": "x",
        }));
        let call = invocation(&specs, &values).unwrap();
        let seen: Vec<_> = call.env.iter().map(|(n, v)| (n.as_str(), std::str::from_utf8(v).unwrap())).collect();
        assert_eq!(
            seen,
            [
                ("s", "a'b\n$(id)"),
                ("n", "5"),
                ("f", "1.5"),
                ("b", "true"),
                ("j", "{\"k\":[1]}"),
                ("js", "\"text\""),
                ("m", "[\"a\",\"b\"]"),
                ("d", "1m"),
                ("empty", ""),
            ]
        );
        let json: Value = serde_json::from_slice(&call.params_json.0).unwrap();
        assert_eq!(json["s"], "a'b\n$(id)");
        assert_eq!(json.get("absent"), None);
        assert_eq!(json.get("undeclared"), None);
    }

    #[test]
    fn what_an_environment_cannot_carry_is_staged_and_stays_in_the_json() {
        let specs = specs("nul: {}\nlong: {}\nshort: {}\nsecret: { type: secret }\n");
        let long = "x".repeat(MAX_ENV_VALUE + 1);
        let call =
            invocation(&specs, &object(json!({"nul": "a\0b", "long": long, "short": "s", "secret": "p\0q"}))).unwrap();
        assert_eq!(call.env, [("short".to_owned(), b"s".to_vec())]);
        assert!(call.secret_env.is_empty());
        let staged: Vec<_> = call.files.iter().map(|file| (file.variable.as_str(), &file.content)).collect();
        assert_eq!(
            staged,
            [
                ("AUTOEXEC_FILE_nul", &StagedContent::Value(Secret(b"a\0b".to_vec()))),
                ("AUTOEXEC_FILE_long", &StagedContent::Value(Secret(long.clone().into_bytes()))),
                ("AUTOEXEC_FILE_secret", &StagedContent::Value(Secret(b"p\0q".to_vec()))),
            ]
        );
        let json: Value = serde_json::from_slice(&call.params_json.0).unwrap();
        assert_eq!((&json["nul"], &json["long"]), (&json!("a\0b"), &json!(long)));
    }

    #[test]
    fn many_values_that_fit_one_by_one_still_leave_room_for_the_rest() {
        let yaml: String = (0..10).map(|i| format!("p{i}: {{}}\n")).collect();
        let mut values: Map<String, Value> = (0..9).map(|i| (format!("p{i}"), json!("x".repeat(90_000)))).collect();
        values.insert("p9".to_owned(), json!("small"));
        let call = invocation(&specs(&yaml), &values).unwrap();
        let total: usize = call.env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        assert!(total <= MAX_ENV_TOTAL, "{total}");
        assert!(call.env.iter().any(|(name, _)| name == "p9"), "small values stay where scripts look for them");
        assert_eq!(call.env.len() + call.files.len(), 10, "nothing is lost");
    }

    #[test]
    fn secrets_are_kept_apart_and_never_shown() {
        let specs = specs("token: { type: secret }\nkey: { type: string, secret: true }\nplain: {}\n");
        let call = invocation(&specs, &object(json!({"token": "hunter2", "key": "hunter3", "plain": "p"}))).unwrap();
        assert_eq!(call.env, [("plain".to_owned(), b"p".to_vec())]);
        let names: Vec<_> = call.secret_env.iter().map(|(name, value)| (name.as_str(), value.0.as_slice())).collect();
        assert_eq!(names, [("token", b"hunter2".as_slice()), ("key", b"hunter3".as_slice())]);
        assert!(!format!("{call:?}").contains("hunter"), "{call:?}");
    }

    #[test]
    fn a_file_becomes_a_path_and_names_that_would_do_harm_stay_in_the_json() {
        let specs = specs("src: { type: file }\nPATH: {}\nLD_PRELOAD: {}\n");
        let file = json!({"name": "a.tar", "sha256": "00", "size": 3});
        let call =
            invocation(&specs, &object(json!({"src": file, "PATH": "/evil", "LD_PRELOAD": "/evil.so"}))).unwrap();
        assert_eq!(call.env, []);
        assert_eq!(call.files.len(), 1);
        assert_eq!((call.files[0].variable.as_str(), call.files[0].name.as_str()), ("src", "src"));
        let wrong = invocation(&specs, &object(json!({"src": "/etc/passwd"})));
        assert_eq!(wrong, Err(InvocationError::NotAFile("src".to_owned())));
    }
}
