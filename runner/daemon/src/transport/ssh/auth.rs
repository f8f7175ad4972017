//! Proving who we are: keys from files, keys of the agent, the password, in that order, until the host is content.
//!
//! What was tried is remembered: a refused user must see each key and method, and why those that could not be tried were not.

use std::path::PathBuf;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::agent::Agent;
use super::error::SshError;
use super::handler::{ClientHandler, Ending};
use super::identity::{Candidate, Candidates};
use super::key_file::lower;
use super::resolve::ResolvedTarget;
use super::secret::Secret;

/// Rounds of questions in `keyboard-interactive`; a password is one, an expired one asks for more.
const MAX_ROUNDS: usize = 3;

/// What came of one proof.
enum Step {
    /// The host is content.
    Accepted,
    /// Try the next one.
    Next,
}

/// Runs until the host is content or there is nothing left to offer.
pub(crate) async fn authenticate(
    handle: &mut Handle<ClientHandler>,
    target: &ResolvedTarget,
    candidates: Candidates,
    ending: &Ending,
) -> Result<(), SshError> {
    let mut attempt =
        Attempt { handle, target, ending, tried: candidates.skipped, offered: Vec::new(), allowed: None, rsa: None };
    let mut unusable: Option<PathBuf> = None;
    let mut agent = AgentState::NotAsked;
    for candidate in candidates.offers {
        let step = match candidate {
            Candidate::Key { label, key } => attempt.key(&label, key).await?,
            Candidate::OnlyAgent { label, key, required } => match attempt.agent(&mut agent).await {
                Some(agent) if agent.holds(&key) => attempt.agent_key(&label, &key, agent).await?,
                Some(_) | None => {
                    attempt.tried.push(format!("{label} (encrypted, no passphrase, not in the agent)"));
                    unusable = unusable.or(required);
                    Step::Next
                }
            },
        };
        if matches!(step, Step::Accepted) {
            return Ok(());
        }
    }
    if attempt.rest(&mut agent).await? {
        return Ok(());
    }
    match unusable {
        Some(path) => {
            let why = "encrypted, no passphrase was given, and the agent does not hold it".to_owned();
            Err(SshError::KeyFile { target: target.label.clone(), path, why })
        }
        None => Err(attempt.refused()),
    }
}

enum AgentState {
    NotAsked,
    Absent,
    Open(Box<Agent>),
}

struct Attempt<'a> {
    handle: &'a mut Handle<ClientHandler>,
    target: &'a ResolvedTarget,
    ending: &'a Ending,
    tried: Vec<String>,
    offered: Vec<PublicKey>,
    /// What the host said it would take next; `None` until it said something.
    allowed: Option<MethodSet>,
    /// The hash to sign with an RSA key; asked once. `Some(None)` is a host that only knows SHA-1.
    rsa: Option<Option<HashAlg>>,
}

