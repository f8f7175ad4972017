//! The binary as a user meets it: its exit codes, its two streams, and the local scheduler that it starts and stops.
//!
//! Hermetic: an empty environment and a folder of its own; the scheduler that a test started is stopped when the test ends.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A user with an empty home.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder") }
    }

    fn types(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_autoexec"))
            .args(words)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .current_dir(self.home.path())
            .output()
            .expect("started")
    }

    fn state(&self) -> std::path::PathBuf {
        self.home.path().join(".local/state/autoexec")
    }
}

impl Drop for User {
    fn drop(&mut self) {
        for words in [&["up", "--stop", "--now"][..], &["up", "--stop", "--now", "--demo"]] {
            self.types(words);
        }
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", out(output), err(output)))
}

#[test]
fn mistakes_end_with_2_and_a_hint_and_start_nothing() {
    let user = User::new();
    let output = user.types(&["run", "--", "uptime"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    assert!(err(&output).starts_with("error: a command needs targets\nhint: name them with -t"), "{}", err(&output));
    let output = user.types(&["run", "none.yaml"]);
    assert_eq!((output.status.code(), err(&output).lines().next()), (Some(2), Some("error: cannot read none.yaml")));
    assert_eq!(user.types(&["no-such-verb"]).status.code(), Some(2));
    assert!(!user.state().exists());
}

#[test]
fn help_and_completions_are_data() {
    let user = User::new();
    for words in
        [&["--help"][..], &["run", "--help"], &["--version"], &["completions", "bash"], &["completions", "fish"]]
    {
        let output = user.types(words);
        assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()), "{words:?}");
        assert!(out(&output).contains("autoexec"), "{words:?}");
    }
}

#[test]
fn a_named_socket_without_a_scheduler_ends_with_4() {
    let user = User::new();
    let output = user.types(&["--socket", "none.sock", "jobs"]);
    assert_eq!((output.status.code(), out(&output)), (Some(4), String::new()));
    assert!(err(&output).contains("hint: without --socket"), "{}", err(&output));
    assert!(!user.state().exists());
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let user = User::new();
    std::fs::create_dir(user.home.path().join("open")).expect("made");
    std::fs::set_permissions(user.home.path().join("open"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("mode");
    let output = user.types(&["--state-dir", "open", "jobs"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("hint: chmod 700 "), "{}", err(&output));
}

#[test]
fn several_at_once_start_one_scheduler_and_stop_ends_it() {
    let user = User::new();
    let pids: Vec<u64> = std::thread::scope(|scope| {
        let ups: Vec<_> = (0..4).map(|_| scope.spawn(|| user.types(&["up", "--format", "json"]))).collect();
        ups.into_iter().filter_map(|up| json(&up.join().expect("joined"))["pid"].as_u64()).collect()
    });
    assert_eq!(pids.len(), 4);
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    assert!(Path::new(&user.state()).join("daemon.sock").exists());
    assert_eq!(err(&user.types(&["up", "--stop"])), "the scheduler is stopped\n");
    assert_eq!(err(&user.types(&["up", "--stop"])), "no scheduler runs\n");
}

#[test]
fn the_demonstration_runs_and_its_suggestions_work() {
    let user = User::new();
    let output = user.types(&["demo", "--targets", "6", "--seed", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("batch 1 of"), "{}", out(&output));
    let said = err(&output);
    let commands: Vec<&str> =
        said.lines().filter_map(|line| line.trim_start().split_once(" --demo ").map(|(_, rest)| rest)).collect();
    assert_eq!(commands.len(), 4, "{said}");
    for command in commands {
        let words: Vec<&str> = std::iter::once("--demo").chain(command.split_whitespace()).collect();
        let output = user.types(&words);
        assert_eq!(output.status.code(), Some(0), "{command}: {} {}", out(&output), err(&output));
        assert!(!out(&output).is_empty(), "{command}");
    }
    let view = json(&user.types(&["--demo", "show", "1", "--targets", "--format", "json"]));
    assert_eq!((view["name"].as_str(), view["targets"].as_array().map(Vec::len)), (Some("demo-rollout"), Some(6)));
    assert!(view["finished_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{view}");
}
