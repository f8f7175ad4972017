//! What selectors match, and what their errors say.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

struct Host {
    name: &'static str,
    address: &'static str,
    labels: BTreeMap<&'static str, &'static str>,
    groups: &'static [&'static str],
}

impl Selectable for Host {
    fn name(&self) -> &str {
        self.name
    }
    fn address(&self) -> &str {
        self.address
    }
    fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).copied()
    }
    fn in_group(&self, group: &str) -> bool {
        self.groups.contains(&group)
    }
}

fn host(
    name: &'static str,
    address: &'static str,
    zone: Option<&'static str>,
    groups: &'static [&'static str],
) -> Host {
    Host { name, address, labels: zone.map(|z| ("zone", z)).into_iter().collect(), groups }
}

fn fleet() -> Vec<Host> {
    vec![
        host("web1", "10.0.1.1", Some("a1"), &["web", "eu"]),
        host("web2", "10.0.1.2", Some("a2"), &["web", "eu"]),
        host("web10", "10.0.1.10", Some("b1"), &["web", "us"]),
        host("db1", "10.0.2.1", None, &["db", "eu"]),
        host("all", "10.0.3.1", Some("a 1"), &[]),
    ]
}

fn select(text: &str) -> String {
    let selector: Selector = text.parse().expect(text);
    let names: Vec<_> = fleet().iter().filter(|h| selector.matches(*h)).map(|h| h.name).collect();
    names.join(" ")
}

#[test]
fn every_form_matches_what_the_table_says() {
    for (text, names) in [
        ("*", "web1 web2 web10 db1 all"),
        ("all", "web1 web2 web10 db1 all"),
        ("\"all\"", "all"),
        ("@web", "web1 web2 web10"),
        ("web1", "web1"),
        ("web[1-10]", "web1 web2 web10"),
        ("web?", "web1 web2"),
        ("w*", "web1 web2 web10"),
        ("10.0.1.[1-2]", "web1 web2"),
        ("10.0.1.*", "web1 web2 web10"),
        ("root@web1:22,[::1]", "web1"),
        ("zone=a*", "web1 web2 all"),
        ("zone = a[1-2]", "web1 web2"),
        ("zone!=a*", "web10 db1"),
        ("zone=\"a 1\"", "all"),
        ("zone='a*'", ""),
        ("@web & zone=a*", "web1 web2"),
        ("@web&!web2", "web1 web10"),
        ("!@web", "db1 all"),
        ("!!@db", "db1"),
        ("web1,db1", "web1 db1"),
        ("web1 | db1 & @eu", "web1 db1"),
        ("(web1 | db1) & @eu & !db*", "web1"),
        ("@web && @us || db1", "web10 db1"),
        ("@nobody", ""),
    ] {
        assert_eq!(select(text), names, "{text}");
    }
}

