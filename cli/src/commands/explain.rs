//! `autoexec explain`: why a job or a target is where it is, and what moves it on.

use super::context::Context;
use crate::args::ExplainArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::explain::Explained;

/// Runs the verb.
pub(super) async fn explain(context: &Context, args: ExplainArgs) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let explanations = link.client.explain(args.job, args.target).await?;
    let nothing = explanations.is_empty();
    context.ui.show(&Explained(explanations))?;
    if nothing {
        context.ui.talk("nothing waits there");
    }
    Ok(Exit::Succeeded)
}
