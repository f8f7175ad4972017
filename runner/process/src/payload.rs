//! The bytes that are sent to the supervisor's stdin to start an [`Execution`].
//!
//! ```text
//! ax1 LINES BYTES        header
//! ...                    LINES lines of shell text: kept in memory on the host, never on its disk
//! ...                    BYTES raw bytes: go to a file on the host; sections are cut out of it by offset
//! ```
//!
//! Small things travel as quoted words in the lines, because that costs no process on the host; what is large or holds
//! NUL bytes travels raw. Secrets always travel in the lines. Fails with [`PayloadError`] when a value cannot be carried.

use crate::execution::{Become, BecomeMethod, Execution, FileBytes, HostPath, Script};
use crate::files::Digest;
use crate::names::{check_env, check_file, check_user};
use crate::quote::{HasNul, quote, quote_into};
use bytes::Bytes;

/// Text up to this size is read by the host's shell byte by byte (0.3 us each); beyond, `cat` and `head` are cheaper.
const INLINE: usize = 6 * 1024;
/// The lines become one environment string of the worker, which Linux limits to 128 KiB.
const MAX_LINES: usize = 120 * 1024;
/// What the inner shell runs when another user is become; 97 tells that it was reached and had nothing to read.
const BOOT: &str = r#"ax_n=${IFS#??}; IFS= read -r ax_F || exit 97; IFS= read -r ax_S; IFS= read -r ax_O; IFS= read -r ax_B; IFS= read -r ax_l || exit 97; eval "$ax_l""#;

/// Why an execution cannot be carried to a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A NUL byte where no operating system takes one.
    #[error("{what} holds a NUL byte")]
    Nul {
        /// The value, by name.
        what: String,
    },
    /// Not a name for an environment variable, or one of ours.
    #[error("{name:?} cannot be the name of an environment variable")]
    EnvName {
        /// The name.
        name: String,
    },
    /// Not a plain file name, or one of ours.
    #[error("{name:?} cannot be the name of a file beside the script")]
    FileName {
        /// The name.
        name: String,
    },
    /// Not a user's name.
    #[error("{name:?} cannot be the name of a user")]
    UserName {
        /// The name.
        name: String,
    },
    /// The working directory is relative.
    #[error("the working directory must be an absolute path")]
    Workdir,
    /// Secrets, or everything when another user is become, must fit into one environment string.
    #[error("secrets and their frame take {size} bytes, more than {limit}")]
    TooLarge {
        /// Bytes needed.
        size: usize,
        /// Bytes there are.
        limit: usize,
    },
}

/// The bytes for the supervisor's stdin.
pub fn payload(execution: &Execution) -> Result<Bytes, PayloadError> {
    let mut writer = Writer::default();
    let body = writer.body(execution)?;
    let stage = writer.stage(execution)?;
    let mut rest = writer.settings(execution)?;
    rest.extend_from_slice(b"stage() { :");
    rest.extend_from_slice(&stage);
    rest.extend_from_slice(b"; }\n");
    match &execution.become_user {
        None => {
            rest.extend_from_slice(b"run() { ");
            rest.extend_from_slice(&body);
            rest.extend_from_slice(b"; }\n");
        }
        Some(other) => writer.enter(execution, other, &body)?,
    }
    writer.finish(rest)
}

#[derive(Default)]
struct Writer {
    /// Lines that may hold secrets: `ax_s0='..'` and so on.
    lines: Vec<u8>,
    /// The same assignments, for the inner shell.
    slots: Vec<u8>,
    count: usize,
    raw: Vec<u8>,
}

impl Writer {
    /// Keeps a secret in a variable of the worker and returns the word that stands for it.
    fn secret(&mut self, what: &str, value: &[u8]) -> Result<String, PayloadError> {
        let slot = self.count;
        self.count += 1;
        let mut text = format!("ax_s{slot}=").into_bytes();
        quote_into(&mut text, value).map_err(|HasNul| nul(what))?;
        self.lines.extend_from_slice(&text);
        self.lines.push(b'\n');
        self.slots.extend_from_slice(&text);
        self.slots.push(b';');
        Ok(format!("\"$ax_s{slot}\""))
    }

