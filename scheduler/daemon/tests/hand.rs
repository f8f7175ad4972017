//! A runner that says what a test wants, over the real stream, and shows what it hears.

use std::collections::BTreeMap;

use autoexec_model::grant::{AttemptReport, Grant, LiveAttempt, OutputChunk, RunnerHello, Stream};
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_wire::client::{Client, Replies};
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::house::in_time;

/// The runner.
pub(crate) struct Hand {
    say: mpsc::Sender<RunnerMessage>,
    hear: Replies<SchedulerMessage>,
    /// What it was told to keep when it was welcomed.
    pub(crate) keep: Vec<Lease>,
    /// What it was told to stop then.
    pub(crate) stop: Vec<Lease>,
    marks: u64,
}

/// A hello of a runner that holds these attempts.
pub(crate) fn hello(name: &str, live: Vec<LiveAttempt>) -> RunnerHello {
    RunnerHello { runner: RunnerId(name.into()), version: "1".into(), capacity: 100, labels: BTreeMap::new(), live }
}

impl Hand {
    /// Opens a stream, whatever is said first.
    pub(crate) async fn open(
        client: &Client,
        first: RunnerMessage,
    ) -> (mpsc::Sender<RunnerMessage>, Replies<SchedulerMessage>) {
        let (say, said) = mpsc::channel(64);
        say.send(first).await.unwrap();
        match client.session(ReceiverStream::new(said)).await {
            Ok(hear) => (say, hear),
            Err(refusal) => (say, futures::stream::iter([Err(refusal)]).boxed()),
        }
    }

    /// Says hello and is welcomed.
    pub(crate) async fn join(client: &Client, name: &str, live: Vec<LiveAttempt>) -> Self {
        let (say, mut hear) = Self::open(client, RunnerMessage::Hello(hello(name, live))).await;
        let welcome = in_time("a welcome", hear.next()).await.unwrap().unwrap();
        let SchedulerMessage::Welcome { keep, stop, heartbeat_ms, lease_ms, .. } = welcome else {
            panic!("the first message is {welcome:?}");
        };
        assert!(heartbeat_ms < lease_ms);
        Self { say, hear, keep, stop, marks: 0 }
    }

    pub(crate) async fn say(&self, message: RunnerMessage) {
        self.say.send(message).await.unwrap();
    }

    pub(crate) async fn heard(&mut self) -> SchedulerMessage {
        in_time("a message of the scheduler", self.hear.next()).await.expect("the stream goes on").unwrap()
    }

    /// Whether the scheduler ends the stream.
    pub(crate) async fn sent_away(mut self) -> bool {
        let end = async {
            loop {
                match self.hear.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return true,
                }
            }
        };
        in_time("the end of the stream", end).await
    }

    /// The next message, which must be a grant.
    pub(crate) async fn grant(&mut self) -> Grant {
        match self.heard().await {
            SchedulerMessage::Grant(grant) => *grant,
            other => panic!("not a grant: {other:?}"),
        }
    }

    /// Everything that was sent up to now: what comes before the answer to a question that nobody else asks.
    pub(crate) async fn so_far(&mut self) -> Vec<SchedulerMessage> {
        self.marks += 1;
        let nobody = AttemptId { job: JobId(u64::MAX), task: TaskIx(0), n: 1 };
        self.output(nobody, Epoch(1), self.marks - 1, b"?").await;
        let mut heard = Vec::new();
        loop {
            match self.heard().await {
                SchedulerMessage::OutputAck { attempt, offset, .. } if attempt == nobody && offset == self.marks => {
                    return heard;
                }
                other => heard.push(other),
            }
        }
    }

    pub(crate) async fn started(&self, (attempt, epoch): (AttemptId, Epoch)) {
        self.say(RunnerMessage::Started { attempt, epoch, at: UnixMillis(5) }).await;
    }

    pub(crate) async fn output(&self, attempt: AttemptId, epoch: Epoch, offset: u64, bytes: &[u8]) {
        let chunk = OutputChunk { attempt, stream: Stream::Stdout, offset, bytes: bytes.to_vec() };
        self.say(RunnerMessage::Output { chunk, epoch }).await;
    }

    pub(crate) async fn finished(&self, (attempt, epoch): (AttemptId, Epoch), report: AttemptReport) {
        self.say(RunnerMessage::Finished { attempt, epoch, report }).await;
    }

    /// Takes grants until it has so many attempts, and ends each of them well.
    pub(crate) async fn work(&mut self, attempts: usize) {
        for lease in self.leases(attempts).await {
            self.started(lease).await;
            self.finished(lease, well()).await;
        }
    }

    /// Takes grants until it has so many attempts.
    pub(crate) async fn leases(&mut self, attempts: usize) -> Vec<(AttemptId, Epoch)> {
        let mut leases = Vec::new();
        while leases.len() < attempts {
            if let SchedulerMessage::Grant(grant) = self.heard().await {
                leases.extend(grant.attempts.iter().map(|attempt| (attempt.attempt, attempt.epoch)));
            }
        }
        assert_eq!(leases.len(), attempts);
        leases
    }

    /// Waits until the end of an attempt is acknowledged.
    pub(crate) async fn acknowledged(&mut self, (attempt, epoch): (AttemptId, Epoch)) {
        loop {
            match self.heard().await {
                SchedulerMessage::FinishedAck { attempt: known, epoch: at } if (known, at) == (attempt, epoch) => {
                    return;
                }
                _ => {}
            }
        }
    }
}

/// An attempt that the runner says it holds.
pub(crate) fn holds((attempt, epoch): (AttemptId, Epoch)) -> LiveAttempt {
    LiveAttempt { attempt, epoch, stdout: 0, stderr: 0 }
}

/// A report of an attempt that ended well.
pub(crate) fn well() -> AttemptReport {
    report(Outcome::Exited { code: 0 }, Verdict::Succeeded, "")
}

/// A report of an attempt that failed with a code.
pub(crate) fn failed(code: i32) -> AttemptReport {
    report(Outcome::Exited { code }, Verdict::Failed, &format!("exit {code}"))
}

/// A report.
pub(crate) fn report(outcome: Outcome, verdict: Verdict, message: &str) -> AttemptReport {
    AttemptReport {
        outcome,
        verdict,
        message: message.into(),
        decided_by: (verdict != Verdict::Succeeded).then(|| "first".into()),
        steps: Vec::new(),
        cluster: None,
        stdout: 0,
        stderr: 0,
        started_at: UnixMillis(5),
        finished_at: UnixMillis(6),
    }
}
