//! A host for tests: a temporary base directory and one kind of shell.

use autoexec_process::drive::{Notice, Running, Sink, drive};
use autoexec_process::ended::Ended;
use autoexec_process::execution::Execution;
use autoexec_process::frame::Stream;
use autoexec_process::key::ExecKey;
use autoexec_process::local;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{MAX_SENT, Offsets, StartOptions, Supervisor};
use bytes::Bytes;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// Nothing in these tests takes longer on a machine that is not broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Dash,
    Bash,
    Busybox,
    Ksh,
    Mksh,
}

impl Shell {
    pub(crate) const ALL: [Self; 5] = [Self::Dash, Self::Bash, Self::Busybox, Self::Ksh, Self::Mksh];

    fn program(self) -> Option<PathBuf> {
        let name = match self {
            Self::Dash => "dash",
            Self::Bash => "bash",
            Self::Busybox => "busybox",
            Self::Ksh => "ksh93",
            Self::Mksh => "mksh",
        };
        ["/usr/bin", "/bin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists())
    }
}

/// The shells that are here.
pub(crate) fn shells() -> Vec<Shell> {
    let (here, missing): (Vec<_>, Vec<_>) = Shell::ALL.into_iter().partition(|shell| shell.program().is_some());
    for shell in missing {
        assert!(!matches!(shell, Shell::Dash | Shell::Bash), "{shell:?} must be installed");
        eprintln!("SKIPPED: {shell:?} is not installed, nothing is known about it");
    }
    here
}

pub(crate) struct Host {
    pub(crate) root: TempDir,
    pub(crate) supervisor: Supervisor,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl Host {
    pub(crate) fn new(shell: Shell) -> Self {
        let root = tempfile::Builder::new().prefix("ax").tempdir().unwrap();
        let bin = root.path().join("bin");
        let base = root.path().join("base");
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(&base).unwrap();
        let program = shell.program().unwrap();
        let path = if shell == Shell::Busybox {
            // Only its own applets: what a small system has.
            let done = std::process::Command::new(&program).arg("--install").arg("-s").arg(&bin).status().unwrap();
            assert!(done.success());
            bin.display().to_string()
        } else {
            std::os::unix::fs::symlink(&program, bin.join("sh")).unwrap();
            format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", bin.display())
        };
        let supervisor = Supervisor::in_directory(base.to_str().unwrap()).unwrap();
        let environment = vec![("PATH".into(), path.into()), ("HOME".into(), root.path().into())];
        Self { root, supervisor, environment }
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.root.path().join("base")
    }

    /// The directory of an execution.
    pub(crate) fn dir(&self, key: &ExecKey) -> PathBuf {
        let uid = nix::unistd::geteuid();
        self.base().join(format!("autoexec-{uid}")).join(key.as_str())
    }

    pub(crate) async fn start(&self, execution: &Execution) -> (Ended, Seen) {
        self.command(&self.supervisor.start(&execution.key, StartOptions::default()), payload(execution).unwrap()).await
    }

    pub(crate) async fn attach(&self, key: &ExecKey, from: Offsets) -> (Ended, Seen) {
        let mut seen = Seen::at(from);
        let ended = self.drive(&self.supervisor.attach(key, from, MAX_SENT), Bytes::new(), &mut seen).await;
        (ended, seen)
    }

    pub(crate) async fn command(&self, command: &str, payload: Bytes) -> (Ended, Seen) {
        let mut seen = Seen::default();
        let ended = self.drive(command, payload, &mut seen).await;
        (ended, seen)
    }

    pub(crate) async fn drive<S: Sink>(&self, command: &str, payload: Bytes, sink: &mut S) -> Ended {
        let channel = local::exec(command, &self.environment).unwrap();
        tokio::time::timeout(DEADLINE, drive(channel, payload, sink)).await.expect("the execution should have ended")
    }
}

/// Everything that came, checked to be without hole or overlap.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) running: Vec<Running>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) from: Offsets,
}

impl Seen {
    pub(crate) fn at(from: Offsets) -> Self {
        Self { from, ..Self::default() }
    }

    pub(crate) fn offsets(&self) -> Offsets {
        Offsets {
            stdout: self.from.stdout + self.stdout.len() as u64,
            stderr: self.from.stderr + self.stderr.len() as u64,
        }
    }
}

impl Sink for Seen {
    async fn running(&mut self, running: Running) {
        self.running.push(running);
    }

    async fn output(&mut self, stream: Stream, offset: u64, bytes: Bytes) {
        let at = self.offsets();
        match stream {
            Stream::Stdout => {
                assert_eq!(offset, at.stdout, "stdout has no hole and no overlap");
                self.stdout.extend_from_slice(&bytes);
            }
            Stream::Stderr => {
                assert_eq!(offset, at.stderr, "stderr has no hole and no overlap");
                self.stderr.extend_from_slice(&bytes);
            }
        }
    }

    async fn notice(&mut self, notice: Notice) {
        if notice != Notice::Heartbeat {
            self.notices.push(notice);
        }
    }
}

pub(crate) fn key(text: &str) -> ExecKey {
    ExecKey::new(text).unwrap()
}

pub(crate) fn script(name: &str, text: &str) -> Execution {
    Execution::new(key(name), [7; 16], text.as_bytes().to_vec())
}

/// Polls until it is so.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < limit, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn exited(code: u32) -> Ended {
    Ended::Exited { code, result: None }
}
