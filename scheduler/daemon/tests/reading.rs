//! What readers get: lists, pages, changes since a revision, watching, output, identical outputs.

use autoexec_model::api::{JobRef, OutputQuery, TargetsQuery};
use autoexec_model::id::Digest;
use autoexec_wire::client::Client;
use futures::StreamExt as _;

use crate::hand::{Hand, failed, well};
use crate::house::{House, ONE, in_time, once, pieces, request, show, submit};

const BATCHES: &str = "name: rolling\ngroups:\n  - name: g\n    strategy: rolling\n    batches: '1'\n    budget: { failed: 9 }\n    phases:\n      - name: p\n        steps: [{ id: first, run: echo hi }]\n";

/// Lines of a job from a revision on, until it is over or so many came; and the revision then.
async fn lines(client: &Client, job: u64, since: u64, most: usize) -> (Vec<String>, u64) {
    let mut updates = client.watch(job, since).await.unwrap();
    let (mut seen, mut revision) = (Vec::new(), since);
    while let Some(update) = in_time("an update", updates.next()).await {
        let update = update.unwrap();
        assert!(update.job.revision >= revision, "revisions only grow");
        revision = update.job.revision;
        seen.extend(update.lines.into_iter().map(|line| line.text));
        if seen.len() >= most {
            break;
        }
    }
    (seen, revision)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_goes_on_where_it_was_sees_every_line_once() {
    let mut house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(BATCHES, 4)).await;
    let working = async {
        for n in 0..4 {
            let lease = hand.leases(1).await[0];
            hand.finished(lease, if n == 1 { failed(3) } else { well() }).await;
        }
    };
    let watching = async {
        let (mut seen, mut since) = (Vec::new(), 0);
        loop {
            // Another connection each time, as after a break.
            let (some, revision) = lines(&house.client().await, job, since, 1).await;
            if some.is_empty() {
                return seen;
            }
            seen.extend(some);
            since = revision;
        }
    };
    let ((), seen) = futures::join!(working, watching);
    drop(hand);
    let (whole, _) = lines(&client, job, 0, usize::MAX).await;
    assert_eq!(seen, whole);
    assert_eq!(whole.iter().filter(|line| line.contains("h2 failed in p/first: exit 3")).count(), 1, "{whole:?}");
    assert!(whole[0].contains("batch 1 of 4") && whole.last().unwrap().ends_with("failed"), "{whole:?}");
    house.restart().await;
    let (after, _) = lines(&house.client().await, job, 0, usize::MAX).await;
    assert_eq!(after, whole, "they are made from what is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_that_is_followed_comes_whole_and_ends_with_the_job() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 2)).await;
    let leases = hand.leases(2).await;
    let mut follow = client.output(OutputQuery { job, follow: true, ..OutputQuery::default() }).await.unwrap();
    hand.output(leases[1].0, leases[1].1, 0, b"early ").await;
    let first = in_time("a piece", follow.next()).await.unwrap().unwrap();
    assert_eq!((first.target.as_str(), first.bytes.as_slice()), ("h2", &b"early "[..]));
    hand.output(leases[1].0, leases[1].1, 6, b"late").await;
    hand.output(leases[0].0, leases[0].1, 0, b"other").await;
    for lease in leases {
        hand.finished(lease, well()).await;
    }
    let rest: Vec<_> = in_time("the end", follow.map(Result::unwrap).collect()).await;
    let of = |target: &str| -> Vec<u8> {
        rest.iter().filter(|piece| piece.target == target).flat_map(|piece| piece.bytes.clone()).collect()
    };
    assert_eq!((of("h1"), of("h2")), (b"other".to_vec(), b"late".to_vec()));
    // Read afterwards: in plan order, each stream with its end.
    let all = pieces(&client, OutputQuery { job, ..OutputQuery::default() }).await;
    let ends: Vec<&str> = all.iter().filter(|piece| piece.end).map(|piece| piece.target.as_str()).collect();
    assert_eq!(ends, ["h1", "h1", "h2", "h2"]);
    let none = pieces(&client, OutputQuery { job, phase: Some("other".into()), ..OutputQuery::default() }).await;
    assert_eq!(none, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_output_of_an_earlier_attempt_is_there_when_it_is_asked_for() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 1)).await;
    for text in [&b"first"[..], b"second"] {
        let lease = hand.leases(1).await[0];
        hand.output(lease.0, lease.1, 0, text).await;
        hand.finished(lease, failed(1)).await;
        once(&client, job, "failed").await;
        if text == b"first" {
            let what = autoexec_model::api::RetryWhat::Failed;
            client.operate(job, autoexec_model::api::Operation::Retry { what }, "ann".into()).await.unwrap();
        }
    }
    for (attempt, want) in [(None, "second"), (Some(1), "first"), (Some(2), "second"), (Some(3), "")] {
        let got = pieces(&client, OutputQuery { job, attempt, ..OutputQuery::default() }).await;
        let bytes: Vec<u8> = got.into_iter().flat_map(|piece| piece.bytes).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), want, "attempt {attempt:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_come_in_pages_by_verdict_and_by_change() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 5)).await;
    let leases = hand.leases(5).await;
    hand.finished(leases[1], failed(2)).await;
    hand.acknowledged(leases[1]).await;
    let all = TargetsQuery { job, ..TargetsQuery::default() };
    let names =
        |page: &autoexec_model::api::TargetsPage| page.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    let page = client.targets(TargetsQuery { limit: 2, offset: 1, ..all.clone() }).await.unwrap();
    assert_eq!((names(&page), page.total), (vec!["h2".to_owned(), "h3".to_owned()], 5));
    assert_eq!((page.rows[0].verdict.as_str(), page.rows[0].exit_code), ("failed", Some(2)));
    let page = client.targets(TargetsQuery { verdicts: vec!["failed".into()], ..all.clone() }).await.unwrap();
    assert_eq!((names(&page), page.total), (vec!["h2".to_owned()], 1));
    let page = client.targets(TargetsQuery { targets: Some("h[4-5]".into()), ..all.clone() }).await.unwrap();
    assert_eq!(names(&page), ["h4", "h5"]);
    let revision = page.revision;
    let page = client.targets(TargetsQuery { since: revision, ..all.clone() }).await.unwrap();
    assert_eq!((page.rows.len(), page.revision), (0, revision), "nothing changed since");
    hand.finished(leases[3], well()).await;
    hand.acknowledged(leases[3]).await;
    let page = client.targets(TargetsQuery { since: revision, ..all }).await.unwrap();
    assert_eq!(names(&page), ["h4"]);
    assert!(page.revision > revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_that_said_the_same_are_one_cluster() {
    let house = House::new().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = submit(&client, request(ONE, 4)).await;
    for (n, lease) in hand.leases(4).await.into_iter().enumerate() {
        let (text, digest) = if n == 2 { ("odd one\n", "b") } else { ("all alike\n", "a") };
        hand.output(lease.0, lease.1, 0, text.as_bytes()).await;
        let base = if n == 3 { failed(7) } else { well() };
        hand.finished(lease, autoexec_model::grant::AttemptReport { cluster: Some(Digest(digest.into())), ..base })
            .await;
    }
    once(&client, job, "failed").await;
    let clusters = client.show(JobRef::Id(job), true).await.unwrap().clusters;
    let seen: Vec<_> = clusters
        .iter()
        .map(|c| (c.size, c.targets.as_str(), c.verdict.as_str(), c.outcome.as_str(), c.sample.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (2, "h[1-2]", "succeeded", "exit 0", "all alike\n"),
            (1, "h3", "succeeded", "exit 0", "odd one\n"),
            (1, "h4", "failed", "exit 7", "all alike\n"),
        ]
    );
    assert_eq!(show(&client, job).await.clusters, [], "only for whom asks");
}
