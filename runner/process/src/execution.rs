//! One execution as plain data: what runs, with which input, as whom.
//!
//! Nothing here does I/O; [`crate::payload`] turns it into the bytes that are sent to the supervisor and refuses what
//! cannot be carried.

use crate::key::ExecKey;
use crate::secret::SecretBytes;
use bytes::Bytes;

/// What to run once on a host.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The fence.
    pub key: ExecKey,
    /// Random bytes from the caller, different for each execution: they name what other users must not guess.
    pub nonce: [u8; 16],
    /// The interpreter and its options; the script's path and `args` are appended. `["sh"]` by default.
    pub interpreter: Vec<String>,
    /// The script.
    pub script: Script,
    /// Arguments, as bytes without NUL.
    pub args: Vec<Bytes>,
    /// Environment, as bytes without NUL; added to that of the login.
    pub env: Vec<(String, Bytes)>,
    /// Environment that is never written to a disk or a command line.
    pub secret_env: Vec<(String, SecretBytes)>,
    /// Environment whose values are paths that only the host knows.
    pub path_env: Vec<(String, HostPath)>,
    /// Parameters as JSON; the script finds the file's path in `$AUTOEXEC_PARAMS`.
    pub params: Option<FileBytes>,
    /// Files put beside the script; `$AUTOEXEC_FILES` is their directory, `$AUTOEXEC_SECRETS` that of the secret ones.
    pub files: Vec<ExtraFile>,
    /// Standard input of the script; without it the script reads end-of-file.
    pub stdin: Option<Bytes>,
    /// Absolute directory where the script begins; the login's directory without it.
    pub workdir: Option<Bytes>,
    /// Give the script pipes instead of files for its output: for scripts that open `/dev/stderr` and the like again,
    /// which would cut a file short. It costs three processes, so it is not done for all; see [`reopens_output`].
    pub pipes: bool,
    /// Run as somebody else.
    pub become_user: Option<Become>,
}

/// A file on the host, wherever it lies there.
#[derive(Debug, Clone)]
pub enum HostPath {
    /// One that was pushed before.
    Pushed(crate::files::Digest),
    /// One of the plain extra files.
    Beside(String),
    /// One of the secret extra files.
    Secret(String),
}

/// Where the script comes from.
#[derive(Debug, Clone)]
pub enum Script {
    /// It is sent with the execution.
    Text(Bytes),
    /// It was pushed to the host before; the SHA-256 digest names it.
    Pushed(crate::files::Digest),
}

/// The bytes of a file: secret ones live in memory on the host and are removed when the execution ends.
#[derive(Debug, Clone)]
pub enum FileBytes {
    /// May stay on the host's disk until the execution is removed.
    Plain(Bytes),
    /// Must not stay.
    Secret(SecretBytes),
}

/// A file beside the script.
#[derive(Debug, Clone)]
pub struct ExtraFile {
    /// A plain name: no slash, not beginning with a dot.
    pub name: String,
    /// What it holds.
    pub bytes: FileBytes,
    /// Permission bits, such as `0o600`.
    pub mode: u32,
}

/// How another user is become.
#[derive(Debug, Clone)]
pub struct Become {
    /// By which program.
    pub method: BecomeMethod,
    /// The user's name.
    pub user: String,
    /// The login user's password for sudo, when it asks for one.
    pub password: Option<SecretBytes>,
}

/// The program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BecomeMethod {
    /// `sudo -u USER`, with a password on its stdin when it wants one.
    Sudo,
    /// `su USER`, which only root can use without a terminal.
    Su,
}

impl Execution {
    /// A script for `sh` without arguments or environment.
    pub fn new(key: ExecKey, nonce: [u8; 16], script: impl Into<Bytes>) -> Self {
        let script = script.into();
        Self {
            pipes: reopens_output(&script),
            key,
            nonce,
            interpreter: vec!["sh".to_owned()],
            script: Script::Text(script),
            args: Vec::new(),
            env: Vec::new(),
            secret_env: Vec::new(),
            path_env: Vec::new(),
            params: None,
            files: Vec::new(),
            stdin: None,
            workdir: None,
            become_user: None,
        }
    }
}

/// Does the script name the places by which an output stream is opened a second time?
pub fn reopens_output(script: &[u8]) -> bool {
    [&b"/dev/std"[..], b"/dev/fd/", b"/proc/self/fd"]
        .iter()
        .any(|place| script.windows(place.len()).any(|window| window == *place))
}
