//! A place of its own for each test: home, state folder, temporary folder, a clean environment; and the program run in it.
//!
//! Every run has a deadline; a run that overstays is ended with all below it, and the test fails with what it printed. The daemon
//! that the first run starts is ended when the sandbox goes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::binary::binary;
use super::processes::{alive, kill_tree, pids_with, signal};
use super::wait::{PATIENCE, wait_until};

/// One run, unless the test says otherwise: well above the longest job of these tests.
const DEADLINE: Duration = Duration::from_secs(90);

/// A folder with everything that one test touches.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
}

/// What a run of the program left.
pub(crate) struct Ran {
    what: String,
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: Vec<u8>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// A run that goes on beside the test.
pub(crate) struct Background {
    what: String,
    child: Child,
    out: PathBuf,
    err: PathBuf,
    since: Instant,
}

impl Sandbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("ax").tempdir().expect("a temporary folder");
        // Others may pass through to a file that a test shows them; the state folder is closed by itself.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
        for name in ["home", "tmp"] {
            fs::create_dir(dir.path().join(name)).expect("a folder");
        }
        fs::DirBuilder::new().mode(0o700).create(dir.path().join("home/.ssh")).expect("a folder");
        Self { dir }
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder of the daemon.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a file and answers its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, content).expect("written");
        path
    }

    /// An empty folder inside, as text for job files.
    pub(crate) fn folder(&self, name: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder");
        path.display().to_string()
    }

    /// The program, ready to run here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.other(binary());
        command.args(args);
        command
    }

    /// Another program with the same surroundings; `autoexec` is the program under test on its path.
    pub(crate) fn other(&self, program: impl AsRef<OsStr>) -> Command {
        let bin = self.path("bin");
        if !bin.exists() {
            fs::create_dir(&bin).expect("a folder");
            std::os::unix::fs::symlink(binary(), bin.join("autoexec")).expect("a link");
        }
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("AUTOEXEC_STATE_DIR", self.state())
            .env("PATH", format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.start(args).finish(DEADLINE)
    }

    /// Runs it and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        ran.check(code);
        ran
    }

    /// Runs it, expects success, and reads what it printed as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = [&["--format", "json"], args].concat();
        self.expect(0, &args).json()
    }

    /// Runs it, expects this exit code, and reads what it printed as JSON.
    #[track_caller]
    pub(crate) fn json_with(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = [&["--format", "json"], args].concat();
        self.expect(code, &args).json()
    }

    /// A job with its targets.
    #[track_caller]
    pub(crate) fn show(&self, job: &str) -> Value {
        self.json(&["show", job, "--targets"])
    }

    /// The output of one target, byte for byte.
    #[track_caller]
    pub(crate) fn output(&self, job: &str, target: &str) -> Vec<u8> {
        self.expect(0, &["output", job, target, "--stream", "stdout"]).stdout
    }

    /// Submits a job and leaves; its number.
    #[track_caller]
    pub(crate) fn submit(&self, args: &[&str]) -> String {
        let args: Vec<&str> = [&["run", "--detach"], args].concat();
        self.json(&args)["id"].as_u64().expect("a number").to_string()
    }

    /// Waits until a job is in one of these states.
    #[track_caller]
    pub(crate) fn wait_for(&self, job: &str, states: &[&str]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let view = self.json(&["show", job]);
            if states.iter().any(|state| view["state"] == *state) {
                return view;
            }
            assert!(Instant::now() < deadline, "job {job} is never {states:?}: {view:#}");
        }
    }

    /// Starts the program and goes on.
    pub(crate) fn start(&self, args: &[&str]) -> Background {
        self.spawn(self.command(args), &args.join(" "))
    }

    /// The same with a command that the test changed.
    pub(crate) fn spawn(&self, mut command: Command, what: &str) -> Background {
        let (out, err) =
            (tempfile::NamedTempFile::new_in(self.path("tmp")), tempfile::NamedTempFile::new_in(self.path("tmp")));
        let (out, err) = (out.expect("a file").into_temp_path(), err.expect("a file").into_temp_path());
        let file = |path: &Path| fs::File::create(path).expect("a file");
        let child = command.stdout(file(&out)).stderr(file(&err)).spawn().expect("the program starts");
        let keep = |path: tempfile::TempPath| path.keep().expect("kept");
        Background { what: what.to_owned(), child, out: keep(out), err: keep(err), since: Instant::now() }
    }

    /// The process of the daemon, which is started when there is none.
    pub(crate) fn daemon(&self) -> u32 {
        let info = self.json(&["up"]);
        u32::try_from(info["pid"].as_u64().expect("a number")).expect("a process number")
    }

    /// The living processes of a job of this sandbox, or of one of its tasks.
    pub(crate) fn processes_of(&self, job: &str, task: Option<u32>) -> Vec<u32> {
        let info = self.json(&["up"]);
        let task = task.map_or_else(String::new, |task| format!("{task}-"));
        // Each process of an attempt carries its key, which begins with the random name of the store.
        pids_with(&format!("{}-{job}-{task}", word(&info, "instance")))
    }

    /// Ends the daemon without a warning; its number.
    pub(crate) fn kill_daemon(&self) -> u32 {
        let pid = self.running_daemon().expect("a daemon runs");
        signal(pid, Signal::SIGKILL);
        wait_until("the daemon is gone", || !alive(pid));
        pid
    }

    /// What the daemon wrote.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.state().join("daemon.log")).unwrap_or_default()).into_owned()
    }

    /// The process that holds the lock of the store, if it lives.
    fn running_daemon(&self) -> Option<u32> {
        daemon_of(&self.state())
    }

    /// Waits until this file holds so many lines or more.
    #[track_caller]
    pub(crate) fn wait_for_lines(&self, folder: &str, at_least: usize) {
        wait_until(&format!("{at_least} lines in {folder}"), || {
            self.lines_in(folder).values().map(Vec::len).sum::<usize>() >= at_least
        });
    }

    /// The lines of each file in a folder: what steps left there as their witness.
    pub(crate) fn lines_in(&self, folder: &str) -> std::collections::BTreeMap<String, Vec<String>> {
        let entries = fs::read_dir(self.path(folder)).expect("the folder").flatten();
        let lines = |path: PathBuf| fs::read_to_string(path).expect("text").lines().map(str::to_owned).collect();
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), lines(entry.path()))).collect()
    }
}

