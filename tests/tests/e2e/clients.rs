//! The command line may leave at any time: the job goes on, and another one joins it.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Fleet, Sandbox, alive, signal, wait_until};

/// A job on 4 targets that goes on until the test lets it: `seen/go` is the word.
struct Held {
    sandbox: Sandbox,
    hosts: String,
    script: String,
}

impl Held {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let seen = sandbox.folder("seen");
        let hosts = Fleet::local().web(4).write(&sandbox, "hosts.yaml");
        let script = format!(
            "echo begun >> {seen}/$AUTOEXEC_TARGET_NAME; while [ ! -e {seen}/../go ]; do sleep 0.02; done; echo ended"
        );
        Self { sandbox, hosts, script }
    }

    fn args(&self) -> [&str; 7] {
        ["run", "-i", &self.hosts, "-t", "@web", "--", &self.script]
    }

    fn wait_until_begun(&self) {
        self.sandbox.wait_for_lines("seen", 4);
    }

    fn let_go(&self) {
        self.sandbox.write("go", "");
    }
}

#[test]
fn the_job_goes_on_when_its_command_line_is_killed_and_a_second_one_joins() {
    let held = Held::new();
    let first = held.sandbox.start(&held.args());
    held.wait_until_begun();
    signal(first.pid(), Signal::SIGKILL);
    assert_eq!(first.finish(Duration::from_secs(10)).code, None);
    assert_eq!(held.sandbox.show("last")["state"], "running");
    let second = held.sandbox.start(&["watch", "last"]);
    let third = held.sandbox.start(&["--format", "json", "watch", "1"]);
    wait_until("the second sees the job", || second.printed().contains("4 targets"));
    held.let_go();
    let (second, third) = (second.finish(Duration::from_secs(60)), third.finish(Duration::from_secs(60)));
    second.check(0);
    third.check(0);
    assert!(second.out().contains("4 succeeded"), "{second}");
    assert_eq!((third.json()["id"].as_u64(), third.json()["state"].as_str()), (Some(1), Some("succeeded")), "{third}");
    assert!(held.sandbox.lines_in("seen").values().all(|lines| lines.len() == 1));
}

#[test]
fn interrupting_without_a_terminal_detaches() {
    for asked in [Signal::SIGINT, Signal::SIGTERM] {
        let held = Held::new();
        let first = held.sandbox.start(&held.args());
        held.wait_until_begun();
        signal(first.pid(), asked);
        let ran = first.finish(Duration::from_secs(10));
        ran.check(130);
        assert!(ran.err().contains("autoexec watch 1"), "how to join it again is said: {ran}");
        held.let_go();
        held.sandbox.expect(0, &["watch", "1"]);
    }
}

#[test]
fn a_detached_run_answers_at_once_with_the_number_of_the_job() {
    let held = Held::new();
    let id = held.sandbox.submit(&held.args()[1..]);
    held.wait_until_begun();
    assert_eq!(held.sandbox.json(&["jobs"])["jobs"][0]["id"].to_string(), id);
    held.let_go();
    held.sandbox.expect(0, &["watch", &id]);
}

#[test]
fn many_command_lines_at_once_start_one_daemon() {
    let sandbox = Sandbox::new();
    let all: Vec<_> = (0..8).map(|_| sandbox.start(&["--format", "json", "up"])).collect();
    let ended: Vec<_> = all.into_iter().map(|one| one.finish(Duration::from_secs(60))).collect();
    let pids: std::collections::BTreeSet<String> = ended.iter().map(|ran| ran.json()["pid"].to_string()).collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
    let pid = sandbox.daemon();
    sandbox.expect(0, &["up", "--stop"]);
    wait_until("the daemon ends when it is told to", || !alive(pid));
}

