//! Who we are: key types, encrypted keys, the agent, passwords, and what is told when nothing helps.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use autoexec_runner::transport::ssh::{Secret, SshAuth, SshConnector, SshEnvironment, SshError, SshTarget};

use super::{connect, environment, refused, target, until, with_key, within, works};
use crate::sshd::{Setup, Sshd, is_root, run};

#[tokio::test]
async fn every_key_type_logs_in() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["ed25519", "ecdsa:256", "ecdsa:384", "ecdsa:521", "rsa:2048", "rsa:4096"] {
        let key = sshd.make_key(&format!("key-{kind}"), kind, "");
        sshd.authorize(&key);
        let target = SshTarget { auth: with_key(key), ..target(&sshd, "127.0.1.1") };
        works(&connect(&sshd, &target).await).await;
    }
}

#[tokio::test]
async fn an_rsa_key_never_signs_with_sha1() {
    let setup = Setup { lines: vec!["PubkeyAcceptedAlgorithms rsa-sha2-512".into()], ..Setup::default() };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let key = sshd.make_key("rsa", "rsa:2048", "");
    sshd.authorize(&key);
    works(&connect(&sshd, &SshTarget { auth: with_key(key), ..target(&sshd, "127.0.1.1") }).await).await;
}

#[tokio::test]
async fn pem_keys_log_in() {
    let Some(sshd) = Sshd::start() else { return };
    for (kind, format) in [("rsa:2048", "PEM"), ("rsa:2048", "PKCS8"), ("ecdsa:256", "PKCS8"), ("ecdsa:256", "PEM")] {
        let key = sshd.make_key(&format!("{kind}-{format}"), kind, "");
        sshd.authorize(&key);
        run("ssh-keygen", &["-q", "-p", "-m", format, "-N", "", "-f", key.to_str().unwrap()]);
        let target = SshTarget { auth: with_key(key), ..target(&sshd, "127.0.1.1") };
        works(&connect(&sshd, &target).await).await;
    }
}

