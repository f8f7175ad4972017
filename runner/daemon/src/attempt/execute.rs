//! One execution on a host, from its start to its end, whatever happens to the connection in between.
//!
//! ```text
//! start ──> watching ──> ended by itself
//!   ^          │ channel lost: attach again, or start again when it is certain that nothing began
//!   └──────────┘
//!              │ time is up, or a stop: kill, verified; then the rest of the output is read
//! ```
//!
//! The fence on the host makes a repeated start harmless, so nothing here needs to remember more than offsets.

use std::time::Duration;

use autoexec_model::grant::Stream;
use autoexec_process::ask::{self, KillOutcome};
use autoexec_process::drive::{Notice, Running, Sink, drive};
use autoexec_process::ended::{Begun, Ended, RefusalKind, ToolResult};
use autoexec_process::execution::Execution;
use autoexec_process::frame;
use autoexec_process::key::ExecKey;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{Offsets, StartOptions};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::board::{Live, StopRequest};
use crate::clock;
use crate::host::{Host, HostError, source_chain};
use crate::output::Output;

/// Bytes of each stream of one step that are kept.
pub(crate) const OUTPUT_CAP: u64 = 64 << 20;

/// Between the polite signal and the kill.
const GRACE: Duration = Duration::from_secs(5);

/// How long the rest of the output of something that was killed is read.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Pauses between attempts to reach a host again, while the step's own time lasts.
const RECONNECT: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How an execution ended.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// By itself.
    Exited { code: u32, result: Option<ToolResult> },
    /// Its time was up; whether it is certain that nothing is left of it.
    TimedOut { confirmed: bool, left: String },
    /// It was asked to stop; whether it is certain that nothing is left of it.
    Stopped { request: StopRequest, began: bool, confirmed: bool, left: String },
    /// The host could not be reached; nothing was started.
    Unreachable { message: String },
    /// The host was reached, and it could not be started there.
    FailedToStart { message: String },
    /// It had begun, and nobody knows how it ended.
    Interrupted { message: String },
}

/// What is to be executed and under which conditions.
pub(crate) struct Run<'a> {
    pub(crate) host: &'a Host,
    pub(crate) execution: &'a Execution,
    /// How long it may take once the host is reached.
    pub(crate) timeout: Duration,
    /// Set when it is known to have begun before: what is not found is lost, not new.
    pub(crate) must_exist: bool,
    pub(crate) live: &'a Live,
}

/// What the step's output came to, for its message.
#[derive(Default)]
pub(crate) struct Seen {
    offsets: Offsets,
    began: bool,
    dropped: [u64; 2],
    /// The end of what it printed, standard error before standard output.
    tails: [Vec<u8>; 2],
}

impl Seen {
    /// The last line that says something: of standard error, else of standard output.
    pub(crate) fn last_line(&self) -> String {
        let [stdout, stderr] = &self.tails;
        let last = |tail: &[u8]| {
            let text = String::from_utf8_lossy(tail).into_owned();
            text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(|line| line.chars().take(200).collect::<String>())
        };
        last(stderr).or_else(|| last(stdout)).unwrap_or_default()
    }
}

struct Eye<'a> {
    seen: &'a mut Seen,
    output: &'a mut Output,
    live: &'a Live,
}

/// How much of the end of each stream is kept for messages.
const TAIL: usize = 1_024;

impl Sink for Eye<'_> {
    async fn running(&mut self, _running: Running) {
        self.seen.began = true;
        self.live.start(clock::now());
    }

    async fn output(&mut self, stream: frame::Stream, offset: u64, bytes: Bytes) {
        let (slot, at, stream) = match stream {
            frame::Stream::Stdout => (0, &mut self.seen.offsets.stdout, Stream::Stdout),
            frame::Stream::Stderr => (1, &mut self.seen.offsets.stderr, Stream::Stderr),
        };
        let known = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len());
        let fresh = bytes.slice(known..);
        *at = (*at).max(offset + bytes.len() as u64);
        if let Some(tail) = self.seen.tails.get_mut(slot) {
            tail.extend_from_slice(&fresh);
            let cut = tail.len().saturating_sub(TAIL);
            tail.drain(..cut);
        }
        self.output.push(stream, &fresh).await;
    }

    async fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Dropped { stream, total } => {
                let slot = usize::from(stream == frame::Stream::Stderr);
                if let Some(dropped) = self.seen.dropped.get_mut(slot) {
                    *dropped = total;
                }
            }
            Notice::Truncated { to, from, .. } => {
                self.output.remark(&format!("the tool cut its own output short: {from} to {to}")).await;
            }
            Notice::Heartbeat => {}
        }
    }
}

