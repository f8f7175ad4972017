//! Requests as clients send them: flags, plain host names, files and secrets.

use std::collections::BTreeMap;

use autoexec_model::api::{JobSource, ParamFile};
use autoexec_model::plan::{Action, BetweenMode, HostKeyCheck, PlanFile, Strategy, Transport};
use expect_test::expect;
use serde_json::json;

use super::{HOSTS, ask, plan_of, request, tools};
use crate::plan::plan_request;

#[test]
fn plain_host_names_need_no_inventory() {
    let mut ask_for = request("", "");
    ask_for.job = JobSource::Command { words: vec!["uptime".to_owned()] };
    ask_for.targets = Some("127.0.1.1,deploy@web2:2222,[::1]:22".to_owned());
    let plan = ask(&ask_for).expect("a plan").plan;
    let shown: Vec<_> =
        plan.targets.iter().map(|t| format!("{} {} {:?} {:?}", t.name, t.address, t.port, t.user)).collect();
    expect![[r#"
        127.0.1.1 127.0.1.1 None None
        web2:2222 web2 Some(2222) Some("deploy")
        [::1]:22 ::1 Some(22) None"#]]
    .assert_eq(&shown.join("\n"));
    ask_for.targets = Some("@web".to_owned());
    expect![[r#"
        -t: `@web` is no list of host names, and there is no inventory to look it up in
          hint: give one with `-i hosts.yaml`, or write `inventory: hosts.yaml` in the job"#]]
    .assert_eq(&ask(&ask_for).expect_err("no inventory"));
    ask_for.targets = None;
    expect![[r#"
        the job does not say on which targets it runs
          hint: write `targets: "@web"` in the job, or give `-t`"#]]
    .assert_eq(&ask(&ask_for).expect_err("no targets"));
    ask_for.job = JobSource::Command { words: vec![] };
    expect![[r#"
        there is no command to run
          hint: write it behind `--`: autoexec run -t web1 -- uptime"#]]
    .assert_eq(&ask(&ask_for).expect_err("no command"));
}

#[test]
fn flags_stand_over_the_job() {
    let job = "name: x\ntargets: '@db'\nsteps: [{ run: 'true', timeout: 9m, become: app }]\n";
    let mut ask_for = request(job, HOSTS);
    let flags = &mut ask_for.overrides;
    flags.batches = Some("1".to_owned());
    flags.parallel = Some(7);
    flags.timeout = Some("30s".to_owned());
    flags.become_user = Some("root".to_owned());
    flags.host_key = Some("accept-new".to_owned());
    flags.user = Some("ops".to_owned());
    flags.key = Some("~/.ssh/ops".to_owned());
    flags.transport = Some("local".to_owned());
    flags.between = Some("confirm".to_owned());
    flags.budget = Some("failed=50%, unreachable=1,scope=job".to_owned());
    flags.name = Some("other".to_owned());
    let plan = ask(&ask_for).expect("a plan").plan;
    let group = &plan.groups[0];
    assert_eq!(plan.name, "other");
    assert_eq!((group.strategy, group.batches.as_slice(), group.parallel), (Strategy::Rolling, &[1, 1][..], 7));
    assert_eq!(group.between.mode, BetweenMode::Confirm);
    let limits: Vec<_> = group.budget.limits.iter().map(|l| (l.allowance.as_str(), l.limit.clone())).collect();
    assert_eq!(limits, [("50%", vec![1]), ("1", vec![1])]);
    let step = &group.phases[0].steps[0];
    assert_eq!((step.timeout.as_millis(), step.become_user.as_ref().map(|b| b.user.as_str())), (30_000, Some("root")));
    let target = &plan.targets[0];
    assert_eq!((target.user.as_deref(), target.transport), (Some("ops"), Transport::Local));
    assert_eq!(
        (target.connection.key.as_deref(), &target.connection.host_key),
        (Some("~/.ssh/ops"), &HostKeyCheck::AcceptNew)
    );
}

#[test]
fn flags_that_cannot_be_read_say_where() {
    let mut ask_for = request("name: x\ntargets: '@db'\nsteps: [{ run: 'true' }]\n", HOSTS);
    let flags = &mut ask_for.overrides;
    flags.batches = Some("1 x".to_owned());
    flags.parallel = Some(0);
    flags.timeout = Some("30".to_owned());
    flags.host_key = Some("nope".to_owned());
    flags.transport = Some("telnet".to_owned());
    flags.between = Some("pause".to_owned());
    flags.budget = Some("failed=2%,faild=1,timed_out=x,scope=all,x".to_owned());
    flags.name = Some("a b".to_owned());
    flags.user = Some(" ".to_owned());
    ask_for.targets = Some("web1 web2".to_owned());
    ask_for.exclude = Some("(".to_owned());
    expect![[r#"
        -t:1:6: two terms with nothing between them
          1 | web1 web2
            |      ^
          hint: put `,` for either or `&` for both between them
        --exclude:1:2: the selector ends where a term is expected
          1 | (
            |  ^
          hint: write a name, `@group`, `label=value` or `*`
        --batches:1:3: `x` is not a part of a batch expression
          1 | 1 x
            |   ^
          hint: write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch
        --timeout:1:3: `30` has no unit
          1 | 30
            |   ^
          hint: write `30s` for seconds, or ms, m, h, d
        --parallel:1:1: must be from 1 to 10000
          1 | 0
            | ^
        --name:1:1: cannot be the name of a job
          1 | a b
            | ^
          hint: use letters, digits, `_` and `-`, at most 64 of them; not `last` and not a number
        --host-key:1:1: `nope` is not known
          1 | nope
            | ^
          hint: allowed: verify, accept-new, no
        --user:1:1: a value is missing
        --transport:1:1: `telnet` is not known
          1 | telnet
            | ^
          hint: allowed: ssh, agent, local, sim
        --between:1:1: `pause` is not known
          1 | pause
            | ^
          hint: did you mean `pause-on-failure`?
        --budget:1:11: `faild` is no kind of failure
          1 | failed=2%,faild=1,timed_out=x,scope=all,x
            |           ^
          hint: did you mean `failed`?
        --budget:1:19: `x` is not an allowance; write a number such as `3` or a share such as `2%`
          1 | failed=2%,faild=1,timed_out=x,scope=all,x
            |                   ^
        --budget:1:31: `all` is no scope
          1 | failed=2%,faild=1,timed_out=x,scope=all,x
            |                               ^
          hint: allowed: batch, phase, group, job
        --budget:1:41: `x` has no value
          1 | failed=2%,faild=1,timed_out=x,scope=all,x
            |                                         ^
          hint: write `failed=2%,unreachable=3`"#]].assert_eq(&ask(&ask_for).expect_err("flags"));
}

#[test]
fn files_that_are_no_text_are_refused_with_their_name() {
    let mut ask_for = request("", HOSTS);
    if let JobSource::File(file) = &mut ask_for.job {
        file.bytes = b"name: \xff".to_vec();
    }
    assert_eq!(ask(&ask_for).expect_err("no text"), "job.yaml: the file is not UTF-8 text: byte 6 cannot be read");
}

#[test]
fn secrets_stay_out_of_the_plan() {
    let job = r#"
name: x
params: { token: { type: secret, required: true }, other: { type: secret }, hidden: { type: int, secret: true } }
targets: db1
phases: [{ name: a, on: runner, steps: [{ tool: http, with: { url: "https://x/", token: "{{ params.token }}" } }] }, { name: b, steps: [{ run: "true" }] }]
"#;
    let mut ask_for = request(job, HOSTS);
    ask_for.secrets = vec![("token".to_owned(), "hunter2".to_owned()), ("hidden".to_owned(), "98765".to_owned())];
    let planned = ask(&ask_for).expect("a plan");
    let json = serde_json::to_string(&planned.plan).expect("json");
    assert!(!json.contains("hunter2") && !json.contains("98765"), "{json}");
    assert!(!format!("{planned:?}").contains("hunter2"));
    assert_eq!(planned.plan.secrets, ["hidden", "token"]);
    assert_eq!(planned.plan.params, *json!({ "other": null }).as_object().expect("a map"));
    assert_eq!(planned.secrets.get("token"), Some(&json!("hunter2")));
    ask_for.secrets[0].1 = "other".to_owned();
    assert_eq!(ask(&ask_for).expect("a plan").digest, planned.digest, "the digest does not depend on a secret's value");
    ask_for.params = std::mem::take(&mut ask_for.secrets);
    let refused = ask(&ask_for).map(|_| ()).expect_err("a command line is no place for a secret");
    let refused = format!("refused: {refused}");
    assert!(refused.contains("everyone on this machine can read a command line"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn files_travel_by_digest() {
    let job = "name: x\nparams: { conf: { type: file, required: true } }\ntargets: db1\nsteps: [{ tool: copy, with: { dest: /x, src: '{{ params.conf }}' } }]\n";
    let mut ask_for = request(job, HOSTS);
    ask_for.files = vec![ParamFile { param: "conf".to_owned(), name: "app.conf".to_owned(), bytes: b"x=1\n".to_vec() }];
    ask_for.params = vec![("conf".to_owned(), "x=1\n".to_owned())];
    let file = PlanFile { name: "app.conf".to_owned(), sha256: "ab".repeat(32), size: 4 };
    let files = BTreeMap::from([("conf".to_owned(), file.clone())]);
    let plan = plan_request(&ask_for, &files, &tools()).unwrap_or_else(|e| panic!("{e}")).plan;
    assert_eq!(plan.files, files);
    assert_eq!(plan.params.get("conf").and_then(|v| v.get("size")), Some(&json!(4)));

    let job = "name: x\nparams: { note: { type: string } }\ntargets: db1\nsteps: [{ run: 'true' }]\n";
    let mut ask_for = request(job, HOSTS);
    ask_for.files = vec![ParamFile { param: "note".to_owned(), name: "note".to_owned(), bytes: vec![0xff] }];
    let errors = plan_request(&ask_for, &BTreeMap::from([("note".to_owned(), file)]), &tools())
        .expect_err("no text")
        .to_string();
    assert!(errors.contains("note is not UTF-8 text, and the parameter is of type string"), "{errors}");
}

#[test]
fn every_default_stands_in_the_plan() {
    let plan = plan_of(
        "name: x\ntargets: '@db'\nsteps: [{ run: 'true' }, { tool: service, with: { name: a, action: stop } }]\n",
    );
    let group = &plan.groups[0];
    assert_eq!((group.name.as_str(), group.parallel, group.batches.as_slice()), ("main", 100, &[2][..]));
    let [script, tool] = group.phases[0].steps.as_slice() else { panic!("two steps") };
    assert_eq!((script.id.as_str(), script.timeout.as_millis()), ("step-1", 3_600_000));
    assert_eq!((tool.id.as_str(), tool.timeout.as_millis()), ("service", 120_000), "the tool's own");
    assert!(matches!(&script.action, Action::Run { interpreter, .. } if *interpreter == ["sh"]));
    assert_eq!(script.success_codes, [0]);
    assert_eq!(plan.tools.get("service"), tools().get("service").map(|t| t.digest.clone()).as_ref());
    assert_eq!(
        plan.digest().ok(),
        ask(&request(
            "name: x\ntargets: '@db'\nsteps: [{ run: 'true' }, { tool: service, with: { name: a, action: stop } }]\n",
            HOSTS
        ))
        .ok()
        .map(|p| p.digest)
    );
}

#[test]
fn what_a_later_phase_reads_is_kept() {
    let job = r#"
name: x
targets: "@db"
groups:
  - name: g
    strategy: rolling
    phases:
      - { name: a, steps: [{ id: one, run: "true" }, { id: two, run: "true" }, { id: three, run: "true" }] }
      - { name: b, steps: [{ id: x, run: "true", env: { A: "{{ phases.a.steps.two.stdout }}", B: "{{ phases.a.steps.three.key }}" } }] }
      - { name: c, on: runner, steps: [{ id: y, tool: assert, with: { that: "all('phases.b.steps.x.stdout') | length > 0" } }] }
"#;
    let plan = plan_of(job);
    let kept: Vec<_> =
        plan.groups[0].phases.iter().flat_map(|p| &p.steps).filter(|s| s.keep_stdout).map(|s| s.id.as_str()).collect();
    assert_eq!(kept, ["two", "x"]);
    assert_eq!(plan.groups[0].phases[2].once_in, Some(0));
}

#[test]
fn ten_thousand_targets_are_planned() {
    let hosts = "hosts: { 'n[00001-10000]': { transport: sim, labels: { zone: z } } }\n";
    let job = "name: x\ntargets: '*'\ngroups: [{ name: g, batches: 1 5% *2, order: { by: random, spread: zone }, phases: [{ name: a, steps: [{ run: 'true', env: { Z: '{{ target.labels.zone }}' } }] }] }]\n";
    let plan = ask(&request(job, hosts)).expect("a plan").plan;
    assert_eq!(
        (plan.targets.len(), plan.groups[0].batches.as_slice()),
        (10_000, &[1, 500, 1000, 2000, 4000, 2499][..])
    );
}

#[test]
fn agents_are_left_out_and_said() {
    let hosts = "hosts: { a1: { transport: agent }, s1: {} }\n";
    let planned = ask(&request("name: x\ntargets: '*'\nsteps: [{ run: 'true' }]\n", hosts)).expect("a plan");
    assert_eq!(planned.plan.excluded.len(), 1);
    assert_eq!(planned.plan.warnings, ["left out, because the transport `agent` cannot be used yet: a1"]);
    let error = ask(&request("name: x\ntargets: 'a1'\nsteps: [{ run: 'true' }]\n", hosts)).expect_err("none left");
    assert_eq!(error, "no target is left of 1: 1 the transport `agent` cannot be used yet");
}
