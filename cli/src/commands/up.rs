//! `autoexec up`: starts the local scheduler or says that it runs; with `--stop`, ends it.

use super::context::Context;
use super::daemon::serve_here;
use crate::args::{DaemonArgs, UpArgs};
use crate::daemon::{self, Link};
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::daemon::Running;

/// Runs the verb.
pub(super) async fn up(context: &Context, args: UpArgs) -> Result<Exit, Failure> {
    let place = context.place()?;
    if args.stop {
        let stopped = daemon::stop(&place, !args.now).await?;
        context.ui.talk(if stopped { "the scheduler is stopped" } else { "no scheduler runs" });
        return Ok(Exit::Succeeded);
    }
    if args.foreground {
        if let Some(link) = daemon::join_if_running(place.clone()).await {
            show(context, &link).await?;
            return Err(Failure::usage(
                "the scheduler runs already",
                format!("stop it first: {} up --stop", context.ui.program()),
            ));
        }
        context.ui.talk(&format!("the scheduler is reached at {}; ctrl-c ends it", place.socket.display()));
        let runners = place.runners.clone();
        return serve_here(place, DaemonArgs { runners, ..DaemonArgs::default() }).await;
    }
    show(context, &context.link().await?).await?;
    Ok(Exit::Succeeded)
}

async fn show(context: &Context, link: &Link) -> Result<(), Failure> {
    let info = link.client.info().await?;
    context.ui.show(&Running { info, socket: link.place.socket.display().to_string() })
}
