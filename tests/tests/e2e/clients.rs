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
        let script = format!("echo begun >> {seen}/$AUTOEXEC_TARGET_NAME; while [ ! -e {seen}/../go ]; do sleep 0.02; done; echo ended");
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
