//! Inventories, right and wrong: who wins, and what an engineer sees.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::{Diagnosed, SourceFile};
use crate::plan::{HostKeyCheck, Transport};
use crate::selector::{Selectable, Selector};

fn resolve(text: &str) -> Diagnosed<Vec<Host>> {
    let src = SourceFile::new("hosts.yaml", text);
    Inventory::parse(&src)?.resolve(&src)
}

fn hosts(text: &str) -> Vec<Host> {
    resolve(text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn names(hosts: &[Host]) -> Vec<&str> {
    hosts.iter().map(|host| host.name.as_str()).collect()
}

fn host<'a>(hosts: &'a [Host], name: &str) -> &'a Host {
    hosts.iter().find(|host| host.name == name).unwrap_or_else(|| panic!("no host {name}"))
}

/// One thing is wrong, so one error must be shown.
fn bad(text: &str, expected: Expect) {
    let errors = resolve(text).expect_err("a broken inventory");
    assert_eq!(errors.len(), 1, "{errors}");
    expected.assert_eq(&errors.to_string());
}

const DESIGN: &str = r#"# hosts.yaml
defaults: { user: deploy, port: 22, transport: ssh }      # ssh | agent | local | sim
groups:
  web:
    hosts:
      "web[01-40]": { address: "10.0.1.{{ n }}", labels: { zone: a1 } }
    vars: { app: shop }
  db:
    hosts: { db1: {}, db2: { port: 2222, key: ~/.ssh/db } }
  all-eu: { children: [web, db] }
"#;

#[test]
fn the_example_of_the_design_is_resolved() {
    let all = hosts(DESIGN);
    assert_eq!(all.len(), 42);
    let web7 = host(&all, "web07");
    assert_eq!((web7.address.as_str(), web7.port, web7.user.as_deref()), ("10.0.1.7", Some(22), Some("deploy")));
    assert_eq!(web7.groups.iter().collect::<Vec<_>>(), ["all-eu", "web"]);
    assert_eq!(web7.vars["app"], "shop");
    assert_eq!(web7.label("zone"), Some("a1"));
    let db2 = host(&all, "db2");
    assert_eq!((db2.address.as_str(), db2.port, db2.key.as_deref()), ("db2", Some(2222), Some("~/.ssh/db")));
    assert!(db2.vars.is_empty() && db2.ssh_config);
    let count = |selector: &str| {
        let selector: Selector = selector.parse().expect(selector);
        all.iter().filter(|host| selector.matches(*host)).count()
    };
    assert_eq!(
        (count("@all-eu"), count("@web & zone=a*"), count("web[1-3],db1"), count("10.0.1.[1-3]")),
        (42, 40, 1, 3)
    );
}

#[test]
fn the_nearest_setting_wins() {
    let all = hosts(
        "
defaults: { user: base, port: 1, vars: { a: defaults, b: defaults, c: defaults, d: defaults }, labels: { l: defaults } }
groups:
  child: { hosts: { h: { vars: { a: host } } }, vars: { a: child, b: child }, defaults: { user: child } }
  parent: { children: [child], vars: { a: parent, b: parent, c: parent }, labels: { l: parent }, defaults: { user: parent, port: 2, key: k } }
",
    );
    let h = host(&all, "h");
    assert_eq!(json!(h.vars), json!({"a": "host", "b": "child", "c": "parent", "d": "defaults"}));
    assert_eq!(h.label("l"), Some("parent"));
    assert_eq!((h.user.as_deref(), h.port, h.key.as_deref()), (Some("child"), Some(2), Some("k")));
}

#[test]
fn a_child_wins_over_its_parent_even_when_the_host_is_in_both() {
    let all = hosts(
        "groups:\n  child: { hosts: [h], vars: { v: child } }\n  parent: { hosts: [h], children: [child], vars: { v: parent } }\n",
    );
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].vars["v"], "child");
}

#[test]
fn a_host_in_several_groups_is_one_host() {
    let all = hosts(
        "
groups:
  a: { hosts: { 'web[1-3]': { labels: { x: a, only: a } } }, vars: { v: a } }
  b: { hosts: { web2: { labels: { x: b }, port: 99 } }, vars: { v: b } }
",
    );
    assert_eq!(names(&all), ["web1", "web2", "web3"]);
    let web2 = host(&all, "web2");
    assert_eq!((web2.label("x"), web2.label("only"), web2.port), (Some("b"), Some("a"), Some(99)));
    assert_eq!(web2.vars["v"], "b");
    assert_eq!(web2.groups.len(), 2);
    assert_eq!(host(&all, "web1").vars["v"], "a");
}

