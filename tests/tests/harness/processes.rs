//! Processes of this machine, by `/proc`: whether they live, what they were called with, and ending them with all below them.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether the process is there and no zombie.
pub(crate) fn alive(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// Sends a signal; a process that has ended meanwhile is no error.
pub(crate) fn signal(pid: u32, signal: Signal) {
    // ESRCH is what is wanted, and nothing else can go wrong with our own processes.
    let _ = kill(Pid::from_raw(i32::try_from(pid).expect("a process number")), signal);
}

/// Ends a process and all below it: stopped first, so that it cannot make new ones.
pub(crate) fn kill_tree(pid: u32) {
    signal(pid, Signal::SIGSTOP);
    for child in children_of(pid) {
        kill_tree(child);
    }
    signal(pid, Signal::SIGKILL);
}

/// The living processes whose command line or environment holds the text.
pub(crate) fn pids_with(text: &str) -> Vec<u32> {
    let holds = |pid: &u32, file: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    pids()
        .into_iter()
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| holds(pid, "cmdline") || holds(pid, "environ"))
        .filter(|pid| alive(*pid))
        .collect()
}

/// The command lines of all processes but this one.
pub(crate) fn command_lines() -> String {
    let others = pids().into_iter().filter(|pid| *pid != std::process::id());
    others
        .map(|pid| {
            String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).replace('\0', " ")
                + "\n"
        })
        .collect()
}

fn children_of(parent: u32) -> Vec<u32> {
    pids().into_iter().filter(|pid| state_and_parent(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect()
}

/// From `pid (name) state parent ...`; the name may hold anything, but the last closing bracket is its end.
fn state_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
