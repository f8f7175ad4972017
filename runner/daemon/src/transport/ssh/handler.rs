//! Our side of the protocol's questions: is the host key right, and why did the connection end.

use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, DisconnectReason};
use russh::keys::PublicKeyOrCertificate;

use super::error::SshError;
use super::host_key::HostKeyCheck;
use super::key_file::lower;
use super::stream::Seen;

/// Why the connection ended, for everyone who has something running on it.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    why: Mutex<Option<String>>,
    pub(crate) seen: Arc<Seen>,
}

impl Ending {
    /// The reason, as exactly as it is known.
    pub(crate) fn why(&self) -> String {
        let told = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told.or_else(|| self.seen.broken()).unwrap_or_else(|| "the connection is closed".to_owned())
    }

    /// Notes a reason; the first one is the cause, later ones are consequences.
    pub(crate) fn note(&self, why: String) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }
}

/// What a handshake can end with: our own verdict on the host key, or the library's error.
#[derive(Debug)]
pub(crate) enum HandshakeError {
    HostKey(Box<SshError>),
    Protocol(russh::Error),
}

impl From<russh::Error> for HandshakeError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

/// Answers the library.
pub(crate) struct ClientHandler {
    pub(crate) check: Arc<HostKeyCheck>,
    pub(crate) ending: Arc<Ending>,
}

impl client::Handler for ClientHandler {
    type Error = HandshakeError;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, HandshakeError> {
        let verdict = self.check.judge(&offered.public_key()).await;
        verdict.map(|()| true).map_err(|e| HandshakeError::HostKey(Box::new(e)))
    }

    async fn disconnected(&mut self, reason: DisconnectReason<HandshakeError>) -> Result<(), HandshakeError> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.ending.note(format!("the host said: {}", info.message.trim()))
            }
            DisconnectReason::Error(HandshakeError::Protocol(error)) => {
                if let Some(why) = ending_of(&error) {
                    self.ending.note(why);
                }
            }
            DisconnectReason::Error(HandshakeError::HostKey(error)) => self.ending.note(error.to_string()),
        }
        Ok(())
    }
}

/// What an error says about the end of a connection; `None` when the stream below knows better.
fn ending_of(error: &russh::Error) -> Option<String> {
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) => None,
        russh::Error::KeepaliveTimeout => Some("the host gave no sign of life (keepalive)".to_owned()),
        other => Some(lower(&other.to_string())),
    }
}
