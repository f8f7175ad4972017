//! Becoming another user, with real accounts that exist for the time of the test.

use crate::host::{DEADLINE, Host, Seen, Shell, exited, key, script, until};
use autoexec_process::ask::{self, KillOutcome};
use autoexec_process::drive::drive;
use autoexec_process::ended::{Ended, RefusalKind, ToolResult};
use autoexec_process::execution::{Become, BecomeMethod, Execution, ExtraFile, FileBytes};
use autoexec_process::local;
use autoexec_process::payload::payload;
use autoexec_process::secret::SecretBytes;
use autoexec_process::supervisor::{StartOptions, Supervisor};
use bytes::Bytes;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "pass 'word\" $x";

/// Three accounts: `login` may become `other` with a password, `free` without, `none` not at all.
struct Accounts {
    names: Vec<String>,
    rules: std::path::PathBuf,
}

impl Accounts {
    fn make() -> Option<Self> {
        let skip = |why: &str| {
            eprintln!("SKIPPED: {why}, nothing is known about becoming another user");
            None
        };
        if !nix::unistd::geteuid().is_root() {
            return skip("making accounts needs root");
        }
        if !std::path::Path::new("/usr/bin/sudo").exists() {
            return skip("sudo is not installed");
        }
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let id = format!("{}x{}", std::process::id(), COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let names: Vec<String> =
            ["login", "other", "free", "none"].iter().map(|name| format!("ax{name}{id}")).collect();
        let rules = std::path::PathBuf::from(format!("/etc/sudoers.d/ax{id}"));
        let accounts = Self { names, rules };
        for name in &accounts.names {
            if !Command::new("useradd")
                .args(["-M", "-s", "/bin/sh", name])
                .status()
                .is_ok_and(|status| status.success())
            {
                return skip("accounts cannot be made");
            }
        }
        let mut child = Command::new("chpasswd").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let [login, other, free, none] = accounts.names.as_slice() else { unreachable!() };
        let lines = format!("{login}:{PASSWORD}\n{none}:{PASSWORD}\n");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let rules = format!("{login} ALL=({other},root) ALL\n{free} ALL=({other},root) NOPASSWD: ALL\n");
        std::fs::write(&accounts.rules, rules).unwrap();
        std::fs::set_permissions(&accounts.rules, std::fs::Permissions::from_mode(0o440)).unwrap();
        Some(accounts)
    }

    fn name(&self, kind: &str) -> &str {
        self.names.iter().find(|name| name.contains(kind)).unwrap()
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.rules);
        for name in &self.names {
            let _ = Command::new("userdel").args(["-f", name]).output();
        }
    }
}

