//! What the runner holds: every attempt between its grant and the acknowledgement of its end.
//!
//! An attempt writes here what it has to say; the stream to the scheduler takes it from here, in order, as often as it is
//! connected anew. Nothing is forgotten before it was acknowledged. Output is bounded: an attempt whose window of
//! unacknowledged output is full waits, and so does the command that produces it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autoexec_model::grant::{AttemptReport, LiveAttempt, OutputChunk, Stream};
use autoexec_model::id::{AttemptId, Epoch, UnixMillis};
use autoexec_wire::session::RunnerMessage;
use tokio::sync::{Notify, watch};

/// Unacknowledged output of one attempt, in bytes: covers a round trip to the store, and 1,000 attempts stay below 1 GiB.
const WINDOW: usize = 1 << 20;

/// A request to stop an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopRequest {
    /// Whether a person asked for it and not a policy.
    pub(crate) cancel: bool,
    /// Why.
    pub(crate) reason: String,
}

/// One attempt that the runner holds.
pub(crate) struct Live {
    pub(crate) attempt: AttemptId,
    inner: Mutex<Inner>,
    stop: watch::Sender<Option<StopRequest>>,
    room: Notify,
    board: Arc<Dirty>,
}

#[derive(Default)]
struct Inner {
    epoch: Epoch,
    started: Option<UnixMillis>,
    progress: Option<(u32, u32)>,
    chunks: VecDeque<OutputChunk>,
    bytes: usize,
    offsets: [u64; 2],
    finished: Option<AttemptReport>,
    sent: Sent,
}

/// What was sent on the present connection.
#[derive(Default)]
struct Sent {
    started: bool,
    progress: bool,
    chunks: usize,
    finished: bool,
}

/// Attempts that have something to say.
#[derive(Default)]
struct Dirty {
    queue: Mutex<(VecDeque<AttemptId>, HashSet<AttemptId>)>,
    ready: Notify,
}

/// Every attempt that the runner holds.
#[derive(Default)]
pub(crate) struct Board {
    attempts: Mutex<HashMap<AttemptId, Arc<Live>>>,
    dirty: Arc<Dirty>,
}

/// A lock whose holder panicked is still a lock over whole values: nothing here leaves them half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// Takes a granted attempt; none when it is held already, in which case only its epoch may grow.
    pub(crate) fn take(&self, attempt: AttemptId, epoch: Epoch) -> Option<Arc<Live>> {
        let mut attempts = lock(&self.attempts);
        if let Some(known) = attempts.get(&attempt) {
            let mut inner = lock(&known.inner);
            inner.epoch = inner.epoch.max(epoch);
            return None;
        }
        let live = Arc::new(Live {
            attempt,
            inner: Mutex::new(Inner { epoch, ..Inner::default() }),
            stop: watch::Sender::new(None),
            room: Notify::new(),
            board: Arc::clone(&self.dirty),
        });
        attempts.insert(attempt, Arc::clone(&live));
        Some(live)
    }

    /// The attempts that it holds, for a hello or a heartbeat.
    pub(crate) fn live(&self) -> Vec<LiveAttempt> {
        lock(&self.attempts).values().map(|live| live.describe()).collect()
    }

    /// How many it holds.
    pub(crate) fn len(&self) -> usize {
        lock(&self.attempts).len()
    }

    /// Asks an attempt to stop. One that is not held is nothing to stop.
    pub(crate) fn stop(&self, attempt: AttemptId, epoch: Epoch, request: StopRequest) {
        if let Some(live) = self.get(attempt).filter(|live| live.epoch() <= epoch) {
            live.stop.send_replace(Some(request));
        }
    }

    /// Output up to an offset is durable.
    pub(crate) fn acknowledge_output(&self, attempt: AttemptId, stream: Stream, offset: u64) {
        if let Some(live) = self.get(attempt) {
            live.acknowledge(stream, offset);
        }
    }

    /// The end of an attempt is durable: it is forgotten.
    pub(crate) fn acknowledge_finished(&self, attempt: AttemptId) {
        let mut attempts = lock(&self.attempts);
        if attempts.get(&attempt).is_some_and(|live| lock(&live.inner).finished.is_some()) {
            attempts.remove(&attempt);
        }
    }

    /// The scheduler does not know the attempt any more: it is stopped, and forgotten once it has ended.
    pub(crate) fn disown(&self, attempt: AttemptId) {
        if let Some(live) = self.get(attempt) {
            live.stop.send_replace(Some(StopRequest { cancel: false, reason: "its lease is gone".to_owned() }));
        }
        self.acknowledge_finished(attempt);
    }

    /// A new connection: everything that is not acknowledged is sent again.
    pub(crate) fn restart(&self) {
        for live in lock(&self.attempts).values() {
            lock(&live.inner).sent = Sent::default();
            self.dirty.mark(live.attempt);
        }
    }

    /// Waits until something is to be said and takes it.
    pub(crate) async fn next(&self) -> Vec<RunnerMessage> {
        loop {
            let ready = self.dirty.ready.notified();
            if let Some(attempt) = self.dirty.pop() {
                let messages = self.get(attempt).map(|live| live.unsent()).unwrap_or_default();
                if messages.is_empty() {
                    continue;
                }
                return messages;
            }
            ready.await;
        }
    }

    fn get(&self, attempt: AttemptId) -> Option<Arc<Live>> {
        lock(&self.attempts).get(&attempt).cloned()
    }
}

