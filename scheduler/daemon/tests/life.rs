//! How a scheduler begins and ends, and its store.

use std::time::Duration;

use autoexec_model::api::{JobRef, Operation, StoreVerb};
use autoexec_model::refusal::Code;
use autoexec_scheduler::{SchedulerOptions, serve};
use tokio::sync::watch;

use crate::hand::Hand;
use crate::house::{House, ONE, in_time, once, request, show, submit, text, with_file};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_leaves_when_nothing_is_live_and_nobody_asks() {
    let mut house = House::with_idle(Some(Duration::from_millis(300))).await;
    let client = house.client().await;
    let _hand = Hand::join(&client, "r1", Vec::new()).await;
    house.ends_by_itself().await.unwrap();
    assert!(!house.socket().exists(), "a socket of nobody would mislead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stays_while_a_job_is_live() {
    let mut house = House::with_idle(Some(Duration::from_millis(300))).await;
    let client = house.client().await;
    let job = submit(&client, request(ONE, 1)).await;
    // Two looks of the housekeeper, at which it would leave if it could. Asking `info` is not using it.
    let looks = tokio::time::Instant::now() + Duration::from_millis(2_400);
    while tokio::time::Instant::now() < looks {
        assert_eq!(client.info().await.unwrap().live_jobs, 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(house.is_there());
    let refusal = client.shutdown(true).await.unwrap_err();
    assert_eq!(refusal.code, Code::Illegal);
    client.operate(job, Operation::Cancel { reason: String::new() }, "ann".into()).await.unwrap();
    house.ends_by_itself().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_when_it_is_told_to_although_a_runner_is_there() {
    let mut house = House::new().await;
    let client = house.client().await;
    let hand = Hand::join(&client, "r1", Vec::new()).await;
    client.shutdown(false).await.unwrap();
    assert!(hand.sent_away().await);
    house.ends_by_itself().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_scheduler_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let house = House::new().await;
    let client = house.client().await;
    for socket in [house.socket(), house.path("other")] {
        let (shutdown, _) = watch::channel(false);
        let options = SchedulerOptions::new(house.state(), socket, None);
        let ended = in_time("the refusal", serve(options, shutdown, |_| panic!("it does not begin"))).await;
        assert!(ended.is_err());
    }
    let again = house.client().await;
    assert_eq!(again.info().await.unwrap(), client.info().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_is_checked_measured_and_copied_and_the_copy_is_a_scheduler() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    let lease = hand.leases(1).await[0];
    hand.output(lease.0, lease.1, 0, b"kept").await;
    hand.finished(lease, crate::hand::well()).await;
    once(&client, job, "succeeded").await;
    let spec = "name: f\nparams: { motd: { type: file, required: true } }\nsteps:\n  - { tool: copy, with: { src: '{{ params.motd }}', dest: /tmp/x } }\n";
    let live = submit(&client, with_file(request(spec, 1), "motd", b"hello")).await;
    let verified = client.store(StoreVerb::Verify).await.unwrap();
    assert!(verified.ok && verified.json["events"].as_u64() > Some(5), "{verified:?}");
    let stats = client.store(StoreVerb::Stats).await.unwrap().json;
    assert_eq!(
        (&stats["jobs"], &stats["live_jobs"], &stats["output_bytes"].as_u64().map(|n| n > 0)),
        (&2.into(), &1.into(), &Some(true))
    );
    let refusal = client.store(StoreVerb::Backup { to: "relative".into() }).await.unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    let to = house.path("copy");
    assert!(client.store(StoreVerb::Backup { to: to.display().to_string() }).await.unwrap().ok);
    assert!(client.store(StoreVerb::Backup { to: to.display().to_string() }).await.is_err(), "never over something");
    let copy = House::on_copy_of(&to).await;
    let other = copy.client().await;
    assert_eq!(show(&other, job).await.state, "succeeded");
    assert_eq!(text(&other, job, "h1").await, "kept");
    // The job that is live there has its tool and its file.
    let mut hand = Hand::join(&other, "r1", Vec::new()).await;
    let grant = hand.grant().await;
    assert_eq!(grant.attempts[0].attempt.job.0, live);
    hand.say(autoexec_wire::session::RunnerMessage::NeedFile { sha256: grant.files[0].sha256.clone() }).await;
    match hand.heard().await {
        autoexec_wire::session::SchedulerMessage::File { bytes, end: true, .. } => assert_eq!(bytes, b"hello"),
        other => panic!("not the file: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_jobs_are_pruned_and_live_ones_are_not() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let old = submit(&client, request(ONE, 1)).await;
    hand.work(1).await;
    once(&client, old, "succeeded").await;
    drop(hand);
    let live = submit(&client, request(ONE, 1)).await;
    let pruned = client.store(StoreVerb::Prune { max_age: None, max_bytes: Some(0) }).await.unwrap();
    assert_eq!(pruned.json["jobs"], serde_json::json!([old]));
    let gone = client.show(JobRef::Id(old), false).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
    assert_eq!(show(&client, live).await.state, "running");
    assert!(client.store(StoreVerb::Verify).await.unwrap().ok);
}
