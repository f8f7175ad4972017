//! Client and server over a real unix socket: every request arrives as it was sent, every answer too, and what goes wrong is a
//! refusal that says what.

use std::sync::atomic::Ordering;
use std::time::Duration;

use autoexec_model::api::*;
use autoexec_model::id::{Digest, Epoch, UnixMillis};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::refusal::{Code, Refusal};
use autoexec_wire::client::Client;
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use tokio::time::timeout;

use crate::scheduler::{BROKEN_JOB, DEADLINE, ENDLESS_JOB, HUGE_JOB, REFUSED_JOB, Running, sample, the_refusal};

#[tokio::test]
async fn jobs_are_planned_submitted_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    assert_eq!(client.plan(sample().plan_request()).await, Ok(sample().plan_reply()));
    assert_eq!(client.submit(sample().submit()).await, Ok(sample().submit_reply()));
    let page = client.jobs(sample().jobs_query()).await.unwrap();
    assert_eq!(page, JobsPage { rows: vec![sample().job_row()], more: true });
    assert_eq!(client.show(JobRef::Last, true).await.unwrap().name, "last");
    assert_eq!(client.show(JobRef::Name("roll".into()), true).await.unwrap().clusters.len(), 1);
    assert!(client.show(JobRef::Id(17), false).await.unwrap().clusters.is_empty());
    assert_eq!(client.targets(sample().targets_query()).await, Ok(sample().targets_page()));
    let reasons = client.explain(JobRef::Last, Some("web1".into())).await.unwrap();
    assert_eq!(reasons, [sample().explanation(), sample().explanation()]);
}

#[tokio::test]
async fn every_operation_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    for operation in sample().operations() {
        let view = client.operate(7, operation, "me".into()).await.unwrap();
        assert_eq!((view.id, view.by.as_str()), (7, "me"));
    }
    assert_eq!(client.operate(REFUSED_JOB, Operation::Pause, "me".into()).await, Err(the_refusal()));
}

#[tokio::test]
async fn tools_targets_and_schemas_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    assert_eq!(client.tools().await.unwrap().len(), 2);
    assert_eq!(client.tool("http".into()).await.unwrap().tool.name, "http");
    assert_eq!(client.check_tool(sample().tool()).await, Ok(CheckReply { report: sample().lines(), ok: true }));
    let targets = client.list_targets(Some(sample().source()), Some("@web".into())).await;
    assert_eq!(targets, Ok(vec![sample().target_info()]));
    for kind in SchemaKind::ALL {
        assert_eq!(client.schema(kind).await, Ok(format!("{{\"title\":\"{}\"}}", kind.word())));
    }
}

#[tokio::test]
async fn the_scheduler_is_asked_about_itself() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    assert_eq!(client.info().await, Ok(sample().info()));
    for verb in sample().store_verbs() {
        let reply = client.store(verb.clone()).await.unwrap();
        assert_eq!(reply.json, serde_json::to_value(verb).unwrap());
    }
    assert_eq!(client.shutdown(true).await, Err(Refusal::new(Code::Illegal, "2 jobs are live")));
    assert_eq!(client.shutdown(false).await, Ok(()));
}

#[tokio::test]
async fn a_watch_yields_updates_until_it_ends_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let updates: Vec<_> = client.watch(17, 0).await.unwrap().collect().await;
    assert_eq!(updates.len(), 2);
    assert_eq!(updates[0], Ok(sample().watch_update()));
    assert_eq!(client.watch(17, 1).await.unwrap().collect::<Vec<_>>().await.len(), 1);
    assert_eq!(client.watch(REFUSED_JOB, 0).await.err(), Some(the_refusal()));
    let broken: Vec<_> = client.watch(BROKEN_JOB, 1).await.unwrap().collect().await;
    assert_eq!(broken[1], Err(the_refusal()));
    assert_eq!(broken.len(), 2);
}

#[tokio::test]
async fn output_is_made_no_faster_than_it_is_read_and_ends_with_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let pieces: Vec<_> = client.output(sample().output_query()).await.unwrap().collect().await;
    assert_eq!(pieces, [Ok(sample().output_piece())]);

    let query = OutputQuery { job: ENDLESS_JOB, ..OutputQuery::default() };
    let mut endless = client.output(query).await.unwrap();
    for _ in 0..200 {
        assert_eq!(endless.next().await.unwrap().unwrap().bytes.len(), 64 * 1024);
    }
    // 64 KiB a piece: what the windows of the connection and the buffers of the socket hold is far below 500 pieces more.
    assert!(running.scheduler.made.load(Ordering::SeqCst) < 700);
    drop(endless);
    timeout(DEADLINE, running.scheduler.gone.notified()).await.expect("the scheduler sees that the reader went away");
}

