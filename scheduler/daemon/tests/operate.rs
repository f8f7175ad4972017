//! What persons do to jobs, and what is refused.

use autoexec_model::api::{JobRef, Operation, RetryWhat, TargetsQuery};
use autoexec_model::refusal::Code;
use autoexec_wire::session::SchedulerMessage;

use crate::hand::{Hand, failed, well};
use crate::house::{House, ONE, once, request, show, submit, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_legal_now_is_refused_with_what_is() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let before = show(&client, job).await;
    let refusal = client.operate(job, Operation::Resume, "ann".into()).await.unwrap_err();
    assert_eq!(refusal.code, Code::Illegal);
    assert_eq!(refusal.message, format!("cannot resume job {job}: it is running"));
    assert!(refusal.hints[0].contains("pause") && refusal.hints[0].contains("cancel"), "{refusal:?}");
    assert_eq!(show(&client, job).await, before);
    hand.work(1).await;
    once(&client, job, "succeeded").await;
    let refusal = client.operate(job, Operation::Cancel { reason: String::new() }, "ann".into()).await.unwrap_err();
    assert_eq!(refusal.code, Code::Illegal);
    let refusal = client.operate(job, Operation::Retry { what: RetryWhat::Failed }, "ann".into()).await.unwrap_err();
    assert!(refusal.message.contains("nothing to retry"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_job_gives_out_nothing_until_it_is_resumed() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let mut narrow = request(ONE, 3);
    narrow.overrides.parallel = Some(1);
    let job = submit(&client, narrow).await;
    let lease = hand.leases(1).await[0];
    assert_eq!(client.operate(job, Operation::Pause, "ann".into()).await.unwrap().state, "pausing");
    hand.finished(lease, well()).await;
    once(&client, job, "paused").await;
    assert!(hand.so_far().await.iter().all(|message| !matches!(message, SchedulerMessage::Grant(_))));
    client.operate(job, Operation::Resume, "ann".into()).await.unwrap();
    for _ in 0..2 {
        hand.work(1).await;
    }
    assert_eq!(once(&client, job, "succeeded").await.counts["succeeded"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_on_targets_name_them_by_selector() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 3)).await;
    for (n, lease) in hand.leases(3).await.into_iter().enumerate() {
        hand.finished(lease, if n == 2 { well() } else { failed(1) }).await;
    }
    once(&client, job, "failed").await;
    let refusal = client.operate(job, Operation::Ignore { targets: "h9".into() }, "ann".into()).await.unwrap_err();
    assert_eq!(refusal.code, Code::NotFound);
    assert!(refusal.hints[0].contains("did you mean `h"), "{refusal:?}");
    client.operate(job, Operation::Ignore { targets: "h1".into() }, "ann".into()).await.unwrap();
    let rows = client.targets(TargetsQuery { job, ..TargetsQuery::default() }).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.verdict.as_str()).collect::<Vec<_>>(), ["ignored", "failed", "succeeded"]);
    client.operate(job, Operation::Retry { what: RetryWhat::Targets("h2".into()) }, "ann".into()).await.unwrap();
    hand.work(1).await;
    let view = once(&client, job, "succeeded").await;
    assert_eq!((view.counts["ignored"], view.counts["succeeded"]), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_explains_itself() {
    let house = House::new().await;
    let client = house.client().await;
    let job = submit(&client, request(ONE, 1)).await;
    let reasons = client.explain(JobRef::Last, Some("h1".into())).await.unwrap();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.reason.is_empty()), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.code.contains("runner")), "{reasons:?}");
    let refusal = client.explain(JobRef::Id(job), Some("h7".into())).await.unwrap_err();
    assert_eq!(refusal.code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_no_longer_in_memory_is_as_it_was_and_can_be_retried() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    // More than are kept in memory, each with a plan of its own.
    let mut views = Vec::new();
    for n in 0..40 {
        let job = submit(&client, request(&ONE.replace("one", &format!("job-{n}")), 1)).await;
        let lease = hand.leases(1).await[0];
        hand.output(lease.0, lease.1, 0, format!("output of {n}").as_bytes()).await;
        hand.finished(lease, failed(1)).await;
        views.push(once(&client, job, "failed").await);
    }
    for view in views.iter().rev() {
        assert_eq!(show(&client, view.id).await, *view);
    }
    let first = views[0].id;
    show(&client, views[39].id).await;
    assert_eq!(text(&client, first, "h1").await, "output of 0");
    client.operate(first, Operation::Retry { what: RetryWhat::Failed }, "ann".into()).await.unwrap();
    hand.work(1).await;
    assert_eq!(once(&client, first, "succeeded").await.name, "job-0");
}
