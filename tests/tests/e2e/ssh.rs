//! SSH as it is used: hosts that are new, the user's own configuration with jump hosts, kept connections, and other users' rights.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::harness::{Fleet, Sandbox, Setup, Sshd, is_root, run_tool, skip, word};

#[test]
fn a_new_host_is_noted_once_and_a_changed_one_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let known = sandbox.path("home/.ssh/known_hosts");
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .with("known_hosts", known.display().to_string())
        .web(3)
        .host("late[1-2]", "address: \"127.0.2.{{ n }}\"");
    let hosts = hosts.write(&sandbox, "hosts.yaml");
    let run_on = |code: i32, check: &str, targets: &str| {
        sandbox.expect(code, &["run", "-i", &hosts, "-t", targets, "--host-key", check, "--", "true"])
    };
    let run = |code: i32, check: &str| run_on(code, check, "web*");
    run(1, "verify");
    run(0, "accept-new");
    let noted = fs::read_to_string(&known).expect("a file was made");
    assert_eq!(noted.lines().filter(|line| line.contains("ssh-ed25519")).count(), 3, "{noted}");
    // Now they are known, and nothing is noted twice.
    run(0, "verify");
    run(0, "accept-new");
    assert_eq!(fs::read_to_string(&known).expect("the file"), noted);
    let wrong = fs::read_to_string(sshd.wrong_known_hosts()).expect("the file");
    fs::write(&known, wrong).expect("written");
    let ran = run_on(1, "accept-new", "late1");
    assert!(ran.out().to_lowercase().contains("host key"), "{ran}");
    // Unchecked hosts are allowed, when it is written out, and the plan says so.
    run_on(0, "no", "late2");
    // A connection that was made without a check is no proof for a job that wants one.
    run_on(1, "verify", "late2");
    let plan = sandbox.expect(0, &["plan", "-i", &hosts, "-t", "@web", "--host-key", "no", "--", "true"]);
    assert!(plan.out().contains("warning") && plan.out().contains("host key"), "{plan}");
}

#[test]
fn the_users_own_configuration_leads_through_a_jump_host() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let Sshd { port, user, .. } = &sshd;
    let key = sshd.key();
    let config = format!(
        "Include more/*.conf\n\nHost inner-*\n  ProxyJump gate\n  HostName 127.0.1.20\n\nHost *\n  User {user}\n  IdentityFile {}\n",
        key.display()
    );
    sandbox.write("home/.ssh/config", config);
    sandbox.write("home/.ssh/more/gate.conf", format!("Host gate\n  HostName 127.0.1.10\nHost *\n  Port {port}\n"));
    fs::copy(sshd.known_hosts(), sandbox.path("home/.ssh/known_hosts")).expect("copied");
    let ran = sandbox.expect(0, &["run", "-t", "inner-1", "--", "echo $SSH_CONNECTION"]);
    let connection = String::from_utf8_lossy(&sandbox.output("last", "inner-1")).into_owned();
    assert!(connection.contains("127.0.1.20"), "{connection}{ran}");
    assert_eq!(sshd.logins(), 2, "one at the gate, one inside: {}", sshd.log());
}

#[test]
fn a_connection_is_kept_for_the_whole_job() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).web(5).write(&sandbox, "hosts.yaml");
    let steps = "steps: [{ run: 'true' }, { run: 'true' }]";
    let job = format!(
        "name: kept\ntargets: '@web'\nphases:\n  - {{ name: a, {steps} }}\n  - {{ name: b, {steps} }}\n  - {{ name: c, {steps} }}\n"
    );
    let job = sandbox.write("job.yaml", job).display().to_string();
    sandbox.expect(0, &["run", &job, "-i", &hosts]);
    assert_eq!(sshd.logins(), 5, "thirty steps, five logins: {}", sshd.log());
}

#[test]
fn a_host_that_allows_one_session_can_still_be_stopped() {
    let setup = Setup { lines: vec!["MaxSessions 1".to_owned()] };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::ssh(&sandbox, &sshd).web(2).write(&sandbox, "hosts.yaml");
    sandbox.expect(0, &["run", "-i", &hosts, "-t", "@web", "--", "true"]);
    let timed = sandbox.json_with(
        1,
        &["run", "-i", &hosts, "-t", "@web", "--timeout", "300ms", "--budget", "timed_out=2", "--", "sleep 608"],
    );
    assert_eq!(timed["outcomes"]["timed_out"], 2, "{timed:#}");
    let id = sandbox.submit(&[
        "-i",
        &hosts,
        "-t",
        "@web",
        "--",
        &format!("touch {seen}/$AUTOEXEC_TARGET_NAME; echo begun; sleep 609"),
    ]);
    let has_begun = |name: &str| sandbox.output(&id, name) == b"begun\n";
    crate::harness::wait_until("both run", || has_begun("web001") && has_begun("web002"));
    sandbox.expect(0, &["cancel", &id]);
    sandbox.expect(1, &["watch", &id]);
    let view = sandbox.show(&id);
    assert_eq!([&view["targets"][0]["outcome"], &view["targets"][1]["outcome"]], ["killed", "killed"], "{view:#}");
    assert_eq!(sandbox.processes_of(&id, None), Vec::<u32>::new(), "processes live on");
}

