//! Tables for `ssh_config`: what each text says about a host.

use super::*;

fn ask_with(text: &str, host: &str, files: &[(&str, &str)]) -> Result<HostConfig, ConfigError> {
    let main = ConfigSource { name: "config".into(), text: text.into() };
    let mut load = |pattern: &str| {
        let matching = files.iter().filter(|(name, _)| wildcard::matches(pattern, name));
        Ok(matching.map(|(name, text)| ConfigSource { name: (*name).into(), text: (*text).into() }).collect())
    };
    resolve_host_config(&main, host, &mut load)
}

fn ask(text: &str, host: &str) -> HostConfig {
    ask_with(text, host, &[]).expect("config")
}

#[test]
fn the_first_value_wins_and_identities_collect() {
    let text = "\
IdentityFile ~/.ssh/all
Host web1 web2
  HostName 10.0.0.1
  Port 2222
  IdentityFile ~/.ssh/web
Host *
  Port 22
  User deploy
  HostName elsewhere
  IdentityFile ~/.ssh/last
";
    let found = ask(text, "web1");
    assert_eq!(found.host_name.as_deref(), Some("10.0.0.1"));
    assert_eq!((found.port, found.user.as_deref()), (Some(2222), Some("deploy")));
    assert_eq!(found.identity_files, ["~/.ssh/all", "~/.ssh/web", "~/.ssh/last"]);
    assert_eq!(ask(text, "db").port, Some(22));
}

#[test]
fn host_patterns_table() {
    let cases = [
        ("Host web?", "web1", true),
        ("Host web?", "web12", false),
        ("Host *.lan !db.lan", "web.lan", true),
        ("Host *.lan !db.lan", "db.lan", false),
        ("Host !db.lan *.lan", "db.lan", false),
        ("host=web", "web", true),
        ("HOST = web db", "db", true),
        ("Host \"web one\" db", "web one", true),
        ("Host web # not db", "db", false),
        ("Match all", "anything", true),
        ("Match host web", "web", false),
    ];
    for (line, host, applies) in cases {
        let found = ask(&format!("{line}\n\tUser yes\n"), host);
        assert_eq!(found.user.is_some(), applies, "{line} for {host}");
    }
}

#[test]
fn a_match_block_is_skipped_with_a_warning_and_ends_at_the_next_host() {
    let found = ask("Match exec \"true\"\n User no\nHost *\n Port 7\n", "web");
    assert_eq!((found.user, found.port), (None, Some(7)));
    assert_eq!(found.warnings, ["config:1: Match blocks are not read"]);
}

#[test]
fn tokens_quotes_lists_and_times() {
    let text = "\
HostName %h.example.com
UserKnownHostsFile \"/a b/one\" /two
StrictHostKeyChecking Accept-New
ConnectTimeout 1m30s
ServerAliveInterval 20
HostKeyAlias web-alias
ProxyJump=admin@jump:2222,second
IdentitiesOnly yes
Unknown whatever \"goes here\"
";
    let found = ask(text, "web");
    assert_eq!(found.host_name.as_deref(), Some("web.example.com"));
    assert_eq!(found.known_hosts, Some(vec!["/a b/one".to_owned(), "/two".to_owned()]));
    assert_eq!(found.strict.as_deref(), Some("accept-new"));
    assert_eq!((found.connect_timeout, found.alive_interval), (Some(90), Some(20)));
    assert_eq!(found.alias.as_deref(), Some("web-alias"));
    assert_eq!(found.proxy_jump.as_deref(), Some("admin@jump:2222,second"));
    assert_eq!(found.identities_only, Some(true));
}

#[test]
fn an_include_counts_where_it_stands_and_under_its_host() {
    let files =
        [("conf.d/a", "User from-a\nHost web\n Port 1\n"), ("conf.d/b", "User from-b\n"), ("db", "Port 5432\n")];
    let text = "Include conf.d/*\nHost db\n Include db\nHost *\n User late\n";
    let web = ask_with(text, "web", &files).expect("web");
    assert_eq!((web.user.as_deref(), web.port), (Some("from-a"), Some(1)));
    let db = ask_with(text, "db", &files).expect("db");
    assert_eq!(db.port, Some(5432));
    let after = ask_with("Host web\n Include conf.d/a\n HostName ten\n", "web", &files).expect("after");
    assert_eq!(after.host_name.as_deref(), Some("ten"), "the block goes on behind its include");
}

#[test]
fn an_include_that_includes_itself_ends() {
    let error = ask_with("Include loop", "web", &[("loop", "Include loop\n")]).expect_err("must end");
    assert!(error.why.contains("nested deeper than 16"), "{error}");
}

#[test]
fn a_wrong_value_is_told_with_its_place_only_when_it_applies() {
    let text = "Host db\n Port many\nHost web\n Port 22\n";
    assert_eq!(ask(text, "web").port, Some(22));
    let error = ask_with(text, "db", &[]).expect_err("port");
    assert_eq!(error.to_string(), "config:2: `port` needs a number, not `many`");
    let error = ask_with("User \"open\nPort 1", "web", &[]).expect_err("quote");
    assert_eq!(error.to_string(), "config:1: a quote is not closed");
    assert!(ask_with("IdentitiesOnly maybe", "web", &[]).is_err());
    assert!(ask_with("User", "web", &[]).is_err());
}
