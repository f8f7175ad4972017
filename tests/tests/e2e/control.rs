//! What an operator can do to a job, the exit codes that scripts rely on, and a reason for everything that waits.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Fleet, Sandbox, Sshd, wait_until, word};

fn rolling(sandbox: &Sandbox, seen: &str, more: &str, script: &str) -> String {
    let text = format!(
        r#"
name: rolling
targets: "@web"
groups:
  - name: rollout
    batches: [1, 2]
    {more}
    phases:
      - name: work
        steps:
          - run: |
              echo ran >> {seen}/$AUTOEXEC_TARGET_NAME
              {script}
"#
    );
    sandbox.write("job.yaml", text).display().to_string()
}

struct Stage {
    sandbox: Sandbox,
    hosts: String,
    seen: String,
}

impl Stage {
    /// Five targets on this machine.
    fn local() -> Self {
        let sandbox = Sandbox::new();
        let seen = sandbox.folder("seen");
        let hosts = Fleet::local().web(5).write(&sandbox, "hosts.yaml");
        Self { sandbox, hosts, seen }
    }

    fn submit(&self, more: &str, script: &str) -> String {
        let job = rolling(&self.sandbox, &self.seen, more, script);
        self.sandbox.submit(&[&job, "-i", &self.hosts])
    }

    fn runs_of(&self, target: &str) -> usize {
        self.sandbox.lines_in("seen").get(target).map_or(0, Vec::len)
    }

    fn targets_run(&self) -> usize {
        self.sandbox.lines_in("seen").len()
    }

    /// Reasons of everything that `explain` knows about the job.
    fn explained(&self, args: &[&str]) -> Vec<(String, String)> {
        let args: Vec<&str> = [&["explain"], args].concat();
        let answer = self.sandbox.json(&args);
        let all = answer["explanations"].as_array().expect("explanations");
        all.iter()
            .map(|one| {
                assert!(!word(one, "reason").is_empty(), "no reason: {one:#}");
                (word(one, "subject").to_owned(), word(one, "code").to_owned())
            })
            .collect()
    }
}

/// Waits until `seen/../go` is there.
fn until_go(seen: &str) -> String {
    format!("while [ ! -e {seen}/../go ]; do sleep 0.02; done")
}

#[test]
fn a_paused_job_grants_nothing_new_and_goes_on_when_resumed() {
    let stage = Stage::local();
    let id = stage.submit("parallel: 5", &until_go(&stage.seen));
    stage.sandbox.wait_for_lines("seen", 1);
    let view = stage.sandbox.json(&["pause", &id]);
    assert_eq!(view["state"], "pausing", "a step runs still: {view:#}");
    stage.sandbox.write("go", "");
    stage.sandbox.wait_for(&id, &["paused"]);
    assert_eq!(stage.targets_run(), 1);
    assert!(stage.explained(&[&id]).iter().any(|(_, code)| code.contains("paused")), "{:?}", stage.explained(&[&id]));
    assert!(!stage.explained(&[&id, "web004"]).is_empty());
    // Whoever watches a job that stands still is told so: exit code 5.
    let ran = stage.sandbox.expect(5, &["watch", &id]);
    assert!(format!("{}{}", ran.out(), ran.err()).contains("resume"), "{ran}");
    stage.sandbox.expect(0, &["resume", &id]);
    stage.sandbox.expect(0, &["watch", &id]);
    assert_eq!(stage.targets_run(), 5);
    assert!(stage.sandbox.lines_in("seen").values().all(|lines| lines.len() == 1));
    // What is legal now is said when something else is asked.
    let refused = stage.sandbox.run(&["resume", &id]);
    assert!(refused.code != Some(0) && refused.err().contains("succeeded"), "{refused}");
}

