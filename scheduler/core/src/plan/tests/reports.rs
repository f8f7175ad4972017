//! Golden plans: what an engineer reads before anything happens.

use expect_test::{Expect, expect};

use super::{HOSTS, ask, request, shown};

fn check(job: &str, expected: Expect) {
    let planned = ask(&request(job, HOSTS)).unwrap_or_else(|errors| panic!("{errors}"));
    expected.assert_eq(&shown(&planned));
}

#[test]
fn the_job_of_the_design() {
    let job = r#"
name: roll-nginx
description: Upgrade nginx, canary first.
params:
  version: { type: string, default: "1.24", pattern: '^\d+\.\d+$', help: Version to install. }
  drain: { type: bool, default: true }
targets: "@web"
defaults: { timeout: 5m, become: root }
groups:
  - name: rollout
    strategy: rolling
    batches: "1 5% 25% *2"
    order: { by: random, seed: 7 }
    parallel: 50
    between: { mode: pause-on-failure, soak: 30s }
    budget: { failed: 12%, unreachable: 3, timed_out: 0, scope: group }
    phases:
      - name: drain
        on: runner
        batch: first
        when: params.drain
        steps:
          - id: lb
            tool: http
            with: { method: POST, url: "https://lb/api/drain", body: "{{ params | tojson }}" }
      - name: upgrade
        on: target
        steps:
          - id: before
            run: nginx -v 2>&1
          - id: install
            run: |
              set -eu
              install-nginx "$version"
              printf '{"old": "%s"}' "$OLD" > "$AUTOEXEC_OUTPUT"
            env: { version: "{{ params.version }}", OLD: "{{ steps.before.stdout }}" }
            timeout: 2m
            retries: { max: 3, delay: 2s, backoff: 2, max_delay: 30s }
            on_failure: stop
            idempotent: true
          - tool: service
            with: { name: nginx, action: restart }
    health:
      - tool: http
        on: runner-target
        with: { url: "http://{{ target.address }}/health", timeout: 20s }
"#;
    check(
        job,
        expect![[r#"
        Plan c9d51c862f3d of job `roll-nginx`
          Upgrade nginx, canary first.
          40 targets: web[01-40]
          parameters: version = "1.24", drain = true
        Group `rollout`: 40 targets in 5 batches (1 5% 25% *2), order random, seed 7
          batch 1: 1 target: web23
          batch 2: 2 targets: web[18,37]
          batch 3: 10 targets: web[05,10,13,16,19-20,27,29,34,36]
          batch 4: 20 targets: web[02-03,06-07,09,11-12,14-15,17,21-22,24,26,28,31-33,35,39]
          batch 5: 7 targets: web[01,04,08,25,30,38,40]
          between batches: wait 30s, then wait for a person when a target of the batch failed
          at most 50 tasks at once
          budget, in the whole group:
            failed: 12% of 40 targets = 4; stops at 5
            unreachable: 3; stops at 4
            timed out: 0; stops at 1
          phase `drain`: on a runner, once, in batch 1; when params.drain
            lb: tool http (109cfe3bc6ea); timeout 5m; may be repeated
          phase `upgrade`: on the targets
            before: sh: nginx -v 2>&1; timeout 5m; as root
            install: sh: script of 3 lines; timeout 2m; as root; 3 retries after 2s, times 2, at most 30s; may be repeated
            service: tool service (fc5f1d8f26b0); timeout 5m; as root
          health check `rollout-health`: on a runner, for each target
            http: tool http (109cfe3bc6ea); timeout 5m; may be repeated
        digest c9d51c862f3db4c03c92030e9f1ca375d3074e9d969cf17c01de009a5a48cfc4
    "#]],
    );
}

#[test]
fn steps_at_the_top_are_one_phase_on_the_targets() {
    check(
        "name: hello\ntargets: web[01-03]\nsteps:\n  - run: echo hello\n",
        expect![[r#"
        Plan 49c73c6379c6 of job `hello`
          3 targets: web[01-03]
        Group `main`: 3 targets in one go, order inventory
          at most 100 tasks at once
          no budget: failures do not stop the group
          phase `main`: on the targets
            step-1: sh: echo hello; timeout 1h
        digest 49c73c6379c61c5e3b7de738142550520a90e5a429d1c56edfd524838c93192c
    "#]],
    );
}

#[test]
fn a_command_line_is_the_same_job_without_a_file() {
    let mut ask_for = request("", HOSTS);
    ask_for.job = autoexec_model::api::JobSource::Command { words: vec!["uptime".to_owned()] };
    ask_for.targets = Some("@web & zone=b*".to_owned());
    ask_for.exclude = Some("web40".to_owned());
    ask_for.overrides.batches = Some("1 10%".to_owned());
    let planned = ask(&ask_for).unwrap_or_else(|errors| panic!("{errors}"));
    expect![[r#"
        Plan 17be2ee18cc2 of job `command`
          uptime
          19 targets: web[21-39]
          left out: 1 excluded by --exclude web40: web40
        Group `main`: 19 targets in 10 batches (1 10%), order inventory
          batch 1: 1 target: web21
          batch 2: 2 targets: web[22-23]
          batch 3: 2 targets: web[24-25]
          batch 4: 2 targets: web[26-27]
          batch 5: 2 targets: web[28-29]
          batch 6: 2 targets: web[30-31]
          batch 7: 2 targets: web[32-33]
          batch 8: 2 targets: web[34-35]
          batch 9: 2 targets: web[36-37]
          batch 10: 2 targets: web[38-39]
          between batches: go on by itself
          at most 100 tasks at once
          budget: by default the first target that goes wrong stops the group
          phase `main`: on the targets
            command: sh: uptime; timeout 1h
        digest 17be2ee18cc2976e38c2bc6e601a224938ff545068f921b937bb1c8029d42866
    "#]]
    .assert_eq(&shown(&planned));
}

#[test]
fn phases_at_the_top_are_groups_of_their_own() {
    let job = r#"
name: two
targets: "@db"
phases:
  - name: look
    on: runner
    steps: [{ tool: http, with: { url: "https://x/" } }]
  - name: work
    targets: db1
    parallel: 3
    steps:
      - { run: "true", on_failure: ignore, when: "phases.look.steps.http.status == 200", success_codes: [0, 2] }
      - { run: "python code", interpreter: [python3, -u], no_log: true, on_failure: continue, become: { user: app, method: su } }
"#;
    check(
        job,
        expect![[r#"
        Plan 3b0cc67f2a29 of job `two`
          1 target: db1
          left out: 1 not among the targets of any group: db2
        Group `look`: once
          phase `look`: on a runner, once
            http: tool http (109cfe3bc6ea); timeout 1h; may be repeated
        Group `work`: 1 target in one go, order inventory
          at most 100 tasks at once
          no budget: failures do not stop the group
          phase `work`: on the targets; at most 3 at once
            step-1: sh: true; timeout 1h; a failure is ignored; exit 0, 2 is success; when phases.look.steps.http.status == 200
            step-2: python3 -u: python code; timeout 1h; as app; goes on after a failure; output is not kept
        digest 3b0cc67f2a29e0871c855c38fb30fdc649ddb1b4783ca2ae79595ad5b4f7cd99
    "#]],
    );
}

#[test]
fn budgets_say_their_arithmetic() {
    let job = r#"
name: budgets
targets: "*"
groups:
  - name: per-batch
    batches: "2 50%"
    between: { mode: confirm }
    budget: { failed: 20%, timed_out: 1, scope: batch }
    phases: [{ name: a, steps: [{ run: "true" }] }]
  - name: per-job
    strategy: oneshot
    targets: "@db"
    budget: { failed: 10%, scope: job }
    phases: [{ name: b, steps: [{ run: "true" }] }]
  - name: by-default
    strategy: rolling
    batches: { count: 3 }
    order: { by: name, spread: zone }
    phases: [{ name: c, steps: [{ run: "true" }] }]
  - name: partly
    batches: "10"
    budget: { unreachable: 5% }
    phases: [{ name: d, steps: [{ run: "true" }] }]
"#;
    check(
        job,
        expect![[r#"
        Plan a7f39b1d4b13 of job `budgets`
          42 targets: db[1-2],web[01-40]
        Group `per-batch`: 42 targets in 3 batches (2 50%), order inventory
          batch 1: 2 targets: web[01-02]
          batch 2: 21 targets: web[03-23]
          batch 3: 19 targets: db[1-2],web[24-40]
          between batches: wait for a person
          at most 100 tasks at once
          budget, in each batch:
            failed: 20% of each batch = 0 4 3; stops at one more
            timed out: 1; stops at 2
          phase `a`: on the targets
            step-1: sh: true; timeout 1h
        Group `per-job`: 2 targets in one go, order inventory
          at most 100 tasks at once
          budget, in the whole job:
            failed: 10% of 42 targets = 4; stops at 5
          phase `b`: on the targets
            step-1: sh: true; timeout 1h
        Group `by-default`: 42 targets in 3 batches (count: 3), order name, spread by `zone`
          batch 1: 14 targets: db1,web[01-07,21-26]
          batch 2: 14 targets: web[08-14,27-33]
          batch 3: 14 targets: db2,web[15-20,34-40]
          between batches: go on by itself
          at most 100 tasks at once
          budget: by default the first target that goes wrong stops the group
          phase `c`: on the targets
            step-1: sh: true; timeout 1h
        Group `partly`: 42 targets in 5 batches (10), order inventory
          batch 1: 10 targets: web[01-10]
          batch 2: 10 targets: web[11-20]
          batch 3: 10 targets: web[21-30]
          batch 4: 10 targets: web[31-40]
          batch 5: 2 targets: db[1-2]
          between batches: go on by itself
          at most 100 tasks at once
          budget, in the whole group:
            failed: 0; stops at 1
            unreachable: 5% of 42 targets = 2; stops at 3
            timed out: 0; stops at 1
            interrupted: 0; stops at 1
          phase `d`: on the targets
            step-1: sh: true; timeout 1h
        digest a7f39b1d4b13f5456e96b79ae10a583048290c19496106a3280e0962a3889bf1
    "#]],
    );
}

#[test]
fn warnings_are_said() {
    let job = r#"
name: careful
targets: "@db | zone=q | web01"
defaults: { host_key: "no" }
steps: [{ run: "true" }]
"#;
    check(
        job,
        expect![[r#"
        Plan 6bbf0774ee06 of job `careful`
          3 targets: db[1-2],web01
          ! warning: `zone=q` matches no host, in `@db | zone=q | web01`
          ! warning: host keys are not checked on 3 targets: db[1-2],web01
        Group `main`: 3 targets in one go, order inventory
          at most 100 tasks at once
          no budget: failures do not stop the group
          phase `main`: on the targets
            step-1: sh: true; timeout 1h
        digest 6bbf0774ee0642692660ff232cc4e1a977bffd19329d40948c40be8f541f85de
    "#]],
    );
}

#[test]
fn many_batches_are_shortened() {
    let job = "name: many\ntargets: \"@web\"\ngroups:\n  - name: one\n    batches: 1\n    phases: [{ name: a, steps: [{ run: 'true' }] }]\n";
    let planned = ask(&request(job, HOSTS)).unwrap_or_else(|errors| panic!("{errors}"));
    let text = shown(&planned);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.contains("batch")).skip(20).collect();
    expect![[r#"
          batch 20: 1 target: web20
          … 19 more batches
          batch 40: 1 target: web40
          between batches: go on by itself"#]]
    .assert_eq(&lines.join("\n"));
}