#[test]
fn only_this_user_can_reach_the_socket() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    sandbox.daemon();
    for name in ["state", "state/daemon.sock", "state/daemon.log", "state/store.db"] {
        let mode = std::fs::metadata(sandbox.path(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    std::fs::set_permissions(sandbox.state(), std::fs::Permissions::from_mode(0o755)).expect("mode");
    let refused = sandbox.expect(2, &["jobs"]);
    assert!(refused.err().contains("chmod 700"), "{refused}");
}

#[test]
fn a_named_socket_without_a_scheduler_is_unreachable() {
    let sandbox = Sandbox::new();
    let ran = sandbox.expect(4, &["--socket", "none.sock", "jobs"]);
    assert!(ran.err().contains("hint"), "{ran}");
    assert!(!sandbox.state().exists(), "no scheduler is started for somebody else's socket");
}

#[test]
fn output_can_be_followed_while_it_is_printed() {
    let held = Held::new();
    let id = held.sandbox.submit(&[
        "-t",
        "here",
        "--transport",
        "local",
        "--",
        &held.script.replace("echo begun", "echo on the way; echo begun"),
    ]);
    let follow = held.sandbox.start(&["output", &id, "--follow"]);
    wait_until("what is printed arrives before the end", || follow.printed().contains("on the way"));
    held.let_go();
    let ran = follow.finish(Duration::from_secs(60));
    ran.check(0);
    assert_eq!(ran.out(), "on the way\nended\n");
}

#[test]
fn the_daemon_leaves_when_it_is_idle_and_not_before() {
    let held = Held::new();
    let state = held.sandbox.state();
    let mut daemon = held.sandbox.start(&["daemon", "--state-dir", crate::harness::text(&state), "--idle", "400ms"]);
    wait_until("it is ready", || state.join("daemon.sock").exists());
    let id = held.sandbox.submit(&held.args()[1..]);
    held.wait_until_begun();
    // Nobody is connected for longer than it stays idle, but its job is live. This is the passing of time itself.
    let since = std::time::Instant::now();
    wait_until("time passes", || since.elapsed() > Duration::from_millis(1_200));
    assert!(daemon.is_running(), "it left a live job");
    held.let_go();
    wait_until("it leaves", || !daemon.is_running());
    daemon.finish(Duration::from_secs(10)).check(0);
    held.sandbox.expect(0, &["watch", &id]);
}

/// A terminal for the program, typed at by the test: `script` makes one.
fn at_a_terminal(sandbox: &Sandbox, line: &str) -> Option<(std::process::Child, std::process::ChildStdin)> {
    if !std::path::Path::new("/usr/bin/script").exists() {
        crate::harness::skip("there is no `script` to make a terminal with: Ctrl-C at a terminal is not tested");
        return None;
    }
    let screen = std::fs::File::create(sandbox.path("screen")).expect("a file");
    let mut command = sandbox.other("/usr/bin/script");
    command.args(["-qec", line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
    command.stdin(std::process::Stdio::piped()).stdout(screen);
    let mut child = command.spawn().expect("script");
    let keys = child.stdin.take().expect("its input");
    Some((child, keys))
}

#[test]
fn at_a_terminal_an_interrupt_asks_what_to_do() {
    use std::io::Write as _;
    // The key, the end of the command line, and the state of the job a moment later.
    for (key, code, state) in [("d", 130, "running"), ("x", 1, "cancelled")] {
        let held = Held::new();
        let line = format!("exec autoexec run -i {} -t @web -- '{}'", held.hosts, held.script);
        let Some((mut child, mut keys)) = at_a_terminal(&held.sandbox, &line) else { return };
        held.wait_until_begun();
        let screen =
            || String::from_utf8_lossy(&std::fs::read(held.sandbox.path("screen")).expect("the screen")).into_owned();
        wait_until("the live view is drawn", || screen().contains("batch 1") || screen().contains("main"));
        keys.write_all(b"\x03").expect("typed");
        wait_until("it asks", || screen().contains("[d]etach"));
        keys.write_all(key.as_bytes()).expect("typed");
        let mut status = None;
        wait_until("the command line ends", || {
            status = child.try_wait().expect("its state");
            status.is_some()
        });
        assert_eq!(status.and_then(|status| status.code()), Some(code), "{}", screen());
        held.sandbox.wait_for("last", &[state]);
        held.let_go();
    }
}
