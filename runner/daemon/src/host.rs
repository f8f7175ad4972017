//! Where a step runs: this host, or a target over SSH; both carry the same supervisor.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoexec_model::plan::{Connection, HostKeyCheck, Target};
use autoexec_process::channel::ExecChannel;
use autoexec_process::local;
use autoexec_process::supervisor::Supervisor;

use crate::transport::ssh::{
    HostKeyPolicy, Secret, SshAuth, SshConfigUse, SshConnection, SshError, SshPool, SshTarget, parse_jumps,
};

/// A host that commands can be run on.
pub(crate) enum Host {
    /// The runner's own.
    Local(LocalHost),
    /// A target over SSH.
    Ssh {
        /// Connections, shared by all attempts of the runner.
        pool: SshPool,
        /// The target.
        target: Box<SshTarget>,
        /// Makes the command lines.
        supervisor: Supervisor,
    },
}

/// The runner's own host.
#[derive(Debug, Clone)]
pub(crate) struct LocalHost {
    environment: Vec<(OsString, OsString)>,
    supervisor: Supervisor,
}

/// A command could not be sent to a host.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HostError {
    /// What and why, for people.
    pub(crate) message: String,
    /// Whether it is certain that nothing was started by this call.
    pub(crate) before_start: bool,
    /// Whether trying again at once makes sense: the connection broke, the host itself is fine.
    pub(crate) lost: bool,
}

impl LocalHost {
    /// The runner's own host, with attempts kept below `directory`.
    ///
    /// # Errors
    /// When the directory's path cannot be written on a command line.
    pub(crate) fn new(directory: &Path) -> Result<Self, autoexec_process::supervisor::BadDirectory> {
        let supervisor = Supervisor::in_directory(&directory.to_string_lossy())?;
        let wanted = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSH_AUTH_SOCK"];
        let environment =
            wanted.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
        Ok(Self { environment, supervisor })
    }
}

impl Host {
    /// The target of a plan, over SSH. `password` opens keys and logs in.
    ///
    /// # Errors
    /// When what the inventory says cannot be used.
    pub(crate) fn ssh(pool: SshPool, target: &Target, password: Option<&str>) -> Result<Self, HostError> {
        let supervisor = match &target.connection.work_dir {
            Some(directory) => Supervisor::in_directory(directory)
                .map_err(|error| config_error(format!("{}: work_dir: {error}", target.name)))?,
            None => Supervisor::new(),
        };
        let target = Box::new(ssh_target(target, password)?);
        Ok(Self::Ssh { pool, target, supervisor })
    }

    /// Makes its command lines.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        match self {
            Self::Local(host) => &host.supervisor,
            Self::Ssh { supervisor, .. } => supervisor,
        }
    }

    /// Runs a command line.
    ///
    /// # Errors
    /// When it cannot be sent; the error says whether something may have been started.
    pub(crate) async fn exec(&self, command: &str) -> Result<ExecChannel, HostError> {
        match self {
            Self::Local(host) => local::exec(command, &host.environment).map_err(|error| HostError {
                message: source_chain(&error),
                before_start: true,
                lost: false,
            }),
            Self::Ssh { pool, target, .. } => pool.exec(target, command).await.map_err(|error| ssh_error(&error)),
        }
    }
}

impl Host {
    /// The same for commands that must get through while others run: on a connection of its own when the host allows no
    /// further command on the one that it has. The connection must be kept until the command has ended.
    ///
    /// # Errors
    /// As [`Host::exec`].
    pub(crate) async fn exec_apart(&self, command: &str) -> Result<(ExecChannel, Option<SshConnection>), HostError> {
        match self {
            Self::Local(_) => self.exec(command).await.map(|channel| (channel, None)),
            Self::Ssh { pool, target, .. } => match pool.exec(target, command).await {
                Ok(channel) => Ok((channel, None)),
                Err(SshError::SessionLimit { .. } | SshError::Lost { .. }) => {
                    let connection = pool.dedicated(target).await.map_err(|error| ssh_error(&error))?;
                    let channel = connection.exec(command).await.map_err(|error| ssh_error(&error))?;
                    Ok((channel, Some(connection)))
                }
                Err(error) => Err(ssh_error(&error)),
            },
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn source_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn ssh_error(error: &SshError) -> HostError {
    HostError {
        message: format!("{error}\nhint: {}", error.hint()),
        before_start: error.was_before_start(),
        lost: matches!(error, SshError::Lost { .. }),
    }
}

fn config_error(message: String) -> HostError {
    HostError { message, before_start: true, lost: false }
}

fn ssh_target(target: &Target, password: Option<&str>) -> Result<SshTarget, HostError> {
    let connection = &target.connection;
    let secret = || password.map(Secret::new);
    let auth = SshAuth {
        identity_files: connection.key.iter().map(|path| home_path(path)).collect(),
        passphrase: secret(),
        password: secret(),
        ..SshAuth::default()
    };
    Ok(SshTarget {
        name: target.name.clone(),
        // A name that is its own address is left to the ssh config's HostName.
        address: (target.address != target.name).then(|| target.address.clone()),
        port: target.port,
        user: target.user.clone(),
        auth,
        host_key: host_key(&connection.host_key),
        known_hosts: connection.known_hosts.iter().map(|path| home_path(path)).collect(),
        connect_timeout: connection.connect_timeout.map(|time| Duration::from_millis(time.as_millis())),
        keepalive: None,
        jumps: jumps(target, connection)?,
        ssh_config: if connection.ssh_config { SshConfigUse::Default } else { SshConfigUse::Off },
    })
}

/// `verify` is left to the ssh config's StrictHostKeyChecking only in the sense that it is the default of both.
fn host_key(check: &HostKeyCheck) -> Option<HostKeyPolicy> {
    match check {
        HostKeyCheck::Verify => Some(HostKeyPolicy::Verify),
        HostKeyCheck::AcceptNew => Some(HostKeyPolicy::AcceptNew),
        HostKeyCheck::Pinned(keys) => Some(HostKeyPolicy::Pinned(keys.clone())),
        HostKeyCheck::No => Some(HostKeyPolicy::No),
    }
}

fn jumps(target: &Target, connection: &Connection) -> Result<Option<Vec<SshTarget>>, HostError> {
    if connection.jump.is_empty() {
        return Ok(None);
    }
    let hops =
        parse_jumps(&connection.jump.join(",")).map_err(|why| config_error(format!("{}: jump: {why}", target.name)))?;
    Ok(Some(
        hops.into_iter()
            .map(|hop| SshTarget {
                user: hop.user,
                port: hop.port,
                auth: SshAuth {
                    identity_files: connection.key.iter().map(|path| home_path(path)).collect(),
                    ..SshAuth::default()
                },
                host_key: host_key(&connection.host_key),
                known_hosts: connection.known_hosts.iter().map(|path| home_path(path)).collect(),
                ssh_config: if connection.ssh_config { SshConfigUse::Default } else { SshConfigUse::Off },
                ..SshTarget::named(hop.host)
            })
            .collect(),
    ))
}

/// A path with its leading `~/` resolved.
pub(crate) fn home_path(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        (Some(_) | None, _) => PathBuf::from(path),
    }
}
