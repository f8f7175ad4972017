//! `autoexec daemon` (hidden): the local scheduler itself, in a session of its own, until it is told to end or idle for too long.

use tracing_subscriber::EnvFilter;

use super::context::Context;
use crate::args::DaemonArgs;
use crate::daemon::serve::{ServeOptions, serve};
use crate::daemon::{self, Place, Surroundings};
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) fn daemon(context: &Context, args: DaemonArgs) -> Result<Exit, Failure> {
    // Away from the terminal and its signals. It fails for the leader of a group, which a shell made: then it stays there.
    let _ = nix::unistd::setsid();
    let place = context.place()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Bug { what: format!("the runtime cannot be started: {error}") })?;
    runtime.block_on(Box::pin(serve_here(place, args)))
}

/// Runs the scheduler in this process.
pub(super) async fn serve_here(place: Place, args: DaemonArgs) -> Result<Exit, Failure> {
    daemon::prepare(&place, Surroundings::of_process().uid)?;
    log_to_stderr();
    let options = ServeOptions {
        state_dir: place.state_dir,
        socket: place.socket,
        idle: args.idle,
        runners: args.runners,
        capacity: args.capacity,
    };
    serve(options).await.map_err(|error| Failure::Serve(format!("{error:#}")))?;
    Ok(Exit::Succeeded)
}

/// `AUTOEXEC_LOG` chooses what is logged, in the syntax of tracing; `info` is the default.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("AUTOEXEC_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Fails only when somebody set one before, which then stays.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
