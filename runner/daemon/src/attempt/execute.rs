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

use std::sync::LazyLock;
use std::time::Duration;

use autoexec_model::grant::Stream;
use autoexec_process::ask::{self, KillOutcome};
use autoexec_process::drive::{Notice, Running, Sink, drive};
use autoexec_process::ended::{Begun, Ended, RefusalKind, ToolResult};
use autoexec_process::execution::Execution;
use autoexec_process::frame;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{Offsets, StartOptions};
use bytes::Bytes;
use regex::Regex;
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
    /// How much of its time was used under an earlier runner.
    pub(crate) used: Duration,
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
            text.lines()
                .rev()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .map(|line| without_folder(line).chars().take(200).collect::<String>())
        };
        last(stderr).or_else(|| last(stdout)).unwrap_or_default()
    }
}

/// The folder of an attempt, wherever it is.
static FOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[^\s'\x22]*/autoexec-\d+/[0-9a-f]{8}-\d+-\d+-\d+-s\d+-t\d+/(?:\w{32}/)?").ok());

/// A line without the path of the attempt's folder, which tells nobody anything: `script: 1: nginx: not found`.
fn without_folder(line: &str) -> String {
    match &*FOLDER {
        Some(folder) => folder.replace_all(line, "").into_owned(),
        None => line.to_owned(),
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
    pub(crate) async fn to_the_end(
        &self,
        output: &mut Output,
        seen: &mut Seen,
        stop: &mut watch::Receiver<Option<StopRequest>>,
    ) -> RunEnd {
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

    async fn watch(
        &self,
        bytes: Bytes,
        output: &mut Output,
        seen: &mut Seen,
        stop: &mut watch::Receiver<Option<StopRequest>>,
    ) -> RunEnd {
        let limit = self.timeout.saturating_sub(self.used);
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
                    let until = *deadline.get_or_insert_with(|| now() + limit);
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
                Err(error) => Ended::ChannelLost {
                    begun: if error.before_start { Begun::No } else { Begun::Maybe },
                    reason: error.message,
                },
            };
            let lost = matches!(ended, Ended::Lost { .. });
            match self.judge(ended, seen.began) {
                Judged::Over(end) => {
                    if lost {
                        // Its supervisor is gone, and children of it may live on: nothing of it may run beside a retry.
                        self.kill().await;
                    }
                    return end;
                }
                Judged::Again(next, why) => {
                    mode = next;
                    let until = *deadline.get_or_insert_with(|| now() + limit);
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

    async fn open(
        &self,
        mode: Mode,
        first_try: Option<Duration>,
        offsets: Offsets,
    ) -> Result<autoexec_process::channel::ExecChannel, HostError> {
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
            // An earlier runner ended it when its time was up, and was gone before it could say so.
            Ended::Killed { .. } if self.must_exist && self.used >= self.timeout => {
                Judged::Over(RunEnd::TimedOut { confirmed: true, left: String::new() })
            }
            Ended::Killed { .. } => {
                Judged::Over(RunEnd::Interrupted { message: "it was killed by another hand".to_owned() })
            }
            Ended::Lost { reason } => Judged::Over(RunEnd::Interrupted { message: reason }),
            Ended::Unknown if self.must_exist || began => Judged::Over(RunEnd::Interrupted {
                message: "it had begun, and the host knows nothing of it any more".to_owned(),
            }),
            Ended::Unknown => Judged::Again(Mode::Start, "it had not begun".to_owned()),
            Ended::Refused(refusal) if refusal.kind == RefusalKind::Cut => Judged::Again(Mode::Start, refusal.text),
            // What began cannot fail to start: its folder is gone, or the host says so of a later look.
            Ended::Refused(refusal) if began || self.must_exist => Judged::Over(RunEnd::Interrupted {
                message: format!("its traces on the host are gone: {}", refusal.text),
            }),
            Ended::Refused(refusal) => Judged::Over(RunEnd::FailedToStart { message: refusal.text }),
            Ended::ChannelLost { begun: Begun::No, reason } if !began && !self.must_exist => {
                Judged::Again(Mode::Start, reason)
            }
            Ended::ChannelLost { reason, .. } => Judged::Again(Mode::Attach, reason),
            Ended::NotSupervised { begun, said, code } => {
                let code = code.map_or_else(String::new, |code| format!(" (exit {code})"));
                let message = format!("the host answered something else than a shell{code}: {said}");
                Judged::Over(if begun == Begun::Yes || began || self.must_exist {
                    RunEnd::Interrupted { message }
                } else {
                    RunEnd::FailedToStart { message }
                })
            }
        }
    }

    async fn timed_out(&self, output: &mut Output, seen: &mut Seen) -> RunEnd {
        let killed = self.kill().await;
        let ended = self.last_words(output, seen).await;
        match (killed, ended) {
            // It ended by itself in the last moment.
            (Killed::Gone, Some(Ended::Exited { code, result })) => RunEnd::Exited { code, result },
            (Killed::Not { left }, _) => RunEnd::TimedOut { confirmed: false, left },
            (Killed::Gone | Killed::Ended | Killed::NeverBegan, _) => {
                RunEnd::TimedOut { confirmed: true, left: String::new() }
            }
        }
    }

    async fn stopped(&self, request: StopRequest, output: &mut Output, seen: &mut Seen) -> RunEnd {
        let killed = self.kill().await;
        let known = seen.began || self.must_exist;
        let stopped = |began, confirmed, left| RunEnd::Stopped { request, began, confirmed, left };
        match killed {
            Killed::NeverBegan => stopped(known, true, String::new()),
            Killed::Not { left } => stopped(known, false, left),
            Killed::Ended => {
                self.last_words(output, seen).await;
                stopped(true, true, String::new())
            }
            // It had ended by itself before it was asked to: it ended as it ended.
            Killed::Gone => match self.last_words(output, seen).await {
                Some(Ended::Exited { code, result }) => RunEnd::Exited { code, result },
                Some(_) | None => stopped(known, true, String::new()),
            },
        }
    }

    /// Ends it, and says what is certain about that.
    async fn kill(&self) -> Killed {
        let other = self.execution.become_user.as_ref();
        let command = self.host.supervisor().kill(&self.execution.key, GRACE, other);
        let (channel, _connection) = match self.host.exec_apart(&command).await {
            Ok(opened) => opened,
            Err(error) => return Killed::Not { left: error.message },
        };
        let bound = GRACE * 6;
        match tokio::time::timeout(bound, ask::kill(channel, other)).await {
            Ok(Ok(KillOutcome::Killed)) => Killed::Ended,
            Ok(Ok(KillOutcome::Gone)) => Killed::Gone,
            Ok(Ok(KillOutcome::Closed)) => Killed::NeverBegan,
            Ok(Ok(KillOutcome::Unknown)) => Killed::NeverBegan,
            Ok(Ok(KillOutcome::Unconfirmed { left })) => Killed::Not { left },
            Ok(Err(error)) => Killed::Not { left: source_chain(&error) },
            Err(_) => Killed::Not { left: format!("no answer within {} s", bound.as_secs()) },
        }
    }

    /// Reads what it printed until it ended, and how it did.
    async fn last_words(&self, output: &mut Output, seen: &mut Seen) -> Option<Ended> {
        let command = self.host.supervisor().attach(&self.execution.key, seen.offsets, OUTPUT_CAP);
        let (channel, _connection) = self.host.exec_apart(&command).await.ok()?;
        let mut eye = Eye { seen, output, live: self.live };
        // What cannot be read in time stays on the host.
        tokio::time::timeout(LAST_WORDS, drive(channel, Bytes::new(), &mut eye)).await.ok()
    }
}

/// What is certain after a kill.
enum Killed {
    /// It had begun, and nothing of it is left.
    Ended,
    /// It had ended before.
    Gone,
    /// It had not begun, and never will.
    NeverBegan,
    /// Nothing: it may still be there.
    Not {
        /// What is left, or why nobody knows.
        left: String,
    },
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