impl Attempt<'_> {
    /// After the files: the agent's other keys, then the password.
    async fn rest(&mut self, agent: &mut AgentState) -> Result<bool, SshError> {
        if self.target.agent_offers_all && self.may(MethodKind::PublicKey) && self.target.agent_socket.is_some() {
            let keys = self.agent(agent).await.map(|a| a.keys.clone()).unwrap_or_default();
            for (key, comment) in keys {
                if self.offered.contains(&key) {
                    continue;
                }
                let Some(agent) = self.agent(agent).await else { break };
                if matches!(self.agent_key(&format!("agent {comment}"), &key, agent).await?, Step::Accepted) {
                    return Ok(true);
                }
            }
        }
        let Some(password) = self.target.password.clone() else { return Ok(false) };
        // A password is only shown to a host that asks for one; when no key was offered, the host has not said yet.
        if self.allowed.is_none() && matches!(self.ask().await?, Step::Accepted) {
            return Ok(true);
        }
        if self.may(MethodKind::Password) && matches!(self.password(&password).await?, Step::Accepted) {
            return Ok(true);
        }
        if self.may(MethodKind::KeyboardInteractive) {
            return Ok(matches!(self.keyboard_interactive(&password).await?, Step::Accepted));
        }
        Ok(false)
    }

    /// The method `none`: a host answers with what it takes, or with a welcome.
    async fn ask(&mut self) -> Result<Step, SshError> {
        let result = self.handle.authenticate_none(self.target.user.clone()).await;
        self.concluded(result)
    }

    fn may(&self, method: MethodKind) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&method))
    }

    async fn agent<'s>(&mut self, state: &'s mut AgentState) -> Option<&'s mut Agent> {
        if matches!(state, AgentState::NotAsked) {
            *state = match &self.target.agent_socket {
                None => AgentState::Absent,
                Some(socket) => match Agent::open(socket, self.handle).await {
                    Ok(agent) => AgentState::Open(Box::new(agent)),
                    Err(why) => {
                        self.tried.push(format!("agent ({why})"));
                        AgentState::Absent
                    }
                },
            };
        }
        match state {
            AgentState::Open(agent) => Some(agent),
            AgentState::Absent | AgentState::NotAsked => None,
        }
    }

    async fn key(&mut self, label: &str, key: Arc<PrivateKey>) -> Result<Step, SshError> {
        let Some(hash) = self.begin(label, key.public_key()).await? else { return Ok(Step::Next) };
        let proof = PrivateKeyWithHashAlg::new(key, hash);
        let result = self.handle.authenticate_publickey(self.target.user.clone(), proof).await;
        self.concluded(result)
    }

    async fn agent_key(&mut self, label: &str, key: &PublicKey, agent: &mut Agent) -> Result<Step, SshError> {
        let Some(hash) = self.begin(label, key).await? else { return Ok(Step::Next) };
        let user = self.target.user.clone();
        match self.handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent.client).await {
            Ok(result) => self.concluded(Ok(result)),
            // The agent would not sign (a confirmation was denied, the key is gone): the next proof may still do.
            Err(e) => {
                if let Some(last) = self.tried.last_mut() {
                    *last = format!("{last} (the agent did not sign: {})", lower(&e.to_string()));
                }
                Ok(Step::Next)
            }
        }
    }

    /// Notes the key, and answers with the hash to sign with; `None` when the key cannot be offered.
    async fn begin(&mut self, label: &str, key: &PublicKey) -> Result<Option<Option<HashAlg>>, SshError> {
        if !self.may(MethodKind::PublicKey) || self.offered.contains(key) {
            return Ok(None);
        }
        self.offered.push(key.clone());
        let shown = format!("{label} ({})", key.algorithm().as_str());
        if !key.algorithm().is_rsa() {
            self.tried.push(shown);
            return Ok(Some(None));
        }
        let hash = match self.rsa {
            Some(hash) => hash,
            None => {
                // A host that tells nothing is older than the extension; sha2-512 is what it knows if it knows any.
                let told = self.handle.best_supported_rsa_hash().await.map_err(|_| self.gone())?;
                *self.rsa.insert(told.unwrap_or(Some(HashAlg::Sha512)))
            }
        };
        match hash {
            Some(hash) => {
                self.tried.push(shown);
                Ok(Some(Some(hash)))
            }
            None => {
                self.tried.push(format!("{shown} (the host only takes RSA with SHA-1)"));
                Ok(None)
            }
        }
    }

    async fn password(&mut self, password: &Secret) -> Result<Step, SshError> {
        self.tried.push("password".to_owned());
        let result = self.handle.authenticate_password(self.target.user.clone(), password.expose()).await;
        self.concluded(result)
    }

    async fn keyboard_interactive(&mut self, password: &Secret) -> Result<Step, SshError> {
        self.tried.push("keyboard-interactive".to_owned());
        let user = self.target.user.clone();
        let mut answer = self.handle.authenticate_keyboard_interactive_start(user, None).await;
        for round in 0..=MAX_ROUNDS {
            match answer.map_err(|_| self.gone())? {
                KeyboardInteractiveAuthResponse::Success => return Ok(Step::Accepted),
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    return self.concluded(Ok(AuthResult::Failure { remaining_methods, partial_success }));
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } if round < MAX_ROUNDS => {
                    let Some(replies) = self.replies(&prompts, password) else { return Ok(Step::Next) };
                    answer = self.handle.authenticate_keyboard_interactive_respond(replies).await;
                }
                KeyboardInteractiveAuthResponse::InfoRequest { .. } => break,
            }
        }
        Ok(Step::Next)
    }

    /// The password for one hidden question, nothing for no question; anything else is not for us to answer.
    fn replies(&mut self, prompts: &[Prompt], password: &Secret) -> Option<Vec<String>> {
        match prompts {
            [] => Some(Vec::new()),
            [Prompt { echo: false, .. }] => Some(vec![password.expose().to_owned()]),
            more => {
                let asked: Vec<&str> = more.iter().map(|p| p.prompt.trim()).collect();
                if let Some(last) = self.tried.last_mut() {
                    *last = format!("{last} (the host asks for {})", asked.join(" and "));
                }
                None
            }
        }
    }

    fn concluded(&mut self, result: Result<AuthResult, russh::Error>) -> Result<Step, SshError> {
        match result {
            Ok(AuthResult::Success) => Ok(Step::Accepted),
            // An empty list is the library's way to say that the connection is gone.
            Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => Err(self.gone()),
            Ok(AuthResult::Failure { remaining_methods, .. }) => {
                self.allowed = Some(remaining_methods);
                Ok(Step::Next)
            }
            Err(_) => Err(self.gone()),
        }
    }

    fn gone(&self) -> SshError {
        self.failure(self.ending.why())
    }

    fn refused(&self) -> SshError {
        let why = match &self.allowed {
            Some(allowed) => {
                let names: Vec<String> = allowed.iter().map(String::from).collect();
                format!("the host takes {}", names.join(", "))
            }
            None => "there is nothing to offer; give a key, an agent or a password".to_owned(),
        };
        self.failure(why)
    }

    fn failure(&self, why: String) -> SshError {
        SshError::Authentication {
            target: self.target.label.clone(),
            user: self.target.user.clone(),
            why,
            tried: self.tried.clone(),
        }
    }
}