#[test]
fn cancel_ends_the_whole_process_tree() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(&sandbox, "hosts.yaml");
    // Children, grandchildren in a session of their own, and one that does not listen to a polite signal.
    let script = format!(
        "echo begun > {seen}/$AUTOEXEC_TARGET_NAME\nMARKED={seen} setsid sleep 601 &\nsh -c 'trap \"\" TERM INT HUP; while :; do sleep 0.1; done' &\nsleep 603 &\ntrap '' TERM\nwait\nwait\nsleep 604"
    );
    let id = sandbox.submit(&["-i", &hosts, "-t", "*", "--", &script]);
    sandbox.wait_for_lines("seen", 2);
    wait_until("its processes run", || {
        sandbox.processes_of(&id, Some(0)).len() > 3 && sandbox.processes_of(&id, Some(1)).len() > 3
    });
    wait_until("the scheduler knows it", || {
        sandbox.show(&id)["targets"].as_array().expect("targets").iter().all(|row| !row["started_at"].is_null())
    });
    sandbox.expect(0, &["cancel", &id, "--reason", "wrong version"]);
    let ran = sandbox.expect(1, &["watch", &id]);
    let view = sandbox.show(&id);
    assert_eq!(view["state"], "cancelled", "{ran}");
    assert!(word(&view, "reason").contains("wrong version"), "{view:#}");
    for row in view["targets"].as_array().expect("targets") {
        assert_eq!((row["verdict"].as_str(), row["outcome"].as_str()), (Some("cancelled"), Some("killed")), "{row:#}");
    }
    // The word `killed` is a promise: nothing may be left now, not some time later.
    assert_eq!(sandbox.processes_of(&id, None), Vec::<u32>::new(), "processes of a killed attempt live on");
}

#[test]
fn cancel_in_the_moment_of_the_start_ends_it_too() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let fleet = Fleet::ssh(&sandbox, &sshd).web(6).host("near[1-2]", "transport: local");
    let hosts = fleet.write(&sandbox, "hosts.yaml");
    // Connections are there already, so that all of them begin at nearly the same time.
    sandbox.expect(0, &["run", "-i", &hosts, "-t", "*", "--", "true"]);
    for round in 0..20 {
        let script = format!("echo begun > {seen}/{round}-$AUTOEXEC_TARGET_NAME; exec sleep 607");
        let id = sandbox.submit(&["-i", &hosts, "-t", "*", "--", &script]);
        // None, one, two ... of them have begun when it is cancelled.
        let begun = || {
            sandbox
                .lines_in("seen")
                .into_keys()
                .filter(|name| name.starts_with(&format!("{round}-")))
                .collect::<Vec<_>>()
        };
        wait_until("some have begun", || begun().len() >= round % 8);
        sandbox.expect(0, &["cancel", &id]);
        sandbox.expect(1, &["watch", &id]);
        let view = sandbox.show(&id);
        for row in view["targets"].as_array().expect("targets") {
            let began = begun().contains(&format!("{round}-{}", word(row, "name")));
            let expected = if began { "killed" } else { "cancelled" };
            assert_eq!(row["outcome"], expected, "round {round}, began: {began}: {row:#}");
        }
        assert_eq!(
            sandbox.processes_of(&id, None),
            Vec::<u32>::new(),
            "round {round}: processes of a cancelled job live on"
        );
    }
}

#[test]
fn a_timeout_ends_the_process_tree_too() {
    let stage = Stage::local();
    let ran = stage.sandbox.expect(
        1,
        &["run", "-i", &stage.hosts, "-t", "web001", "--timeout", "500ms", "--", "setsid sleep 605 & sleep 606"],
    );
    let view = stage.sandbox.show("last");
    assert_eq!(view["targets"][0]["outcome"], "timed_out", "{ran}");
    assert_eq!(stage.sandbox.processes_of("1", None), Vec::<u32>::new());
    assert!(ran.took < Duration::from_secs(30), "{ran}");
}

#[test]
fn retry_runs_what_failed_and_leaves_successes_alone() {
    let stage = Stage::local();
    let script = format!("[ $AUTOEXEC_TARGET_NAME != web002 ] || [ -e {}/../go ]", stage.seen);
    let id = stage.submit("budget: { failed: 0 }", &script);
    stage.sandbox.expect(1, &["watch", &id]);
    let view = stage.sandbox.show(&id);
    assert_eq!(view["state"], "aborted", "{view:#}");
    assert_eq!(stage.targets_run(), 3, "the third batch is not started");
    stage.sandbox.write("go", "");
    stage.sandbox.expect(0, &["retry", &id]);
    stage.sandbox.expect(0, &["watch", &id]);
    let view = stage.sandbox.show(&id);
    assert_eq!(
        (&view["state"], &view["counts"]["succeeded"]),
        (&Value::from("succeeded"), &Value::from(5)),
        "{view:#}"
    );
    assert_eq!(["web001", "web002", "web003", "web004", "web005"].map(|name| stage.runs_of(name)), [1, 2, 1, 1, 1]);
    let row = |name: &str| {
        view["targets"].as_array().expect("targets").iter().find(|row| row["name"] == name).expect("a row").clone()
    };
    assert_eq!(
        [row("web001")["attempts"].clone(), row("web002")["attempts"].clone()],
        [Value::from(1), Value::from(2)]
    );
}