    /// The script's environment and the command that replaces the shell.
    fn body(&mut self, execution: &Execution) -> Result<Vec<u8>, PayloadError> {
        let mut body = b"export AUTOEXEC_OUTPUT=\"$ax_O/output\" AUTOEXEC_FILES=\"$ax_F\"".to_vec();
        if let Some(params) = &execution.params {
            let place = if matches!(params, FileBytes::Secret(_)) { "$ax_S" } else { "$ax_F" };
            body.extend_from_slice(format!(" AUTOEXEC_PARAMS=\"{place}/params.json\"").as_bytes());
        }
        if execution.files.iter().any(|file| matches!(file.bytes, FileBytes::Secret(_))) {
            body.extend_from_slice(b" AUTOEXEC_SECRETS=\"$ax_S\"");
        }
        for (name, value) in &execution.env {
            check_env(name)?;
            body.extend_from_slice(format!(" {name}=").as_bytes());
            quote_into(&mut body, value).map_err(|HasNul| nul(name))?;
        }
        for (name, path) in &execution.path_env {
            check_env(name)?;
            let path = match path {
                HostPath::Pushed(digest) => format!("$ax_B/files/{digest}"),
                HostPath::Beside(file) => {
                    check_file(file)?;
                    format!("$ax_F/{file}")
                }
                HostPath::Secret(file) => {
                    check_file(file)?;
                    format!("$ax_S/{file}")
                }
            };
            body.extend_from_slice(format!(" {name}=\"{path}\"").as_bytes());
        }
        for (name, value) in &execution.secret_env {
            check_env(name)?;
            let word = self.secret(name, value.expose())?;
            body.extend_from_slice(format!(" {name}={word}").as_bytes());
        }
        for slot in 0..self.count {
            body.extend_from_slice(format!("; unset ax_s{slot}").as_bytes());
        }
        body.extend_from_slice(b"; exec");
        for word in &execution.interpreter {
            body.push(b' ');
            quote_into(&mut body, word.as_bytes()).map_err(|HasNul| nul("interpreter"))?;
        }
        match &execution.script {
            Script::Text(_) => body.extend_from_slice(b" \"$ax_F/script\""),
            Script::Pushed(digest) => body.extend_from_slice(format!(" \"$ax_B/files/{digest}\"").as_bytes()),
        }
        for argument in &execution.args {
            body.push(b' ');
            quote_into(&mut body, argument).map_err(|HasNul| nul("argument"))?;
        }
        Ok(body)
    }

    /// The commands that put the files in place, each beginning with `&&`.
    fn stage(&mut self, execution: &Execution) -> Result<Vec<u8>, PayloadError> {
        let mut stage = Vec::new();
        if shares(execution) {
            // The directories' names are what keeps others out, so the user who is become can read the files.
            stage.extend_from_slice(b" && umask 022");
        }
        match &execution.script {
            Script::Text(text) => {
                self.file(&mut stage, "$ax_F/script", text)?;
                if execution.interpreter.is_empty() {
                    stage.extend_from_slice(b" && chmod +x \"$ax_F/script\"");
                }
            }
            // Checked below, with the other pushed files.
            Script::Pushed(_) => {}
        }
        for digest in pushed(execution) {
            let check = format!(
                " && {{ [ -r \"$ax_B/files/{digest}\" ] || {{ echo tool {digest} is not here >&2; return 1; }}; }}"
            );
            stage.extend_from_slice(check.as_bytes());
        }
        if let Some(params) = &execution.params {
            self.placed(&mut stage, execution, "params.json", params)?;
        }
        for file in &execution.files {
            check_file(&file.name)?;
            let place = self.placed(&mut stage, execution, &file.name, &file.bytes)?;
            let mode = file.mode & 0o7777;
            if mode != 0o600 {
                stage.extend_from_slice(format!(" && chmod {mode:o} \"{place}\"").as_bytes());
            }
        }
        if let Some(stdin) = &execution.stdin {
            self.file(&mut stage, "$ax_D/stdin", stdin)?;
        }
        Ok(stage)
    }

    /// Writes one file beside the script or into the directory of secrets; returns its path as shell text.
    fn placed(
        &mut self,
        stage: &mut Vec<u8>,
        execution: &Execution,
        name: &str,
        bytes: &FileBytes,
    ) -> Result<String, PayloadError> {
        match bytes {
            FileBytes::Plain(bytes) => {
                let place = format!("$ax_F/{name}");
                self.file(stage, &place, bytes)?;
                Ok(place)
            }
            FileBytes::Secret(secret) => {
                let place = format!("$ax_S/{name}");
                let word = self.secret(name, secret.expose())?;
                let mode = if shares(execution) { "711" } else { "700" };
                let nonce = hex(&derive(execution, b"secrets"));
                stage.extend_from_slice(format!(" && vault {nonce} {mode} && put {word} >\"{place}\"").as_bytes());
                Ok(place)
            }
        }
    }

    fn file(&mut self, stage: &mut Vec<u8>, place: &str, bytes: &Bytes) -> Result<(), PayloadError> {
        if bytes.len() > INLINE || bytes.contains(&0) {
            let at = self.raw.len();
            self.raw.extend_from_slice(bytes);
            stage.extend_from_slice(format!(" && cut {at} {} >\"{place}\"", bytes.len()).as_bytes());
        } else {
            stage.extend_from_slice(b" && put ");
            quote_into(stage, bytes).map_err(|HasNul| nul(place))?;
            stage.extend_from_slice(format!(" >\"{place}\"").as_bytes());
        }
        Ok(())
    }

