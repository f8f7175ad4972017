//! A plan is the same everywhere, is run as it was shown, and never means more than what was selected.

use crate::harness::{Fleet, Sandbox, word};

const JOB: &str = r#"
name: same
description: The same on every machine.
params: { version: { type: string, required: true } }
targets: "@web"
groups:
  - name: rollout
    batches: "1 25% *2"
    order: { by: random, seed: 7 }
    budget: { failed: 10% }
    phases:
      - name: work
        steps:
          - run: echo "$VERSION"
            env: { VERSION: "{{ params.version }}" }
          - tool: sleep
            with: { duration: 1ms }
"#;

fn sandbox_with_job() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.write("job.yaml", JOB);
    let hosts = Fleet::local().web(20).write(&sandbox, "hosts.yaml");
    (sandbox, hosts)
}

#[test]
fn the_same_input_gives_the_same_digest_in_another_place() {
    let digest = |version: &str| {
        let (sandbox, hosts) = sandbox_with_job();
        let plan = sandbox.json(&["plan", "job.yaml", "-i", &hosts, "-p", &format!("version={version}")]);
        word(&plan, "digest").to_owned()
    };
    let first = digest("1.0");
    assert_eq!(first, digest("1.0"));
    assert_ne!(first, digest("1.1"));
}

#[test]
fn a_digest_runs_that_plan_and_nothing_else() {
    let (sandbox, hosts) = sandbox_with_job();
    let plan = sandbox.json(&["plan", "job.yaml", "-i", &hosts, "-p", "version=1.0"]);
    let digest = word(&plan, "digest");
    // What happens to the files afterwards does not matter.
    sandbox.write("job.yaml", "name: other\ntargets: '*'\nsteps: [{ run: 'exit 1' }]\n");
    sandbox.write("hosts.yaml", "hosts: {}\n");
    let view = sandbox.json(&["run", "--plan", digest]);
    assert_eq!((word(&view, "plan_digest"), word(&view, "state"), word(&view, "name")), (digest, "succeeded", "same"));
    assert_eq!(sandbox.output("last", "web001"), b"1.0\n");
    let again = sandbox.json(&["run", "--plan", &digest[..12]]);
    assert_eq!((word(&again, "plan_digest"), again["id"].as_u64()), (digest, Some(2)));
    let unknown = sandbox.expect(2, &["run", "--plan", "0123456789ab"]);
    assert!(unknown.err().contains("0123456789ab"), "{unknown}");
    // The plan is known after a crash too.
    sandbox.kill_daemon();
    assert_eq!(sandbox.json(&["run", "--plan", digest])["id"], 3);
}

#[test]
fn a_selector_that_matches_nothing_is_refused() {
    let (sandbox, hosts) = sandbox_with_job();
    for selector in ["web999", "@web & zone=x", "!*"] {
        for verb in ["plan", "run"] {
            let ran = sandbox.expect(2, &[verb, "-i", &hosts, "-t", selector, "--", "true"]);
            assert!(ran.err().contains("error: -t"), "{ran}");
        }
    }
    let narrowed =
        sandbox.expect(2, &["run", "job.yaml", "-i", &hosts, "-p", "version=1", "-t", "web001", "--exclude", "web00*"]);
    assert!(!narrowed.err().is_empty(), "{narrowed}");
    assert_eq!(sandbox.json(&["jobs"])["jobs"].as_array().map(Vec::len), Some(0), "nothing was run");
}

#[test]
fn the_plan_for_people_says_what_its_json_says() {
    let (sandbox, hosts) = sandbox_with_job();
    let report =
        sandbox.expect(0, &["plan", "job.yaml", "-i", &hosts, "-p", "version=1.0", "--exclude", "web020"]).out();
    for part in
        ["19 targets", "web020", "in 4 batches", "seed 7", "10% of 19 targets = 1; stops at 2", "timeout 1h", "work"]
    {
        assert!(report.contains(part), "no `{part}` in:\n{report}");
    }
}

#[test]
fn errors_point_at_the_place() {
    let (sandbox, hosts) = sandbox_with_job();
    sandbox.write("bad.yaml", JOB.replace("batches:", "batchs:"));
    let ran = sandbox.expect(2, &["plan", "bad.yaml", "-i", &hosts, "-p", "version=1.0"]);
    for part in ["bad.yaml:8:", "batchs", "batches"] {
        assert!(ran.err().contains(part), "no `{part}` in {ran}");
    }
}
