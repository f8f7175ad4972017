//! The two streams of an attempt, through all its steps.

use std::collections::VecDeque;
use std::sync::Arc;

use autoexec_model::grant::{MAX_CHUNK, OutputChunk, Stream};
use autoexec_model::id::{AttemptId, Digest};
use autoexec_model::plan::Target;
use encoding_rs::{Decoder, Encoding};

use super::cluster::Cluster;
use super::mask::{Masker, Secrets};

use crate::board::Live;

/// Standard output of one step that later steps may read, in bytes.
pub(crate) const MAX_CAPTURE: usize = 64 * 1024;

/// The two streams of an attempt, through all its steps.
pub(crate) struct Output {
    attempt: AttemptId,
    live: Arc<Live>,
    stdout: Lane,
    stderr: Lane,
    cluster: Cluster,
    captured: Vec<u8>,
    silent: bool,
    /// Pieces that are not handed over yet: those of one read, while the window is full.
    waiting: VecDeque<(Stream, Vec<u8>)>,
}

struct Lane {
    masker: Masker,
    decoder: Option<Decoder>,
    /// Bytes kept so far.
    offset: u64,
    /// Bytes that the scheduler had stored before this runner began.
    stored: u64,
}

impl Output {
    /// Streams of an attempt of which the scheduler has so many bytes already.
    pub(crate) fn new(live: Arc<Live>, secrets: &Secrets, target: Option<&Target>, stored: (u64, u64)) -> Self {
        let encoding = target
            .and_then(|target| target.connection.encoding.as_deref())
            .and_then(|label| Encoding::for_label(label.as_bytes()))
            .filter(|encoding| *encoding != encoding_rs::UTF_8);
        let lane = |stored| Lane {
            masker: Masker::new(secrets),
            decoder: encoding.map(Encoding::new_decoder_without_bom_handling),
            offset: 0,
            stored,
        };
        Self {
            attempt: live.attempt,
            live,
            stdout: lane(stored.0),
            stderr: lane(stored.1),
            cluster: Cluster::new(target),
            captured: Vec::new(),
            silent: false,
            waiting: VecDeque::new(),
        }
    }

    /// A step begins; its output is kept, or only captured when it is not to be logged.
    pub(crate) fn begin_step(&mut self, no_log: bool) {
        self.captured.clear();
        self.silent = no_log;
    }

    /// Bytes of the running step.
    pub(crate) async fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let lane = self.lane(stream);
        let text = lane.decode(bytes, false);
        let masked = lane.masker.push(&text);
        if stream == Stream::Stdout {
            let room = MAX_CAPTURE.saturating_sub(self.captured.len());
            let take = text.len().min(room);
            self.captured.extend_from_slice(text.get(..take).unwrap_or_default());
        }
        self.keep(stream, masked).await;
    }

    /// The step is over: what was held back comes out. Answers with the step's standard output, without the last newline.
    pub(crate) async fn end_step(&mut self) -> String {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let lane = self.lane(stream);
            let text = lane.decode(&[], true);
            let mut masked = lane.masker.push(&text);
            masked.extend(lane.masker.finish());
            self.keep(stream, masked).await;
        }
        let mut captured = String::from_utf8_lossy(&self.captured).into_owned();
        while captured.ends_with('\n') || captured.ends_with('\r') {
            captured.pop();
        }
        captured
    }

    /// A remark of ours in the output, such as how much was dropped.
    pub(crate) async fn remark(&mut self, text: &str) {
        self.keep(Stream::Stderr, format!("[autoexec] {text}\n").into_bytes()).await;
    }

    /// Bytes kept of both streams, and the digest of what they say.
    pub(crate) fn finish(self) -> (u64, u64, Digest) {
        (self.stdout.offset, self.stderr.offset, self.cluster.finish())
    }

    fn lane(&mut self, stream: Stream) -> &mut Lane {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    async fn keep(&mut self, stream: Stream, bytes: Vec<u8>) {
        if !self.silent {
            self.cluster.push(stream, &bytes);
            self.waiting.extend(bytes.chunks(MAX_CHUNK).map(|piece| (stream, piece.to_vec())));
        }
        self.hand_over().await;
    }

    /// Hands over what waits. It may be given up at any time, when a step is stopped while the window is full: what was not
    /// handed over still waits then and goes first the next time, so that the stream never has a gap.
    async fn hand_over(&mut self) {
        while let Some((stream, len)) = self.waiting.front().map(|(stream, piece)| (*stream, piece.len())) {
            let lane = self.lane(stream);
            let (offset, stored) = (lane.offset, lane.stored);
            let known = usize::try_from(stored.saturating_sub(offset)).unwrap_or(usize::MAX).min(len);
            if known < len {
                self.live.room_for(len - known).await;
            }
            let Some((_, mut piece)) = self.waiting.pop_front() else { return };
            self.lane(stream).offset += len as u64;
            if known < len {
                let bytes = piece.split_off(known);
                self.live.output(OutputChunk { attempt: self.attempt, stream, offset: offset + known as u64, bytes });
            }
        }
    }
}

impl Lane {
    fn decode(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        let Some(decoder) = &mut self.decoder else { return bytes.to_vec() };
        let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 4));
        // Undecodable bytes become U+FFFD: they never fail a step.
        let _ = decoder.decode_to_string(bytes, &mut text, last);
        if last {
            let encoding = decoder.encoding();
            *decoder = encoding.new_decoder_without_bom_handling();
        }
        text.into_bytes()
    }
}
