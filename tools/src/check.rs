//! What is wrong with a tool, or odd about it: `autoexec tool check`.
//!
//! Errors keep a tool out of the catalogue; warnings do not. Syntax is left to the interpreter itself: [`syntax_check`] says which program
//! to ask, and the caller, who may start processes, asks it.

use std::fmt;
use std::path::Path;

use autoexec_model::diagnostic::{Diagnostic, SourceFile, nearest};
use autoexec_model::grant::ToolFile;
use autoexec_model::param::ParamType;
use autoexec_model::plan::Place;
use autoexec_model::spec::Interpreter;
use autoexec_model::tool::{Entry, Manifest};

use crate::folder::{Folder, MANIFEST};
use crate::invocation::is_reserved;
use crate::{builtin, flow};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Odd; the tool can be used.
    Warning,
    /// The tool cannot be used.
    Error,
}

/// Something found in a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The tool: the name of its folder.
    pub tool: String,
    /// What it is and where.
    pub diagnostic: Diagnostic,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.diagnostic)
    }
}

/// Everything that is wrong with or odd about the tool in a folder; nothing when all is well.
pub fn check(path: &Path) -> Vec<Finding> {
    let tool = folder_name(path);
    match Folder::read(path) {
        Ok(folder) => examine(&tool, &path.join(MANIFEST).display().to_string(), &folder).1,
        Err(error) => vec![unreadable(&tool, &error)],
    }
}

/// A program that checks the syntax of the tool's script, without its last argument, the script's path; none when the interpreter has
/// no such mode that is free of side effects.
pub fn syntax_check(manifest: &Manifest) -> Option<Vec<String>> {
    let Entry::Script(_) = &manifest.entry.value else {
        return None;
    };
    let program = program_of(&manifest.interpreter)?;
    match base_name(program) {
        "sh" | "dash" | "ash" | "bash" | "ksh" | "mksh" | "zsh" => Some(vec![program.to_owned(), "-n".to_owned()]),
        "perl" | "ruby" => Some(vec![program.to_owned(), "-c".to_owned()]),
        _ => None,
    }
}

/// The manifest, when it can be read, and everything found. `shown` is the manifest's name for people.
pub(crate) fn examine(tool: &str, shown: &str, folder: &Folder) -> (Option<Manifest>, Vec<Finding>) {
    let src = SourceFile::new(shown, folder.manifest.as_str());
    let manifest = match Manifest::parse(&src) {
        Ok(manifest) => manifest,
        Err(errors) => {
            let finding = |diagnostic| Finding { severity: Severity::Error, tool: tool.to_owned(), diagnostic };
            return (None, errors.into_iter().map(finding).collect());
        }
    };
    let mut examiner = Examiner { tool, src: &src, manifest: &manifest, folder, found: Vec::new() };
    examiner.name();
    examiner.entry();
    examiner.params();
    let found = examiner.found;
    (Some(manifest), found)
}

pub(crate) fn unreadable(tool: &str, error: &dyn std::error::Error) -> Finding {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    let diagnostic =
        Diagnostic { file: String::new(), place: None, message: format!("{error}{cause}"), snippet: None, hint: None };
    Finding { severity: Severity::Error, tool: tool.to_owned(), diagnostic }
}

pub(crate) fn folder_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// One tool under examination.
struct Examiner<'a> {
    tool: &'a str,
    src: &'a SourceFile,
    manifest: &'a Manifest,
    folder: &'a Folder,
    found: Vec<Finding>,
}

