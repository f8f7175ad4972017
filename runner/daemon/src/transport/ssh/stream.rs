//! The bytes under an SSH connection, watched: what the other side said first tells a silent host from one that is no SSH server.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};

/// A packet header is read on its own; the buffer saves those system calls. Small, because there may be 10,000 connections.
const READ_BUFFER: usize = 16 * 1024;
/// As much of the greeting as an error message can show.
const GREETING: usize = 255;

/// Anything that carries bytes both ways.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Carrier for T {}

/// What has been seen of the other side.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    greeting: Mutex<Vec<u8>>,
    broken: Mutex<Option<String>>,
}

impl Seen {
    /// The first bytes that came, at most 255.
    pub(crate) fn greeting(&self) -> Vec<u8> {
        self.greeting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the other side has said who it is.
    pub(crate) fn has_banner(&self) -> bool {
        let greeting = self.greeting();
        let mut lines = greeting.split_inclusive(|b| *b == b'\n');
        lines.any(|line| line.starts_with(b"SSH-") && line.ends_with(b"\n"))
    }

    /// How reading or writing ended, if it did.
    pub(crate) fn broken(&self) -> Option<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn received(&self, bytes: &[u8]) {
        let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        let room = GREETING.saturating_sub(greeting.len()).min(bytes.len());
        greeting.extend_from_slice(&bytes[..room]);
    }

    fn broke(&self, how: String) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(how);
    }
}

/// A carrier that notes in [`Seen`] what passes.
pub(crate) struct Watched {
    carrier: BufReader<Box<dyn Carrier>>,
    seen: Arc<Seen>,
    /// Once the greeting is full there is nothing to note; the lock is not taken for every packet.
    noted: usize,
}

impl Watched {
    pub(crate) fn new(carrier: Box<dyn Carrier>, seen: Arc<Seen>) -> Self {
        Self { carrier: BufReader::with_capacity(READ_BUFFER, carrier), seen, noted: 0 }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let wanted = buf.remaining();
        let polled = Pin::new(&mut self.carrier).poll_read(cx, buf);
        match &polled {
            Poll::Ready(Ok(())) if buf.filled().len() == before && wanted > 0 => {
                self.seen.broke("the host closed the connection".to_owned());
            }
            Poll::Ready(Ok(())) if self.noted < GREETING => {
                self.seen.received(&buf.filled()[before..]);
                self.noted += buf.filled().len() - before;
            }
            Poll::Ready(Err(e)) => self.seen.broke(e.to_string()),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.carrier).poll_write(cx, bytes);
        if let Poll::Ready(Err(e)) = &polled {
            self.seen.broke(e.to_string());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_shutdown(cx)
    }
}
