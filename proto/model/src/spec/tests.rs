//! Job files, right and wrong, and what an engineer sees.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::diagnostic::SourceFile;
use crate::plan::{HostKeyCheck, OnFailure, Place, Strategy as Rollout};

fn parse(text: &str) -> Result<JobSpec, crate::diagnostic::Diagnostics> {
    JobSpec::parse(&SourceFile::new("job.yaml", text))
}

fn good(text: &str) -> JobSpec {
    parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// One thing is wrong, so one error must be shown.
fn bad(text: &str, expected: Expect) {
    let errors = parse(text).expect_err("a broken job");
    assert_eq!(errors.len(), 1, "{errors}");
    expected.assert_eq(&errors.to_string());
}

/// A job around some steps.
fn steps(steps: &str) -> String {
    format!("name: j\ntargets: all\nsteps:\n{steps}")
}

const DESIGN: &str = r#"# roll.yaml
name: roll-nginx
description: Upgrade nginx, canary first.
params:
  version: { type: string, required: true, pattern: '^\d+\.\d+$', help: Version to install. }
  drain:   { type: bool, default: true }
inventory: hosts.yaml              # or -i on the command line, or the scheduler's own
targets: "@web & zone=a*"          # a selector; -t narrows it further
defaults: { timeout: 5m, become: root }
groups:
  - name: rollout
    strategy: rolling              # or oneshot
    batches: "1 5% 25% *2"         # or [1, 5%, 25%], or { count: 3 }
    order: { by: random, seed: 7 } # default: inventory order
    parallel: 50                   # tasks of one batch at once
    between: { mode: pause-on-failure, soak: 30s }
    budget: { failed: 2%, unreachable: 3, timed_out: 0, scope: group }
    phases:
      - name: drain
        on: runner                 # runner | runner-target | target | sql
        batch: first               # runner phases in a rolling group: first | middle | last
        when: params.drain
        steps:
          - id: lb
            tool: http
            with: { method: POST, url: "https://lb/api/drain", body: "{{ params | tojson }}" }
      - name: upgrade
        on: target
        steps:
          - id: before
            run: nginx -v 2>&1     # a script; interpreter: sh by default
          - id: install
            run: |
              set -eu
              install-nginx "$version"
              printf '{"old": "%s"}' "$OLD" > "$AUTOEXEC_OUTPUT"
            env: { version: "{{ params.version }}", OLD: "{{ steps.before.stdout }}" }
            timeout: 2m
            retries: { max: 3, delay: 2s, backoff: 2, max_delay: 30s }
            on_failure: stop       # stop | ignore | continue
            idempotent: true
          - tool: service
            with: { name: nginx, action: restart }
    health:
      - tool: wait-http
        on: runner-target
        with: { url: "http://{{ target.address }}/health", timeout: 20s }
"#;

#[test]
fn the_example_of_the_design_is_read_whole() {
    let job = good(DESIGN);
    assert_eq!(job.name.value, "roll-nginx");
    assert_eq!(job.params.names().collect::<Vec<_>>(), ["version", "drain"]);
    assert_eq!(job.targets.as_ref().map(|targets| targets.to_string()).as_deref(), Some("@web & zone=a*"));
    let group = &job.groups.as_ref().expect("groups")[0].value;
    assert_eq!(group.strategy(), Rollout::Rolling);
    assert_eq!(group.batches.as_ref().map(|batches| batches.cut(100)).expect("batches")[..4], [1, 5, 25, 50]);
    assert_eq!(group.order.as_ref().and_then(|order| order.seed), Some(7));
    let [drain, upgrade] = group.phases.as_slice() else { panic!("two phases") };
    assert_eq!((drain.on.value, upgrade.on.value), (Place::Runner, Place::Target));
    assert_eq!(step_ids(&upgrade.steps), ["before", "install", "service"]);
    let install = &upgrade.steps[1];
    assert_eq!(install.run.as_ref().map(|run| run.lines().count()), Some(3));
    assert_eq!(install.env.names().collect::<Vec<_>>(), ["version", "OLD"]);
    let retries = install.retries.as_ref().expect("retries").to_plan();
    assert_eq!((retries.max, retries.backoff_milli, retries.delay_before(3)), (3, 2000, 4000));
    assert_eq!(install.on_failure, Some(OnFailure::Stop));
    assert_eq!(group.health[0].on.as_ref().map(|on| on.value), Some(Place::RunnerTarget));
}

#[test]
fn places_point_at_what_was_written() {
    let src = SourceFile::new("job.yaml", DESIGN);
    let job = good(DESIGN);
    let at = |place: Option<crate::diagnostic::Place>| {
        let place = place.expect("a place");
        let line: Vec<char> = src.line(place.line).expect("a line").chars().collect();
        let from = place.column as usize - 1;
        line[from..from + place.len as usize].iter().collect::<String>()
    };
    let group = &job.groups.as_ref().expect("groups")[0];
    assert_eq!(at(job.params.place_of("drain")), "drain");
    assert_eq!(at(job.targets.as_ref().and_then(|targets| targets.place)), "\"@web & zone=a*\"");
    assert_eq!(at(group.name.place), "rollout");
    let drain = &group.phases[0];
    assert_eq!(at(drain.when.as_ref().and_then(|when| when.place)), "params.drain");
    assert_eq!(at(drain.steps[0].tool.as_ref().and_then(|tool| tool.place)), "http");
    assert_eq!(at(drain.steps[0].with.place_of("url")), "url");
    assert_eq!(at(drain.steps[0].with.get("url").and_then(|url| url.place)), "\"https://lb/api/drain\"");
}

#[test]
fn what_looks_like_a_number_stays_the_text_that_was_written() {
    let job = good(&steps(
        "  - run: x\n    env: { version: 1.10, on: yes, zero: 007, big: 1e3 }\n    args: [1.10, true, ~x]\n",
    ));
    let step = &job.steps.expect("steps")[0];
    let env: Vec<&str> = step.env.values().map(|value| value.as_str()).collect();
    assert_eq!(env, ["1.10", "yes", "007", "1e3"]);
    assert_eq!(step.args.iter().map(|arg| arg.as_str()).collect::<Vec<_>>(), ["1.10", "true", "~x"]);
}

#[test]
fn short_forms_mean_the_same_as_long_ones() {
    let job = good(&steps(
        "  - { run: a, retries: 2, interpreter: bash -eu, become: root }\n  - { run: a, retries: {max: 2}, interpreter: [bash, -eu], become: {user: root, method: sudo} }\n  - { run: a, become: false }\n",
    ));
    let list = job.steps.expect("steps");
    assert_eq!(list[0], list[1]);
    assert_eq!(list[2].become_user.as_ref().map(|spec| &spec.value), Some(&BecomeSpec::Nobody));
    let job = good("name: j\ndefaults: {host_key: accept-new}\nsteps: [{run: a}]\n");
    assert_eq!(job.defaults.host_key.map(|key| key.value.0), Some(HostKeyCheck::AcceptNew));
    let job = good("name: j\ndefaults: {host_key: no}\nsteps: [{run: a}]\n");
    assert_eq!(job.defaults.host_key.map(|key| key.value.0), Some(HostKeyCheck::No));
}

#[test]
fn ids_are_derived_and_never_collide() {
    let job = good(&steps("  - run: a\n  - tool: ping\n  - tool: ping\n  - {id: ping-2, run: b}\n  - run: c\n"));
    assert_eq!(step_ids(&job.steps.expect("steps")), ["step-1", "ping", "ping-3", "ping-2", "step-5"]);
}

#[test]
fn a_strategy_is_implied_by_batches() {
    let group = |body: &str| {
        let job = good(&format!(
            "name: j\ntargets: all\ngroups:\n  - name: g\n{body}    phases: [{{name: p, steps: [{{run: a}}]}}]\n"
        ));
        job.groups.expect("groups")[0].strategy()
    };
    assert_eq!(group(""), Rollout::Oneshot);
    assert_eq!(group("    batches: [1, 50%]\n"), Rollout::Rolling);
    assert_eq!(group("    strategy: rolling\n"), Rollout::Rolling);
}

#[test]
fn a_job_survives_being_written_as_json() {
    let job = good(DESIGN);
    let json = serde_json::to_string(&job).expect("json");
    let back: JobSpec = serde_json::from_str(&json).expect("the same job");
    assert_eq!(back, job);
    // JSON is YAML: the same text through the strict reader.
    assert_eq!(good(&json), job);
}

#[test]
fn passwords_are_referred_to() {
    let job = good(&steps("  - { run: a, become: { user: root, password: \"{{ params.pw }}\" } }\n"));
    let list = job.steps.expect("steps");
    let Some(BecomeSpec::User(user)) = list[0].become_user.as_ref().map(|spec| &spec.value) else { panic!("a user") };
    let password = user.password.as_ref().expect("a password");
    assert_eq!(password.reference(), Ok(&CredentialRef::Param("pw".to_owned())));
    for (text, reference) in
        [("env:PW", "env:PW"), ("file:/run/secrets/pw", "file:/run/secrets/pw"), ("{{params.pw}}", "{{ params.pw }}")]
    {
        assert_eq!(text.parse::<CredentialRef>().expect(text).to_string(), reference);
    }
}

#[test]
fn a_password_in_the_file_is_refused_and_not_repeated() {
    let errors = parse(&steps("  - { run: a, become: { user: root, password: hunter2 } }\n")).expect_err("a password");
    assert!(!format!("{errors} {errors:?}").contains("hunter2"), "{errors}");
    expect![[r#"
        job.yaml:4:47: a password is not written here, only where to find it
          hint: write "{{ params.NAME }}" for a parameter of type secret, `env:NAME` or `file:PATH`"#]]
    .assert_eq(&errors.to_string());
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema();
    let text = schema.to_string();
    for key in ["targets", "groups", "health", "retries", "become", "budget", "success_codes", "spread"] {
        assert!(text.contains(&format!("\"{key}\":")), "{key} is missing");
    }
    let job = schema["properties"].as_object().expect("properties");
    for (key, value) in job {
        assert!(value.to_string().contains("description"), "{key} has no description: {value}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["title"], "autoexec job");
}

#[test]
fn unknown_keys_name_the_nearest() {
    bad(
        "name: j\nsteps: [{run: a}]\nparms: {}\n",
        expect![[r#"
        job.yaml:3:1: unknown key `parms`
          3 | parms: {}
            | ^^^^^
          hint: did you mean `params`?"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    paralel: 50\n    phases: []\n",
        expect![[r#"
        job.yaml:5:5: unknown key `paralel`
          5 |     paralel: 50
            |     ^^^^^^^
          hint: did you mean `parallel`?"#]],
    );
    bad(
        &steps("  - run: a\n    timout: 5m\n"),
        expect![[r#"
        job.yaml:5:5: unknown key `timout`
          5 |     timout: 5m
            |     ^^^^^^
          hint: did you mean `timeout`?"#]],
    );
    bad(
        &steps("  - run: a\n    zzz: 5m\n"),
        expect![[r#"
        job.yaml:5:5: unknown key `zzz`
          5 |     zzz: 5m
            |     ^^^
          hint: allowed: id, name, on, tool, with, run, interpreter, env, args, stdin, become, workdir, timeout, retries, on_failure, idempotent, when, success_codes, no_log"#]],
    );
    bad(
        &steps("  - run: a\n    retries: { max: 3, dealy: 2s }\n"),
        expect![[r#"
        job.yaml:5:24: unknown key `dealy`
          5 |     retries: { max: 3, dealy: 2s }
            |                        ^^^^^
          hint: did you mean `delay`?"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    order: { by: name, sede: 2 }\n    phases: []\n",
        expect![[r#"
        job.yaml:5:24: unknown key `sede`
          5 |     order: { by: name, sede: 2 }
            |                        ^^^^
          hint: did you mean `seed`?"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    budget: { faild: 2% }\n    phases: []\n",
        expect![[r#"
        job.yaml:5:15: unknown key `faild`
          5 |     budget: { faild: 2% }
            |               ^^^^^
          hint: did you mean `failed`?"#]],
    );
}

#[test]
fn wrong_values_say_what_is_allowed() {
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: runer\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:5:9: unknown value `runer`
          5 |     on: runer
            |         ^^^^^
          hint: did you mean `runner`?"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: everywhere\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:5:9: unknown value `everywhere`
          5 |     on: everywhere
            |         ^^^^^^^^^^
          hint: allowed: runner, runner-target, target, sql"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    order: alphabet\n    phases: []\n",
        expect![[r#"
        job.yaml:5:12: unknown value `alphabet`
          5 |     order: alphabet
            |            ^^^^^^^^
          hint: allowed: inventory, random, name"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    order: 5\n    phases: []\n",
        expect![[r#"
        job.yaml:5:12: expected inventory, random, name or {by: .., seed: .., spread: ..}, found the number `5`
          5 |     order: 5
            |            ^"#]],
    );
    bad(
        "name: j\nparams:\n  a: { type: strng }\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:3:14: unknown value `strng`
          3 |   a: { type: strng }
            |              ^^^^^
          hint: did you mean `string`?"#]],
    );
    bad(
        "name: j\ndefaults: { host_key: maybe }\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:23: unknown value `maybe`
          2 | defaults: { host_key: maybe }
            |                       ^^^^^
          hint: allowed: verify, accept-new, no"#]],
    );
    bad(
        "name: j\ndefaults: { host_key: false }\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:23: expected a word
          2 | defaults: { host_key: false }
            |                       ^^^^^
          hint: write `host_key: no`"#]],
    );
    bad(
        &steps("  - run: a\n    become: true\n"),
        expect![[r#"
        job.yaml:5:13: `become: true` does not say who
          5 |     become: true
            |             ^^^^
          hint: write the user: `become: root`"#]],
    );
    bad(
        &steps("  - run: a\n    on_failure: carry-on\n"),
        expect![[r#"
        job.yaml:5:17: unknown value `carry-on`
          5 |     on_failure: carry-on
            |                 ^^^^^^^^
          hint: allowed: stop, ignore, continue"#]],
    );
}

#[test]
fn wrong_types_point_at_the_value() {
    bad(
        "name: [j]\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:1:7: expected a single value, found a list or a map
          1 | name: [j]
            |       ^"#]],
    );
    bad(
        "name: j\nsteps: run\n",
        expect![[r#"
        job.yaml:2:8: expected a list
          2 | steps: run
            |        ^^^
          hint: write `- ` before each item, or [a, b]"#]],
    );
    bad(
        "name: j\nsteps: {run: a}\n",
        expect![[r#"
        job.yaml:2:8: expected a list
          2 | steps: {run: a}
            |        ^
          hint: write `- ` before each item, or [a, b]"#]],
    );
    bad(
        &steps("  - run a\n"),
        expect![[r#"
        job.yaml:4:5: expected a map
          4 |   - run a
            |     ^^^^^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    parallel: many\n    phases: []\n",
        expect![[r#"
        job.yaml:5:15: expected a whole number, 0 or larger
          5 |     parallel: many
            |               ^^^^"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    parallel: -1\n    phases: []\n",
        expect![[r#"
        job.yaml:5:15: expected a whole number, 0 or larger
          5 |     parallel: -1
            |               ^^"#]],
    );
    bad(
        &steps("  - run: a\n    idempotent: yes\n"),
        expect![[r#"
        job.yaml:5:17: expected true or false
          5 |     idempotent: yes
            |                 ^^^
          hint: `yes`, `no`, `on` and `off` are not booleans here"#]],
    );
    bad(
        &steps("  - run: a\n    no_log: 1\n"),
        expect![[r#"
        job.yaml:5:13: expected true or false
          5 |     no_log: 1
            |             ^
          hint: `yes`, `no`, `on` and `off` are not booleans here"#]],
    );
    bad(
        &steps("  - run:\n"),
        expect![[r#"
        job.yaml:4:5: the step does nothing
          4 |   - run:
            |     ^
          hint: write `run` for a script, or `tool` with its parameters under `with`"#]],
    );
    bad(
        &steps("  - run: a\n    success_codes: 0\n"),
        expect![[r#"
        job.yaml:5:20: expected a list
          5 |     success_codes: 0
            |                    ^
          hint: write `- ` before each item, or [a, b]"#]],
    );
    bad(
        &steps("  - run: a\n    env: [a]\n"),
        expect![[r#"
        job.yaml:5:10: expected a map
          5 |     env: [a]
            |          ^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "- name: j\n",
        expect![[r#"
        job.yaml:1:1: expected a map
          1 | - name: j
            | ^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "just words\n",
        expect![[r#"
        job.yaml:1:1: expected a map
          1 | just words
            | ^^^^^^^^^^
          hint: write `key: value` lines, or {key: value}"#]],
    );
}

#[test]
fn small_languages_are_checked_where_they_stand() {
    bad(
        "name: j\ndefaults: { timeout: 5 }\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:22: `5` has no unit
          2 | defaults: { timeout: 5 }
            |                      ^
          hint: write `5s` for seconds, or ms, m, h, d"#]],
    );
    bad(
        &steps("  - run: a\n    timeout: 5 minutes\n"),
        expect![[r#"
        job.yaml:5:14: expected a unit, found `` (at character 2)
          5 |     timeout: 5 minutes
            |              ^^^^^^^^^
          hint: write it as `500ms`, `30s`, `5m`, `1h30m` or `2d`"#]],
    );
    bad(
        &steps("  - run: a\n    timeout: 0s\n"),
        expect![[r#"
        job.yaml:5:14: a timeout of nothing stops every step
          5 |     timeout: 0s
            |              ^^
          hint: write a longer one"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    budget: { failed: 200% }\n    phases: []\n",
        expect![[r#"
        job.yaml:5:23: `200%` is not an allowance
          5 |     budget: { failed: 200% }
            |                       ^^^^
          hint: write a number such as `3` or a share such as `2%`"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    batches: 1 5% x\n    phases: []\n",
        expect![[r#"
        job.yaml:5:14: `x` is not a part of a batch expression (at character 6)
          5 |     batches: 1 5% x
            |              ^^^^^^
          hint: write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    batches: 0\n    phases: []\n",
        expect![[r#"
        job.yaml:5:14: `0` would make an empty batch (at character 1)
          5 |     batches: 0
            |              ^
          hint: write 1 or more"#]],
    );
    bad(
        "name: j\ntargets: '@web &'\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:10: the selector ends where a term is expected (at character 7 of the selector)
          2 | targets: '@web &'
            |          ^^^^^^^^
          hint: write a name, `@group`, `label=value` or `*`"#]],
    );
    bad(
        "name: j\ntargets: web[1-\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:10: `[` without `]` (at character 4 of the selector)
          2 | targets: web[1-
            |          ^^^^^^
          hint: write ranges as `[01-40]`"#]],
    );
    bad(
        &steps("  - run: a\n    retries: { max: 3, backoff: 0.5 }\n"),
        expect![[r#"
        job.yaml:5:33: the factor of a wait must be from 1 to 100
          5 |     retries: { max: 3, backoff: 0.5 }
            |                                 ^^^"#]],
    );
    bad(
        &steps("  - run: a\n    retries: 1000\n"),
        expect![[r#"
        job.yaml:5:14: at most 100 further tries are allowed, not 1000
          5 |     retries: 1000
            |              ^^^^"#]],
    );
    bad(
        &steps("  - run: a\n    success_codes: [0, 256]\n"),
        expect![[r#"
        job.yaml:5:20: success_codes must be numbers from 0 to 255, at least one
          5 |     success_codes: [0, 256]
            |                    ^"#]],
    );
}

#[test]
fn what_is_missing_is_named() {
    bad("targets: all\nsteps: [{run: a}]\n", expect!["job.yaml: missing key `name`"]);
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n",
        expect![[r#"
        job.yaml:4:5: missing key `phases`
          4 |   - name: g
            |     ^^^^"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    phases:\n      - steps: [{run: a}]\n        # a comment\n        when: x\n\n        on: target\n",
        expect![[r#"
        job.yaml:6:9: missing key `name`
          6 |       - steps: [{run: a}]
            |         ^^^^^"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - {batches: 1, name: g}\n",
        expect![[r#"
        job.yaml:4:18: missing key `phases`
          4 |   - {batches: 1, name: g}
            |                  ^^^^"#]],
    );
    bad(
        "name: j\n",
        expect![[r#"
        job.yaml: the job does nothing
          hint: write one of `steps`, `phases` and `groups`"#]],
    );
    bad(
        "name: j\nsteps: []\n",
        expect![[r#"
        job.yaml:2:1: the job has no steps
          2 | steps: []
            | ^^^^^"#]],
    );
    bad(
        "name: j\nphases: []\n",
        expect![[r#"
        job.yaml:2:1: `phases` is empty
          2 | phases: []
            | ^^^^^^
          hint: a job needs at least one phase"#]],
    );
    bad(
        "name: j\ngroups: []\n",
        expect![[r#"
        job.yaml:2:1: `groups` is empty
          2 | groups: []
            | ^^^^^^
          hint: a job needs at least one group"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    steps: []\n",
        expect![[r#"
        job.yaml:4:11: the phase `p` has no steps
          4 |   - name: p
            |           ^"#]],
    );
    bad(
        &steps("  - id: nothing\n"),
        expect![[r#"
        job.yaml:4:5: the step does nothing
          4 |   - id: nothing
            |     ^
          hint: write `run` for a script, or `tool` with its parameters under `with`"#]],
    );
    bad(
        &steps("  - run: ' '\n"),
        expect![[r#"
        job.yaml:4:10: the script is empty
          4 |   - run: ' '
            |          ^^^"#]],
    );
}

#[test]
fn what_cannot_stand_together_is_refused() {
    bad(
        "name: j\ntargets: all\nphases:\n  - {name: p, steps: [{run: a}]}\ngroups:\n  - {name: g, phases: [{name: q, steps: [{run: a}]}]}\n",
        expect![[r#"
        job.yaml:5:1: only one of `steps`, `phases` and `groups` can be written
          5 | groups:
            | ^^^^^^
          hint: put the phases into the groups, and the steps into the phases"#]],
    );
    bad(
        &steps("  - tool: ping\n    run: a\n"),
        expect![[r#"
        job.yaml:5:10: a step has either `tool` or `run`, not both
          5 |     run: a
            |          ^
          hint: make two steps of it"#]],
    );
    bad(
        &steps("  - run: a\n    with: { x: 1 }\n"),
        expect![[r#"
        job.yaml:5:13: `with` belongs to tools, not to scripts
          5 |     with: { x: 1 }
            |             ^
          hint: values reach a script through `env`, `args` or `stdin`"#]],
    );
    bad(
        &steps("  - tool: ping\n    stdin: x\n"),
        expect![[r#"
        job.yaml:5:12: `stdin` belongs to scripts, not to tools
          5 |     stdin: x
            |            ^
          hint: the tool takes its parameters under `with`"#]],
    );
    bad(
        &steps("  - run: a\n    on: runner\n"),
        expect![[r#"
        job.yaml:5:9: a step cannot say where it runs
          5 |     on: runner
            |         ^^^^^^
          hint: write `on` in its phase"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: target\n    batch: first\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:6:12: `batch` needs `on: runner`
          6 |     batch: first
            |            ^^^^^
          hint: only a phase that runs once has to say in which batch"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: runner\n    batch: first\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:6:12: `batch` needs a rolling group
          6 |     batch: first
            |            ^^^^^
          hint: write `strategy: rolling` and `batches` in the group"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: sql\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:5:9: phases on `sql` cannot be run yet
          5 |     on: sql
            |         ^^^
          hint: they come with the database tools; use `runner-target` and a script until then"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - name: p\n    on: runner\n    targets: '@web'\n    steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:6:14: a phase on the runner has no targets
          6 |     targets: '@web'
            |              ^^^^^^
          hint: write `on: runner-target` to run once for each target"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    strategy: oneshot\n    batches: 1\n    phases: [{name: p, steps: [{run: a}]}]\n",
        expect![[r#"
        job.yaml:6:14: `batches` needs the strategy `rolling`
          6 |     batches: 1
            |              ^
          hint: a oneshot group has no batches"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    between: {soak: 1s}\n    phases: [{name: p, steps: [{run: a}]}]\n",
        expect![[r#"
        job.yaml:5:14: `between` needs batches
          5 |     between: {soak: 1s}
            |              ^
          hint: write `strategy: rolling` and `batches`"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    order: {by: name, seed: 1}\n    phases: [{name: p, steps: [{run: a}]}]\n",
        expect![[r#"
        job.yaml:5:12: `seed` needs `by: random`
          5 |     order: {by: name, seed: 1}
            |            ^"#]],
    );
    bad(
        "name: j\ntargets: all\ngroups:\n  - name: g\n    parallel: 0\n    phases: [{name: p, steps: [{run: a}]}]\n",
        expect![[r#"
        job.yaml:5:15: `parallel` must be at least 1
          5 |     parallel: 0
            |               ^"#]],
    );
}

#[test]
fn names_are_checked_and_unique() {
    bad(
        "name: my job\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:1:7: `my job` cannot be the name of a job
          1 | name: my job
            |       ^^^^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them"#]],
    );
    bad(
        &steps("  - {id: a, run: x}\n  - {id: b, run: x}\n  - {id: a, run: x}\n"),
        expect![[r#"
        job.yaml:6:10: the step id `a` is used twice
          6 |   - {id: a, run: x}
            |          ^
          hint: the first one is on line 4"#]],
    );
    bad(
        "name: j\ntargets: all\nphases:\n  - {name: p, steps: [{run: a}]}\n  - {name: p, steps: [{run: a}]}\n",
        expect![[r#"
        job.yaml:5:12: the phase `p` is used twice
          5 |   - {name: p, steps: [{run: a}]}
            |            ^
          hint: the first one is on line 4"#]],
    );
    bad(
        &steps("  - {id: 'a.b', run: x}\n"),
        expect![[r#"
        job.yaml:4:10: `a.b` cannot be a step id
          4 |   - {id: 'a.b', run: x}
            |          ^^^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them"#]],
    );
    bad(
        &steps("  - {tool: '../x'}\n"),
        expect![[r#"
        job.yaml:4:12: `../x` cannot be the name of a tool
          4 |   - {tool: '../x'}
            |            ^^^^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them"#]],
    );
    bad(
        &steps("  - run: x\n    env: { 'A=B': c }\n"),
        expect![[r#"
        job.yaml:5:12: `A=B` cannot name an environment variable
          5 |     env: { 'A=B': c }
            |            ^^^^^"#]],
    );
}

#[test]
fn every_error_of_meaning_is_shown() {
    let errors = parse("name: a b\ntargets: all\nsteps:\n  - {id: 'x y', run: a}\n  - {}\n").expect_err("three errors");
    assert_eq!(errors.len(), 3);
    expect![[r#"
        job.yaml:1:7: `a b` cannot be the name of a job
          1 | name: a b
            |       ^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them
        job.yaml:4:10: `x y` cannot be a step id
          4 |   - {id: 'x y', run: a}
            |          ^^^^^
          hint: use letters, digits, `_` and `-`, at most 64 of them
        job.yaml:5:5: the step does nothing
          5 |   - {}
            |     ^
          hint: write `run` for a script, or `tool` with its parameters under `with`"#]]
    .assert_eq(&errors.to_string());
}

#[test]
fn broken_yaml_is_explained() {
    bad("", expect!["job.yaml: the file is empty"]);
    bad("# only a comment\n\n", expect!["job.yaml: the file is empty"]);
    bad(
        "name: j\nname: k\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:1: `name` is written twice
          2 | name: k
            | ^^^^"#]],
    );
    bad(
        "name: j\nsteps: [{run: a}]\n---\nname: k\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:3:1: the file holds more than one document
          3 | ---
            | ^^^
          hint: remove the `---` and what follows, or split the file"#]],
    );
    bad(
        "name: j\nsteps:\n\t- run: a\n",
        expect![[r#"
        job.yaml:3:2: a tab is used for indentation
          3 |  - run: a
            |  ^
          hint: YAML is indented with spaces only"#]],
    );
    bad(
        "name: j\nsteps:\n  - run: a\n\ttimeout: 5m\n",
        expect![[r#"
        job.yaml:4:1: a tab is used for indentation
          4 |  timeout: 5m
            | ^
          hint: YAML is indented with spaces only"#]],
    );
    bad(
        "name: j\nsteps: [{run: a}\n",
        expect![[r#"
        job.yaml:2:8: this bracket is not closed: '['
          2 | steps: [{run: a}
            |        ^"#]],
    );
    bad(
        "name: 'j\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:1: a quoted text is not closed, or goes on without indentation
          2 | steps: [{run: a}]
            | ^^^^^
          hint: look for the missing quote on the lines above"#]],
    );
    bad(
        "name: j\nsteps:\n  - run: a\n   timeout: 5m\n",
        expect![[r#"
        job.yaml:4:4: this line does not fit what stands above it
          4 |    timeout: 5m
            |    ^^^^^^^
          hint: look at its indentation, and for a `:` or `-` that is missing"#]],
    );
    bad(
        &steps("  - run: a\n    env: { x: {{ params.y }} }\n"),
        expect![[r#"
        job.yaml:5:15: a value that begins with `{{` must be quoted
          5 |     env: { x: {{ params.y }} }
            |               ^
          hint: write "{{ ... }}": without quotes, YAML reads braces as a map"#]],
    );
    bad(
        &steps("  - run: a\n    stdin: {{ params.y }}\n"),
        expect![[r#"
        job.yaml:5:12: a value that begins with `{{` must be quoted
          5 |     stdin: {{ params.y }}
            |            ^
          hint: write "{{ ... }}": without quotes, YAML reads braces as a map"#]],
    );
    bad(
        &steps("  - run: *nobody\n"),
        expect![[r#"
        job.yaml:4:10: this alias names no anchor
          4 |   - run: *nobody
            |          ^^^^^^^
          hint: put a text that begins with `*` in quotes; an anchor `&name` must stand before its alias"#]],
    );
    bad(
        &steps("  - run: !custom a\n"),
        expect![[r#"
        job.yaml:4:18: the tag `!custom` means nothing here
          4 |   - run: !custom a
            |                  ^
          hint: remove it"#]],
    );
    bad(
        "name: j\ntargets: @web\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:10: a value cannot begin with this character
          2 | targets: @web
            |          ^^^^
          hint: put the value in quotes"#]],
    );
    bad(
        "name: j\ntargets: *web\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:10: this alias names no anchor
          2 | targets: *web
            |          ^^^^
          hint: put a text that begins with `*` in quotes; an anchor `&name` must stand before its alias"#]],
    );
    bad(
        &steps("  - tool: x\n    with: { a: .inf }\n"),
        expect![[r#"
        job.yaml:5:16: `.inf` is not a number that can be used
          5 |     with: { a: .inf }
            |                ^^^^
          hint: quote it when it is a text"#]],
    );
    bad(
        &steps("  - run: echo a: b\n"),
        expect![[r#"
        job.yaml:4:16: a `: ` where no key can be
          4 |   - run: echo a: b
            |                ^
          hint: put a text that holds `: ` in quotes, and look at the indentation"#]],
    );
    bad(
        &steps("  - run: \"a\n"),
        expect![[r#"
        job.yaml:5:1: a quoted text is not closed, or goes on without indentation
          hint: look for the missing quote on the lines above"#]],
    );
    bad(
        &steps("  - run: \"\\d\"\n"),
        expect![[r#"
        job.yaml:4:10: an unknown escape in a text in double quotes
          4 |   - run: "\d"
            |          ^^^^
          hint: use single quotes, in which a backslash is only a backslash"#]],
    );
    bad(
        &steps("  - run: %x\n"),
        expect![[r#"
        job.yaml:4:10: a value cannot begin with this character
          4 |   - run: %x
            |          ^^
          hint: put the value in quotes"#]],
    );
    bad(
        &steps("  - run: `x`\n"),
        expect![[r#"
        job.yaml:4:10: a value cannot begin with this character
          4 |   - run: `x`
            |          ^^^
          hint: put the value in quotes"#]],
    );
    bad(
        "name:j\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:1:1: expected a map
          1 | name:j
            | ^^^^^^
          hint: write `key: value` lines, or {key: value}"#]],
    );
    bad(
        "name: j\nsteps\n  - run: a\n",
        expect![[r#"
        job.yaml:2:1: this line does not fit what stands above it
          2 | steps
            | ^^^^^
          hint: look at its indentation, and for a `:` or `-` that is missing"#]],
    );
    bad(
        "name: j\nsteps:\n- run: a\n  env:\n  x: y\n",
        expect![[r#"
        job.yaml:5:3: unknown key `x`
          5 |   x: y
            |   ^
          hint: allowed: id, name, on, tool, with, run, interpreter, env, args, stdin, become, workdir, timeout, retries, on_failure, idempotent, when, success_codes, no_log"#]],
    );
    bad(
        "name: j\n steps: [{run: a}]\n",
        expect![[r#"
        job.yaml:2:7: a `: ` where no key can be
          2 |  steps: [{run: a}]
            |       ^
          hint: put a text that holds `: ` in quotes, and look at the indentation"#]],
    );
    bad(
        "name: j\nsteps: [{run: a}]}\n",
        expect![[r#"
        job.yaml:2:18: this bracket closes nothing
          2 | steps: [{run: a}]}
            |                  ^"#]],
    );
    bad(
        "name: j\u{0}\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:1:8: the file holds a character that is no text
          1 | name: j
            |        ^
          hint: YAML is UTF-8 text without control characters"#]],
    );
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    good("\u{feff}name: j\ntargets: all\nsteps: [{run: a}]\n");
    bad(
        "\u{feff}nme: j\nsteps: [{run: a}]\n",
        expect![[r#"
        job.yaml:1:1: unknown key `nme`
          1 | nme: j
            | ^^^
          hint: did you mean `name`?"#]],
    );
    good("name: j\r\ntargets: all\r\nsteps:\r\n  - run: a\r\n");
}

#[test]
fn a_file_cannot_exhaust_the_reader() {
    let deep = format!("name: j\nsteps:\n  - tool: x\n    with: {{ a: {}1{} }}\n", "[".repeat(200), "]".repeat(200));
    bad(
        &deep,
        expect![[r#"
        job.yaml:4:79: lists and maps are nested too deeply
          4 |     with: { a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
            |                                                                               ^"#]],
    );
    let mut bomb = "name: j\nparams:\n  a: { type: json, default: &a0 [x, x, x, x, x, x, x, x, x] }\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("  b{level}: {{ type: json, default: &a{level} [{aliases}] }}\n"));
    }
    bomb.push_str("steps: [{run: a}]\n");
    bad(
        &bomb,
        expect![[r#"
        job.yaml:7:40: aliases make this file too large
          7 |   b4: { type: json, default: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3] }
            |                                        ^^^"#]],
    );
    bad(
        &format!("name: j\ndescription: {}\n", "x".repeat(5 << 20)),
        expect!["job.yaml: the file has 5242902 bytes; at most 4194304 are read"],
    );
    bad(
        "name: j\nsteps:\n  - tool: x\n    with: { a: &a [*a] }\n",
        expect![[r#"
        job.yaml:4:20: this alias stands inside its own anchor
          4 |     with: { a: &a [*a] }
            |                    ^^"#]],
    );
}

#[test]
fn a_long_line_is_cut_around_the_error() {
    let errors =
        parse(&format!("name: j\nsteps: [{{run: a,{} zzz: 1}}]\n", " ".repeat(1000))).expect_err("unknown key");
    assert!(errors.to_string().lines().all(|line| line.chars().count() < 200), "{errors}");
    assert!(errors.to_string().contains("zzz"), "{errors}");
}

proptest! {
    #[test]
    fn nothing_panics_on_random_text(text in "(?s).{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn nothing_panics_on_text_like_yaml(words in prop::collection::vec("(name|steps|run|groups|phases|: |- |\n|  |\\[|\\]|\\{|\\}|'|\"|&a|\\*a|\\||>|#|---|\t|x|5m|1|!t|,){1}", 0..60)) {
        if let Err(errors) = parse(&words.concat()) {
            let _ = errors.to_string();
        }
    }

    #[test]
    fn nothing_panics_on_broken_jobs(at in 0usize..2000, cut in 0usize..40, put in "\\PC{0,4}") {
        let mut chars: Vec<char> = DESIGN.chars().collect();
        let at = at.min(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, put.chars());
        if let Err(errors) = parse(&chars.into_iter().collect::<String>()) {
            prop_assert!(!errors.is_empty());
            let _ = errors.to_string();
        }
    }
}
