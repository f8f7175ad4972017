//! Who the host is: verified, accepted once, pinned, refused.

use std::path::PathBuf;

use autoexec_runner::transport::ssh::{HostKeyPolicy, SshError, SshTarget};

use super::{connect, refused, target, works};
use crate::sshd::{Setup, Sshd, run};

fn with_known_hosts(sshd: &Sshd, policy: HostKeyPolicy, file: PathBuf) -> SshTarget {
    SshTarget { host_key: Some(policy), known_hosts: vec![file], ..target(sshd, "127.0.1.1") }
}

#[tokio::test]
async fn an_unknown_host_is_refused_with_its_fingerprint_and_the_way_out() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("empty");
    let error = refused(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file.clone())).await;
    let SshError::HostKeyUnknown { offered, .. } = &error else { panic!("{error}") };
    assert_eq!((offered.algorithm.as_str(), offered.fingerprint.clone()), ("ssh-ed25519", sshd.fingerprint("ed25519")));
    let hint = error.hint();
    let scan = format!("ssh-keyscan -p {} -t ed25519 127.0.1.1 >> {}", sshd.port, file.display());
    assert!(hint.contains(&scan) && hint.contains("host_key: accept-new"), "{hint}");
    // The hint does what it says.
    run("sh", &["-c", &format!("{scan} 2>/dev/null")]);
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file)).await).await;
}

#[tokio::test]
async fn a_changed_key_is_refused_with_the_line_that_knows_better() {
    let Some(sshd) = Sshd::start() else { return };
    let other = sshd.make_key("other", "ed25519", "");
    let other = std::fs::read_to_string(format!("{}.pub", other.display())).unwrap();
    let file = sshd.path("changed");
    std::fs::write(&file, format!("# comment\n[127.0.1.1]:{} {other}", sshd.port)).unwrap();
    for policy in [HostKeyPolicy::Verify, HostKeyPolicy::AcceptNew] {
        let before = std::fs::read(&file).unwrap();
        let error = refused(&sshd, &with_known_hosts(&sshd, policy, file.clone())).await;
        let SshError::HostKeyMismatch { offered, known, .. } = &error else { panic!("{error}") };
        assert_eq!(offered.fingerprint, sshd.fingerprint("ed25519"));
        assert_eq!((known[0].line, &known[0].file), (2, &file));
        assert!(error.to_string().contains(&format!("{}:2", file.display())), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), before, "nothing is ever overwritten");
    }
    // The hint does what it says.
    let error = refused(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::AcceptNew, file.clone())).await;
    let hint = error.hint();
    let command = hint.split('`').nth(1).unwrap();
    run("sh", &["-c", &format!("{command} 2>/dev/null")]);
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::AcceptNew, file)).await).await;
}

#[tokio::test]
async fn accept_new_remembers_and_verify_then_agrees() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("client/.ssh/learned");
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::AcceptNew, file.clone())).await).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), sshd.known_hosts_line("127.0.1.1", "ed25519"));
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file.clone())).await).await;
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::AcceptNew, file.clone())).await).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1);
    // OpenSSH reads what was written.
    let found = run("ssh-keygen", &["-F", &format!("[127.0.1.1]:{}", sshd.port), "-f", file.to_str().unwrap()]);
    assert!(found.contains("ssh-ed25519"), "{found}");
}

#[tokio::test]
async fn many_targets_at_once_are_each_remembered_once() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("many");
    let targets: Vec<SshTarget> = (0..24)
        .map(|n| SshTarget {
            address: Some(format!("127.0.2.{}", n % 8 + 1)),
            ..with_known_hosts(&sshd, HostKeyPolicy::AcceptNew, file.clone())
        })
        .collect();
    futures::future::join_all(targets.iter().map(|target| connect(&sshd, target))).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((lines.len(), text.lines().count()), (8, 8), "{text}");
}

#[tokio::test]
async fn hashed_names_are_found() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.known_hosts("hashed", &["127.0.1.1", "127.0.1.2"], "ed25519");
    run("ssh-keygen", &["-q", "-H", "-f", file.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("|1|"));
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file.clone())).await).await;
    let stranger =
        SshTarget { address: Some("127.0.1.3".into()), ..with_known_hosts(&sshd, HostKeyPolicy::Verify, file) };
    assert!(matches!(refused(&sshd, &stranger).await, SshError::HostKeyUnknown { .. }));
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.known_hosts("revoked", &["127.0.1.1"], "ed25519");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}@revoked * {}\n", sshd.host_key("ed25519"))).unwrap();
    for policy in [HostKeyPolicy::Verify, HostKeyPolicy::AcceptNew] {
        let error = refused(&sshd, &with_known_hosts(&sshd, policy, file.clone())).await;
        assert!(matches!(&error, SshError::HostKeyRevoked { known, .. } if known.line == 2), "{error}");
    }
}

#[tokio::test]
async fn pinned_keys_decide_alone() {
    let Some(sshd) = Sshd::start() else { return };
    let no_file = sshd.path("nothing-here");
    let pinned = |pins: Vec<String>| with_known_hosts(&sshd, HostKeyPolicy::Pinned(pins), no_file.clone());
    works(&connect(&sshd, &pinned(vec![sshd.fingerprint("ed25519")])).await).await;
    works(&connect(&sshd, &pinned(vec!["SHA256:AAAA".into(), sshd.host_key("ed25519")])).await).await;
    let error = refused(&sshd, &pinned(vec!["SHA256:AAAA".into()])).await;
    assert!(matches!(&error, SshError::HostKeyMismatch { .. }), "{error}");
    assert!(error.to_string().contains("SHA256:AAAA (pinned)"), "{error}");
    assert!(matches!(refused(&sshd, &pinned(vec!["nonsense".into()])).await, SshError::Config { .. }));
    assert!(!no_file.exists());
}

#[tokio::test]
async fn no_check_takes_anything() {
    let Some(sshd) = Sshd::start() else { return };
    let other = sshd.make_key("other", "ed25519", "");
    let other = std::fs::read_to_string(format!("{}.pub", other.display())).unwrap();
    let file = sshd.path("wrong");
    std::fs::write(&file, format!("[127.0.1.1]:{} {other}", sshd.port)).unwrap();
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::No, file)).await).await;
}

#[tokio::test]
async fn the_host_is_asked_for_a_key_we_know() {
    let setup = Setup { host_keys: vec!["ed25519", "ecdsa", "rsa"], ..Setup::default() };
    let Some(sshd) = Sshd::start_with(&setup) else { return };
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let file = sshd.known_hosts(&format!("only-{kind}"), &["127.0.1.1"], kind);
        works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file)).await).await;
    }
}

#[tokio::test]
async fn a_key_recorded_without_the_port_counts() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("plain");
    std::fs::write(&file, format!("127.0.1.* {}\n", sshd.host_key("ed25519"))).unwrap();
    works(&connect(&sshd, &with_known_hosts(&sshd, HostKeyPolicy::Verify, file)).await).await;
}
