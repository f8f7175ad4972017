//! Reads frames from a byte stream.
//!
//! Everything before the mark is noise of the login (banners, start-up files) and is skipped. Reading is incremental
//! and never panics; memory is bounded by [`MAX_LINE`], [`MAX_RESULT`] and the chunk that was fed. Fails with
//! [`FrameError`], after which the rest of the channel means nothing.

use crate::frame::{Frame, FrameError, MAX_LINE, MAX_NOISE, MAX_RESULT, Stream};
use bytes::{Buf, BytesMut};

/// What the supervisor prints before its first frame; the line feed is part of it.
const MARK: &[u8] = b"autoexec-frames-1:\n";
/// How much of the noise is kept, to be shown when no mark comes.
const KEPT_NOISE: usize = 2 * 1024;

#[derive(Debug)]
enum State {
    Noise,
    Line,
    Data { stream: Stream, offset: u64, left: u64 },
    Result { left: usize, total: u64, bytes: BytesMut },
    Broken(FrameError),
}

/// Splits a byte stream into frames.
#[derive(Debug)]
pub struct FrameParser {
    state: State,
    buffer: BytesMut,
    noise: Vec<u8>,
    skipped: usize,
}

impl Default for FrameParser {
    fn default() -> Self {
        Self { state: State::Noise, buffer: BytesMut::new(), noise: Vec::new(), skipped: 0 }
    }
}

impl FrameParser {
    /// Adds what came. Call [`Self::next_frame`] until it has no more before feeding again: that keeps memory bounded.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame (of data: as much as is there), or nothing until more is fed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let frame = self.step();
        if let Err(error) = &frame {
            self.state = State::Broken(error.clone());
            self.buffer.clear();
        }
        frame
    }

    /// The beginning of what came before the mark.
    pub fn noise(&self) -> Vec<u8> {
        let waiting: &[u8] = if matches!(self.state, State::Noise) { &self.buffer } else { &[] };
        [self.noise.as_slice(), waiting].concat()
    }

    /// Has the mark been seen?
    pub fn answered(&self) -> bool {
        !matches!(self.state, State::Noise | State::Broken(FrameError::Noise))
    }

    fn step(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            match &mut self.state {
                State::Broken(error) => return Err(error.clone()),
                State::Noise => {
                    if !self.skip_noise()? {
                        return Ok(None);
                    }
                }
                State::Line => {
                    let Some(line) = self.line()? else {
                        return Ok(None);
                    };
                    if let Some(frame) = self.begin(&line)? {
                        return Ok(Some(frame));
                    }
                }
                State::Data { stream, offset, left } => {
                    if *left == 0 {
                        self.state = State::Line;
                        continue;
                    }
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(self.buffer.len());
                    let bytes = self.buffer.split_to(take).freeze();
                    let frame = Frame::Data { stream: *stream, offset: *offset, bytes };
                    *left -= take as u64;
                    *offset = offset.saturating_add(take as u64);
                    return Ok(Some(frame));
                }
                State::Result { left, total, bytes } => {
                    let take = (*left).min(self.buffer.len());
                    bytes.extend_from_slice(&self.buffer.split_to(take));
                    *left -= take;
                    if *left > 0 {
                        return Ok(None);
                    }
                    let frame = Frame::Result { bytes: std::mem::take(bytes).freeze(), total: *total };
                    self.state = State::Line;
                    return Ok(Some(frame));
                }
            }
        }
    }

    /// Looks for the mark; true when it was found and taken.
    fn skip_noise(&mut self) -> Result<bool, FrameError> {
        let found = self.buffer.windows(MARK.len()).position(|window| window == MARK);
        // The end may hold the beginning of the mark, so that much stays.
        let skip = found.unwrap_or_else(|| self.buffer.len().saturating_sub(MARK.len() - 1));
        let room = KEPT_NOISE.saturating_sub(self.noise.len()).min(skip);
        self.noise.extend_from_slice(&self.buffer[..room]);
        self.buffer.advance(skip);
        self.skipped += skip;
        if found.is_some() {
            self.buffer.advance(MARK.len());
            self.state = State::Line;
            Ok(true)
        } else if self.skipped > MAX_NOISE {
            Err(FrameError::Noise)
        } else {
            Ok(false)
        }
    }

    fn line(&mut self) -> Result<Option<String>, FrameError> {
        let Some(end) = self.buffer.iter().take(MAX_LINE + 1).position(|&b| b == b'\n') else {
            return if self.buffer.len() > MAX_LINE { Err(FrameError::LongLine) } else { Ok(None) };
        };
        let line = self.buffer.split_to(end + 1);
        Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()))
    }

    /// Understands a frame's line; nothing when its bytes follow.
    fn begin(&mut self, line: &str) -> Result<Option<Frame>, FrameError> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let frame = match word {
            "s" => state(rest),
            "u" => Some(Frame::Unknown),
            "r" => Some(Frame::Refused { reason: rest.to_owned() }),
            "h" => Some(Frame::Heartbeat),
            "l" => Some(Frame::Lost { reason: rest.to_owned() }),
            "a" => Some(Frame::Answer { text: rest.to_owned() }),
            "x" => number(rest).map(|code| Frame::Exit { code }),
            "k" if rest.trim().is_empty() => Some(Frame::Killed { code: None }),
            "k" => number(rest).map(|code| Frame::Killed { code: Some(code) }),
            "d" => dropped(rest),
            "t" => truncated(rest),
            "o" | "e" | "j" => {
                return self.content(word, rest).map(|()| None).ok_or_else(|| unknown(line));
            }
            _ => None,
        };
        frame.map(Some).ok_or_else(|| unknown(line))
    }

    /// The line of a frame whose bytes follow.
    fn content(&mut self, word: &str, rest: &str) -> Option<()> {
        let (first, second) = rest.split_once(' ')?;
        if word == "j" {
            let left: usize = number(first)?;
            let total = number(second)?;
            if left > MAX_RESULT {
                return None;
            }
            self.state = State::Result { left, total, bytes: BytesMut::new() };
        } else {
            let stream = if word == "o" { Stream::Stdout } else { Stream::Stderr };
            self.state = State::Data { stream, offset: number(first)?, left: number(second)? };
        }
        Some(())
    }
}

fn unknown(line: &str) -> FrameError {
    FrameError::Unknown { line: line.chars().take(80).collect() }
}

fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

fn stream(word: &str) -> Option<Stream> {
    match word {
        "o" => Some(Stream::Stdout),
        "e" => Some(Stream::Stderr),
        _ => None,
    }
}

fn state(rest: &str) -> Option<Frame> {
    let (word, pid) = rest.split_once(' ')?;
    let pid = number(pid)?;
    match word {
        "started" => Some(Frame::Started { pid }),
        "attached" => Some(Frame::Attached { pid }),
        _ => None,
    }
}

fn dropped(rest: &str) -> Option<Frame> {
    let (kind, total) = rest.split_once(' ')?;
    Some(Frame::Dropped { stream: stream(kind)?, total: number(total)? })
}

fn truncated(rest: &str) -> Option<Frame> {
    let mut words = rest.split(' ');
    let (kind, from, to) = (words.next()?, words.next()?, words.next()?);
    Some(Frame::Truncated { stream: stream(kind)?, from: number(from)?, to: number(to)? })
}
