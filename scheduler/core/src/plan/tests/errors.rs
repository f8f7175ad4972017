//! What a job is refused for, and what the refusal says.

use expect_test::{Expect, expect};

use super::{HOSTS, ask, error_of, request};

fn check(job: &str, expected: Expect) {
    expected.assert_eq(&format!("{}\n", error_of(job)));
}

fn with_targets(targets: &str) -> String {
    format!("name: x\ntargets: {targets:?}\nsteps: [{{ run: \"true\" }}]\n")
}

#[test]
fn selectors_that_match_nothing_are_never_all() {
    let mut all = String::new();
    for targets in
        ["@wbe", "@web,@gone", "web99", "web[38-42]", "zone=q", "rack=1", "x*", "@db & @web", "!*", "* & !all"]
    {
        all.push_str(&format!("--- {targets}\n{}\n", error_of(&with_targets(targets))));
    }
    all.push_str(&format!("--- nothing\n{}\n", error_of("name: x\nsteps: [{ run: 'true' }]\n")));
    for (flag, narrow, exclude) in [
        ("-t", Some("@db"), None),
        ("-t", Some("web99"), None),
        ("--exclude", None, Some("@web")),
        ("-t", Some("@db,,"), None),
    ] {
        let mut ask_for = request(&with_targets("@web"), HOSTS);
        ask_for.targets = narrow.map(str::to_owned);
        ask_for.exclude = exclude.map(str::to_owned);
        let error = ask(&ask_for).expect_err("must not be planned");
        all.push_str(&format!("--- {flag} {}\n{error}\n", narrow.or(exclude).unwrap_or_default()));
    }
    expect![[r#"
        --- @wbe
        job.yaml:2:10: no host is in a group `wbe`
          2 | targets: "@wbe"
            |          ^^^^^^
          hint: did you mean `@web`?
        --- @web,@gone
        job.yaml:2:10: no host is in a group `gone`
          2 | targets: "@web,@gone"
            |          ^^^^^^^^^^^^
          hint: groups: db, web
        --- web99
        job.yaml:2:10: the inventory has no host `web99`
          2 | targets: "web99"
            |          ^^^^^^^
          hint: did you mean `web09`?
        --- web[38-42]
        job.yaml:2:10: the inventory has none of these 2 hosts: web[41-42]
          2 | targets: "web[38-42]"
            |          ^^^^^^^^^^^^
          hint: did you mean `web01`?
        --- zone=q
        job.yaml:2:10: `zone=q` matches none of the 42 hosts of the inventory
          2 | targets: "zone=q"
            |          ^^^^^^^^
          hint: values of `zone`: a1, b1
        --- rack=1
        job.yaml:2:10: `rack=1` matches none of the 42 hosts of the inventory
          2 | targets: "rack=1"
            |          ^^^^^^^^
          hint: no host has the label `rack`; labels: role, zone
        --- x*
        job.yaml:2:10: `x*` matches none of the 42 hosts of the inventory
          2 | targets: "x*"
            |          ^^^^
        --- @db & @web
        job.yaml:2:10: the selector `@db & @web` matches none of the 42 hosts of the inventory
          2 | targets: "@db & @web"
            |          ^^^^^^^^^^^^
        --- !*
        job.yaml:2:10: the selector `!*` matches none of the 42 hosts of the inventory
          2 | targets: "!*"
            |          ^^^^
        --- * & !all
        job.yaml:2:10: the selector `* & !all` matches none of the 42 hosts of the inventory
          2 | targets: "* & !all"
            |          ^^^^^^^^^^
        --- nothing
        job.yaml:1:7: the job does not say on which targets it runs
          1 | name: x
            |       ^
          hint: write `targets: "@web"` in the job, or give `-t`
        --- -t @db
        no target is left of 40: 40 not matched by -t @db
        --- -t web99
        -t:1:1: the inventory has no host `web99`
          1 | web99
            | ^^^^^
          hint: did you mean `web09`?
        --- --exclude @web
        no target is left of 40: 40 excluded by --exclude @web
        --- -t @db,,
        -t:1:5: an operator where a term is expected
          1 | @db,,
            |     ^
          hint: write a name, `@group`, `label=value` or `*`
    "#]]
    .assert_eq(&all);
}

#[test]
fn templates_read_only_what_there_is() {
    let job = r#"
name: names
params:
  version: { type: string, default: "1" }
  deep: { type: json, default: { a: 1 } }
targets: "@web,@db"
groups:
  - name: first
    batches: "50%"
    phases:
      - name: early
        steps:
          - { id: one, run: "true", env: { A: "{{ params.verion }}", B: "{{ version }}", C: "{{ target.adress }}" } }
          - { id: two, run: "true", env: { A: "{{ steps.three.stdout }}", B: "{{ steps.ones.stdout }}", C: "{{ params.deep.b }}" } }
          - { id: three-b, run: "true", env: { A: "{{ vars.port }}", B: "{{ target.labels.rack }}", C: "{{ vars.prt }}" } }
          - { id: four, run: "true", env: { A: "{{ steps.three-b.stdout }}", B: "{{ steps['three-b'].stdout }}", C: "{{ vars.port | default(1) }}" } }
          - { id: five, run: "true", when: "'port' in vars and vars.port > 1" }
          - { id: six, run: "true", when: "{{ params.version }}" }
          - { id: seven, run: "true", env: { A: "{{ x", B: "{{ 1 | lowr }}", C: "{{ job.nam }} {{ job.id }}" } }
          - { id: eight, run: "true", env: { A: "{{ phases.late.steps.x.y }}", B: "{{ phases.early.steps.one.out }}", C: "{{ phases.nope }}" } }
      - name: gate
        on: runner
        batch: last
        steps:
          - { id: see, tool: http, with: { url: "https://{{ target.name }}/" } }
          - { id: count, tool: http, with: { url: "https://x/{{ phases.early.steps.one.ip }}" } }
          - { id: fine, tool: http, with: { url: "https://x/{{ all('phases.early.steps.one.ip') | length }}" } }
          - { id: bad, tool: http, with: { url: "https://x/{{ all('early.one') }}{{ all('phases.early.steps.uno.ip') }}" } }
      - name: late
        steps:
          - { id: x, run: "true", env: { A: "{{ phases.gate.steps.see.status }}", B: "{{ phases.early.steps.one.free }}" } }
  - name: second
    targets: "@db"
    phases:
      - { name: alone, on: runner, steps: [{ id: r, tool: http, with: { url: "https://x/" } }] }
      - name: beside
        steps:
          - { id: s, run: "true", env: { A: "{{ phases.alone.steps.r.status }}", B: "{{ phases.gate.steps.see.satus }}" } }
  - name: third
    phases:
      - name: wider
        steps:
          - { id: t, run: "true", env: { A: "{{ phases.beside.steps.s.v }}", B: "{{ phases.beside.steps.s.v | default('') }}", C: "{{ phases.gate.steps.see.status }}" } }
"#;
    check(
        job,
        expect![[r#"
        job.yaml:13:47: there is no parameter `verion`
          13 |           - { id: one, run: "true", env: { A: "{{ params.verion }}", B: "{{ version }}", C: "{{ target.adress }}" } }
             |                                               ^^^^^^^^^^^^^^^^^^^^^
          hint: did you mean `params.version`?
        job.yaml:13:73: unknown name `version`
          13 |           - { id: one, run: "true", env: { A: "{{ params.verion }}", B: "{{ version }}", C: "{{ target.adress }}" } }
             |                                                                         ^^^^^^^^^^^^^^^
          hint: did you mean `params.version`?
        job.yaml:13:93: unknown name `target.adress`
          13 | { id: one, run: "true", env: { A: "{{ params.verion }}", B: "{{ version }}", C: "{{ target.adress }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^^^
          hint: did you mean `target.address`?
        job.yaml:14:47: there is no earlier step `three` in this phase
          14 |           - { id: two, run: "true", env: { A: "{{ steps.three.stdout }}", B: "{{ steps.ones.stdout }}", C: "{{ params.deep.b }}" } }
             |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: earlier steps: one
        job.yaml:14:78: there is no earlier step `ones` in this phase
          14 |           - { id: two, run: "true", env: { A: "{{ steps.three.stdout }}", B: "{{ steps.ones.stdout }}", C: "{{ params.deep.b }}" } }
             |                                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: did you mean `one`?
        job.yaml:14:108: parameter `deep` has no `b`
          14 |  "true", env: { A: "{{ steps.three.stdout }}", B: "{{ steps.ones.stdout }}", C: "{{ params.deep.b }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^^^
          hint: give it such a value, or write `| default(..)`
        job.yaml:15:51: `vars.port` is missing on 40 of 42 targets: web[01-40]
          15 |           - { id: three-b, run: "true", env: { A: "{{ vars.port }}", B: "{{ target.labels.rack }}", C: "{{ vars.prt }}" } }
             |                                                   ^^^^^^^^^^^^^^^^^
          hint: give it to them in the inventory, write `| default(..)`, or leave them out with `when`
        job.yaml:15:73: no target has `target.labels.rack`
          15 |           - { id: three-b, run: "true", env: { A: "{{ vars.port }}", B: "{{ target.labels.rack }}", C: "{{ vars.prt }}" } }
             |                                                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: the inventory gives it to none of the targets
        job.yaml:15:104: no target has `vars.prt`
          15 | -b, run: "true", env: { A: "{{ vars.port }}", B: "{{ target.labels.rack }}", C: "{{ vars.prt }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^
          hint: did you mean `port`?
        job.yaml:16:48: there is no earlier step `three` in this phase
          16 |           - { id: four, run: "true", env: { A: "{{ steps.three-b.stdout }}", B: "{{ steps['three-b'].stdout }}", C: "{{ vars.port | default(1) }}" } }
             |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: a name with `-` is written `steps["three-b"]`
        job.yaml:18:43: an expression needs no braces
          18 |           - { id: six, run: "true", when: "{{ params.version }}" }
             |                                           ^^^^^^^^^^^^^^^^^^^^^^
          hint: write it bare: `params.version`
        job.yaml:19:49: bad syntax: unexpected end of input, expected end of variable block
          19 |           - { id: seven, run: "true", env: { A: "{{ x", B: "{{ 1 | lowr }}", C: "{{ job.nam }} {{ job.id }}" } }
             |                                                 ^^^^^^
        job.yaml:19:60: unknown filter `lowr`
          19 |           - { id: seven, run: "true", env: { A: "{{ x", B: "{{ 1 | lowr }}", C: "{{ job.nam }} {{ job.id }}" } }
             |                                                            ^^^^^^^^^^^^^^^^
          hint: did you mean `lower`?
        job.yaml:19:81: unknown name `job.nam`
          19 |           - { id: seven, run: "true", env: { A: "{{ x", B: "{{ 1 | lowr }}", C: "{{ job.nam }} {{ job.id }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: did you mean `job.name`?
        job.yaml:20:49: phase `late` has not run yet when this is read
          20 |           - { id: eight, run: "true", env: { A: "{{ phases.late.steps.x.y }}", B: "{{ phases.early.steps.one.out }}", C: "{{ phases.nope }}" } }
             |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: a template can read earlier phases only
        job.yaml:20:83: phase `early` has not run yet when this is read
          20 |         - { id: eight, run: "true", env: { A: "{{ phases.late.steps.x.y }}", B: "{{ phases.early.steps.one.out }}", C: "{{ phases.nope }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: a template can read earlier phases only
        job.yaml:20:122: there is no phase `nope`
          20 | : { A: "{{ phases.late.steps.x.y }}", B: "{{ phases.early.steps.one.out }}", C: "{{ phases.nope }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^
          hint: there is no earlier phase
        job.yaml:25:49: there is no `target` in a phase that runs once
          25 |           - { id: see, tool: http, with: { url: "https://{{ target.name }}/" } }
             |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: write `on: runner-target` to run once for each target
        job.yaml:26:51: phase `early` has outputs for each target, and this runs once for all
          26 |           - { id: count, tool: http, with: { url: "https://x/{{ phases.early.steps.one.ip }}" } }
             |                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: write `all('phases.early.steps.<step>.<key>')`, which has every target's
        job.yaml:28:49: `all('early.one')` does not say what to collect
          28 |           - { id: bad, tool: http, with: { url: "https://x/{{ all('early.one') }}{{ all('phases.early.steps.uno.ip') }}" } }
             |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: write `all('phases.<phase>.steps.<step>.<key>')`
        job.yaml:28:49: phase `early` has no step `uno`
          28 |           - { id: bad, tool: http, with: { url: "https://x/{{ all('early.one') }}{{ all('phases.early.steps.uno.ip') }}" } }
             |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: its steps: one, two, three-b, four, five, six, seven, eight
        job.yaml:31:45: phase `gate` runs in batch 2, so its outputs are not there before
          31 |           - { id: x, run: "true", env: { A: "{{ phases.gate.steps.see.status }}", B: "{{ phases.early.steps.one.free }}" } }
             |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: write `batch: first` in that phase, or give a `| default(..)`
        job.yaml:38:45: phase `alone` runs at the same time, because its group is `oneshot`
          38 |           - { id: s, run: "true", env: { A: "{{ phases.alone.steps.r.status }}", B: "{{ phases.gate.steps.see.satus }}" } }
             |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: put the phases into two groups, or write `strategy: rolling`
        job.yaml:38:85: step `see` publishes no `satus`
          38 |       - { id: s, run: "true", env: { A: "{{ phases.alone.steps.r.status }}", B: "{{ phases.gate.steps.see.satus }}" } }
             |                                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: did you mean `status`?
        job.yaml:43:45: 40 of 42 targets did not run phase `beside`
          43 |           - { id: t, run: "true", env: { A: "{{ phases.beside.steps.s.v }}", B: "{{ phases.beside.steps.s.v | default('') }}", C: "{{ phases.gate.steps.see.stat
             |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          hint: give a `| default(..)`, or let both groups have the same targets
    "#]],
    );
}

#[test]
fn tools_get_what_they_take() {
    let job = r#"
name: tools
params:
  word: { type: string, default: start }
  bad: { type: string, default: fly }
  maybe: { type: string }
  conf: { type: file }
targets: db1
phases:
  - name: on-target
    steps:
      - { id: a, tool: servce, with: {} }
      - { id: b, tool: service, with: { name: nginx, acton: start } }
      - { id: c, tool: service, with: { name: 5, action: jump, tries: 12 } }
      - { id: d, tool: service, with: { name: "{{ params.maybe }}", action: "{{ params.word }}" } }
      - { id: e, tool: service, with: { name: x, action: "{{ params.bad }}" } }
      - { id: f, tool: http, with: { url: "https://x" } }
      - { id: g, tool: copy, with: { dest: /x, src: /etc/motd } }
      - { id: h, tool: copy, with: { dest: /x, src: "{{ params.word }}" } }
      - { id: i, tool: assert, with: { that: "steps.d.stdot == 1 and params.wrd" } }
      - { id: j, run: "echo {{ params.word }}" }
      - { id: k, run: "docker inspect -f '{{ .State }}' x" }
  - name: on-runner
    on: runner
    steps:
      - { id: a, tool: http, with: { url: "ftp://x", token: hunter2, method: "{{ params.word }}", timeout: 5 } }
      - { id: b, tool: service, with: { name: x, action: start } }
      - { id: c, run: "true", become: root }
"#;
    check(
        job,
        expect![[r#"
            job.yaml:12:24: there is no tool `servce`
              12 |       - { id: a, tool: servce, with: {} }
                 |                        ^^^^^^
              hint: did you mean `service`?
            job.yaml:13:24: the tool `service` needs the parameter `action`
              13 |       - { id: b, tool: service, with: { name: nginx, acton: start } }
                 |                        ^^^^^^^
              hint: it is of type select
            job.yaml:13:54: the tool `service` has no parameter `acton`
              13 |       - { id: b, tool: service, with: { name: nginx, acton: start } }
                 |                                                      ^^^^^
              hint: did you mean `action`?
            job.yaml:14:47: parameter `name`: expected a text, found the number 5
              14 |       - { id: c, tool: service, with: { name: 5, action: jump, tries: 12 } }
                 |                                               ^
              hint: put it in quotes: "5"
            job.yaml:14:58: parameter `action`: `jump` is not one of the options
              14 |       - { id: c, tool: service, with: { name: 5, action: jump, tries: 12 } }
                 |                                                          ^^^^
              hint: options: start, stop, restart
            job.yaml:14:71: parameter `tries`: the value is 12; the largest allowed is 9
              14 |       - { id: c, tool: service, with: { name: 5, action: jump, tries: 12 } }
                 |                                                                       ^^
            job.yaml:15:47: `name` is needed, and parameter `maybe` has no value
              15 |       - { id: d, tool: service, with: { name: "{{ params.maybe }}", action: "{{ params.word }}" } }
                 |                                               ^^^^^^^^^^^^^^^^^^^^
              hint: give it with `-p maybe=..`
            job.yaml:16:58: parameter `bad` of the job does not fit: parameter `action`: `fly` is not one of the options
              16 |       - { id: e, tool: service, with: { name: x, action: "{{ params.bad }}" } }
                 |                                                          ^^^^^^^^^^^^^^^^^^
              hint: options: start, stop, restart
            job.yaml:17:24: the tool `http` does not run on `target`
              17 |       - { id: f, tool: http, with: { url: "https://x" } }
                 |                        ^^^^
              hint: it runs on runner, runner-target
            job.yaml:18:53: `src` takes a file, and a file comes with a parameter of the job
              18 |       - { id: g, tool: copy, with: { dest: /x, src: /etc/motd } }
                 |                                                     ^^^^^^^^^
              hint: declare a parameter of type file and write "{{ params.NAME }}"
            job.yaml:19:53: `src` takes a file, and parameter `word` is of type string
              19 |       - { id: h, tool: copy, with: { dest: /x, src: "{{ params.word }}" } }
                 |                                                     ^^^^^^^^^^^^^^^^^^^
              hint: declare it with `type: file`
            job.yaml:20:46: there is no parameter `wrd`
              20 |       - { id: i, tool: assert, with: { that: "steps.d.stdot == 1 and params.wrd" } }
                 |                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              hint: did you mean `params.word`?
            job.yaml:21:23: step `j`: a script is no template, and the shell would see the braces
              21 |       - { id: j, run: "echo {{ params.word }}" }
                 |                       ^^^^^^^^^^^^^^^^^^^^^^^^
              hint: pass the value with `env: { x: "{{ params.x }}" }` and write "$x"
            job.yaml:26:43: parameter `url`: `ftp://x` does not match `^https?://`
              26 |       - { id: a, tool: http, with: { url: "ftp://x", token: hunter2, method: "{{ params.word }}", timeout: 5 } }
                 |                                           ^^^^^^^^^
              hint: The address to ask.
            job.yaml:26:61: `token` is a secret, and a secret is not written in a job
              hint: declare a parameter of type secret and write "{{ params.NAME }}"
            job.yaml:26:78: parameter `word` of the job does not fit: parameter `method`: `start` is not one of the options
              26 |       - { id: a, tool: http, with: { url: "ftp://x", token: hunter2, method: "{{ params.word }}", timeout: 5 } }
                 |                                                                              ^^^^^^^^^^^^^^^^^^^
              hint: options: GET, POST
            job.yaml:26:108: parameter `timeout`: expected a length of time such as 30s, found the number 5
              26 | , with: { url: "ftp://x", token: hunter2, method: "{{ params.word }}", timeout: 5 } }
                 |                                                                                 ^
              hint: write the unit as well: "5s"
            job.yaml:27:24: the tool `service` does not run on `runner`
              27 |       - { id: b, tool: service, with: { name: x, action: start } }
                 |                        ^^^^^^^
              hint: it runs on target
            job.yaml:28:39: step `c` runs on the runner, where it cannot become another user
              28 |       - { id: c, run: "true", become: root }
                 |                                       ^^^^
              hint: start the runner as that user, or run the step on the target
        "#]],
    );
}

#[test]
fn no_error_shows_a_secret() {
    let job = "name: x\ntargets: db1\nphases: [{ name: a, on: runner, steps: [{ tool: http, with: { url: 'https://x', token: hunter2 } }] }]\n";
    assert!(!error_of(job).contains("hunter2"));
}

#[test]
fn parameters_are_checked() {
    let job = r#"
name: params
params:
  version: { type: string, required: true, pattern: '^\d+$', help: Version to install. }
  count: { type: int, min: 1 }
  conf: { type: file }
targets: db1
steps: [{ run: "true" }]
"#;
    let mut all = String::new();
    for params in [
        &[][..],
        &[("version", "x"), ("count", "0")],
        &[("version", "1"), ("verson", "2")],
        &[("version", "1"), ("count", "many")],
        &[("version", "1"), ("conf", "/etc/motd")],
    ] {
        let mut ask_for = request(job, HOSTS);
        ask_for.params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.push_str(&format!("--- {params:?}\n{}\n", ask(&ask_for).map(|_| ()).expect_err("must not be planned")));
    }
    expect![[r#"
        --- []
        job.yaml: parameter `version`: a value is required
          hint: Version to install.
        --- [("version", "x"), ("count", "0")]
        job.yaml: parameter `version`: `x` does not match `^\d+$`
          hint: Version to install.
        job.yaml: parameter `count`: the value is 0; the smallest allowed is 1
        --- [("version", "1"), ("verson", "2")]
        job.yaml: parameter `verson`: there is no such parameter
          hint: did you mean `version`?
        --- [("version", "1"), ("count", "many")]
        job.yaml: parameter `count`: `many` is not a whole number
        --- [("version", "1"), ("conf", "/etc/motd")]
        job.yaml: parameter `conf`: a file must be given by its path
    "#]]
    .assert_eq(&all);
}

#[test]
fn shapes_that_cannot_be_run() {
    let job = r#"
name: shapes
targets: "@web"
groups:
  - name: one
    parallel: 20000
    order: { spread: rack }
    phases:
      - { name: a, parallel: 10001, targets: web01, steps: [{ run: "true" }] }
  - name: two
    targets: "@db"
    phases: [{ name: b, steps: [{ run: "true" }] }]
"#;
    check(
        job,
        expect![[r#"
            job.yaml:6:15: `parallel` must be from 1 to 10000
              6 |     parallel: 20000
                |               ^^^^^
            job.yaml:7:22: no target has the label `rack`, by which the order is spread
              7 |     order: { spread: rack }
                |                      ^^^^
            job.yaml:9:30: `parallel` must be from 1 to 10000
              9 |       - { name: a, parallel: 10001, targets: web01, steps: [{ run: "true" }] }
                |                              ^^^^^
            job.yaml:9:46: `targets` stands in the group, for all of its phases
              9 |       - { name: a, parallel: 10001, targets: web01, steps: [{ run: "true" }] }
                |                                              ^^^^^
              hint: move it there, or make another group
            job.yaml:11:14: `targets` of group `two` matches none of the 40 targets of the job
              11 |     targets: "@db"
                 |              ^^^^^
        "#]],
    );
    check(
        "name: x\ntargets: db1\nphases: [{ name: q, on: sql, steps: [{ run: 'select 1' }] }]\n",
        expect![[r#"
        job.yaml:3:25: phases on `sql` cannot be run yet
          3 | phases: [{ name: q, on: sql, steps: [{ run: 'select 1' }] }]
            |                         ^^^
          hint: they come with the database tools; use `runner-target` and a script until then
    "#]],
    );
}

#[test]
fn passwords_are_references_to_secrets() {
    let hosts = "hosts: { h1: { password: '{{ params.pw }}', become: root }, h2: { become: app } }\n";
    let mut all = String::new();
    for params in ["{}", "{ pw: { type: string, default: x } }", "{ pw: { type: secret } }"] {
        let job = format!("name: x\nparams: {params}\ntargets: h1\nsteps: [{{ run: 'true' }}]\n");
        all.push_str(&format!(
            "--- {params}\n{}\n",
            ask(&request(&job, hosts)).map(|_| ()).expect_err("must not be planned")
        ));
    }
    let job = "name: x\nparams: { pw: { type: secret } }\ntargets: '*'\nsteps: [{ run: 'true' }]\n";
    let mut ask_for = request(job, hosts);
    ask_for.secrets = vec![("pw".to_owned(), "hunter2".to_owned())];
    all.push_str(&format!("--- different users\n{}\n", ask(&ask_for).map(|_| ()).expect_err("must not be planned")));
    expect![[r#"
        --- {}
        job.yaml: target `h1`: a password refers to the parameter `pw`, which the job does not declare
          hint: write `params: { pw: { type: secret } }`
        --- { pw: { type: string, default: x } }
        job.yaml: target `h1`: a password refers to the parameter `pw`, which is not secret
          hint: write `type: secret`
        --- { pw: { type: secret } }
        job.yaml: target `h1`: a password refers to the parameter `pw`, which was not given
          hint: give it with `--secret pw`
        --- different users
        job.yaml:4:9: the targets become different users in the inventory
          4 | steps: [{ run: 'true' }]
            |         ^
          hint: write `become` in the step or in the defaults of the job
    "#]]
    .assert_eq(&all);
}
