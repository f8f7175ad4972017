//! Command lines survive any login shell.

use crate::host::{Host, Shell, exited, key, script};
use autoexec_process::execution::{Become, BecomeMethod};
use autoexec_process::files::Digest;
use autoexec_process::key::ExecKey;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{MAX_SENT, Offsets, StartOptions, Supervisor};
use std::time::Duration;

fn lines() -> Vec<String> {
    let place = Supervisor::in_directory("/var/tmp").unwrap();
    let key = key("k-1.x_Y");
    let other = Become { method: BecomeMethod::Sudo, user: "app".into(), password: None };
    [Supervisor::new(), place]
        .iter()
        .flat_map(|supervisor| {
            [
                supervisor.start(&key, StartOptions::default()),
                supervisor.attach(&key, Offsets { stdout: 5, stderr: 6 }, MAX_SENT),
                supervisor.kill(&key, Duration::from_secs(3), Some(&other)),
                supervisor.kill(&key, Duration::ZERO, None),
                supervisor.remove(std::slice::from_ref(&key)),
                supervisor.sweep(Duration::from_secs(86_400)),
                supervisor.push(&Digest::of(b"x"), 1, 0o755),
                supervisor.fetch(1000),
            ]
        })
        .collect()
}

#[test]
fn command_lines_hold_nothing_that_a_login_shell_could_touch() {
    for line in lines() {
        assert!(!line.contains(['\n', '\\', '\r', '\t', '\0']), "{line}");
        assert!(line.is_ascii() && line.len() < 16_000, "{} bytes", line.len());
        // csh looks for history even inside quotes, but leaves a mark alone before a space.
        assert!(line.match_indices('!').all(|(at, _)| line[at + 1..].starts_with(' ')), "{line}");
        // Outside the single quotes there are plain words only.
        for outside in line.split('\'').step_by(2) {
            assert!(outside.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._-/:".contains(&b)), "{outside}");
        }
        assert_eq!(line.split('\'').count() % 2, 1);
    }
}

#[test]
fn keys_and_directories_are_words() {
    for bad in ["", ".", "..", ".a", "-a", "a b", "a/b", "a'b", "a\n", "ä", &"x".repeat(121)] {
        assert!(ExecKey::new(bad).is_err(), "{bad:?}");
    }
    assert!(ExecKey::new("x".repeat(120)).is_ok());
    for bad in ["", "tmp", "/tmp/a b", "/tmp/$x", "/tmp/'", "/tmp/\n"] {
        assert!(Supervisor::in_directory(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn every_login_shell_runs_it() {
    for login in ["dash", "bash", "tcsh", "fish", "zsh", "ksh93", "mksh", "busybox sh"] {
        let program = login.split(' ').next().unwrap();
        let Some(path) = ["/usr/bin", "/bin"]
            .iter()
            .map(|dir| format!("{dir}/{program}"))
            .find(|path| std::path::Path::new(path).exists())
        else {
            eprintln!("SKIPPED: the login shell {login} is not installed, nothing is known about it");
            continue;
        };
        let mut host = Host::new(Shell::Dash);
        let run = script("login", "printf '%s' \"$1\"; exit 3");
        let line = host.supervisor.start(&run.key, StartOptions::default());
        // As sshd does it: the shell with -c and the line.
        host.environment.push(("LINE".into(), line.into()));
        let applet = login.split(' ').nth(1).unwrap_or("");
        let mut run = run;
        run.args = vec!["it's !! $HOME".into()];
        let (ended, seen) = host.command(&format!("exec {path} {applet} -c \"$LINE\""), payload(&run).unwrap()).await;
        assert_eq!((ended, seen.stdout.as_slice()), (exited(3), &b"it's !! $HOME"[..]), "{login}");
    }
}
