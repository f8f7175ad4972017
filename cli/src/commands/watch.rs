//! `autoexec watch`: follows a job that somebody submitted, as `run` does. A job that has ended is shown at once.

use super::context::{Context, number};
use super::run::manner;
use crate::args::JobArg;
use crate::error::Failure;
use crate::exit::Exit;
use crate::follow;

/// Runs the verb.
pub(super) async fn watch(context: &Context, args: JobArg) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let job = number(&link, args.job).await?;
    let followed = follow::follow(&context.ui, &link, job, manner(&context.ui)).await?;
    follow::finish(&context.ui, &link, job, followed).await
}