impl Live {
    /// The epoch of its lease.
    pub(crate) fn epoch(&self) -> Epoch {
        lock(&self.inner).epoch
    }

    /// A receiver of the request to stop.
    pub(crate) fn stopped(&self) -> watch::Receiver<Option<StopRequest>> {
        self.stop.subscribe()
    }

    /// Something was started; said once.
    pub(crate) fn start(&self, at: UnixMillis) {
        lock(&self.inner).started.get_or_insert(at);
        self.board.mark(self.attempt);
    }

    /// It came to a step or a further try.
    pub(crate) fn progress(&self, step: u32, attempt_try: u32) {
        let mut inner = lock(&self.inner);
        inner.progress = Some((step, attempt_try));
        inner.sent.progress = false;
        drop(inner);
        self.board.mark(self.attempt);
    }

    /// Waits until so many bytes fit into the window. An attempt has one producer, so the room is still there when it hands
    /// them over; giving up the wait changes nothing.
    pub(crate) async fn room_for(&self, len: usize) {
        loop {
            let room = self.room.notified();
            {
                let inner = lock(&self.inner);
                if inner.bytes == 0 || inner.bytes + len <= WINDOW {
                    return;
                }
            }
            room.await;
        }
    }

    /// Hands over a piece of output that there is room for.
    pub(crate) fn output(&self, chunk: OutputChunk) {
        let mut inner = lock(&self.inner);
        inner.bytes += chunk.bytes.len();
        inner.offsets[index(chunk.stream)] = chunk.offset + chunk.bytes.len() as u64;
        inner.chunks.push_back(chunk);
        drop(inner);
        self.board.mark(self.attempt);
    }

    /// It ended; said until it is acknowledged.
    pub(crate) fn finish(&self, report: AttemptReport) {
        lock(&self.inner).finished = Some(report);
        self.board.mark(self.attempt);
    }

    fn describe(&self) -> LiveAttempt {
        let inner = lock(&self.inner);
        LiveAttempt { attempt: self.attempt, epoch: inner.epoch, stdout: inner.offsets[0], stderr: inner.offsets[1] }
    }

    fn acknowledge(&self, stream: Stream, offset: u64) {
        let mut inner = lock(&self.inner);
        let mut kept = VecDeque::with_capacity(inner.chunks.len());
        let mut sent = 0;
        let mut bytes = 0;
        let was_sent = inner.sent.chunks;
        for (at, chunk) in std::mem::take(&mut inner.chunks).into_iter().enumerate() {
            let durable = chunk.stream == stream && chunk.offset + chunk.bytes.len() as u64 <= offset;
            if !durable {
                sent += usize::from(at < was_sent);
                bytes += chunk.bytes.len();
                kept.push_back(chunk);
            }
        }
        inner.chunks = kept;
        inner.sent.chunks = sent;
        inner.bytes = bytes;
        drop(inner);
        self.room.notify_waiters();
    }

    /// What has not been said on this connection, in order.
    fn unsent(&self) -> Vec<RunnerMessage> {
        let mut inner = lock(&self.inner);
        let (attempt, epoch) = (self.attempt, inner.epoch);
        let mut messages = Vec::new();
        if let Some(at) = inner.started.filter(|_| !inner.sent.started) {
            inner.sent.started = true;
            messages.push(RunnerMessage::Started { attempt, epoch, at });
        }
        if let Some((step, attempt_try)) = inner.progress.filter(|_| !inner.sent.progress) {
            inner.sent.progress = true;
            messages.push(RunnerMessage::Progress { attempt, epoch, step, attempt_try });
        }
        let first = inner.sent.chunks;
        messages
            .extend(inner.chunks.iter().skip(first).map(|chunk| RunnerMessage::Output { chunk: chunk.clone(), epoch }));
        inner.sent.chunks = inner.chunks.len();
        if let Some(report) = inner.finished.clone().filter(|_| !inner.sent.finished) {
            inner.sent.finished = true;
            messages.push(RunnerMessage::Finished { attempt, epoch, report });
        }
        messages
    }
}

impl Dirty {
    fn mark(&self, attempt: AttemptId) {
        let mut queue = lock(&self.queue);
        if queue.1.insert(attempt) {
            queue.0.push_back(attempt);
        }
        drop(queue);
        self.ready.notify_one();
    }

    fn pop(&self) -> Option<AttemptId> {
        let mut queue = lock(&self.queue);
        let attempt = queue.0.pop_front()?;
        queue.1.remove(&attempt);
        Some(attempt)
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
