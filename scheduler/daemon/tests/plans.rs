//! Plans that are kept and run by their digest.

use autoexec_model::api::{SubmitRequest, SubmitWhat};
use autoexec_model::refusal::{Code, Refusal};
use autoexec_wire::client::Client;
use futures::future::join_all;
use serde_json::json;

use crate::hand::Hand;
use crate::house::{House, ONE, once, request, submit, with_file};

async fn run(client: &Client, digest: &str, secrets: &[(&str, &str)]) -> Result<u64, Refusal> {
    let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let what = SubmitWhat::Digest { digest: digest.into(), secrets };
    client.submit(SubmitRequest { what, by: "ann".into(), idempotency_key: None }).await.map(|reply| reply.job.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_run_by_the_beginning_of_its_digest_and_is_what_was_planned() {
    let mut house = House::new().await;
    let client = house.client().await;
    let planned = client.plan(request(ONE, 2)).await.unwrap();
    assert!(
        planned.report.iter().any(|line| line.text.contains("h[1-2]") || line.text.contains("h1")),
        "{:?}",
        planned.report
    );
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let job = run(&client, &planned.digest.0[..12], &[]).await.unwrap();
    hand.work(2).await;
    assert_eq!(once(&client, job, "succeeded").await.plan_digest, planned.digest.0);
    let again = run(&client, &planned.digest.0, &[]).await.unwrap();
    assert_ne!(again, job);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_beginning_of_no_plan_and_of_several_is_refused() {
    let house = House::new().await;
    let client = house.client().await;
    // One more than there are first digits: two of them begin alike.
    let mut digests = Vec::new();
    for n in 0..17 {
        digests.push(client.plan(request(&ONE.replace("one", &format!("p{n}")), 1)).await.unwrap().digest.0);
    }
    let first = |digest: &String| digest[..1].to_owned();
    let twice = digests
        .iter()
        .map(first)
        .find(|start| digests.iter().filter(|digest| first(digest) == *start).count() > 1)
        .unwrap();
    let refusal = run(&client, &twice, &[]).await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        (Code::Invalid, format!("several plans begin with `{twice}`").as_str())
    );
    let refusal = run(&client, "not-a-digest", &[]).await.unwrap_err();
    assert_eq!(refusal.code, Code::NotFound, "{refusal:?}");
    assert!(refusal.hints[0].contains("autoexec plan"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_holds_no_secret_so_it_is_given_again() {
    let house = House::new().await;
    let client = house.client().await;
    let spec = "name: s\nparams: { pw: { type: secret, required: true } }\nsteps:\n  - { id: first, run: echo, env: { P: '{{ params.pw }}' } }\n";
    let mut with_secret = request(spec, 1);
    with_secret.secrets.push(("pw".into(), "hunter2".into()));
    let planned = client.plan(with_secret).await.unwrap();
    assert!(!planned.plan.to_string().contains("hunter2"));
    let refusal = run(&client, &planned.digest.0, &[]).await.unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    assert!(refusal.message.contains("the secret `pw`") && refusal.hints[0].contains("--secret pw"), "{refusal:?}");
    let refusal = run(&client, &planned.digest.0, &[("pw", "a"), ("wp", "b")]).await.unwrap_err();
    assert!(refusal.message.contains("no secret `wp`"), "{refusal:?}");
    run(&client, &planned.digest.0, &[("pw", "another")]).await.unwrap();
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    assert_eq!(hand.grant().await.params["pw"], json!("another"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_wrong_is_refused_with_the_place() {
    let house = House::new().await;
    let client = house.client().await;
    let refusal = client.plan(request("name: x\nstepps: []\n", 1)).await.unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    assert!(refusal.message.contains("job.yaml") && refusal.message.contains("stepps"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_bring_the_same_things_at_once_do_not_disturb_each_other() {
    let house = House::new().await;
    let client = house.client().await;
    let spec = "name: f\nparams: { motd: { type: file, required: true } }\nsteps:\n  - { tool: copy, with: { src: '{{ params.motd }}', dest: /tmp/x } }\n";
    let bytes = vec![b'x'; 300_000];
    let submits = (0..8).map(|_| submit(&client, with_file(request(spec, 1), "motd", &bytes)));
    let jobs = join_all(submits).await;
    assert_eq!(jobs.len(), 8);
    let left: Vec<_> = ["tools", "files"]
        .iter()
        .flat_map(|kind| std::fs::read_dir(house.state().join("shelf").join(kind)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left.len(), 2, "one tool, one file, nothing half written: {left:?}");
}