impl Run<'_> {
    /// Runs it to its end. The output goes to `output`; what was seen of it is left in `seen`.
    pub(crate) async fn to_the_end(&self, output: &mut Output, seen: &mut Seen, stop: &mut watch::Receiver<Option<StopRequest>>) -> RunEnd {
        let bytes = match payload(self.execution) {
            Ok(bytes) => bytes,
            Err(error) => return RunEnd::FailedToStart { message: source_chain(&error) },
        };
        let end = self.watch(bytes, output, seen, stop).await;
        let dropped: u64 = seen.dropped.iter().sum();
        if dropped > 0 {
            output.remark(&format!("{dropped} bytes of output beyond {OUTPUT_CAP} were dropped")).await;
        }
        end
    }

    async fn watch(&self, bytes: Bytes, output: &mut Output, seen: &mut Seen, stop: &mut watch::Receiver<Option<StopRequest>>) -> RunEnd {
        let mut deadline: Option<Instant> = None;
        let mut mode = if self.must_exist { Mode::Attach } else { Mode::Start };
        let mut failures = 0;
        let mut first_try: Option<Instant> = None;
        loop {
            let age = first_try.map(|first| now() - first);
            first_try.get_or_insert_with(now);
            let channel = tokio::select! {
                channel = self.open(mode, age, seen.offsets) => channel,
                request = stop_request(stop) => return self.stopped(request, output, seen).await,
            };
            let ended = match channel {
                Ok(channel) => {
                    let until = *deadline.get_or_insert_with(|| now() + self.timeout);
                    let payload = if mode == Mode::Start { bytes.clone() } else { Bytes::new() };
                    let mut eye = Eye { seen: &mut *seen, output: &mut *output, live: self.live };
                    tokio::select! {
                        ended = drive(channel, payload, &mut eye) => ended,
                        () = tokio::time::sleep_until(until) => return self.timed_out(output, seen).await,
                        request = stop_request(stop) => return self.stopped(request, output, seen).await,
                    }
                }
                Err(error) if self.never_began(&error, seen, failures) => {
                    return RunEnd::Unreachable { message: error.message };
                }
                Err(error) => Ended::ChannelLost { begun: if error.before_start { Begun::No } else { Begun::Maybe }, reason: error.message },
            };
            match self.judge(ended, seen.began) {
                Judged::Over(end) => return end,
                Judged::Again(next, why) => {
                    mode = next;
                    let until = *deadline.get_or_insert_with(|| now() + self.timeout);
                    if now() >= until {
                        return RunEnd::Interrupted { message: format!("the host could not be reached again: {why}") };
                    }
                    let pause = RECONNECT.get(failures).or(RECONNECT.last()).copied().unwrap_or_default();
                    failures += 1;
                    tracing::info!(attempt = %self.live.attempt, %why, "connection lost; trying again");
                    tokio::select! {
                        () = tokio::time::sleep_until((now() + pause).min(until)) => {}
                        request = stop_request(stop) => return self.stopped(request, output, seen).await,
                    }
                }
            }
        }
    }

    /// Whether it is certain that nothing was started and trying once more is not due: a connection that broke before its
    /// command was sent is tried again once.
    fn never_began(&self, error: &HostError, seen: &Seen, failures: usize) -> bool {
        let worth_another = error.lost && failures == 0;
        error.before_start && !seen.began && !self.must_exist && !worth_another
    }

    async fn open(&self, mode: Mode, first_try: Option<Duration>, offsets: Offsets) -> Result<autoexec_process::channel::ExecChannel, HostError> {
        let supervisor = self.host.supervisor();
        let key = &self.execution.key;
        let command = match mode {
            Mode::Start => supervisor.start(key, StartOptions { first_try, cap: OUTPUT_CAP }),
            Mode::Attach => supervisor.attach(key, offsets, OUTPUT_CAP),
        };
        self.host.exec(&command).await
    }

    fn judge(&self, ended: Ended, began: bool) -> Judged {
        match ended {
            Ended::Exited { code, result } => Judged::Over(RunEnd::Exited { code, result }),
            Ended::Killed { .. } => Judged::Over(RunEnd::Interrupted { message: "it was killed by another hand".to_owned() }),
            Ended::Lost { reason } => Judged::Over(RunEnd::Interrupted { message: reason }),
            Ended::Unknown if self.must_exist || began => Judged::Over(RunEnd::Interrupted {
                message: "it had begun, and the host knows nothing of it any more".to_owned(),
            }),
            Ended::Unknown => Judged::Again(Mode::Start, "it had not begun".to_owned()),
            Ended::Refused(refusal) if refusal.kind == RefusalKind::Cut => Judged::Again(Mode::Start, refusal.text),
            Ended::Refused(refusal) => Judged::Over(RunEnd::FailedToStart { message: refusal.text }),
            Ended::ChannelLost { begun: Begun::No, reason } if !began && !self.must_exist => Judged::Again(Mode::Start, reason),
            Ended::ChannelLost { reason, .. } => Judged::Again(Mode::Attach, reason),
            Ended::NotSupervised { begun, said, code } => {
                let code = code.map_or_else(String::new, |code| format!(" (exit {code})"));
                let message = format!("the host answered something else than a shell{code}: {said}");
                Judged::Over(if begun == Begun::Yes { RunEnd::Interrupted { message } } else { RunEnd::FailedToStart { message } })
            }
        }
    }

    async fn timed_out(&self, output: &mut Output, seen: &mut Seen) -> RunEnd {
        let (confirmed, left) = self.kill().await;
        self.last_words(output, seen).await;
        RunEnd::TimedOut { confirmed, left }
    }

    async fn stopped(&self, request: StopRequest, output: &mut Output, seen: &mut Seen) -> RunEnd {
        let (confirmed, left) = self.kill().await;
        if seen.began {
            self.last_words(output, seen).await;
        }
        RunEnd::Stopped { request, began: seen.began || self.must_exist, confirmed, left }
    }

    /// Kills it and says whether nothing of it is left; otherwise what is.
    async fn kill(&self) -> (bool, String) {
        kill(self.host, &self.execution.key, self.execution.become_user.as_ref()).await
    }

    /// Reads what it printed until it was killed.
    async fn last_words(&self, output: &mut Output, seen: &mut Seen) {
        if let Ok(channel) = self.open(Mode::Attach, None, seen.offsets).await {
            let mut eye = Eye { seen, output, live: self.live };
            // What cannot be read in time stays on the host.
            let _ = tokio::time::timeout(LAST_WORDS, drive(channel, Bytes::new(), &mut eye)).await;
        }
    }
}

async fn kill(host: &Host, key: &ExecKey, other: Option<&autoexec_process::execution::Become>) -> (bool, String) {
    let command = host.supervisor().kill(key, GRACE, other);
    let channel = match host.exec(&command).await {
        Ok(channel) => channel,
        Err(error) => return (false, error.message),
    };
    let bound = GRACE * 6;
    match tokio::time::timeout(bound, ask::kill(channel, other)).await {
        Ok(Ok(KillOutcome::Killed | KillOutcome::Gone | KillOutcome::Unknown)) => (true, String::new()),
        Ok(Ok(KillOutcome::Unconfirmed { left })) => (false, left),
        Ok(Err(error)) => (false, source_chain(&error)),
        Err(_) => (false, format!("no answer within {} s", bound.as_secs())),
    }
}

/// Waits until a stop is requested.
pub(crate) async fn stop_request(stop: &mut watch::Receiver<Option<StopRequest>>) -> StopRequest {
    loop {
        if let Some(request) = stop.borrow_and_update().clone() {
            return request;
        }
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Start,
    Attach,
}

enum Judged {
    Over(RunEnd),
    Again(Mode, String),
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    Instant::now()
}
