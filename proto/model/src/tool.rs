//! What a tool is: its manifest, written in YAML beside the executable, and the index that the planner looks tools up in.
//!
//! Reading a manifest fails like reading any YAML here, with an error that points; [`Manifest::check`] adds what the shape
//! alone cannot say. Finding, packing and hashing tools is `autoexec-tools`' work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::{Diagnosed, Diagnostics, Located, SourceFile};
use crate::id::Digest;
use crate::millis::Millis;
use crate::param::{ParamSpec, ParamType, check_declarations};
use crate::plan::Place;
use crate::spec::{Interpreter, is_name};
use crate::yaml::{self, Entries};

/// What a tool does, where it may run, what it takes and what it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "autoexec tool manifest")]
pub struct Manifest {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub name: Located<String>,
    /// What it does, in one line.
    pub summary: Located<String>,
    /// What it does, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its version, for people; what counts is the digest of its content.
    pub version: String,
    /// Where it may run.
    pub places: Located<Vec<Place>>,
    /// How much harm it can do; shown before it is run.
    #[serde(default)]
    pub risk: Risk,
    /// What is executed.
    pub entry: Located<Entry>,
    /// What runs a script; `sh` when nothing is said.
    #[serde(default)]
    pub interpreter: Interpreter,
    /// Systems it runs on, as `uname -s` says in lower case, or `any`; `any` when nothing is said.
    #[serde(default = "any_platform")]
    pub platforms: Vec<String>,
    /// What it takes.
    #[serde(default)]
    pub params: Entries<ParamSpec>,
    /// What it publishes for later steps.
    #[serde(default)]
    pub outputs: Entries<OutputSpec>,
    /// Longest time of one try, unless the step says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Located<Millis>>,
    /// Whether running it again after an interruption is harmless.
    #[serde(default)]
    pub idempotent: bool,
    /// Whether it usually needs the rights of `root` on the target; a step says who with `become`.
    #[serde(default)]
    pub become_needed: bool,
    /// A step that uses it, in YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// How much harm a tool can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// It only looks.
    #[default]
    Low,
    /// It changes something that can be changed back.
    Medium,
    /// It can stop a service or lose data.
    High,
}

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// An executable or script beside the manifest.
    Script(String),
    /// A part of the runner.
    Builtin(String),
    /// A flow: several operations that the runner does over the connection, such as sending a file.
    Flow(String),
}

/// A value that a tool publishes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// What kind of value it is.
    #[serde(rename = "type", default)]
    pub kind: ParamType,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Its value when the tool does not publish it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Located<Value>>,
}

/// A tool that a plan uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolRef {
    /// Its name.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
}

/// A tool of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolDescriptor {
    /// What it says about itself.
    pub manifest: Manifest,
    /// The digest of its content: manifest and files.
    pub digest: Digest,
}

/// Every tool that a job may use, by name.
pub type ToolIndex = BTreeMap<String, ToolDescriptor>;

fn any_platform() -> Vec<String> {
    vec!["any".to_owned()]
}

/// Characters of a summary: it must fit on the line of a table.
const MAX_SUMMARY: usize = 100;

/// The JSON Schema of manifests, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Manifest).to_value()
}

impl Entry {
    /// The file, the builtin's or the flow's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Script(name) | Self::Builtin(name) | Self::Flow(name) => name,
        }
    }
}

impl Risk {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl ToolDescriptor {
    /// The tool as a plan names it.
    pub fn reference(&self) -> ToolRef {
        ToolRef { name: self.manifest.name.value.clone(), digest: self.digest.clone() }
    }
}

impl Manifest {
    /// Reads a manifest and checks all that can be told from it alone.
    ///
    /// # Errors
    /// The first error of shape, or every error of meaning.
    pub fn parse(src: &SourceFile) -> Diagnosed<Self> {
        let manifest: Self = yaml::parse(src)?;
        let found = manifest.check(src);
        found.or(manifest)
    }

    /// Everything that is wrong with its meaning.
    pub fn check(&self, src: &SourceFile) -> Diagnostics {
        let mut found = Diagnostics::new();
        if !is_name(&self.name) {
            let error =
                src.error(self.name.place, format!("`{}` cannot be the name of a tool", self.name.escape_debug()));
            found.push(error.hint("use letters, digits, `_` and `-`, at most 64 of them"));
        }
        let summary = self.summary.trim();
        if summary.is_empty() || summary.contains('\n') || summary.chars().count() > MAX_SUMMARY {
            found.push(src.error(
                self.summary.place,
                format!("the summary must be one line of at most {MAX_SUMMARY} characters"),
            ));
        }
        self.check_places(src, &mut found);
        self.check_entry(src, &mut found);
        if let Some(timeout) = self.timeout.as_ref().filter(|timeout| timeout.is_zero()) {
            found.push(src.error(timeout.place, "a timeout of nothing stops every step").hint("write a longer one"));
        }
        for error in check_declarations(&self.params) {
            found.push(error.to_diagnostic(src));
        }
        self.check_outputs(src, &mut found);
        found
    }