#[test]
fn errors_point_and_help() {
    let all = [
        "",
        "  ",
        "web1 web2",
        "@",
        "@web[1-2]",
        "@web*",
        "(web1",
        "web1)",
        "web1,",
        "& web1",
        "@web,!web3",
        "zone=",
        "=a",
        "zone=&",
        "web[1-",
        "web[x]",
        "\"web",
        "web]",
        "n[1-999999]",
    ]
    .map(|text| format!("{text:?}: {}", text.parse::<Selector>().expect_err(text)))
    .join("\n");
    expect_test::expect![[r#"
        "": the selector is empty (at character 1 of the selector); write a name, `@group` or `label=value`; `*` means every target
        "  ": the selector is empty (at character 1 of the selector); write a name, `@group` or `label=value`; `*` means every target
        "web1 web2": two terms with nothing between them (at character 6 of the selector); put `,` for either or `&` for both between them
        "@": `@` without a group (at character 1 of the selector); write `@web`
        "@web[1-2]": ranges and wildcards do not work for groups (at character 1 of the selector); write `@web1,@web2`
        "@web*": ranges and wildcards do not work for groups (at character 1 of the selector); write `@web1,@web2`
        "(web1": `(` without `)` (at character 1 of the selector); close the parenthesis
        "web1)": `)` without `(` (at character 5 of the selector); remove it, or open the parenthesis
        "web1,": the selector ends where a term is expected (at character 6 of the selector); write a name, `@group`, `label=value` or `*`
        "& web1": an operator where a term is expected (at character 1 of the selector); write a name, `@group`, `label=value` or `*`
        "@web,!web3": `!` after a comma, which means or (at character 6 of the selector); to leave targets out write `@web & !web3`
        "zone=": a label without a value (at character 6 of the selector); write `label=value`, or `label=""`
        "=a": a label without a name (at character 1 of the selector); write `label=value`
        "zone=&": a label without a value (at character 6 of the selector); write `label=value`, or `label=""`
        "web[1-": `[` without `]` (at character 4 of the selector); write ranges as `[01-40]`
        "web[x]": `x` is not a range of numbers (at character 5 of the selector); write numbers and ranges between commas, such as `[01-40,52]`
        "\"web": the quote does not end (at character 1 of the selector); close it with the same quote
        "web]": `]` without `[` (at character 4 of the selector); write ranges as `[01-40]`
        "n[1-999999]": more than 100000 names (at character 1 of the selector); narrow the range"#]].assert_eq(&all);
    let deep = "!".repeat(100_000) + "a";
    let error = deep.parse::<Selector>().expect_err("too deep");
    assert_eq!(error.what, "nested more than 64 deep");
    let nested = "(".repeat(100_000);
    nested.parse::<Selector>().expect_err("too deep");
    "[1-60000],a[1-60000]".parse::<Selector>().expect_err("too many names in all");
}

#[test]
fn plain_lists_work_without_an_inventory() {
    let hosts = |text: &str| text.parse::<Selector>().expect(text).literal_hosts();
    let list = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    assert_eq!(hosts("127.0.1.1,127.0.1.2"), list(&["127.0.1.1", "127.0.1.2"]));
    assert_eq!(hosts("10.0.0.[1-3]"), list(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]));
    assert_eq!(hosts("web1,deploy@web2:2222"), list(&["web1", "deploy@web2:2222"]));
    assert_eq!(hosts("[::1]:22"), list(&["[::1]:22"]));
    for text in ["*", "@web", "web*", "zone=a", "web1 & web2", "!web1", "web1,@web"] {
        assert_eq!(hosts(text), None, "{text}");
    }
}

#[test]
fn a_planner_can_say_what_matched_nothing() {
    let selector: Selector = "@web & zone=q*, web[1-3], \"db9\" & !@gone".parse().expect("a selector");
    let mentioned = selector.names();
    assert_eq!(mentioned.groups, ["web", "gone"]);
    assert_eq!(mentioned.hosts, ["web1", "web2", "web3", "db9"]);
    let fleet = fleet();
    let hosts: Vec<&dyn Selectable> = fleet.iter().map(|h| h as &dyn Selectable).collect();
    let nothing: Vec<_> = selector
        .leaves()
        .into_iter()
        .filter(|leaf| !hosts.iter().any(|h| leaf.matches(*h)))
        .map(|leaf| (leaf.text.as_str(), leaf.at, leaf.negated))
        .collect();
    assert_eq!(nothing, [("zone=q*", 7, false), ("\"db9\"", 26, false), ("@gone", 35, true)]);
    let spelled: Vec<_> = selector.leaves().iter().flat_map(|leaf| leaf.spelled()).collect();
    assert_eq!(spelled, ["web1", "web2", "web3", "db9"]);
}

#[test]
fn a_long_list_of_hosts_is_one_part() {
    let list: Vec<String> = (0..20_000).map(|n| format!("host{n}.example")).collect();
    let selector: Selector = list.join(",").parse().expect("a selector");
    assert_eq!(selector.leaves().len(), 1);
    assert_eq!(selector.literal_hosts(), Some(list));
    let mixed: Selector = "a,b,c*,d,@e,f & g".parse().expect("a selector");
    let parts: Vec<_> = mixed.leaves().iter().map(|leaf| leaf.text.clone()).collect();
    assert_eq!(parts, ["a,b", "c*", "d", "@e", "f", "g"]);
}

#[test]
fn text_is_kept() {
    let selector: Selector = serde_json::from_str(r#"" @web & zone=a* ""#).expect("a selector");
    assert_eq!(selector.to_string(), "@web & zone=a*");
    assert_eq!(serde_json::to_string(&selector).expect("json"), r#""@web & zone=a*""#);
    assert_eq!(Selector::all(), "*".parse().expect("a selector"));
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("web1"), Just("web*"), Just("@eu"), Just("zone=a*"), Just("zone!=b1"), Just("*")]
        .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} & {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} | {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn laws_of_logic_hold(a in expression(), b in expression()) {
        let selector = |text: String| text.parse::<Selector>().expect("a selector");
        let (both, either) = (selector(format!("({a}) & ({b})")), selector(format!("({a}),({b})")));
        let neither = selector(format!("!({a}) & !({b})"));
        let (a, b) = (selector(a), selector(b));
        for host in &fleet() {
            prop_assert_eq!(both.matches(host), a.matches(host) && b.matches(host));
            prop_assert_eq!(either.matches(host), a.matches(host) || b.matches(host));
            prop_assert_eq!(neither.matches(host), !either.matches(host));
        }
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,24}|[a@*&|!(),=\"\\[\\]0-9: -]{0,24}") {
        if let Ok(selector) = text.parse::<Selector>() {
            let _ = selector.matches(&fleet()[0]);
            let _ = (selector.literal_hosts(), selector.names(), selector.leaves().len());
        } else if let Err(error) = text.parse::<Selector>() {
            prop_assert!(error.at <= text.len());
        }
    }
}
