//! Messages that are too large are refused, and the refusal says so; those that carry files may be larger than the others.

use autoexec_model::api::{JobRef, Source};
use autoexec_model::refusal::Code;
use autoexec_wire::limits::{MAX_LARGE_MESSAGE, MAX_MESSAGE};
use autoexec_wire::pb;
use autoexec_wire::pb::jobs_client::JobsClient;
use autoexec_wire::pb::runners_client::RunnersClient;
use autoexec_wire::status::to_refusal;
use futures::StreamExt;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};

use crate::scheduler::{HUGE_JOB, Running, sample};

/// A client without the bounds and checks of ours.
async fn raw_channel(running: &Running) -> Channel {
    let socket = running.socket.clone();
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://test.invalid").connect_with_connector(connector).await.unwrap()
}

#[tokio::test]
async fn an_inventory_of_five_mebibytes_is_planned_and_a_name_of_five_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let mut request = sample().plan_request();
    request.inventory = Some(Source { name: "hosts.yaml".into(), bytes: vec![b'x'; MAX_MESSAGE + MAX_MESSAGE / 4] });
    assert_eq!(client.plan(request).await, Ok(sample().plan_reply()));

    let name = "x".repeat(MAX_MESSAGE + 1);
    let refusal = client.show(JobRef::Name(name.clone()), false).await.unwrap_err();
    assert_eq!(refusal.code, Code::Exhausted);
    assert!(refusal.message.contains("may have at most 4194304"), "{refusal}");

    let mut raw = JobsClient::new(raw_channel(&running).await);
    let message = pb::ShowRequest { job: Some(JobRef::Name(name).into()), clusters: false };
    let refusal = to_refusal(&raw.show(message).await.unwrap_err());
    assert_eq!(refusal.code, Code::Exhausted);
    assert!(refusal.message.contains("4194304"), "{refusal}");
}

#[tokio::test]
async fn a_request_and_a_reply_beyond_every_bound_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let mut request = sample().plan_request();
    request.inventory = Some(Source { name: "hosts.yaml".into(), bytes: vec![b'x'; MAX_LARGE_MESSAGE] });
    let refusal = client.plan(request.clone()).await.unwrap_err();
    assert_eq!(refusal.code, Code::Exhausted);
    assert!(refusal.message.starts_with("the request has 671"), "{refusal}");

    let mut raw = JobsClient::new(raw_channel(&running).await);
    let refusal = to_refusal(&raw.plan(pb::PlanRequest::from(request)).await.unwrap_err());
    assert_eq!(refusal.code, Code::Exhausted);

    let mut query = sample().targets_query();
    query.job = HUGE_JOB;
    let refusal = client.targets(query).await.unwrap_err();
    assert_eq!(refusal.code, Code::Exhausted);
    assert!(refusal.hints[0].contains("fewer rows"), "{refusal:?}");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_refused_with_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let channel = raw_channel(&running).await;
    let mut jobs = JobsClient::new(channel.clone());
    let status = jobs.operate(pb::OperateRequest { job: 1, operation: None, by: "me".into() }).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().contains("field `operation` is missing"), "{status}");
    let status = jobs.plan(pb::PlanRequest::default()).await.unwrap_err();
    assert!(to_refusal(&status).message.contains("field `job` is missing"), "{status}");

    let hello = pb::RunnerMessage::from(autoexec_wire::session::RunnerMessage::Hello(sample().hello()));
    let messages = futures::stream::iter([hello, pb::RunnerMessage::default()]);
    let answers: Vec<_> = RunnersClient::new(channel).session(messages).await.unwrap().into_inner().collect().await;
    let status = answers[1].as_ref().unwrap_err();
    assert!(to_refusal(status).message.contains("field `message` is missing"), "{status}");
}