    fn check_places(&self, src: &SourceFile, found: &mut Diagnostics) {
        let error = |message: &str| src.error(self.places.place, message);
        match self.places.as_slice() {
            [] => found.push(error("a tool must run somewhere").hint("allowed: runner, runner-target, target")),
            places if places.contains(&Place::Sql) => {
                found.push(error("tools on `sql` cannot be run yet").hint("allowed: runner, runner-target, target"))
            }
            places if (1..places.len()).any(|i| places[..i].contains(&places[i])) => {
                found.push(error("a place is written twice"))
            }
            _ => {} // not our enum: a list
        }
    }

    fn check_entry(&self, src: &SourceFile, found: &mut Diagnostics) {
        let name = self.entry.name();
        let wrong = match &self.entry.value {
            Entry::Script(file) => file.is_empty() || file.starts_with('.') || file.contains(['/', '\\', '\0']),
            Entry::Builtin(name) | Entry::Flow(name) => !is_name(name),
        };
        if wrong {
            let error = src.error(self.entry.place, format!("`{}` cannot be executed", name.escape_debug()));
            found.push(
                error.hint("a script is a file beside the manifest, without a folder; a builtin or flow is a name"),
            );
        }
    }

    fn check_outputs(&self, src: &SourceFile, found: &mut Diagnostics) {
        for (name, output) in self.outputs.iter() {
            if !is_name(name) || name.contains('-') {
                let error = src.error(name.place, format!("`{}` cannot be the name of an output", name.escape_debug()));
                found.push(error.hint("use letters, digits and `_`: templates read it as `steps.<id>.<name>`"));
            }
            if let Some(default) = output.default.as_ref().filter(|default| !output.accepts(&default.value)) {
                found.push(src.error(default.place, format!("the default of `{name}` is not of type {}", output.kind)));
            }
        }
    }
}

impl OutputSpec {
    /// Whether a published value is of the declared type. Types that need options take any text.
    pub fn accepts(&self, value: &Value) -> bool {
        match self.kind {
            ParamType::Select => value.is_string(),
            ParamType::Multiselect => value.is_array(),
            ParamType::String
            | ParamType::Int
            | ParamType::Float
            | ParamType::Bool
            | ParamType::Json
            | ParamType::File
            | ParamType::Secret
            | ParamType::Date
            | ParamType::Datetime
            | ParamType::Duration => {
                ParamSpec { kind: self.kind, ..ParamSpec::default() }.check("output", value).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    const PING: &str = "\
name: check-port
summary: Say whether something listens on a port.
version: 1.0
places: [target]
entry: { script: check-port.sh }
params:
  port: { type: int, required: true, min: 1, max: 65535, help: Port to look at. }
outputs:
  open: { type: bool, help: Whether something listens. }
timeout: 30s
idempotent: true
example: |
  - tool: check-port
    with: { port: 80 }
";

    fn bad(text: &str, expected: Expect) {
        let errors = Manifest::parse(&SourceFile::new("tool.yaml", text)).expect_err("a broken manifest");
        assert_eq!(errors.len(), 1, "{errors}");
        expected.assert_eq(&errors.to_string());
    }

    #[test]
    fn a_manifest_is_read() {
        let tool = Manifest::parse(&SourceFile::new("tool.yaml", PING)).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!((tool.name.as_str(), tool.version.as_str(), tool.risk), ("check-port", "1.0", Risk::Low));
        assert_eq!(tool.entry.value, Entry::Script("check-port.sh".to_owned()));
        assert_eq!(
            (tool.interpreter.0.as_slice(), tool.platforms.as_slice()),
            (&["sh".to_owned()][..], &["any".to_owned()][..])
        );
        assert!(
            tool.outputs.get("open").is_some_and(|open| open.accepts(&json!(true)) && !open.accepts(&json!("true")))
        );
        let json = serde_json::to_string(&tool).expect("json");
        assert_eq!(serde_json::from_str::<Manifest>(&json).expect("the same tool"), tool);
    }

    #[test]
    fn broken_manifests_are_explained() {
        let with = |old: &str, new: &str| {
            assert!(PING.contains(old), "{old}");
            PING.replace(old, new)
        };
        bad(
            &with("places: [target]", "places: [host]"),
            expect![[r#"
            tool.yaml:4:10: unknown value `host`
              4 | places: [host]
                |          ^^^^
              hint: allowed: runner, runner-target, target, sql"#]],
        );
        bad(
            &with("places: [target]", "places: []"),
            expect![[r#"
            tool.yaml:4:9: a tool must run somewhere
              4 | places: []
                |         ^
              hint: allowed: runner, runner-target, target"#]],
        );
        bad(
            &with("places: [target]", "places: [sql]"),
            expect![[r#"
            tool.yaml:4:9: tools on `sql` cannot be run yet
              4 | places: [sql]
                |         ^
              hint: allowed: runner, runner-target, target"#]],
        );
        bad(
            &with("places: [target]", "places: [target, target]"),
            expect![[r#"
            tool.yaml:4:9: a place is written twice
              4 | places: [target, target]
                |         ^"#]],
        );
        bad(
            &with("places: [target]", "places: target"),
            expect![[r#"
            tool.yaml:4:9: expected a list
              4 | places: target
                |         ^^^^^^
              hint: write `- ` before each item, or [a, b]"#]],
        );
        bad(
            &with("{ script: check-port.sh }", "{ scrpt: check-port.sh }"),
            expect![[r#"
                tool.yaml:5:10: unknown value `scrpt`
                  5 | entry: { scrpt: check-port.sh }
                    |          ^^^^^
                  hint: did you mean `script`?"#]],
        );
        bad(
            &with("{ script: check-port.sh }", "{ script: ../check-port.sh }"),
            expect![[r#"
            tool.yaml:5:8: `../check-port.sh` cannot be executed
              5 | entry: { script: ../check-port.sh }
                |        ^
              hint: a script is a file beside the manifest, without a folder; a builtin or flow is a name"#]],
        );
        bad(
            &with("{ script: check-port.sh }", "{ script: a.sh, builtin: b }"),
            expect![[r#"
                tool.yaml:5:24: only one of these keys can be written
                  5 | entry: { script: a.sh, builtin: b }
                    |                        ^^^^^^^
                  hint: remove the other"#]],
        );
        bad(
            &with("{ script: check-port.sh }", "check-port.sh"),
            expect![[r#"
            tool.yaml:5:8: unknown value `check-port.sh`
              5 | entry: check-port.sh
                |        ^^^^^^^^^^^^^
              hint: allowed: script, builtin, flow"#]],
        );
        bad(&with("entry: { script: check-port.sh }\n", ""), expect!["tool.yaml: missing key `entry`"]);
        bad(
            &with("type: int", "type: integer"),
            expect![[r#"
                tool.yaml:7:17: unknown value `integer`
                  7 |   port: { type: integer, required: true, min: 1, max: 65535, help: Port to look at. }
                    |                 ^^^^^^^
                  hint: did you mean `int`?"#]],
        );
        bad(
            &with("min: 1", "min: one"),
            expect![[r#"
            tool.yaml:7:43: parameter `port`: min must be a whole number, not `one`
              7 |   port: { type: int, required: true, min: one, max: 65535, help: Port to look at. }
                |                                           ^^^"#]],
        );
        bad(
            &with("open: {", "is-open: {"),
            expect![[r#"
            tool.yaml:9:3: `is-open` cannot be the name of an output
              9 |   is-open: { type: bool, help: Whether something listens. }
                |   ^^^^^^^
              hint: use letters, digits and `_`: templates read it as `steps.<id>.<name>`"#]],
        );
        bad(
            &with("type: bool, help", "type: bool, default: 'no', help"),
            expect![[r#"
            tool.yaml:9:32: the default of `open` is not of type bool
              9 |   open: { type: bool, default: 'no', help: Whether something listens. }
                |                                ^^^^"#]],
        );
        bad(
            &with("timeout: 30s", "timeout: 30"),
            expect![[r#"
            tool.yaml:10:10: `30` has no unit
              10 | timeout: 30
                 |          ^^
              hint: write `30s` for seconds, or ms, m, h, d"#]],
        );
        bad(
            &with("Say whether", "|\n  Say\n  whether"),
            expect![[r#"
            tool.yaml:3:3: the summary must be one line of at most 100 characters
              3 |   Say
                |   ^^^"#]],
        );
        bad(
            &with("timeout: 30s", "risk: none"),
            expect![[r#"
            tool.yaml:10:7: unknown value `none`
              10 | risk: none
                 |       ^^^^
              hint: allowed: low, medium, high"#]],
        );
        bad(
            &with("name: check-port", "name: check port"),
            expect![[r#"
            tool.yaml:1:7: `check port` cannot be the name of a tool
              1 | name: check port
                |       ^^^^^^^^^^
              hint: use letters, digits, `_` and `-`, at most 64 of them"#]],
        );
    }

    #[test]
    fn the_schema_describes_every_key() {
        let schema = schema();
        for (key, value) in schema["properties"].as_object().expect("properties") {
            assert!(value.to_string().contains("description"), "{key} has no description: {value}");
        }
    }
}