#[test]
fn a_host_without_a_shell_says_what_it_answered() {
    let setup = Setup { lines: vec!["ForceCommand echo this account is closed".to_owned()] };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).web(1).write(&sandbox, "hosts.yaml");
    let view = sandbox.json_with(1, &["run", "-i", &hosts, "-t", "@web", "--", "true"]);
    assert_eq!(view["outcomes"]["failed"], 1, "{view:#}");
    assert!(word(&view["failures"][0], "message").contains("this account is closed"), "{view:#}");
}

/// A user of this machine for the time of a test, who may do everything with sudo and its password.
struct ThrowAway {
    name: String,
}

const PASSWORD: &str = "correct horse battery";

impl ThrowAway {
    fn make() -> Self {
        let name = format!("axtest{}", std::process::id());
        run_tool("useradd", &["--no-create-home", "--shell", "/bin/sh", &name]);
        let this = Self { name };
        let given = format!("printf '%s' '{}:{PASSWORD}' | chpasswd", this.name);
        run_tool("sh", &["-c", &given]);
        fs::write(this.sudoers(), format!("{} ALL=(ALL) ALL\n", this.name)).expect("sudoers");
        run_tool("chmod", &["0440", &this.sudoers()]);
        this
    }

    fn sudoers(&self) -> String {
        format!("/etc/sudoers.d/{}", self.name)
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.sudoers());
        // Processes of the user are gone with the sandbox; a user that is left would only be untidy.
        let _ = Command::new("userdel").args(["--force", &self.name]).output();
    }
}

#[test]
fn steps_run_with_the_rights_of_another_user() {
    if !is_root() {
        return skip("only root can make a user for the test: become is not tested");
    }
    if !["/usr/bin/sudo", "/usr/bin/su"].iter().all(|program| fs::exists(program).is_ok_and(|there| there)) {
        return skip("there is no sudo or su here: become is not tested");
    }
    let Some(sshd) = Sshd::start() else { return };
    let user = ThrowAway::make();
    let name = &user.name;
    let sandbox = Sandbox::new();
    // A folder that everybody may use, as /var/tmp is.
    let open = sandbox.folder("open");
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o1777)).expect("its mode");
    let fleet = Fleet::ssh(&sandbox, &sshd).with("work_dir", open);
    let hosts = fleet
        .host("far", "address: 127.0.1.1")
        .host("low", &format!("address: 127.0.1.2, user: {name}"))
        .write(&sandbox, "hosts.yaml");

    // root to somebody, by both programs; the parameter file and the folder are readable, the output is taken.
    let job = format!(
        r#"
name: down
targets: far
params: {{ text: {{ default: "x y" }} }}
steps:
  - {{ id: sudo, run: 'id -un; cat "$AUTOEXEC_PARAMS"; touch here; echo "{{\"who\": \"$(id -un)\"}}" > "$AUTOEXEC_OUTPUT"', become: {name} }}
  - {{ id: su, run: id -un, become: {{ user: {name}, method: su }} }}
  - {{ id: back, run: 'id -un; echo "$WHO"', env: {{ WHO: "{{{{ steps.sudo.who }}}}" }} }}
"#
    );
    let job = sandbox.write("down.yaml", job).display().to_string();
    let ran = sandbox.expect(0, &["run", &job, "-i", &hosts]);
    let root = &sshd.user;
    let output = String::from_utf8_lossy(&sandbox.output("last", "far")).into_owned();
    assert_eq!(output, format!("{name}\n{{\"text\":\"x y\"}}{name}\n{root}\n{name}\n"), "{ran}");

    // Somebody to root, with a password that travels on standard input only.
    let job = r#"
name: up
targets: low
params: { pw: { type: secret, required: true } }
steps:
  - run: id -un; echo "$1"
    args: [plain]
    become: { user: root, password: "{{ params.pw }}" }
"#;
    let job = sandbox.write("up.yaml", job).display().to_string();
    let secret = sandbox.write("pw", PASSWORD).display().to_string();
    let ran = sandbox.expect(0, &["run", &job, "-i", &hosts, "--secret", &format!("pw=file:{secret}")]);
    assert_eq!(sandbox.output("last", "low"), b"root\nplain\n", "{ran}");

    let wrong = sandbox.write("wrong", "no such password").display().to_string();
    let ran =
        sandbox.expect(1, &["run", &job, "-i", &hosts, "--secret", &format!("pw=file:{wrong}"), "--timeout", "30s"]);
    let view = sandbox.show("last");
    let row = &view["targets"][0];
    assert_eq!((&row["verdict"], &row["outcome"]), (&json!("failed"), &json!("failed_to_start")), "{ran}");
    let message = word(row, "message");
    assert!(message.contains("sudo") && message.contains("password"), "{message}");
}
