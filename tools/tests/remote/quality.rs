//! Rules for all scripts: POSIX only, the shared text is the same everywhere.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bench::{find, shells};

fn scripts() -> Vec<PathBuf> {
    let room = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../plugins-remote");
    let mut scripts = Vec::new();
    for tool in fs::read_dir(room).unwrap() {
        for file in fs::read_dir(tool.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "sh") {
                scripts.push(path);
            }
        }
    }
    assert!(scripts.len() >= 6, "{scripts:?}");
    scripts
}

#[test]
fn every_shell_accepts_the_syntax() {
    for shell in shells() {
        for script in scripts() {
            let done = Command::new(find(shell[0]).unwrap()).args(&shell[1..]).arg("-n").arg(&script).output().unwrap();
            assert!(done.status.success(), "{shell:?} {}: {}", script.display(), String::from_utf8_lossy(&done.stderr));
        }
    }
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let Some(shellcheck) = find("shellcheck") else {
        eprintln!("not tested: shellcheck is not installed");
        return;
    };
    let done = Command::new(shellcheck).args(["-s", "sh"]).args(scripts()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn the_text_that_scripts_share_is_the_same_in_all_of_them() {
    let mut shared = Vec::new();
    for script in scripts() {
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.starts_with("#!/bin/sh\n# "), "{}: a head comment", script.display());
        assert!(!text.contains("eval "), "{}: a parameter could be evaluated", script.display());
        if let Some((_, rest)) = text.split_once("# --- json\n") {
            shared.push(rest.split_once("# --- end of json").unwrap().0.to_owned());
        }
    }
    assert!(shared.len() >= 3);
    shared.dedup();
    assert_eq!(shared.len(), 1, "the JSON function differs between scripts");
}
