//! The daemon is killed with signal 9 in mid-batch, and `autoexec watch` brings it back: no target runs twice, the job ends as it would have.

use crate::harness::{Fleet, Sandbox, Sshd, wait_until};

const TARGETS: usize = 24;
const STEPS: [&str; 3] = ["one", "two", "three"];

/// Batches of 4, each through two phases; each step takes a moment, so that a kill finds some of them running.
fn job(seen: &str) -> String {
    let step = |name: &str| {
        format!(
            r#"
          - run: echo {name} >> "$SEEN/$NAME"; sleep 0.3; echo {name} done
            env: {{ NAME: "{{{{ target.name }}}}", SEEN: "{seen}" }}"#
        )
    };
    format!(
        r#"
name: crash
targets: "@web"
groups:
  - name: rollout
    batches: [4, 8]
    phases:
      - name: first
        steps:{}{}
      - name: second
        steps:{}
"#,
        step(STEPS[0]),
        step(STEPS[1]),
        step(STEPS[2])
    )
}

/// Kills the daemon when so many witnesses are there, each time; then watches the job to its end.
#[track_caller]
fn survives(sandbox: &Sandbox, hosts: &str, kills: &[usize]) {
    let seen = sandbox.folder("seen");
    let job = sandbox.write("job.yaml", job(&seen)).display().to_string();
    let id = sandbox.submit(&[&job, "-i", hosts]);
    for lines in kills {
        sandbox.wait_for_lines("seen", *lines);
        let before = sandbox.kill_daemon();
        // Any command brings it back; it must be another process.
        assert_ne!(sandbox.daemon(), before);
    }
    let ran = sandbox.run(&["watch", &id]);
    let view = sandbox.show(&id);
    assert_eq!(view["state"], "succeeded", "{ran}\n{view:#}");
    ran.check(0);
    assert_eq!(view["counts"]["succeeded"], TARGETS, "{view:#}");
    let lines = sandbox.lines_in("seen");
    assert_eq!(lines.len(), TARGETS);
    for (target, lines) in lines {
        assert_eq!(lines, STEPS, "{target}: each step runs exactly once");
        assert_eq!(String::from_utf8_lossy(&sandbox.output(&id, &target)), "one done\ntwo done\nthree done\n", "{target}");
    }
    sandbox.expect(0, &["store", "verify"]);
}

#[test]
fn over_ssh_nothing_runs_twice() {
    let Some(sshd) = Sshd::start() else { return };
    // Early, in the middle of a batch, between phases, twice, near the end.
    for kills in [&[1][..], &[10, 11], &[3, 17, 40, 71]] {
        let sandbox = Sandbox::new();
        let hosts = Fleet::ssh(&sandbox, &sshd).web(TARGETS).write(&sandbox, "hosts.yaml");
        survives(&sandbox, &hosts, kills);
    }
}

#[test]
fn on_this_machine_nothing_runs_twice() {
    for kills in [&[2][..], &[9, 33], &[5, 30, 31, 60]] {
        let sandbox = Sandbox::new();
        let hosts = Fleet::local().web(TARGETS).write(&sandbox, "hosts.yaml");
        survives(&sandbox, &hosts, kills);
    }
}

#[test]
fn a_watcher_joins_again_by_itself() {
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::local().web(TARGETS).write(&sandbox, "hosts.yaml");
    let job = sandbox.write("job.yaml", job(&seen)).display().to_string();
    let id = sandbox.submit(&[&job, "-i", &hosts]);
    let watch = sandbox.start(&["watch", &id]);
    wait_until("the watcher sees a batch", || watch.printed().contains("batch 1"));
    sandbox.wait_for_lines("seen", 6);
    sandbox.kill_daemon();
    let ran = watch.finish(std::time::Duration::from_secs(60));
    ran.check(0);
    assert!(ran.err().contains("the scheduler is there again"), "{ran}");
    assert!(ran.out().contains(&format!("{TARGETS} succeeded")), "{ran}");
}

#[test]
fn what_ended_while_nobody_watched_is_found() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::ssh(&sandbox, &sshd).host("far", "address: 127.0.1.1").host("near", "transport: local").write(&sandbox, "hosts.yaml");
    let script = "touch $SEEN/began-$AUTOEXEC_TARGET_NAME; while [ ! -e $SEEN/go ]; do sleep 0.05; done; echo the end; touch $SEEN/ended-$AUTOEXEC_TARGET_NAME; exit 7"
        .replace("$SEEN", &seen);
    let id = sandbox.submit(&["-i", &hosts, "-t", "*", "--budget", "failed=100%", "--", &script]);
    wait_until("both began", || sandbox.lines_in("seen").keys().filter(|name| name.starts_with("began")).count() == 2);
    sandbox.kill_daemon();
    sandbox.write("seen/go", "");
    wait_until("both ended without a daemon", || sandbox.lines_in("seen").keys().filter(|name| name.starts_with("ended")).count() == 2);
    sandbox.expect(1, &["watch", &id]);
    let view = sandbox.show(&id);
    for row in view["targets"].as_array().expect("targets") {
        assert_eq!((row["outcome"].as_str(), row["exit_code"].as_i64(), row["attempts"].as_u64()), (Some("exited"), Some(7), Some(1)), "{row:#}");
    }
    for target in ["far", "near"] {
        assert_eq!(sandbox.output(&id, target), b"the end\n", "{target}");
    }
}
