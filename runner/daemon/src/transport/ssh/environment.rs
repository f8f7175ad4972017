//! What the transport needs to know about the user it runs as. An argument, so that tests and daemons decide it themselves.

use std::path::{Path, PathBuf};

/// The surroundings of the local user.
#[derive(Debug, Clone, Default)]
pub struct SshEnvironment {
    /// Where `~` points; without it `~/.ssh` does not exist for us.
    pub home: Option<PathBuf>,
    /// The local user's name: the remote user when nobody names one, and `%u` in `ssh_config`.
    pub user: Option<String>,
    /// The socket of the running ssh-agent (`SSH_AUTH_SOCK`).
    pub agent_socket: Option<PathBuf>,
}

impl SshEnvironment {
    /// Reads `HOME`, the name of the effective user and `SSH_AUTH_SOCK` of this process. Never fails: what is missing is `None`.
    pub fn of_process() -> Self {
        let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
        let home = std::env::var_os("HOME").filter(|h| !h.is_empty()).map(PathBuf::from);
        Self {
            home: home.or_else(|| account.as_ref().map(|a| a.dir.clone())),
            user: account.map(|a| a.name),
            agent_socket: std::env::var_os("SSH_AUTH_SOCK").filter(|s| !s.is_empty()).map(PathBuf::from),
        }
    }

    /// The user's `.ssh` folder, if there is a home.
    pub(crate) fn ssh_dir(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(".ssh"))
    }

    /// Replaces a leading `~/` with the home; other paths are left as they are.
    pub(crate) fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            (Ok(_), None) | (Err(_), _) => path.to_path_buf(),
        }
    }

    /// How a path is shown to people: the home is written `~` again.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match self.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        }
    }
}
