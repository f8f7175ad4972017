//! The SSH transport: one client, in this process, for every target.
//!
//! What an engineer wrote about a target ([`SshTarget`]) is resolved with `~/.ssh/config` and the defaults into a
//! [`ResolvedTarget`]; a [`SshConnector`] connects it, through its jump hosts if it has any; a [`SshConnection`] runs many commands
//! at once; a [`SshPool`] keeps connections over steps and phases. Every step on the way that can fail has its own [`SshError`].
//!
//! ```text
//!  SshTarget --resolve--> ResolvedTarget --connect--> SshConnection --exec--> ExecChannel
//!  (inventory)  + ssh config + defaults   tcp, banner, kex, host key, auth     stdin, events
//! ```
//!
//! What is shared by the commands of one connection is its reading side: a consumer that stops taking events stalls its siblings on
//! that connection, never the memory. Dropping the events of a command releases the connection at once, and
//! [`SshPool::dedicated`] gives a connection of its own to work that must not wait, such as a kill.

mod agent;
mod algorithms;
mod append;
mod auth;
mod config;
mod config_files;
mod connect;
mod connection;
mod environment;
mod error;
mod exec;
mod handler;
mod host_key;
mod identity;
mod jump;
mod key_file;
mod known_hosts;
mod pool;
mod resolve;
mod secret;
mod stream;
mod target;
mod wildcard;

pub use connect::SshConnector;
pub use connection::SshConnection;
pub use environment::SshEnvironment;
pub use error::{ConnectFailure, HostKey, HostName, KnownAt, Phase, SshError};
pub use jump::{JumpHost, parse_jumps};
pub use pool::{PoolOptions, PoolStats, SshPool};
pub use resolve::ResolvedTarget;
pub use secret::Secret;
pub use target::{HostKeyPolicy, SshAuth, SshConfigUse, SshTarget};