/// A host where one logs in as this user.
fn host(user: &str) -> Host {
    let mut host = Host::new(Shell::Dash);
    let open = |path: &std::path::Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    open(host.root.path());
    std::fs::set_permissions(host.base(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    host.environment.push(("LOGIN".into(), user.into()));
    host
}

fn as_login(host: &mut Host, line: String) -> &'static str {
    host.environment.retain(|(name, _)| name != "LINE");
    host.environment.push(("LINE".into(), line.into()));
    "exec su -s /bin/sh -c \"$LINE\" \"$LOGIN\""
}

async fn start(host: &mut Host, run: &Execution) -> (Ended, Seen) {
    let line = host.supervisor.start(&run.key, StartOptions::default());
    let line = as_login(host, line);
    host.command(line, payload(run).unwrap()).await
}

const SCRIPT: &str = "id -un; printf '%s|' \"$1\" \"$PLAIN\" \"$HIDDEN\"; cat \"$AUTOEXEC_PARAMS\" \"$AUTOEXEC_SECRETS/s\" -; echo err >&2; \
    printf '{}' >\"$AUTOEXEC_OUTPUT\" || exit 9; ps -ef 2>/dev/null | grep 'hidd[e]n' >&2; exit 23";

fn run(name: &str, method: BecomeMethod, user: &str, password: Option<&str>) -> Execution {
    let mut run = script(name, SCRIPT);
    run.args = vec!["it's".into()];
    run.env = vec![("PLAIN".into(), "a\nb".into())];
    run.secret_env = vec![("HIDDEN".into(), SecretBytes::new("hidden\n'"))];
    run.params = Some(FileBytes::Plain("{p}".into()));
    run.files = vec![ExtraFile { name: "s".into(), bytes: FileBytes::Secret(SecretBytes::new("file")), mode: 0o644 }];
    run.stdin = Some(Bytes::from_static(b"-input"));
    run.workdir = Some("/".into());
    run.become_user = Some(Become { method, user: user.into(), password: password.map(SecretBytes::new) });
    run
}

#[tokio::test]
async fn another_user_runs_it_and_everything_arrives() {
    let Some(accounts) = Accounts::make() else {
        return;
    };
    let (other, sudo, su) = (accounts.name("other"), BecomeMethod::Sudo, BecomeMethod::Su);
    let cases = [
        ("asked", accounts.name("login"), sudo, other, Some(PASSWORD)),
        ("asked-root", accounts.name("login"), sudo, "root", Some(PASSWORD)),
        ("free", accounts.name("free"), sudo, other, None),
        ("free-with-password", accounts.name("free"), sudo, other, Some("not needed")),
        ("root-sudo", "root", sudo, other, None),
        ("root-su", "root", su, other, None),
    ];
    for (name, login, method, user, password) in cases {
        let mut host = host(login);
        for _ in 0..2 {
            let (ended, seen) = start(&mut host, &run(name, method, user, password)).await;
            let talk = String::from_utf8_lossy(&seen.stderr).into_owned();
            assert_eq!(
                ended,
                Ended::Exited { code: 23, result: Some(ToolResult { bytes: "{}".into(), total: 2 }) },
                "{name} {talk}"
            );
            let want = format!("{user}\nit's|a\nb|hidden\n'|{{p}}file-input");
            assert_eq!(String::from_utf8_lossy(&seen.stdout), want, "{name}");
            assert_eq!(talk, "err\n", "{name}");
        }
        let mut again = script("again", "echo a >/dev/stderr; echo b >/dev/stderr");
        again.become_user = run(name, method, user, password).become_user;
        let (ended, seen) = start(&mut host, &again).await;
        assert_eq!(
            (ended, seen.stderr.as_slice()),
            (exited(0), &b"a\nb\n"[..]),
            "{name}: {}",
            String::from_utf8_lossy(&seen.stdout)
        );
    }
}

#[tokio::test]
async fn who_may_not_is_told_so_and_nothing_hangs() {
    let Some(accounts) = Accounts::make() else {
        return;
    };
    let (other, sudo, su) = (accounts.name("other"), BecomeMethod::Sudo, BecomeMethod::Su);
    let cases = [
        ("wrong", accounts.name("login"), sudo, other, Some("wrong"), "incorrect password"),
        ("missing", accounts.name("login"), sudo, other, None, "password is required"),
        ("forbidden", accounts.name("none"), sudo, other, Some(PASSWORD), "not"),
        ("nobody", "root", sudo, "no-such-user", None, "unknown user"),
        ("su", accounts.name("login"), su, other, Some(PASSWORD), "use sudo"),
    ];
    for (name, login, method, user, password, says) in cases {
        let mut host = host(login);
        let (ended, _) = start(&mut host, &run(name, method, user, password)).await;
        let Ended::Refused(why) = ended else { panic!("{name} {ended:?}") };
        assert_eq!(why.kind, RefusalKind::Become, "{name} {why:?}");
        assert!(why.text.contains(says), "{name} {why:?}");
    }
}

#[tokio::test]
async fn what_runs_as_another_user_is_killed_too() {
    let Some(accounts) = Accounts::make() else {
        return;
    };
    let (other, sudo) = (accounts.name("other"), BecomeMethod::Sudo);
    let cases = [
        ("asked", accounts.name("login"), Some(PASSWORD)),
        ("free", accounts.name("free"), None),
        ("root", "root", None),
    ];
    for (name, login, password) in cases {
        let mut host = host(login);
        let text =
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 300; sleep 300' & echo ready; while :; do sleep 1; done";
        let mut run = script(name, text);
        run.become_user = Some(Become { method: sudo, user: other.into(), password: password.map(SecretBytes::new) });
        let line = host.supervisor.start(&run.key, StartOptions::default());
        let line = as_login(&mut host, line);
        let channel = local::exec(line, &host.environment).unwrap();
        let bytes = payload(&run).unwrap();
        let watching = tokio::spawn(async move { drive(channel, bytes, &mut Seen::default()).await });
        let uid = nix::unistd::User::from_name(login).unwrap().unwrap().uid;
        let out = host.base().join(format!("autoexec-{uid}/{name}/out"));
        until("it runs", || std::fs::read(&out).is_ok_and(|out| out == b"ready\n")).await;
        if login != "root" {
            // Without the right to be that user nobody can know, and it is not claimed.
            let wrong = Become { method: sudo, user: other.into(), password: Some(SecretBytes::new("wrong")) };
            let wrong = Some(&wrong).filter(|_| password.is_some());
            let line = host.supervisor.kill(&key(name), Duration::ZERO, wrong);
            let line = as_login(&mut host, line);
            let outcome = ask::kill(local::exec(line, &host.environment).unwrap(), wrong).await.unwrap();
            assert!(matches!(outcome, KillOutcome::Unconfirmed { .. }), "{name} {outcome:?}");
        }
        let line = host.supervisor.kill(&key(name), Duration::from_millis(200), run.become_user.as_ref());
        let line = as_login(&mut host, line);
        let channel = local::exec(line, &host.environment).unwrap();
        let outcome =
            tokio::time::timeout(DEADLINE, ask::kill(channel, run.become_user.as_ref())).await.unwrap().unwrap();
        assert_eq!(outcome, KillOutcome::Killed, "{name}");
        let ended = tokio::time::timeout(DEADLINE, watching).await.unwrap().unwrap();
        assert!(matches!(ended, Ended::Killed { .. }), "{name} {ended:?}");
        let left = Command::new("pgrep").args(["-r", "R,S,D,T", "-u", other]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{name}");
    }
    assert!(Supervisor::new() != Supervisor::in_directory("/tmp").unwrap());
}