#[tokio::test]
async fn a_runner_and_its_scheduler_talk_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let (mut say, messages) = mpsc::channel(4);
    say.send(RunnerMessage::Hello(sample().hello())).await.unwrap();
    let mut answers = client.session(messages).await.unwrap();
    let welcome = answers.next().await.unwrap().unwrap();
    assert!(matches!(welcome, SchedulerMessage::Welcome { heartbeat_ms: 1000, .. }), "{welcome:?}");

    let (attempt, epoch) = (sample().attempt(), Epoch(4));
    let chunk = sample().chunk();
    let ack =
        SchedulerMessage::OutputAck { attempt, stream: chunk.stream, offset: chunk.offset + chunk.bytes.len() as u64 };
    let report = sample().report(Outcome::Exited { code: 0 }, Verdict::Succeeded);
    let talk = [
        (
            RunnerMessage::Accepted { attempts: vec![Lease { attempt, epoch }] },
            SchedulerMessage::Grant(Box::new(sample().grant())),
        ),
        (RunnerMessage::Output { chunk, epoch }, ack),
        (RunnerMessage::Finished { attempt, epoch, report }, SchedulerMessage::FinishedAck { attempt, epoch }),
        (
            RunnerMessage::Heartbeat { live: vec![], at: UnixMillis(5) },
            SchedulerMessage::Renewed { until: UnixMillis(5) },
        ),
        (RunnerMessage::NeedTool { digest: Digest("d".into()) }, SchedulerMessage::Tool(sample().tool())),
    ];
    for (message, answer) in talk {
        say.send(message).await.unwrap();
        assert_eq!(timeout(DEADLINE, answers.next()).await.unwrap(), Some(Ok(answer)));
    }

    drop(say);
    assert_eq!(timeout(DEADLINE, answers.next()).await.unwrap(), None);
    timeout(DEADLINE, running.scheduler.session_over.notified())
        .await
        .expect("the scheduler sees that the runner went away");
}

#[tokio::test]
async fn a_session_is_refused_before_and_after_the_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    let silent = client.session(futures::stream::iter([RunnerMessage::Draining])).await.err().unwrap();
    assert_eq!(silent.code, Code::Invalid);
    assert!(silent.message.contains("expected a hello"), "{silent}");

    let messages = [RunnerMessage::Hello(sample().hello()), RunnerMessage::Draining];
    let answers: Vec<_> = client.session(futures::stream::iter(messages)).await.unwrap().collect().await;
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1], Err(the_refusal()));
}

#[tokio::test]
async fn a_refusal_arrives_whole_and_a_monstrous_one_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    assert_eq!(client.show(JobRef::Id(REFUSED_JOB), false).await, Err(the_refusal()));
    let cut = client.show(JobRef::Id(HUGE_JOB), false).await.unwrap_err();
    assert_eq!(cut.code, Code::Invalid);
    assert!(cut.message.starts_with("éééé") && cut.message.len() > 2000);
    assert_eq!(cut.hints, ["shorter"]);
}

#[tokio::test]
async fn nobody_at_the_socket_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("nobody");
    let refusal = Client::connect_unix(&socket).await.unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(refusal.message.contains(&socket.display().to_string()), "{refusal}");
    assert!(refusal.message.contains("No such file"), "{refusal}");
}

#[tokio::test]
async fn a_client_outlives_its_scheduler() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let client = running.client().await;
    assert_eq!(client.info().await, Ok(sample().info()));
    assert_eq!(running.end().await, Ok(()));
    assert_eq!(client.info().await.unwrap_err().code, Code::Unavailable);

    let _again = Running::start(folder.path());
    // The first call after a failure may still be told of it.
    let mut answer = client.info().await;
    if answer.is_err() {
        answer = client.info().await;
    }
    assert_eq!(answer, Ok(sample().info()));
}

#[tokio::test]
async fn a_stream_that_stays_open_does_not_keep_the_server_from_ending() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start_with_grace(folder.path(), Duration::from_millis(50));
    let client = running.client().await;
    let (mut say, messages) = mpsc::channel(1);
    say.send(RunnerMessage::Hello(sample().hello())).await.unwrap();
    let mut answers = client.session(messages).await.unwrap();
    assert!(answers.next().await.unwrap().is_ok());
    assert_eq!(running.end().await, Ok(()));
}