#[test]
fn hosts_keep_the_order_of_the_file() {
    assert_eq!(names(&hosts("hosts: [z, a]\ngroups: { g: { hosts: [m, a] } }\n")), ["z", "a", "m"]);
    assert_eq!(names(&hosts("groups: { g: { hosts: [m, a] } }\nhosts: [z, a]\n")), ["m", "a", "z"]);
}

#[test]
fn numbers_and_names_are_filled_in_and_later_templates_are_kept() {
    let all = hosts(
        "
hosts:
  'web[08-10]':
    address: '10.0.0.{{ n + 100 }}'
    user: 'u-{{ name }}'
    labels: { rack: 'r{{ n }}' }
    vars: { id: 'node-{{ n }}', nested: { list: ['{{ n }}'] }, later: '{{ params.version }}', plain: 5 }
  db: { address: '{{ name }}.example.net' }
",
    );
    let web = host(&all, "web08");
    assert_eq!(
        (web.address.as_str(), web.user.as_deref(), web.label("rack")),
        ("10.0.0.108", Some("u-web08"), Some("r8"))
    );
    assert_eq!(
        json!(web.vars),
        json!({"id": "node-8", "later": "{{ params.version }}", "nested": {"list": ["8"]}, "plain": 5})
    );
    assert_eq!(host(&all, "db").address, "db.example.net");
}

#[test]
fn what_can_be_left_empty_can_be() {
    assert_eq!(names(&hosts("groups:\n  web:\n    hosts:\n      web1:\n      web2:\n  empty:\n")), ["web1", "web2"]);
    assert!(hosts("groups: {}\n").is_empty());
}

#[test]
fn connections_are_described() {
    let all = hosts(
        "
hosts:
  a: { jump: 'ops@gate:22, inner', host_key: no, known_hosts: /etc/kh, ssh_config: false, connect_timeout: 5s, encoding: gbk, password: 'env:PW', become: root }
  b: { jump: [gate], host_key: ['SHA256:0000000000000000000000000000000000000000000'] }
  c: { transport: sim, sim: { latency: 50ms, fail: 2%, unreachable: 0.5%, hang: 0%, output: 'on {{ target.name }}' } }
  d: { transport: sim }
",
    );
    let a = host(&all, "a");
    assert_eq!((a.jump.clone(), a.ssh_config), (vec!["ops@gate:22".to_owned(), "inner".to_owned()], false));
    assert_eq!(a.host_key, Some(HostKeyCheck::No));
    assert_eq!(a.password.as_ref().map(ToString::to_string).as_deref(), Some("env:PW"));
    let job = crate::spec::Defaults {
        host_key: Some(crate::spec::HostKeySpec(HostKeyCheck::AcceptNew).into()),
        ..Default::default()
    };
    assert_eq!(a.to_target(&job).connection.host_key, HostKeyCheck::No);
    assert_eq!(host(&all, "d").to_target(&job).connection.host_key, HostKeyCheck::AcceptNew);
    assert!(matches!(&host(&all, "b").host_key, Some(HostKeyCheck::Pinned(keys)) if keys.len() == 1));
    let sim = host(&all, "c").sim.as_ref().expect("sim");
    assert_eq!((sim.latency.as_millis(), sim.fail_ppm, sim.unreachable_ppm, sim.hang_ppm), (50, 20_000, 5_000, 0));
    assert_eq!(sim.output.as_deref(), Some("on {{ target.name }}"));
    assert!(host(&all, "d").sim.is_some() && a.sim.is_none());
}

#[test]
fn hosts_of_a_command_line_need_no_file() {
    let inventory = Inventory::from_hosts(["127.0.1.1", "deploy@web2:2222", "[::1]:22", "web2", "web2"]);
    let all = inventory.resolve(&SourceFile::new("-t", "")).expect("hosts");
    let shown: Vec<_> = all.iter().map(|h| (h.name.as_str(), h.address.as_str(), h.user.as_deref(), h.port)).collect();
    assert_eq!(
        shown,
        [
            ("127.0.1.1", "127.0.1.1", None, None),
            ("web2:2222", "web2", Some("deploy"), Some(2222)),
            ("[::1]:22", "::1", None, Some(22)),
            ("web2", "web2", None, None),
        ]
    );
    assert!(all.iter().all(|host| host.transport == Transport::Ssh));
}