/// The daemon of a state folder: its store's lock file names it.
fn daemon_of(state: &Path) -> Option<u32> {
    let pid = fs::read_to_string(state.join("lock")).ok()?.trim().parse().ok()?;
    // A number that went to another process must not be ended.
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let ours = String::from_utf8_lossy(&line).contains(&state.display().to_string());
    (ours && alive(pid)).then_some(pid)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("the end of the daemon's log:");
            lines.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
        for state in [self.state(), self.path("state/demo")] {
            if let Some(pid) = daemon_of(&state) {
                kill_tree(pid);
                wait_until("the daemon is gone", || !alive(pid));
            }
        }
        // What it ran lives in sessions of its own and is found by the folder that it runs in.
        for pid in pids_with(&self.dir.path().display().to_string()) {
            kill_tree(pid);
        }
    }
}

impl Background {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub(crate) fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.out).expect("its output")).into_owned()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(mut self, deadline: Duration) -> Ran {
        let end = self.since + deadline;
        let status = loop {
            match self.child.try_wait().expect("its state") {
                Some(status) => break status,
                None if Instant::now() >= end => {
                    kill_tree(self.pid());
                    panic!("`autoexec {}` did not end within {deadline:?}\n{}", self.what, self.streams());
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let read = |path: &Path| fs::read(path).expect("its output");
        Ran {
            code: status.code(),
            stdout: read(&self.out),
            stderr: read(&self.err),
            took: self.since.elapsed(),
            what: self.what.clone(),
        }
    }

    fn streams(&self) -> String {
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        format!("stdout:\n{}\nstderr:\n{}", read(&self.out), read(&self.err))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.is_running() {
            kill_tree(self.pid());
            let _ = self.child.wait();
        }
    }
}

impl Ran {
    /// Standard output as text.
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn check(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, code, took, .. } = self;
        write!(
            f,
            "`autoexec {what}` ended with {code:?} after {took:?}\nstdout:\n{}\nstderr:\n{}",
            clipped(&self.out()),
            clipped(&self.err())
        )
    }
}

/// Enough to see what happened; 50 MiB are no message.
fn clipped(text: &str) -> String {
    const MAX: usize = 20_000;
    let mut end = text.len().min(MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let rest = if end < text.len() { "\n... (clipped)" } else { "" };
    format!("{}{rest}", &text[..end])
}

/// A field that is a text.
#[track_caller]
pub(crate) fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("`{field}` is no text in {value:#}"))
}

/// A path as text, for a command line.
pub(crate) fn text(path: &(impl AsRef<OsStr> + ?Sized)) -> &str {
    path.as_ref().to_str().expect("a path that is text")
}
