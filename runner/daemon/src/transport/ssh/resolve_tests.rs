//! What wins: the inventory, then `ssh_config`, then the defaults.

use super::*;

struct Home {
    dir: tempfile::TempDir,
    env: SshEnvironment,
}

fn home(config: &str) -> Home {
    let dir = tempfile::tempdir().expect("home");
    std::fs::create_dir(dir.path().join(".ssh")).expect("dir");
    std::fs::write(dir.path().join(".ssh/config"), config).expect("config");
    let env = SshEnvironment { home: Some(dir.path().to_path_buf()), user: Some("me".into()), agent_socket: None };
    Home { dir, env }
}

fn resolve(home: &Home, target: &SshTarget) -> ResolvedTarget {
    target.resolve(&home.env).expect("resolve")
}

#[test]
fn defaults_without_any_configuration() {
    let home = home("");
    let web = resolve(&home, &SshTarget::named("web1"));
    assert_eq!((web.host.as_str(), web.port, web.user.as_str(), web.label.as_str()), ("web1", 22, "me", "web1"));
    assert_eq!((web.connect_timeout, web.keepalive), (Duration::from_secs(10), Some(Duration::from_secs(15))));
    assert_eq!(web.host_key, HostKeyPolicy::Verify);
    assert_eq!(web.known_as, "web1");
    let ssh = home.dir.path().join(".ssh");
    assert_eq!(web.known_hosts, [ssh.join("known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts")]);
    let names: Vec<_> = web.identities.iter().map(|i| i.path.clone()).collect();
    assert_eq!(names, [ssh.join("id_ed25519"), ssh.join("id_ecdsa"), ssh.join("id_rsa")]);
    assert!(web.via.is_none());
}

#[test]
fn ssh_config_wins_over_defaults_and_the_inventory_over_both() {
    let home = home(
        "Host web1\n HostName 10.0.0.1\n Port 2222\n User deploy\n IdentityFile ~/keys/%h-%r\n StrictHostKeyChecking accept-new\n \
         ConnectTimeout 3\n UserKnownHostsFile ~/kh-%p\n",
    );
    let web = resolve(&home, &SshTarget::named("web1"));
    assert_eq!((web.host.as_str(), web.port, web.user.as_str()), ("10.0.0.1", 2222, "deploy"));
    assert_eq!((web.known_as.as_str(), web.label.as_str()), ("[10.0.0.1]:2222", "web1 ([10.0.0.1]:2222)"));
    assert_eq!(web.known_as_plain.as_deref(), Some("10.0.0.1"));
    assert_eq!(web.host_key, HostKeyPolicy::AcceptNew);
    assert_eq!(web.connect_timeout, Duration::from_secs(3));
    assert_eq!(web.identities[0].path, home.dir.path().join("keys/10.0.0.1-deploy"));
    assert_eq!(web.known_hosts[0], home.dir.path().join("kh-2222"));

    let explicit = SshTarget {
        address: Some("192.0.2.1".into()),
        port: Some(22),
        user: Some("root".into()),
        host_key: Some(HostKeyPolicy::Verify),
        connect_timeout: Some(Duration::from_secs(7)),
        auth: SshAuth { identity_files: vec!["~/mine".into()], ..SshAuth::default() },
        ..SshTarget::named("web1")
    };
    let web = resolve(&home, &explicit);
    assert_eq!((web.host.as_str(), web.port, web.user.as_str()), ("192.0.2.1", 22, "root"));
    assert_eq!(web.host_key, HostKeyPolicy::Verify);
    assert_eq!(web.connect_timeout, Duration::from_secs(7));
    assert_eq!(web.identities, [Identity { path: home.dir.path().join("mine"), origin: Origin::Inventory }]);
}

#[test]
fn the_address_is_asked_too_after_the_name() {
    let home = home("Host 10.0.*\n User by-address\n Port 10\nHost web1\n Port 20\n");
    let target = SshTarget { address: Some("10.0.0.1".into()), ..SshTarget::named("web1") };
    let web = resolve(&home, &target);
    assert_eq!((web.user.as_str(), web.port), ("by-address", 20));
}

#[test]
fn an_alias_replaces_host_and_port_in_known_hosts() {
    let home = home("HostKeyAlias The-Web\nPort 2222\n");
    let web = resolve(&home, &SshTarget::named("web1"));
    assert_eq!((web.known_as.as_str(), web.known_as_plain), ("the-web", None));
}

#[test]
fn jumps_chain_and_have_their_own_blocks() {
    let home = home(
        "Host web1\n ProxyJump one,admin@two:23\nHost one\n User first\n ProxyJump zero\nHost two\n Port 99\n ProxyJump nowhere\n",
    );
    let web = resolve(&home, &SshTarget::named("web1"));
    let hops: Vec<_> = web.hops().iter().map(|h| format!("{}@{}:{}", h.user, h.host, h.port)).collect();
    assert_eq!(hops, ["me@zero:22", "first@one:22", "admin@two:23"]);
    let behind = SshTarget::named("db").behind(parse_jumps("one").expect("jump"));
    let hops: Vec<_> = resolve(&home, &behind).hops().iter().map(|h| h.host.clone()).collect();
    assert_eq!(hops, ["zero", "one"]);
    let direct = SshTarget { jumps: Some(vec![]), ..SshTarget::named("web1") };
    assert!(resolve(&home, &direct).via.is_none());
}

#[test]
fn jump_hosts_that_lead_to_each_other_end_with_an_error() {
    let home = home("Host a\n ProxyJump b\nHost b\n ProxyJump a\n");
    let error = SshTarget::named("a").resolve(&home.env).expect_err("a loop");
    assert!(error.to_string().contains("more than 8 jump hosts"), "{error}");
}

#[test]
fn a_wrong_line_is_told_with_its_place() {
    let home = home("Port many\n");
    let error = SshTarget::named("web1").resolve(&home.env).expect_err("port");
    assert!(error.to_string().ends_with(".ssh/config:1: `port` needs a number, not `many`"), "{error}");
    assert!(error.was_before_start());
    let off = SshTarget { ssh_config: super::super::target::SshConfigUse::Off, ..SshTarget::named("web1") };
    assert_eq!(resolve(&home, &off).port, 22);
}
