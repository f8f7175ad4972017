//! A scheduler that ends in the middle of jobs and begins again on the same folder.

use autoexec_model::api::{JobsQuery, Operation, RetryWhat};
use autoexec_model::id::UnixMillis;
use autoexec_wire::session::RunnerMessage;
use serde_json::json;

use crate::hand::{Hand, failed, holds, well};
use crate::house::{House, ONE, once, request, show, submit, text, try_submit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_the_same_job_also_after_a_restart() {
    let mut house = House::new().await;
    let client = house.client().await;
    let first = try_submit(&client, request(ONE, 1), Some("k1")).await.unwrap();
    assert!(!first.known);
    let again = try_submit(&client, request(ONE, 1), Some("k1")).await.unwrap();
    assert_eq!((again.job, again.known), (first.job, true));
    let other = try_submit(&client, request(ONE, 1), Some("k2")).await.unwrap();
    assert_ne!(other.job, first.job);
    // One that is over by then, and one that is not.
    client.operate(first.job.0, Operation::Cancel { reason: String::new() }, "ann".into()).await.unwrap();
    once(&client, first.job.0, "cancelled").await;
    house.restart().await;
    let client = house.client().await;
    for (key, job) in [("k1", first.job), ("k2", other.job)] {
        let again = try_submit(&client, request(ONE, 1), Some(key)).await.unwrap();
        assert_eq!((again.job, again.known), (job, true), "{key}");
    }
    let fresh = try_submit(&client, request(ONE, 1), None).await.unwrap();
    assert_eq!((fresh.job.0, fresh.known), (other.job.0 + 1, false), "numbers go on where they were");
    assert_eq!(client.jobs(JobsQuery::default()).await.unwrap().rows.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_lost_everything_gets_its_grants_again_with_what_is_stored() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 3)).await;
    let leases = hand.leases(3).await;
    hand.started(leases[0]).await;
    hand.output(leases[0].0, leases[0].1, 0, b"1234567").await;
    hand.started(leases[1]).await;
    hand.so_far().await;
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let grant = hand.grant().await;
    assert_eq!(hand.so_far().await, [], "one message for the phase");
    let named: Vec<_> = grant.attempts.iter().map(|attempt| (attempt.attempt, attempt.epoch)).collect();
    assert_eq!(named, leases);
    assert_eq!(grant.attempts[0].target.as_ref().map(|target| target.name.as_str()), Some("h1"));
    let resume: Vec<_> =
        grant.attempts.iter().map(|attempt| attempt.resume.map(|resume| (resume.stdout, resume.stderr))).collect();
    assert_eq!(resume, [Some((7, 0)), Some((0, 0)), None], "only what had begun is resumed, from what is stored");
    // It goes on where it was, and the number of attempts does not grow.
    hand.output(leases[0].0, leases[0].1, 7, b"89").await;
    for lease in leases {
        hand.finished(lease, well()).await;
    }
    let view = once(&client, job, "succeeded").await;
    assert_eq!(view.counts["succeeded"], 3);
    assert_eq!(text(&client, job, "h1").await, "123456789");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_holds_its_attempts_is_left_alone() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 2)).await;
    let leases = hand.leases(2).await;
    hand.started(leases[0]).await;
    hand.so_far().await;
    let before = show(&client, job).await;
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    assert_eq!(show(&client, job).await, before, "replayed is as lived");
    let mut hand = Hand::join(&client, "r1", leases.iter().copied().map(holds).collect()).await;
    assert_eq!((hand.keep.len(), hand.stop.len()), (2, 0));
    assert_eq!(hand.so_far().await, []);
    for lease in leases {
        hand.finished(lease, well()).await;
    }
    once(&client, job, "succeeded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_grant_says_which_step_was_come_to() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let spec = "name: two\nsteps:\n  - { id: first, run: a }\n  - { id: second, run: b }\n";
    submit(&client, request(spec, 1)).await;
    let (attempt, epoch) = hand.leases(1).await[0];
    hand.started((attempt, epoch)).await;
    hand.say(RunnerMessage::Progress { attempt, epoch, step: 1, attempt_try: 1 }).await;
    // Somebody whose lease is older knows nothing of it.
    let stale = autoexec_model::id::Epoch(epoch.0 + 1);
    hand.say(RunnerMessage::Progress { attempt, epoch: stale, step: 0, attempt_try: 1 }).await;
    hand.finished((attempt, stale), well()).await;
    hand.so_far().await;
    drop(hand);
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let resume = hand.grant().await.attempts[0].resume.unwrap();
    assert_eq!(resume.step, 1);
    assert!(resume.started_at > UnixMillis(1_000_000), "by the scheduler's clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_over_can_be_retried_after_a_restart_with_its_secret() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let spec = "name: s\nparams: { pw: { type: secret, required: true } }\nsteps:\n  - { id: first, run: echo, env: { P: '{{ params.pw }}' } }\n";
    let mut with_secret = request(spec, 2);
    with_secret.secrets.push(("pw".into(), "hunter2".into()));
    let job = submit(&client, with_secret).await;
    let grant = hand.grant().await;
    assert_eq!((&grant.params["pw"], grant.secrets.as_slice()), (&json!("hunter2"), &["pw".to_owned()][..]));
    let lease = |n: usize| (grant.attempts[n].attempt, grant.attempts[n].epoch);
    hand.finished(lease(0), well()).await;
    hand.finished(lease(1), failed(1)).await;
    once(&client, job, "failed").await;
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    assert_eq!(client.info().await.unwrap().live_jobs, 0);
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    client.operate(job, Operation::Retry { what: RetryWhat::Failed }, "ann".into()).await.unwrap();
    let grant = hand.grant().await;
    assert_eq!(grant.attempts.len(), 1, "the success is left alone");
    assert_eq!((grant.attempts[0].attempt.n, grant.attempts[0].resume), (2, None));
    assert_eq!(grant.params["pw"], json!("hunter2"));
    // And in the middle of the retry once more.
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    hand.work(1).await;
    let view = once(&client, job, "succeeded").await;
    assert_eq!(view.counts["succeeded"], 2);
    // The secret is in no view and no plain file.
    let grep = std::process::Command::new("grep").args(["-rlF", "hunter2"]).arg(house.state()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "", "the secret is written down in plain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_after_a_restart_page_by_page() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    for n in 0..5 {
        let job = submit(&client, request(&ONE.replace("one", &format!("job-{n}")), 1)).await;
        if n < 3 {
            hand.work(1).await;
            once(&client, job, "succeeded").await;
        }
    }
    drop(hand);
    house.restart().await;
    let client = house.client().await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = client.jobs(JobsQuery { limit: 2, before, ..JobsQuery::default() }).await.unwrap();
        assert!(page.rows.len() <= 2);
        seen.extend(page.rows.iter().map(|row| (row.name.clone(), row.state.clone())));
        before = page.rows.last().map(|row| row.id);
        if !page.more {
            break;
        }
    }
    let want = [
        ("job-4", "running"),
        ("job-3", "running"),
        ("job-2", "succeeded"),
        ("job-1", "succeeded"),
        ("job-0", "succeeded"),
    ];
    assert_eq!(seen, want.map(|(name, state)| (name.to_owned(), state.to_owned())));
    let query = JobsQuery { states: vec!["succeeded".into()], name: Some("job-[12]".into()), ..JobsQuery::default() };
    let names: Vec<String> = client.jobs(query).await.unwrap().rows.into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["job-2", "job-1"]);
    // A job that is gone is a place in the list all the same.
    let page = client.jobs(JobsQuery { before: Some(900), limit: 1, ..JobsQuery::default() }).await.unwrap();
    assert_eq!((page.rows[0].name.as_str(), page.more), ("job-4", true));
    assert_eq!(client.jobs(JobsQuery { before: Some(1), ..JobsQuery::default() }).await.unwrap(), Default::default());
}
