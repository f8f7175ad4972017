//! The store through the command line: verify, stats, backup, prune; and damage is found and said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Fleet, Sandbox, text};

fn with_jobs() -> Sandbox {
    let sandbox = Sandbox::new();
    let hosts = Fleet::local().web(3).write(&sandbox, "hosts.yaml");
    for word in ["one", "two"] {
        sandbox.expect(0, &["run", "-i", &hosts, "-t", "@web", "--name", word, "--", &format!("echo {word}")]);
    }
    sandbox
}

#[test]
fn a_backup_of_a_running_store_opens_elsewhere() {
    let sandbox = with_jobs();
    sandbox.expect(0, &["store", "verify"]);
    let stats = sandbox.json(&["store", "stats"]);
    assert!(stats.to_string().contains("jobs"), "{stats:#}");
    let backup = sandbox.path("backup");
    sandbox.expect(0, &["store", "backup", "backup"]);
    // What happens afterwards is not in it.
    sandbox.expect(0, &["run", "-t", "here", "--transport", "local", "--", "true"]);
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o700)).expect("its mode");
    let there = |args: &[&str]| sandbox.expect(0, &[&["--state-dir", text(&backup)], args].concat());
    let jobs = there(&["jobs", "--format", "json"]).json();
    let names: Vec<&str> =
        jobs["jobs"].as_array().expect("jobs").iter().filter_map(|job| job["name"].as_str()).collect();
    assert_eq!(names, ["two", "one"]);
    assert_eq!(there(&["output", "1", "web002"]).stdout, b"one\n");
    assert_eq!(
        there(&["show", "one", "--format", "json"]).json()["plan_digest"],
        sandbox.json(&["show", "one"])["plan_digest"]
    );
    let _ = there(&["store", "verify"]);
    let _ = there(&["up", "--stop"]);
    let taken = sandbox.run(&["store", "backup", "backup"]);
    assert_ne!(taken.code, Some(0), "a folder that is not empty is not written over: {taken}");
}

#[test]
fn a_restart_changes_nothing() {
    let sandbox = with_jobs();
    let before = [sandbox.show("1"), sandbox.show("2")];
    sandbox.expect(0, &["up", "--stop"]);
    assert_eq!([sandbox.show("1"), sandbox.show("2")], before);
    sandbox.kill_daemon();
    assert_eq!([sandbox.show("1"), sandbox.show("2")], before);
    assert_eq!(sandbox.output("2", "web003"), b"two\n");
}

#[test]
fn a_torn_tail_of_the_outputs_is_found() {
    let sandbox = with_jobs();
    sandbox.expect(0, &["up", "--stop"]);
    let folder = sandbox.state().join("outputs/1");
    let segment = fs::read_dir(&folder).expect("the outputs").flatten().next().expect("a segment").path();
    let mut bytes = fs::read(&segment).expect("its bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&segment, bytes).expect("written");
    let ran = sandbox.run(&["store", "verify"]);
    assert_eq!(ran.code, Some(1), "damage is found: {ran}");
    assert!(ran.out().contains("outputs"), "and its place is said: {ran}");
    // The rest of the store still works.
    assert_eq!(sandbox.output("2", "web001"), b"two\n");
}

#[test]
fn pruned_jobs_are_gone_and_running_ones_stay() {
    let sandbox = with_jobs();
    let id = sandbox.submit(&[
        "-t",
        "here",
        "--transport",
        "local",
        "--",
        &format!("while [ ! -e {} ]; do sleep 0.02; done", sandbox.path("go").display()),
    ]);
    sandbox.expect(0, &["store", "prune", "--older-than", "0s"]);
    let jobs = sandbox.json(&["jobs"]);
    let ids: Vec<String> = jobs["jobs"].as_array().expect("jobs").iter().map(|job| job["id"].to_string()).collect();
    assert_eq!(ids, [id.as_str()]);
    sandbox.write("go", "");
    sandbox.expect(0, &["watch", &id]);
    sandbox.expect(0, &["store", "verify"]);
}