#[tokio::test]
async fn an_encrypted_key_opens_with_its_passphrase_only() {
    let Some(sshd) = Sshd::start() else { return };
    let key = sshd.make_key("locked", "ed25519", "open sesame");
    sshd.authorize(&key);
    let with = |passphrase: Option<&str>| SshTarget {
        auth: SshAuth { passphrase: passphrase.map(Secret::new), ..with_key(key.clone()) },
        ..target(&sshd, "127.0.1.1")
    };
    works(&connect(&sshd, &with(Some("open sesame"))).await).await;
    for (passphrase, expected) in
        [(Some("wrong"), "the passphrase does not open it"), (None, "encrypted, and neither a passphrase")]
    {
        match refused(&sshd, &with(passphrase)).await {
            SshError::KeyFile { path, why, .. } => {
                assert_eq!(path, key);
                assert!(why.contains(expected), "{why}");
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_told_before_dialling() {
    let Some(sshd) = Sshd::start() else { return };
    let open = sshd.make_key("open-to-all", "ed25519", "");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let garbage = sshd.path("garbage");
    std::fs::write(&garbage, "this is no key").unwrap();
    std::fs::set_permissions(&garbage, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (path, expected) in [
        (open, "mode 0644 lets others read it"),
        (garbage, "not a usable private key"),
        (sshd.path("nowhere"), "no such file"),
    ] {
        let error = refused(&sshd, &SshTarget { auth: with_key(path), ..target(&sshd, "127.0.1.1") }).await;
        assert!(matches!(&error, SshError::KeyFile { why, .. } if why.contains(expected)), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_what_was_tried_is_told() {
    let Some(sshd) = Sshd::start() else { return };
    let (one, two) = (sshd.make_key("one", "ed25519", ""), sshd.make_key("two", "ecdsa", ""));
    let auth = SshAuth { identity_files: vec![one, two], ..with_key(PathBuf::new()) };
    match refused(&sshd, &SshTarget { auth, ..target(&sshd, "127.0.1.1") }).await {
        SshError::Authentication { user, tried, why, .. } => {
            assert_eq!(user, sshd.user);
            assert_eq!(tried.len(), 2, "{tried:?}");
            assert!(
                tried[0].ends_with("one (ssh-ed25519)") && tried[1].ends_with("two (ecdsa-sha2-nistp256)"),
                "{tried:?}"
            );
            assert_eq!(why, "the host takes publickey");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn too_many_keys_end_with_the_hosts_own_words() {
    let setup = Setup { lines: vec!["MaxAuthTries 2".into()], ..Setup::default() };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let files = (0..4).map(|n| sshd.make_key(&format!("wrong-{n}"), "ed25519", "")).collect();
    let auth = SshAuth { identity_files: files, ..with_key(PathBuf::new()) };
    match refused(&sshd, &SshTarget { auth, ..target(&sshd, "127.0.1.1") }).await {
        SshError::Authentication { why, tried, .. } => {
            assert!(why.contains("Too many authentication failures"), "{why}");
            assert_eq!(tried.len(), 2, "{tried:?}");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn with_nothing_to_offer_that_is_said() {
    let Some(sshd) = Sshd::start() else { return };
    let auth = SshAuth { agent: false, default_identities: false, ..SshAuth::default() };
    let error = refused(&sshd, &SshTarget { auth, ..target(&sshd, "127.0.1.1") }).await;
    assert!(error.to_string().contains("there is nothing to offer"), "{error}");
}

#[tokio::test]
async fn default_identities_are_found_below_the_home() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = sshd.path("client").join(".ssh");
    std::fs::create_dir_all(&folder).unwrap();
    let key = sshd.make_key("client/.ssh/id_ecdsa", "ecdsa", "");
    sshd.authorize(&key);
    works(&connect(&sshd, &SshTarget { auth: SshAuth::default(), ..target(&sshd, "127.0.1.1") }).await).await;
}

/// A real ssh-agent, killed on drop.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    async fn start(sshd: &Sshd) -> Self {
        let socket = sshd.path("agent.sock");
        let mut command = Command::new("ssh-agent");
        let child = command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().expect("ssh-agent");
        let agent = Self { child, socket };
        until("the agent listens", || agent.socket.exists()).await;
        agent
    }

    fn add(&self, key: &std::path::Path) {
        let status = Command::new("ssh-add").arg(key).env("SSH_AUTH_SOCK", &self.socket).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "ssh-add");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

#[tokio::test]
async fn the_agents_keys_are_offered() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd).await;
    let connector =
        SshConnector::new(SshEnvironment { agent_socket: Some(agent.socket.clone()), ..environment(&sshd) });
    let with_agent =
        SshTarget { auth: SshAuth { default_identities: false, ..SshAuth::default() }, ..target(&sshd, "127.0.1.1") };
    for kind in ["ed25519", "ecdsa", "rsa:2048"] {
        let key = sshd.make_key(&format!("agent-{kind}"), kind, "");
        agent.add(&key);
        let before = within(connector.connect(&with_agent)).await;
        if kind == "ed25519" {
            let error = before.expect_err("no key of the agent is accepted yet");
            assert!(error.to_string().contains("agent test (ssh-ed25519)"), "{error}");
        }
        sshd.authorize(&key);
        works(&within(connector.connect(&with_agent)).await.unwrap()).await;
        run("sh", &["-c", &format!("SSH_AUTH_SOCK={} ssh-add -q -D 2>&1", agent.socket.display())]);
    }
}

#[tokio::test]
async fn an_encrypted_key_file_without_a_passphrase_is_taken_from_the_agent() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd).await;
    // The file is encrypted, the agent has the same key in the clear.
    let key = sshd.make_key("shared", "ed25519", "");
    sshd.authorize(&key);
    agent.add(&key);
    run("ssh-keygen", &["-q", "-p", "-N", "secret", "-f", key.to_str().unwrap()]);
    let other = sshd.make_key("not-in-the-agent", "ed25519", "secret");
    let connector =
        SshConnector::new(SshEnvironment { agent_socket: Some(agent.socket.clone()), ..environment(&sshd) });
    let with =
        |path: PathBuf| SshTarget { auth: SshAuth { agent: true, ..with_key(path) }, ..target(&sshd, "127.0.1.1") };
    works(&within(connector.connect(&with(key))).await.unwrap()).await;
    run("sh", &["-c", &format!("SSH_AUTH_SOCK={} ssh-add -q -D 2>&1", agent.socket.display())]);
    let error = within(connector.connect(&with(other.clone()))).await.expect_err("locked");
    assert!(matches!(&error, SshError::KeyFile { path, .. } if *path == other), "{error}");
}

#[tokio::test]
async fn a_dead_agent_is_told_and_does_not_hang() {
    let Some(sshd) = Sshd::start() else { return };
    let connector =
        SshConnector::new(SshEnvironment { agent_socket: Some(sshd.path("no-agent")), ..environment(&sshd) });
    let with_agent =
        SshTarget { auth: SshAuth { default_identities: false, ..SshAuth::default() }, ..target(&sshd, "127.0.1.1") };
    let error = within(connector.connect(&with_agent)).await.expect_err("no agent");
    assert!(error.to_string().contains("agent (no such file"), "{error}");
}

/// A system user with a password, removed on drop.
struct Account(String);

impl Account {
    fn create(suffix: &str, password: &str) -> Option<Self> {
        if !is_root() {
            eprintln!("SKIPPED: passwords need a throw-away system user, which only root can make");
            return None;
        }
        let name = format!("ax{}{suffix}", std::process::id());
        run("useradd", &["--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", &name]);
        let account = Self(name);
        run("sh", &["-c", &format!("printf '%s' '{}:{password}' | chpasswd", account.0)]);
        Some(account)
    }

    /// The target, with this user and a password and nothing else to prove it with.
    fn on(&self, sshd: &Sshd, password: &str) -> SshTarget {
        let password = Some(Secret::new(password));
        SshTarget {
            user: Some(self.0.clone()),
            auth: SshAuth { password, agent: false, default_identities: false, ..SshAuth::default() },
            ..target(sshd, "127.0.1.1")
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let removed = Command::new("userdel").arg("--force").arg(&self.0).stderr(Stdio::null()).status();
        assert!(removed.is_ok() || std::thread::panicking());
    }
}

#[tokio::test]
async fn a_password_logs_in_and_never_shows() {
    let setup = Setup { lines: vec!["PasswordAuthentication yes".into()], ..Setup::default() };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    let Some(account) = Account::create("p", "correct horse") else { return };
    works(&connect(&sshd, &account.on(&sshd, "correct horse")).await).await;
    let target = account.on(&sshd, "battery staple");
    let error = refused(&sshd, &target).await;
    assert!(matches!(&error, SshError::Authentication { tried, .. } if *tried == ["password"]), "{error}");
    let all = format!("{error} {error:?} {} {target:?} {:?}", error.hint(), target.resolve(&environment(&sshd)));
    assert!(!all.contains("battery"), "{all}");
}

#[tokio::test]
async fn a_host_that_asks_for_the_password_as_a_question_gets_it() {
    let lines = ["UsePAM yes", "KbdInteractiveAuthentication yes", "AuthenticationMethods keyboard-interactive"];
    let Some(sshd) = Sshd::start_with(&Setup { lines: lines.map(str::to_owned).to_vec(), ..Setup::default() }) else {
        return;
    };
    let Some(account) = Account::create("k", "correct horse") else { return };
    works(&connect(&sshd, &account.on(&sshd, "correct horse")).await).await;
    let error = refused(&sshd, &account.on(&sshd, "battery staple")).await;
    assert!(matches!(&error, SshError::Authentication { tried, .. } if *tried == ["keyboard-interactive"]), "{error}");
}

#[tokio::test]
async fn a_key_and_then_a_password_when_the_host_wants_both() {
    let lines = ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"];
    let Some(sshd) = Sshd::start_with(&Setup { lines: lines.map(str::to_owned).to_vec(), ..Setup::default() }) else {
        return;
    };
    let Some(account) = Account::create("b", "correct horse") else { return };
    let both = |password: &str| {
        let one = account.on(&sshd, password);
        SshTarget { auth: SshAuth { identity_files: vec![sshd.key()], ..one.auth.clone() }, ..one }
    };
    works(&connect(&sshd, &both("correct horse")).await).await;
    let error = refused(&sshd, &both("battery staple")).await;
    assert!(matches!(&error, SshError::Authentication { tried, .. } if tried.len() == 2), "{error}");
}
