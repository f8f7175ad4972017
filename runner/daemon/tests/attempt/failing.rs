//! Steps that fail, take too long, are tried again, left out or stopped.

use autoexec_model::api::TargetsQuery;
use serde_json::Value;

use super::{Lab, is_alive, lines_of, until};

fn step<'a>(outputs: &'a Value, key: &str) -> &'a Value {
    outputs.pointer(key).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_tried_again_as_often_as_it_says_and_not_sooner() {
    let lab = Lab::new().await;
    let (never, third) = (lab.path("never"), lab.path("third"));
    let job = format!(
        "name: r\nsteps:\n  - id: s\n    run: date +%s%N >> {never}; echo out; echo 'no such db' >&2; exit 3\n    retries: {{ max: 2, delay: 200ms, backoff: 2 }}\n",
        never = never.display()
    );
    let id = lab.run(&job, "failed").await;
    let times: Vec<u128> = lines_of(&never).iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= 200_000_000 && times[2] - times[1] >= 400_000_000, "{times:?}");
    let row = &lab.targets(id).await[0];
    assert_eq!((row.outcome.as_deref(), row.exit_code, row.attempts), (Some("exited"), Some(3), 1));
    assert_eq!(row.message, "exit 3: no such db");
    assert_eq!(lab.stdout(id).await, "out\nout\nout\n");
    let stderr = lab.stderr(id).await;
    assert_eq!(stderr.matches("[autoexec] try").count(), 2, "{stderr}");
    assert!(stderr.contains("try 1 of step `s` failed: exit 3: no such db"), "{stderr}");

    let job = format!(
        "name: r\nsteps:\n  - id: s\n    run: echo x >> {third}; [ $(wc -l < {third}) -ge 3 ]\n    retries: {{ max: 5, delay: 10ms }}\n  - {{ id: after, run: echo done }}\n",
        third = third.display()
    );
    let id = lab.run(&job, "succeeded").await;
    assert_eq!(lines_of(&third).len(), 3);
    assert_eq!(lab.stdout(id).await, "done\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_time_is_up_is_ended_with_all_below_it() {
    let lab = Lab::new().await;
    let pids = lab.path("pids");
    let job = format!(
        "name: t\nsteps:\n  - id: s\n    timeout: 1s\n    run: |\n      sleep 300 & echo $! >> {0}\n      (sleep 300 & echo $! >> {0}; wait) &\n      echo begun; wait\n  - {{ id: after, run: echo never }}\n",
        pids.display()
    );
    let id = lab.run(&job, "failed").await;
    let row = &lab.targets(id).await[0];
    assert_eq!((row.outcome.as_deref(), row.exit_code), (Some("timed_out"), None));
    assert!(row.message.starts_with("timed out after 1s"), "{}", row.message);
    assert_eq!(lab.stdout(id).await, "begun\n", "what it said until then is kept, and nothing follows");
    let pids = lines_of(&pids);
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| !is_alive(pid)), "something is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failure_means_is_what_the_step_says() {
    let lab = Lab::new().await;
    let job = |policy: &str| {
        format!(
            "name: p\nsteps:\n  - {{ id: bad, run: exit 7, on_failure: {policy} }}\n  - {{ id: next, run: echo next }}\n  - {{ id: last, run: echo last; exit 9, on_failure: ignore }}\n"
        )
    };
    for (policy, state, verdict, output) in [
        ("stop", "failed", "failed", ""),
        ("ignore", "succeeded", "ignored", "next\nlast\n"),
        ("continue", "failed", "failed", "next\nlast\n"),
    ] {
        let id = lab.run(&job(policy), state).await;
        let row = &lab.targets(id).await[0];
        assert_eq!((row.verdict.as_str(), row.exit_code), (verdict, Some(7)), "{policy}: {row:?}");
        assert_eq!(lab.stdout(id).await, output, "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_and_phases_are_left_out_when_their_condition_does_not_hold() {
    let lab = Lab::new().await;
    let job = "name: w\nparams: { go: { type: bool, default: false } }\nphases:\n  - name: one\n    steps:\n      - { id: a, run: echo a }\n      - { id: b, run: echo b, when: params.go }\n      - { id: c, run: echo c, when: target.name == 't1' and steps.a.ok }\n  - name: two\n    when: params.go\n    steps: [{ id: d, run: echo d }]\n  - name: three\n    steps: [{ id: e, run: echo e }]\n";
    let id = lab.submit(job, 2).await;
    let view = lab.end(id, "succeeded").await;
    assert_eq!(lab.stdout(id).await, "a\nc\ne\na\ne\n");
    let two = view.phases.iter().find(|phase| phase.name == "two").unwrap();
    assert_eq!(two.counts.get("skipped"), Some(&2), "{:?}", two.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_cannot_be_evaluated_fails_the_step_before_it_runs() {
    let lab = Lab::new().await;
    let id = lab
        .run(
            "name: w\nsteps:\n  - { id: a, run: echo hi }\n  - { id: b, run: echo b, when: steps.a.nothing.at_all }\n",
            "failed",
        )
        .await;
    let row = &lab.targets(id).await[0];
    assert_eq!(row.outcome.as_deref(), Some("failed_to_start"));
    assert!(row.message.starts_with("when:"), "{}", row.message);
    assert_eq!(lab.stdout(id).await, "hi\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_that_count_as_success_are_success() {
    let lab = Lab::new().await;
    let job = |code: i32| {
        format!(
            "name: c\nsteps:\n  - {{ id: s, run: exit {code}, success_codes: [0, 3] }}\n  - {{ id: n, run: echo next, env: {{ C: '{{{{ steps.s.exit_code }}}}' }} }}\n"
        )
    };
    for (code, state) in [(3, "succeeded"), (0, "succeeded"), (4, "failed")] {
        let id = lab.run(&job(code), state).await;
        assert_eq!(lab.stdout(id).await, if state == "succeeded" { "next\n" } else { "" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interpreter_or_a_folder_that_is_missing_fails_to_start() {
    let lab = Lab::new().await;
    for (job, word) in [
        ("name: i\nsteps: [{ id: s, run: x, interpreter: [no-such-program] }]\n", "no-such-program"),
        ("name: i\nsteps: [{ id: s, run: echo x, workdir: /no/such/folder }]\n", "/no/such/folder"),
    ] {
        let id = lab.run(job, "failed").await;
        let row = &lab.targets(id).await[0];
        assert_eq!(row.outcome.as_deref(), Some("failed_to_start"), "{row:?}");
        assert!(row.message.contains(word), "{}", row.message);
        assert_eq!(lab.stdout(id).await, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_cancelled_leaves_nothing_running() {
    let lab = Lab::new().await;
    let pids = lab.path("pids");
    // It prints without end, so that its window of output is full when it is stopped.
    let job = format!(
        "name: c\nsteps:\n  - id: s\n    run: |\n      echo $$ > {}\n      yes 0123456789012345678901234567890123456789\n",
        pids.display()
    );
    let id = lab.submit(&job, 1).await;
    until("the step", || !lines_of(&pids).is_empty()).await;
    lab.cancel(id).await;
    let view = lab.end(id, "cancelled").await;
    assert_eq!(view.counts["cancelled"], 1);
    let row = &lab.client.targets(TargetsQuery { job: id, ..TargetsQuery::default() }).await.unwrap().rows[0];
    assert_eq!(row.outcome.as_deref(), Some("killed"), "{row:?}");
    assert!(!is_alive(&lines_of(&pids)[0]));
    // Its output has no gap.
    let text = lab.stdout(id).await;
    assert!(text.lines().rev().skip(1).all(|line| line == "0123456789012345678901234567890123456789"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_publishes_must_be_an_object() {
    let lab = Lab::new().await;
    for text in ["[1]", "nonsense", "{\"a\": "] {
        let job = format!(
            "name: o\nsteps: [{{ id: s, run: printf '%s' \"$T\" > $AUTOEXEC_OUTPUT, env: {{ T: '{text}' }} }}]\n"
        );
        let id = lab.run(&job, "failed").await;
        assert!(lab.targets(id).await[0].message.contains("$AUTOEXEC_OUTPUT"), "{text}");
    }
    let id = lab
        .run("name: o\nsteps: [{ id: s, run: 'printf ''{\"k\": [1, \"x\"]}'' > $AUTOEXEC_OUTPUT' }]\n", "succeeded")
        .await;
    let row = &lab.targets(id).await[0];
    assert_eq!(step(&row.outputs, "/main/steps/s/k/1"), "x", "{}", row.outputs);
}