    fn settings(&mut self, execution: &Execution) -> Result<Vec<u8>, PayloadError> {
        let mut text = Vec::new();
        if execution.pipes {
            text.extend_from_slice(b"ax_pipes=1\n");
        }
        if execution.stdin.is_some() {
            text.extend_from_slice(b"ax_stdin=$ax_D/stdin\n");
        }
        if let Some(directory) = &execution.workdir {
            if directory.first() != Some(&b'/') {
                return Err(PayloadError::Workdir);
            }
            assign(&mut text, "ax_dir", directory, "workdir")?;
        }
        if let Some(interpreter) = execution.interpreter.first()
            && !execution.env.iter().any(|(name, _)| name == "PATH")
        {
            assign(&mut text, "ax_int", interpreter.as_bytes(), "interpreter")?;
        }
        if shares(execution) {
            let (share, hide) = (hex(&derive(execution, b"share")), hex(&derive(execution, b"hide")));
            text.extend_from_slice(format!("ax_share={share} ax_hide={hide}\n").as_bytes());
        }
        Ok(text)
    }

    /// What is needed to become another user; all of it in the lines, because it may hold secrets.
    fn enter(&mut self, execution: &Execution, other: &Become, body: &[u8]) -> Result<(), PayloadError> {
        check_user(&other.user)?;
        let mut inner = self.slots.clone();
        if let Some(directory) = &execution.workdir {
            inner.extend_from_slice(b"cd ");
            quote_into(&mut inner, directory).map_err(|HasNul| nul("workdir"))?;
            inner.extend_from_slice(b" || exit 126; ");
        }
        let key = &execution.key;
        inner.extend_from_slice(format!("export AUTOEXEC_KEY={key} AUTOEXEC_MARK=:{key}:; ").as_bytes());
        inner.extend_from_slice(body);
        let method = match other.method {
            BecomeMethod::Sudo => "sudo",
            BecomeMethod::Su => "su",
        };
        let mut lines = std::mem::take(&mut self.lines);
        lines.extend_from_slice(format!("ax_become={method} ax_user={}\n", other.user).as_bytes());
        assign(&mut lines, "ax_boot", BOOT.as_bytes(), "boot")?;
        assign(&mut lines, "ax_inner", &inner, "program")?;
        if let Some(password) = &other.password {
            assign(&mut lines, "ax_password", password.expose(), "password")?;
        }
        self.lines = lines;
        Ok(())
    }

    /// Header, lines and raw bytes.
    fn finish(mut self, rest: Vec<u8>) -> Result<Bytes, PayloadError> {
        if rest.len() > 2 * INLINE {
            let (at, length) = (self.raw.len(), rest.len());
            self.raw.extend_from_slice(&rest);
            let fetch = format!(
                "cut {at} {length} >\"$ax_D/program\" || void write cannot unpack the program\n. \"$ax_D/program\"\n"
            );
            self.lines.extend_from_slice(fetch.as_bytes());
        } else {
            self.lines.extend_from_slice(&rest);
        }
        if self.lines.len() > MAX_LINES {
            return Err(PayloadError::TooLarge { size: self.lines.len(), limit: MAX_LINES });
        }
        let count = self.lines.split(|&b| b == b'\n').count() - 1;
        let mut all = format!("ax1 {count} {}\n", self.raw.len()).into_bytes();
        all.reserve_exact(self.lines.len() + self.raw.len());
        all.extend_from_slice(&self.lines);
        all.extend_from_slice(&self.raw);
        Ok(all.into())
    }
}

/// The pushed files that it needs.
fn pushed(execution: &Execution) -> impl Iterator<Item = Digest> {
    let script = match execution.script {
        Script::Text(_) => None,
        Script::Pushed(digest) => Some(digest),
    };
    let others = execution.path_env.iter().filter_map(|(_, path)| match path {
        HostPath::Pushed(digest) => Some(*digest),
        HostPath::Beside(_) | HostPath::Secret(_) => None,
    });
    script.into_iter().chain(others)
}

/// Root reads everything; any other user needs directories that can be passed through.
fn shares(execution: &Execution) -> bool {
    execution.become_user.as_ref().is_some_and(|other| other.user != "root")
}

fn derive(execution: &Execution, purpose: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&execution.nonce).update(execution.key.as_str().as_bytes()).update(b"/").update(purpose);
    let mut out = [0; 16];
    hasher.finalize_xof().fill(&mut out);
    out
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn assign(to: &mut Vec<u8>, name: &str, value: &[u8], what: &str) -> Result<(), PayloadError> {
    to.extend_from_slice(name.as_bytes());
    to.push(b'=');
    to.extend_from_slice(&quote(value).map_err(|HasNul| nul(what))?);
    to.push(b'\n');
    Ok(())
}

fn nul(what: &str) -> PayloadError {
    PayloadError::Nul { what: what.to_owned() }
}
