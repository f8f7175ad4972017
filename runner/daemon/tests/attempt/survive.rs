//! A runner that ends in the middle of a step, and another one on the same folder that finds what goes on.

use std::path::Path;

use super::{Lab, lines_of, until};

/// A step that leaves a line when it begins, and ends when it may.
fn patient(log: &Path, go: &Path) -> String {
    format!(
        "      echo begun >> {log}\n      echo one\n      while [ ! -e {go} ]; do sleep 0.05; done\n      echo two; echo problem >&2\n",
        log = log.display(),
        go = go.display()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_runs_is_found_again_and_not_begun_again() {
    let mut lab = Lab::new().await;
    let (log, go) = (lab.path("log"), lab.path("go"));
    let job = format!(
        "name: s\nsteps:\n  - {{ id: before, run: echo zero; echo before >> {} }}\n  - id: long\n    run: |\n{}  - {{ id: after, run: 'echo \"$X\"', env: {{ X: 'after {{{{ steps.before.stdout }}}}' }} }}\n",
        log.display(),
        patient(&log, &go)
    );
    let id = lab.submit(&job, 2).await;
    until("both steps", || lines_of(&log).iter().filter(|line| *line == "begun").count() == 2).await;
    // Twice: what was found again is found again.
    for _ in 0..2 {
        lab.end_runner();
        lab.begin_runner();
        let connected = async {
            while !lab.client.info().await.unwrap().runners.iter().any(|runner| runner.connected && runner.live == 2) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(super::PATIENCE, connected).await.unwrap();
    }
    std::fs::write(&go, "").unwrap();
    lab.end(id, "succeeded").await;
    assert_eq!(lab.stdout(id).await, "zero\none\ntwo\nafter zero\n".repeat(2), "every byte once");
    assert_eq!(lab.stderr(id).await, "problem\n".repeat(2));
    let mut log = lines_of(&log);
    log.sort();
    assert_eq!(log, ["before", "before", "begun", "begun"]);
    assert!(lab.targets(id).await.iter().all(|row| row.attempts == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_ended_while_no_runner_was_there_counts_as_it_ended() {
    let mut lab = Lab::new().await;
    let (log, go) = (lab.path("log"), lab.path("go"));
    let job = format!(
        "name: s\nsteps:\n  - id: long\n    run: |\n{}      echo ended >> {}\n      exit 3\n",
        patient(&log, &go),
        log.display()
    );
    let id = lab.submit(&job, 1).await;
    until("the step", || !lines_of(&log).is_empty()).await;
    lab.end_runner();
    std::fs::write(&go, "").unwrap();
    until("its end", || lines_of(&log).len() == 2).await;
    lab.begin_runner();
    lab.end(id, "failed").await;
    let row = &lab.targets(id).await[0];
    assert_eq!((row.exit_code, row.attempts, row.message.as_str()), (Some(3), 1, "exit 3: problem"));
    assert_eq!(lab.stdout(id).await, "one\ntwo\n");
    assert_eq!(lines_of(&log), ["begun", "ended"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_ends_between_two_steps_goes_on_with_the_second() {
    let mut lab = Lab::new().await;
    let log = lab.path("log");
    // The tool in the middle is evaluated by the runner and leaves no trace on the host; nor has the last step begun.
    let job = format!(
        "name: s\nsteps:\n  - {{ id: a, run: echo a >> {0}; echo said }}\n  - {{ id: wait, tool: sleep, with: {{ duration: 2s }} }}\n  - {{ id: b, run: echo b >> {0} }}\n",
        log.display()
    );
    let id = lab.submit(&job, 1).await;
    let over = async {
        while lab.stdout(id).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::PATIENCE, over).await.unwrap();
    lab.end_runner();
    lab.begin_runner();
    lab.end(id, "succeeded").await;
    assert_eq!(lines_of(&log), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_on_the_host_is_interrupted_and_not_begun_again() {
    let mut lab = Lab::new().await;
    let (log, go) = (lab.path("log"), lab.path("go"));
    let job = format!("name: s\nsteps:\n  - id: long\n    run: |\n{}", patient(&log, &go));
    let id = lab.submit(&job, 1).await;
    let known = async {
        while lab.stdout(id).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::PATIENCE, known).await.unwrap();
    lab.end_runner();
    std::fs::write(&go, "").unwrap();
    std::fs::rename(lab.path("runner/attempts"), lab.path("elsewhere")).unwrap();
    lab.begin_runner();
    let unresolved = async {
        while lab.targets(id).await[0].verdict != "unresolved" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::PATIENCE, unresolved).await.unwrap();
    let row = &lab.targets(id).await[0];
    assert_eq!(row.outcome.as_deref(), Some("interrupted"), "{row:?}");
    assert_eq!(lines_of(&log), ["begun"]);
    lab.cancel(id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_goes_on_while_the_scheduler_is_away_and_all_its_output_arrives() {
    let mut lab = Lab::new().await;
    let (log, go) = (lab.path("log"), lab.path("go"));
    // Three times the window of unacknowledged output, written while nobody takes it.
    let job = format!(
        "name: s\nsteps:\n  - id: long\n    run: |\n{}      i=0; while [ $i -lt 3000 ]; do printf '%01023d\\n' $i; i=$((i + 1)); done\n      echo ended >> {}\n  - {{ id: after, run: echo after }}\n",
        patient(&log, &go),
        log.display()
    );
    let id = lab.submit(&job, 1).await;
    until("the step", || !lines_of(&log).is_empty()).await;
    lab.end_scheduler();
    std::fs::write(&go, "").unwrap();
    until("its end", || lines_of(&log).len() == 2).await;
    lab.begin_scheduler().await;
    lab.end(id, "succeeded").await;
    let text = lab.stdout(id).await;
    let numbers: Vec<usize> =
        text.lines().filter(|line| line.len() == 1023).map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers, (0..3000).collect::<Vec<_>>(), "every line once and in order");
    assert!(text.starts_with("one\ntwo\n") && text.ends_with("\nafter\n"));
    assert_eq!(lines_of(&log), ["begun", "ended"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_may_end_in_the_middle_of_a_step() {
    let mut lab = Lab::new().await;
    let (log, go) = (lab.path("log"), lab.path("go"));
    let job = format!(
        "name: s\nsteps:\n  - {{ id: a, run: echo zero }}\n  - id: long\n    run: |\n{}  - {{ id: after, run: echo after }}\n",
        patient(&log, &go)
    );
    let id = lab.submit(&job, 1).await;
    until("the step", || !lines_of(&log).is_empty()).await;
    lab.end_runner();
    lab.end_scheduler();
    std::fs::write(&go, "").unwrap();
    lab.begin_runner();
    lab.begin_scheduler().await;
    lab.end(id, "succeeded").await;
    assert_eq!(lab.stdout(id).await, "zero\none\ntwo\nafter\n");
    assert_eq!(lines_of(&log), ["begun"]);
    assert_eq!(lab.targets(id).await[0].attempts, 1);
}
