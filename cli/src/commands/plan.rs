//! `autoexec plan`: prints everything that a job would do, and does nothing. The plan stays with the scheduler under its digest.

use super::context::Context;
use crate::args::PlanArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::plan as shown;
use crate::request;

/// Runs the verb.
pub(super) async fn plan(context: &Context, args: PlanArgs) -> Result<Exit, Failure> {
    let request = request::plan(&args.work)?;
    let link = context.link().await?;
    let reply = link.client.plan(request).await?;
    context.ui.show(&reply)?;
    context.ui.talk(&shown::next(&reply, &context.ui.look()));
    Ok(Exit::Succeeded)
}