impl Examiner<'_> {
    fn add(&mut self, severity: Severity, diagnostic: Diagnostic) {
        self.found.push(Finding { severity, tool: self.tool.to_owned(), diagnostic });
    }

    fn name(&mut self) {
        let name = &self.manifest.name;
        if name.value != self.tool {
            let message = format!("the tool is called `{}`, but its folder `{}`", name.value, self.tool);
            self.add(Severity::Warning, self.src.error(name.place, message).hint("give both the same name"));
        }
    }

    fn entry(&mut self) {
        match &self.manifest.entry.value {
            Entry::Script(file) => self.script(file),
            Entry::Builtin(name) => {
                self.known("builtin", name, &builtin::NAMES);
                if self.manifest.places.contains(&Place::Target) {
                    let error =
                        self.src.error(self.manifest.places.place, "a builtin runs on the runner, not on `target`");
                    self.add(Severity::Error, error.hint("allowed: runner, runner-target"));
                }
            }
            Entry::Flow(name) => self.known("flow", name, &flow::NAMES),
        }
    }

    fn known(&mut self, kind: &str, name: &str, names: &[&str]) {
        if !names.contains(&name) {
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", names.join(", ")),
            };
            let error = self.src.error(self.manifest.entry.place, format!("there is no {kind} `{name}`"));
            self.add(Severity::Error, error.hint(hint));
        }
    }

    fn script(&mut self, name: &str) {
        let Some(file) = self.folder.files.iter().find(|file| file.name == name) else {
            let near = nearest(name, self.folder.files.iter().map(|file| file.name.as_str()));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let error =
                self.src.error(self.manifest.entry.place, format!("there is no file `{name}` beside the manifest"));
            self.add(Severity::Error, error.maybe_hint(hint));
            return;
        };
        if file.bytes.is_empty() {
            self.add(Severity::Error, self.src.error(self.manifest.entry.place, format!("`{name}` is empty")));
        }
        self.shebang(file);
        if is_shell(&self.manifest.interpreter) && file.bytes.windows(2).any(|pair| pair == b"\r\n") {
            let error = self.src.error(
                self.manifest.entry.place,
                format!("`{name}` has Windows line ends, which a shell takes as part of the commands"),
            );
            self.add(Severity::Error, error.hint("save it with Unix line ends"));
        }
    }

    /// The manifest says what runs the script; a first line that says something else misleads whoever reads it.
    fn shebang(&mut self, file: &ToolFile) {
        let first = file.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Some(line) = first.strip_prefix(b"#!") else {
            return;
        };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_whitespace();
        let program = match words.next().map(base_name) {
            Some("env") => words.find(|word| !word.starts_with('-') && !word.contains('=')).map(base_name),
            other => other,
        };
        let wanted = program_of(&self.manifest.interpreter).map(base_name);
        if program != wanted
            && let (Some(program), Some(wanted)) = (program, wanted)
        {
            let message =
                format!("`{}` begins with `#!` for {program}, but the manifest runs it with {wanted}", file.name);
            let hint = format!("write `interpreter: {program}`, or change the first line");
            self.add(Severity::Warning, self.src.error(self.manifest.entry.place, message).hint(hint));
        }
    }

    fn params(&mut self) {
        let script = match &self.manifest.entry.value {
            Entry::Script(name) => self.folder.files.iter().find(|file| file.name == *name),
            Entry::Builtin(_) | Entry::Flow(_) => None,
        };
        // A script that reads the JSON file, or a part of itself from another file, may read any parameter.
        let reads_all =
            self.folder.files.len() > 1 || script.is_none_or(|file| contains_word(&file.bytes, "AUTOEXEC_PARAMS"));
        for (name, spec) in self.manifest.params.iter() {
            if is_reserved(name) {
                let kind = if spec.kind == ParamType::File { "file" } else { "value" };
                let error = self.src.error(
                    name.place,
                    format!(
                        "`{}` is a name that programs themselves obey: its {kind} would change how they run",
                        name.value
                    ),
                );
                self.add(Severity::Error, error.hint("choose another name"));
            } else if !reads_all && script.is_some_and(|file| !contains_word(&file.bytes, name)) {
                let error = self.src.error(name.place, format!("the script never uses the parameter `{}`", name.value));
                self.add(Severity::Warning, error);
            }
        }
    }
}

fn program_of(interpreter: &Interpreter) -> Option<&str> {
    interpreter.0.first().map(String::as_str)
}

fn is_shell(interpreter: &Interpreter) -> bool {
    program_of(interpreter).is_some_and(|program| base_name(program).ends_with("sh"))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the text holds the word, not as a part of a longer one.
fn contains_word(text: &[u8], word: &str) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let word = word.as_bytes();
    !word.is_empty()
        && text.windows(word.len()).enumerate().any(|(at, window)| {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            window == word && !part(before) && !part(text.get(at + word.len()))
        })
}
