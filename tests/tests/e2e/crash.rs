//! The daemon is killed with signal 9 in mid-batch, and `autoexec watch` brings it back: no target runs twice, the job ends as it would have.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{Fleet, Sandbox, Sshd, signal, wait_until};

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
        assert_eq!(
            String::from_utf8_lossy(&sandbox.output(&id, &target)),
            "one done\ntwo done\nthree done\n",
            "{target}"
        );
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
    let ran = watch.finish(Duration::from_secs(60));
    ran.check(0);
    assert!(ran.err().contains("the scheduler is there again"), "{ran}");
    assert!(ran.out().contains(&format!("{TARGETS} succeeded")), "{ran}");
}

#[test]
fn what_ended_while_nobody_watched_is_found() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(&sandbox, "hosts.yaml");
    let script = "touch $SEEN/began-$AUTOEXEC_TARGET_NAME; while [ ! -e $SEEN/go ]; do sleep 0.05; done; echo the end; touch $SEEN/ended-$AUTOEXEC_TARGET_NAME; exit 7"
        .replace("$SEEN", &seen);
    let id = sandbox.submit(&["-i", &hosts, "-t", "*", "--budget", "failed=100%", "--", &script]);
    wait_until("both began", || sandbox.lines_in("seen").keys().filter(|name| name.starts_with("began")).count() == 2);
    sandbox.kill_daemon();
    sandbox.write("seen/go", "");
    wait_until("both ended without a daemon", || {
        sandbox.lines_in("seen").keys().filter(|name| name.starts_with("ended")).count() == 2
    });
    sandbox.expect(1, &["watch", &id]);
    let view = sandbox.show(&id);
    for row in view["targets"].as_array().expect("targets") {
        assert_eq!(
            (row["outcome"].as_str(), row["exit_code"].as_i64(), row["attempts"].as_u64()),
            (Some("exited"), Some(7), Some(1)),
            "{row:#}"
        );
    }
    for target in ["far", "near"] {
        assert_eq!(sandbox.output(&id, target), b"the end\n", "{target}");
    }
}

#[test]
fn output_is_whole_when_the_daemon_dies_while_it_streams() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(&sandbox, "hosts.yaml");
    // Thirty pieces of 100 KiB, each waiting a moment, none ending with a line.
    let piece: Vec<u8> = (0..100 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let file = sandbox.write("piece", &piece);
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do cat {}; echo $i >> {seen}/$AUTOEXEC_TARGET_NAME; sleep 0.05; done",
        file.display()
    );
    let id = sandbox.submit(&["-i", &hosts, "-t", "*", "--", &script]);
    for lines in [3, 17, 30, 48] {
        sandbox.wait_for_lines("seen", lines);
        sandbox.kill_daemon();
        sandbox.daemon();
    }
    sandbox.expect(0, &["watch", &id]);
    let whole = piece.repeat(30);
    for target in ["far", "near"] {
        let output = sandbox.output(&id, target);
        assert!(output == whole, "{target}: {} bytes instead of {}", output.len(), whole.len());
    }
}

#[test]
fn a_time_limit_counts_across_a_restart() {
    let sandbox = Sandbox::new();
    let seen = sandbox.folder("seen");
    let id = sandbox.submit(&[
        "-t",
        "here",
        "--transport",
        "local",
        "--timeout",
        "3s",
        "--",
        &format!("echo begun > {seen}/here; sleep 613"),
    ]);
    sandbox.wait_for_lines("seen", 1);
    let began = Instant::now();
    wait_until("most of the time is over", || began.elapsed() > Duration::from_secs(2));
    sandbox.kill_daemon();
    sandbox.expect(1, &["watch", &id]);
    assert_eq!(sandbox.show(&id)["outcomes"]["timed_out"], 1);
    assert!(began.elapsed() < Duration::from_millis(4_500), "3 s took {:?}", began.elapsed());
}

#[test]
fn a_cancel_that_the_daemon_did_not_survive_is_carried_out() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).web(4).host("near[1-4]", "transport: local").write(&sandbox, "hosts.yaml");
    let seen = sandbox.folder("seen");
    let id = sandbox.submit(&[
        "-i",
        &hosts,
        "-t",
        "*",
        "--",
        &format!("trap '' TERM; echo begun > {seen}/$AUTOEXEC_TARGET_NAME; sleep 611; sleep 612"),
    ]);
    sandbox.wait_for_lines("seen", 8);
    wait_until("the scheduler knows it", || sandbox.json(&["show", &id])["open"]["running"] == 8);
    sandbox.expect(0, &["cancel", &id]);
    // The polite signal is ignored, so the cancel is under way for some seconds.
    sandbox.kill_daemon();
    sandbox.expect(1, &["watch", &id]);
    let view = sandbox.show(&id);
    assert_eq!(view["state"], "cancelled", "{view:#}");
    assert_eq!(sandbox.processes_of(&id, None), Vec::<u32>::new(), "processes of a cancelled job live on: {view:#}");
    for row in view["targets"].as_array().expect("targets") {
        assert_eq!(row["outcome"], "killed", "{row:#}");
    }
}

/// Starts a job whose script never ends by itself, and ends all its processes with signal 9, as a crash of the target would.
fn target_dies(sandbox: &Sandbox, hosts: &str, more: &str) -> String {
    let seen = sandbox.folder("seen");
    let text = format!(
        r#"
name: dies
targets: far
steps:
  - {more}
    run: |
      echo ran >> {seen}/far
      while [ ! -e {seen}/../go ]; do sleep 0.05; done
"#
    );
    let job = sandbox.write("job.yaml", text).display().to_string();
    let id = sandbox.submit(&[&job, "-i", hosts]);
    sandbox.wait_for_lines("seen", 1);
    // The script, its supervisor and whatever watches them: all that carry the key of the attempt.
    for pid in sandbox.processes_of(&id, Some(0)) {
        signal(pid, Signal::SIGKILL);
    }
    id
}

#[test]
fn work_whose_evidence_is_lost_waits_for_a_person() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).host("far", "address: 127.0.1.1").write(&sandbox, "hosts.yaml");
    let id = target_dies(&sandbox, &hosts, "id: work");
    let ran = sandbox.expect(5, &["watch", &id]);
    let view = sandbox.show(&id);
    let row = &view["targets"][0];
    assert_eq!((&row["verdict"], &row["outcome"]), (&"unresolved".into(), &"interrupted".into()), "{row:#}");
    assert!(ran.out().contains("resolve"), "what to do is said: {ran}");
    sandbox.expect(0, &["resolve", &id, "far", "--as", "succeeded"]);
    sandbox.expect(0, &["watch", &id]);
    assert_eq!(sandbox.lines_in("seen")["far"].len(), 1, "nobody ran it again");
}

#[test]
fn idempotent_work_whose_evidence_is_lost_runs_again() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = Fleet::ssh(&sandbox, &sshd).host("far", "address: 127.0.1.1").write(&sandbox, "hosts.yaml");
    let id = target_dies(&sandbox, &hosts, "idempotent: true");
    sandbox.wait_for_lines("seen", 2);
    sandbox.write("go", "");
    sandbox.expect(0, &["watch", &id]);
    assert_eq!(sandbox.show(&id)["targets"][0]["attempts"], 2);
}
