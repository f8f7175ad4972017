//! What goes wrong on real hosts, and what they print that no terminal likes: a clear outcome each, nothing hangs, nothing is lost.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Fleet, Sandbox, Silent, Sshd, closed_port, is_root, skip, text, word};

/// A job that stops at nothing.
const NO_LIMIT: &str = "failed=100%,unreachable=100%,timed_out=100%";

fn row(view: &Value, name: &str) -> Value {
    let rows = view["targets"].as_array().expect("targets");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {view:#}")).clone()
}

#[test]
fn hosts_that_cannot_be_reached_say_why() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let silent = Silent::start();
    let nobody = sandbox.write("empty_known_hosts", "");
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("good", "address: 127.0.1.1")
        .host("changed", &format!("address: 127.0.1.2, known_hosts: {}", sshd.wrong_known_hosts().display()))
        .host("unknown", &format!("address: 127.0.1.3, known_hosts: {}", nobody.display()))
        .host("stranger", &format!("address: 127.0.1.4, key: {}", sshd.wrong_key().display()))
        .host("closed", &format!("address: 127.0.1.5, port: {}", closed_port()))
        .host("silent", &format!("address: 127.0.1.6, port: {}, connect_timeout: 2s", silent.port))
        .host("nowhere", "address: no-such-host.invalid")
        .host("keyless", &format!("address: 127.0.1.7, key: {}/no-such-key", sandbox.path("home").display()))
        .write(&sandbox, "hosts.yaml");
    let ran = sandbox.expect(1, &["run", "-i", &hosts, "-t", "*", "--budget", NO_LIMIT, "--", "echo ok"]);
    let view = sandbox.show("last");
    assert_eq!(row(&view, "good")["verdict"], "succeeded", "{ran}");
    for (name, why) in [
        ("changed", "host key"),
        ("unknown", "host key"),
        ("stranger", "authentication"),
        ("closed", "refused"),
        ("silent", "said nothing"),
        ("nowhere", "resolve"),
        ("keyless", "no-such-key"),
    ] {
        let row = row(&view, name);
        assert_eq!(
            (row["verdict"].as_str(), row["outcome"].as_str()),
            (Some("failed"), Some("unreachable")),
            "{row:#}"
        );
        assert!(word(&row, "message").to_lowercase().contains(why), "{name} must say `{why}`: {}", row["message"]);
        assert!(ran.out().contains(name), "{name} is in the end of the run: {ran}");
    }
    assert_eq!(view["outcomes"]["unreachable"], 7, "{view:#}");

    let checked = sandbox.expect(1, &["target", "check", "-i", &hosts]);
    let text = checked.out();
    for (name, why) in
        [("changed", "host key"), ("stranger", "uthentication"), ("closed", "refused"), ("silent", "silent")]
    {
        let line =
            text.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name} is missing: {checked}"));
        assert!(line.contains(why), "{line}");
    }
}

/// What one step prints and how it ends, on the target over SSH and on this machine.
fn on_both(script: &str, code: i32) -> Option<[Vec<u8>; 2]> {
    let sshd = Sshd::start()?;
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(&sandbox, "hosts.yaml");
    let expected = i32::from(code != 0);
    let ran = sandbox
        .expect(expected, &["run", "-i", &hosts, "-t", "*", "--budget", NO_LIMIT, "--timeout", "60s", "--", script]);
    let view = sandbox.show("last");
    for name in ["far", "near"] {
        let row = row(&view, name);
        assert_eq!((&row["outcome"], &row["exit_code"]), (&json!("exited"), &json!(code)), "{row:#}\n{ran}");
    }
    Some(["far", "near"].map(|name| sandbox.output("last", name)))
}

#[test]
fn a_script_that_closes_its_output_ends_with_its_own_code() {
    let Some(outputs) = on_both("echo before; exec >&- 2>&-; sleep 0.2; exit 4", 4) else { return };
    assert_eq!(outputs, [b"before\n".to_vec(), b"before\n".to_vec()]);
}

#[test]
fn a_script_that_leaves_a_child_behind_is_over_when_it_is_over() {
    let Some(outputs) = on_both("sleep 30 & echo started", 0) else { return };
    assert_eq!(outputs, [b"started\n".to_vec(), b"started\n".to_vec()]);
}

#[test]
fn output_without_a_line_end_is_whole() {
    let Some(outputs) = on_both("printf 'no end'", 0) else { return };
    assert_eq!(outputs, [b"no end".to_vec(), b"no end".to_vec()]);
}