#[test]
fn a_gate_waits_for_a_person() {
    let stage = Stage::local();
    let job = rolling(&stage.sandbox, &stage.seen, "between: { mode: confirm }", "true");
    let ran = stage.sandbox.expect(5, &["run", &job, "-i", &stage.hosts]);
    assert!(ran.out().contains("autoexec confirm 1"), "what to do is said: {ran}");
    assert_eq!(stage.targets_run(), 1);
    assert!(
        stage.explained(&["1"]).iter().any(|(_, code)| code.contains("gate") || code.contains("confirm")),
        "{:?}",
        stage.explained(&["1"])
    );
    assert!(stage.explained(&["1", "web005"]).iter().any(|(subject, _)| subject.contains("web005")));
    stage.sandbox.expect(0, &["confirm", "1"]);
    stage.sandbox.expect(5, &["watch", "1"]);
    assert_eq!(stage.targets_run(), 3);
    stage.sandbox.expect(0, &["reject", "1"]);
    stage.sandbox.expect(1, &["watch", "1"]);
    let view = stage.sandbox.show("1");
    assert_eq!(stage.targets_run(), 3);
    assert!(["cancelled", "aborted"].contains(&word(&view, "state")), "{view:#}");
}

#[test]
fn skipped_and_ignored_targets_do_not_count_as_failed() {
    let stage = Stage::local();
    let id = stage.submit(
        "between: { mode: pause-on-failure }\n    budget: { failed: 5 }",
        "[ $AUTOEXEC_TARGET_NAME != web001 ]",
    );
    stage.sandbox.expect(5, &["watch", &id]);
    stage.sandbox.expect(0, &["ignore", &id, "web001"]);
    stage.sandbox.expect(0, &["skip", &id, "web[004-005]"]);
    stage.sandbox.expect(0, &["resume", &id]);
    stage.sandbox.expect(3, &["watch", &id]);
    let view = stage.sandbox.show(&id);
    assert_eq!(view["state"], "succeeded", "{view:#}");
    let counts = ["succeeded", "ignored", "skipped", "failed"].map(|verdict| view["counts"][verdict].clone());
    assert_eq!(counts, [2, 1, 2, 0].map(Value::from), "{view:#}");
    assert_eq!(stage.targets_run(), 3);
}

#[test]
fn a_target_that_waits_for_its_batch_or_its_turn_says_so() {
    let stage = Stage::local();
    let job = rolling(&stage.sandbox, &stage.seen, "parallel: 1", &until_go(&stage.seen));
    let id = stage.sandbox.submit(&[&job, "-i", &stage.hosts]);
    stage.sandbox.wait_for_lines("seen", 1);
    for name in ["web002", "web005"] {
        let codes = stage.explained(&[&id, name]);
        assert!(codes.iter().any(|(_, code)| code == "batch_not_reached"), "{name}: {codes:?}");
    }
    stage.sandbox.write("go", "");
    stage.sandbox.expect(0, &["watch", &id]);
    // A wider batch with a narrow window.
    std::fs::remove_file(stage.sandbox.path("go")).expect("removed");
    let id = stage.sandbox.submit(&["-i", &stage.hosts, "-t", "@web", "--parallel", "1", "--", &until_go(&stage.seen)]);
    wait_until("one runs", || stage.sandbox.json(&["show", &id])["open"]["running"] == 1);
    let codes = stage.explained(&[&id, "web003"]);
    assert!(codes.iter().any(|(_, code)| code == "window_full"), "{codes:?}");
    stage.sandbox.write("go", "");
    stage.sandbox.expect(0, &["watch", &id]);
}

#[test]
fn every_exit_code_has_its_case() {
    let stage = Stage::local();
    let run = |code: i32, args: &[&str]| {
        let ran = stage.sandbox.run(&[&["run", "-i", stage.hosts.as_str(), "-t", "@web"], args].concat());
        assert_eq!(ran.code, Some(code), "{ran}");
    };
    run(0, &["--", "true"]);
    run(1, &["--", "false"]);
    let ignoring = "name: ignoring\ntargets: '@web'\nsteps: [{ run: 'false', on_failure: ignore }]\n";
    let ignoring = stage.sandbox.write("ignoring.yaml", ignoring).display().to_string();
    stage.sandbox.expect(3, &["run", &ignoring, "-i", &stage.hosts]);
    stage.sandbox.expect(2, &["run", "no-such-file.yaml"]);
    stage.sandbox.expect(2, &["frobnicate"]);
    stage.sandbox.expect(2, &["show", "17171"]);
    stage.sandbox.expect(0, &["--help"]);
    stage.sandbox.expect(0, &["--version"]);
}
