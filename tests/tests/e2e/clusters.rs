//! A thousand targets that print two variants are two groups under folded names.

use serde_json::json;

use crate::harness::{Fleet, Sandbox, Sshd};

#[test]
fn a_thousand_targets_with_two_variants_are_two_groups() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).web(1000).write(&sandbox, "hosts.yaml");
    // What differs from host to host is masked: its name and the number of the process.
    let script = r#"case $AUTOEXEC_TARGET_NAME in web0*) v=1 ;; *) v=2 ;; esac; echo "$AUTOEXEC_TARGET_NAME pid $$: version 1.$v""#;
    let ran = sandbox.expect(0, &["run", "-i", &hosts, "-t", "@web", "--format", "json", "--", script]);
    let view = ran.json();
    assert_eq!(view["counts"]["succeeded"], 1000, "{ran}");
    let groups: Vec<_> = view["clusters"]
        .as_array()
        .expect("clusters")
        .iter()
        .map(|one| (one["size"].clone(), one["targets"].clone()))
        .collect();
    let expected = [(json!(999), json!("web[0001-0999]")), (json!(1), json!("web1000"))];
    assert_eq!(groups, expected, "{ran}");
    println!("1,000 targets over SSH: {:?}", ran.took);

    let human = sandbox.expect(0, &["watch", "last"]).out();
    assert!(human.contains("web[0001-0999]") && human.contains("999 targets"), "{human}");
    assert!(human.len() < 5_000, "the answer grows with the variants, not with the targets: {human}");
}

#[test]
fn two_halves_are_folded_too() {
    let sandbox = Sandbox::new();
    let hosts = Fleet::sim("{ latency: 1ms, output: \"{{ 'new' if target.labels.v == '1' else 'old' }}\" }")
        .host("web[001-040]", "labels: { v: \"0\" }")
        .host("web[011-020,040]", "labels: { v: \"1\" }")
        .write(&sandbox, "hosts.yaml");
    let view = sandbox.json(&["run", "-i", &hosts, "-t", "@web", "--", "true"]);
    let groups: Vec<_> = view["clusters"]
        .as_array()
        .expect("clusters")
        .iter()
        .map(|one| (one["size"].clone(), one["targets"].clone()))
        .collect();
    assert_eq!(
        groups,
        [(json!(29), json!("web[001-010,021-039]")), (json!(11), json!("web[011-020,040]"))],
        "{view:#}"
    );
}