#[test]
fn a_hundred_thousand_hosts_are_resolved_and_one_more_is_refused() {
    let all = hosts(
        "groups:\n  g:\n    hosts: { 'h[1-100000]': { address: '10.{{ n }}', vars: { id: 'x{{ n }}' } } }\n    vars: { a: 1 }\n",
    );
    assert_eq!((all.len(), all[99_999].address.as_str()), (100_000, "10.100000"));
    bad(
        "hosts: [extra, 'h[1-100000]']\n",
        expect![[r#"
        hosts.yaml:1:16: the inventory has more than 100000 hosts
          1 | hosts: [extra, 'h[1-100000]']
            |                ^^^^^^^^^^^^^
          hint: split it, and give each job the part that it needs"#]],
    );
}

#[test]
fn groups_are_checked() {
    bad(
        "groups:\n  a: { children: [b] }\n  b: { children: [c] }\n  c: { children: [a] }\n  top: { children: [a] }\n",
        expect![[r#"
        hosts.yaml:2:19: the group `a` is inside itself: a -> b -> c -> a
          2 |   a: { children: [b] }
            |                   ^"#]],
    );
    bad(
        "groups:\n  a: { children: [a] }\n",
        expect![[r#"
        hosts.yaml:2:19: the group `a` is inside itself: a -> a
          2 |   a: { children: [a] }
            |                   ^"#]],
    );
    bad(
        "groups:\n  web: { hosts: [h] }\n  all: { children: [wbe] }\n",
        expect![[r#"
        hosts.yaml:3:21: there is no group `wbe`
          3 |   all: { children: [wbe] }
            |                     ^^^
          hint: did you mean `web`?"#]],
    );
    bad(
        "groups:\n  all: { children: [web1] }\n",
        expect![[r#"
        hosts.yaml:2:21: there is no group `web1`
          2 |   all: { children: [web1] }
            |                     ^^^^
          hint: children are groups; hosts are written under `hosts`"#]],
    );
    bad(
        "groups:\n  'my group': {}\n",
        expect![[r#"
        hosts.yaml:2:3: `my group` cannot be the name of a group
          2 |   'my group': {}
            |   ^^^^^^^^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them"#]],
    );
    bad(
        "groups:\n  a: {}\n  a: {}\n",
        expect![[r#"
        hosts.yaml:3:3: `a` is written twice
          3 |   a: {}
            |   ^"#]],
    );
    bad(
        "groups: [a]\n",
        expect![[r#"
        hosts.yaml:1:9: expected a map
          1 | groups: [a]
            |         ^
          hint: write `key: value` lines, or {key: value}"#]],
    );
}

#[test]
fn hosts_are_checked() {
    bad(
        "hosts: ['web[1-']\n",
        expect![[r#"
        hosts.yaml:1:9: `[` without `]` (at character 4 of `web[1-`)
          1 | hosts: ['web[1-']
            |         ^^^^^^^^
          hint: write ranges as `[01-40]`"#]],
    );
    bad(
        "hosts: ['web[5-1]']\n",
        expect![[r#"
        hosts.yaml:1:9: the range `5-1` runs backwards (at character 5 of `web[5-1]`)
          1 | hosts: ['web[5-1]']
            |         ^^^^^^^^^^
          hint: write the smaller number first"#]],
    );
    bad(
        "hosts: ['h[1-999999999]']\n",
        expect![[r#"
        hosts.yaml:1:9: more than 100000 names (at character 1 of `h[1-999999999]`)
          1 | hosts: ['h[1-999999999]']
            |         ^^^^^^^^^^^^^^^^
          hint: narrow the range"#]],
    );
    bad(
        "hosts: ['a b']\n",
        expect![[r#"
        hosts.yaml:1:9: a space inside a name (at character 2 of `a b`)
          1 | hosts: ['a b']
            |         ^^^^^
          hint: put `,` between names"#]],
    );
    bad(
        "hosts: { h: { prot: 22 } }\n",
        expect![[r#"
        hosts.yaml:1:15: unknown key `prot`
          1 | hosts: { h: { prot: 22 } }
            |               ^^^^
          hint: did you mean `port`?"#]],
    );
    bad(
        "hosts: { h: { port: 70000 } }\n",
        expect![[r#"
        hosts.yaml:1:21: expected a whole number from 0 to 65535
          1 | hosts: { h: { port: 70000 } }
            |                     ^^^^^"#]],
    );
    bad(
        "hosts: { h: { port: 0 } }\n",
        expect![[r#"
        hosts.yaml:1:21: 0 is not a port
          1 | hosts: { h: { port: 0 } }
            |                     ^
          hint: ports are from 1 to 65535"#]],
    );
    bad(
        "hosts: { h: { transport: telnet } }\n",
        expect![[r#"
        hosts.yaml:1:26: unknown value `telnet`
          1 | hosts: { h: { transport: telnet } }
            |                          ^^^^^^
          hint: allowed: ssh, agent, local, sim"#]],
    );
    bad(
        "hosts: { h: { ssh_config: off } }\n",
        expect![[r#"
        hosts.yaml:1:27: expected true or false
          1 | hosts: { h: { ssh_config: off } }
            |                           ^^^
          hint: `yes`, `no`, `on` and `off` are not booleans here"#]],
    );
    bad(
        "hosts: { h: { labels: [a] } }\n",
        expect![[r#"
        hosts.yaml:1:23: expected a map
          1 | hosts: { h: { labels: [a] } }
            |                       ^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "hosts: { h: { labels: { 'a=b': c } } }\n",
        expect![[r#"
        hosts.yaml:1:25: `a=b` cannot be the name of a label
          1 | hosts: { h: { labels: { 'a=b': c } } }
            |                         ^^^^^
          hint: use letters, digits, `.`, `_`, `-` and `/`"#]],
    );
    bad(
        "hosts: { h: { connect_timeout: 5 } }\n",
        expect![[r#"
        hosts.yaml:1:32: `5` has no unit
          1 | hosts: { h: { connect_timeout: 5 } }
            |                                ^
          hint: write `5s` for seconds, or ms, m, h, d"#]],
    );
    bad(
        "hosts: { h: { host_key: ['abc'] } }\n",
        expect![[r#"
        hosts.yaml:1:25: `abc` is no host key
          1 | hosts: { h: { host_key: ['abc'] } }
            |                         ^
          hint: write `SHA256:..` or `ssh-ed25519 AAAA..`"#]],
    );
    bad(
        "hosts: { h: { jump: 5 } }\n",
        expect![[r#"
        hosts.yaml:1:21: expected a jump host such as `ops@gate:22`, or a list of them, found the number `5`
          1 | hosts: { h: { jump: 5 } }
            |                     ^"#]],
    );
    bad(
        "hosts: 5\n",
        expect![[r#"
        hosts.yaml:1:8: expected a map of host names or ranges such as `web[01-40]: {}`, or a list of them, found the number `5`
          1 | hosts: 5
            |        ^"#]],
    );
    bad(
        "hosts: { h: x }\n",
        expect![[r#"
        hosts.yaml:1:13: expected a map
          1 | hosts: { h: x }
            |             ^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "hosts: { h: {}, h: {} }\n",
        expect![[r#"
        hosts.yaml:1:17: `h` is written twice
          1 | hosts: { h: {}, h: {} }
            |                 ^"#]],
    );
    bad(
        "hosts: { h: { user: '' } }\n",
        expect![[r#"
        hosts.yaml:1:21: a text is missing here
          1 | hosts: { h: { user: '' } }
            |                     ^^"#]],
    );
}

#[test]
fn simulation_is_checked() {
    bad(
        "hosts: { h: { transport: sim, sim: { fail: 2 } } }\n",
        expect![[r#"
        hosts.yaml:1:44: `2` is not a share
          1 | hosts: { h: { transport: sim, sim: { fail: 2 } } }
            |                                            ^
          hint: write `2%` or `0.5%`, from 0% to 100%"#]],
    );
    bad(
        "hosts: { h: { transport: sim, sim: { fail: 101% } } }\n",
        expect![[r#"
        hosts.yaml:1:44: `101%` is not a share
          1 | hosts: { h: { transport: sim, sim: { fail: 101% } } }
            |                                            ^^^^
          hint: write `2%` or `0.5%`, from 0% to 100%"#]],
    );
    bad(
        "hosts: { h: { transport: sim, sim: { latncy: 5ms } } }\n",
        expect![[r#"
        hosts.yaml:1:38: unknown key `latncy`
          1 | hosts: { h: { transport: sim, sim: { latncy: 5ms } } }
            |                                      ^^^^^^
          hint: did you mean `latency`?"#]],
    );
    bad(
        "hosts: { h: { sim: { fail: 2% } } }\n",
        expect![[r#"
        hosts.yaml:1:20: `sim` needs the transport `sim`
          1 | hosts: { h: { sim: { fail: 2% } } }
            |                    ^
          hint: write `transport: sim`"#]],
    );
}

#[test]
fn templates_are_checked_once_however_many_hosts_share_them() {
    bad(
        "hosts: { 'web[1-50]': { address: '{{ m }}' } }\n",
        expect![[r#"
        hosts.yaml:1:34: this template cannot be filled in
          1 | hosts: { 'web[1-50]': { address: '{{ m }}' } }
            |                                  ^^^^^^^^^
          hint: here only `{{ n }}`, the number of the host, and `{{ name }}` are known"#]],
    );
    bad(
        "hosts: { 'web[1-50]': { address: '{{ n' } }\n",
        expect![[r#"
        hosts.yaml:1:34: bad syntax: unexpected end of input, expected end of variable block in `{{ n`
          1 | hosts: { 'web[1-50]': { address: '{{ n' } }
            |                                  ^^^^^^"#]],
    );
    bad(
        "hosts: { 'web[1-50]': { vars: { a: '{{ n }}-{{ params.x }}' } } }\n",
        expect![[r#"
        hosts.yaml:1:36: `n` and `params` cannot be read in one text
          1 | hosts: { 'web[1-50]': { vars: { a: '{{ n }}-{{ params.x }}' } } }
            |                                    ^^^^^^^^^^^^^^^^^^^^^^^^
          hint: `n` is known when the inventory is read, `params` only when a step runs; use two variables"#]],
    );
    bad(
        "hosts: { db: { address: '10.0.0.{{ n }}' } }\n",
        expect![[r#"
        hosts.yaml:1:25: the host `db` has no number for `n`
          1 | hosts: { db: { address: '10.0.0.{{ n }}' } }
            |                         ^^^^^^^^^^^^^^^^
          hint: write a range such as `web[01-40]`, or use `{{ name }}`"#]],
    );
}

#[test]
fn a_password_in_the_file_is_refused_once_and_not_repeated() {
    let text = "groups: { g: { hosts: { 'h[1-9]': {} }, defaults: { password: hunter2 } } }\n";
    let errors = resolve(text).expect_err("a password");
    assert!(!format!("{errors} {errors:?}").contains("hunter2"), "{errors}");
    bad(
        text,
        expect![[r#"
        hosts.yaml:1:63: a password is not written here, only where to find it
          hint: write "{{ params.NAME }}" for a parameter of type secret, `env:NAME` or `file:PATH`"#]],
    );
}

#[test]
fn chances_are_exact() {
    for (text, ppm) in
        [("2%", 20_000), ("0.5%", 5_000), ("100%", 1_000_000), ("0%", 0), ("0.0001%", 1), ("12.34%", 123_400)]
    {
        let chance: Chance = text.parse().expect(text);
        assert_eq!((chance.ppm, chance.to_string().as_str()), (ppm, text));
    }
    for text in ["", "%", "2", "-1%", "100.1%", "1.00001%", "1e2%", ".5%", "1.%"] {
        text.parse::<Chance>().expect_err(text);
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema();
    let text = schema.to_string();
    for key in ["hosts", "groups", "children", "address", "known_hosts", "latency", "jump", "become"] {
        assert!(text.contains(&format!("\"{key}\":")), "{key} is missing");
    }
    assert_eq!(schema["title"], "autoexec inventory");
}

proptest! {
    #[test]
    fn nothing_panics_on_random_text(text in "(?s).{0,200}") {
        let _ = resolve(&text);
    }

    #[test]
    fn nothing_panics_on_broken_inventories(at in 0usize..500, cut in 0usize..30, put in "\\PC{0,4}") {
        let mut chars: Vec<char> = DESIGN.chars().collect();
        let at = at.min(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, put.chars());
        if let Err(errors) = resolve(&chars.into_iter().collect::<String>()) {
            prop_assert!(!errors.is_empty());
            let _ = errors.to_string();
        }
    }

    #[test]
    fn random_groups_are_resolved_or_refused(edges in prop::collection::vec((0usize..8, 0usize..8), 0..20)) {
        let mut text = "groups:\n".to_owned();
        for group in 0..8 {
            let children: Vec<String> = edges.iter().filter(|(from, _)| *from == group).map(|(_, to)| format!("g{to}")).collect();
            text.push_str(&format!("  g{group}: {{ hosts: [h{group}], children: [{}] }}\n", children.join(", ")));
        }
        match resolve(&text) {
            Ok(all) => {
                let inside = edges.iter().all(|(from, to)| host(&all, &format!("h{to}")).in_group(&format!("g{from}")));
                prop_assert!(inside);
            }
            Err(errors) => prop_assert!(errors.to_string().contains("inside itself"), "{}", errors),
        }
    }
}