#[test]
fn no_output_is_no_output() {
    let Some(outputs) = on_both("true", 0) else { return };
    assert!(outputs.iter().all(Vec::is_empty), "{outputs:?}");
}

#[test]
fn binary_output_is_kept_byte_for_byte() {
    // Every byte, escape sequences and half characters among them, without a line end.
    let bytes: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .chain(0..=255)
        .chain(*b"\x1b[2J\x1b]0;x\x07\xe4\xb8")
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bytes");
    fs::write(&file, &bytes).expect("written");
    let Some(outputs) = on_both(&format!("cat {}", file.display()), 0) else { return };
    assert!(outputs[0] == bytes, "over SSH: {} bytes instead of {}", outputs[0].len(), bytes.len());
    assert!(outputs[1] == bytes, "on this machine: {} bytes instead of {}", outputs[1].len(), bytes.len());
}

#[test]
fn fifty_mebibytes_are_kept_byte_for_byte() {
    const SIZE: usize = 50 * 1024 * 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("large");
    let lines = (0_u64..).flat_map(|n| format!("{n:x} line of a long output\n").into_bytes());
    let bytes: Vec<u8> = lines.take(SIZE).collect();
    fs::write(&file, &bytes).expect("written");
    let Some(outputs) = on_both(&format!("cat {}", file.display()), 0) else { return };
    for (place, output) in ["over SSH", "on this machine"].iter().zip(outputs) {
        assert!(output == bytes, "{place}: {} bytes instead of {SIZE}", output.len());
    }
}

/// Prints 80 MB between two lines; the output and what the run said.
fn too_much() -> (Vec<u8>, String) {
    let sandbox = Sandbox::new();
    let hosts = Fleet::local().host("near", "").write(&sandbox, "hosts.yaml");
    let script = "echo first; head -c 80000000 /dev/zero | tr '\\0' x; echo; echo last";
    let ran = sandbox.expect(0, &["run", "-i", &hosts, "-t", "*", "--", script]);
    let notices = sandbox.expect(0, &["output", "last", "near", "--stream", "stderr"]).err();
    (sandbox.output("last", "near"), format!("{notices}{ran}"))
}

#[test]
fn what_is_above_the_cap_is_dropped_and_said() {
    let (output, notices) = too_much();
    assert!(output.starts_with(b"first\nxxx"), "{notices}");
    assert!(output.len() <= 64 * 1024 * 1024, "{} bytes", output.len());
    let dropped = 80_000_000 + "first\n\nlast\n".len() - output.len();
    assert!(notices.contains(&format!("{dropped} bytes")), "what was dropped is not said: {notices}");
}

/// A small file system of its own, unmounted when it goes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&path).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0755"), "tmpfs"])
            .arg(&path)
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still stands in it must not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A job on a target whose file system is full, one whose file system has some room left, and one that is fine.
fn on_small_disks(script: &str) -> Option<Value> {
    if !is_root() {
        skip("a small file system can only be mounted by root: a full disk is not tested");
        return None;
    }
    let sshd = Sshd::start()?;
    let sandbox = Sandbox::new();
    let disks = [SmallDisk::mount(sandbox.path("full"), "64k"), SmallDisk::mount(sandbox.path("small"), "512k")];
    let [Some(full), Some(small)] = &disks else {
        skip("no file system can be mounted here: a full disk is not tested");
        return None;
    };
    // Until nothing fits any more; that it fails is the point.
    let _ = fs::write(full.0.join("ballast"), vec![0_u8; 1024 * 1024]);
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("full", &format!("address: 127.0.1.1, work_dir: {}", text(&full.0)))
        .host("small", &format!("address: 127.0.1.2, work_dir: {}", text(&small.0)))
        .host("fine", "address: 127.0.1.3")
        .write(&sandbox, "hosts.yaml");
    let ran =
        sandbox.expect(1, &["run", "-i", &hosts, "-t", "*", "--budget", NO_LIMIT, "--timeout", "30s", "--", script]);
    let view = sandbox.show("last");
    assert_eq!(row(&view, "fine")["verdict"], "succeeded", "{ran}");
    Some(view)
}

#[test]
fn a_full_disk_on_the_target_is_said_and_nothing_hangs() {
    let Some(view) = on_small_disks("set -e; head -c 4000000 /dev/zero | tr '\\0' y; echo done >&2") else { return };
    let full = row(&view, "full");
    assert_eq!((&full["verdict"], &full["outcome"]), (&json!("failed"), &json!("failed_to_start")), "{full:#}");
    assert!(word(&full, "message").contains("No space left"), "{full:#}");
    assert_eq!(row(&view, "small")["verdict"], "failed", "{view:#}");
}
