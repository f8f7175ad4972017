//! `autoexec tool`: the catalogue, one tool of it, and the check of a tool of the user's own.

use super::context::Context;
use crate::args::ToolVerb;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::tools::Catalogue;
use crate::request;

/// Runs the verb.
pub(super) async fn tool(context: &Context, verb: ToolVerb) -> Result<Exit, Failure> {
    match verb {
        ToolVerb::Ls => {
            let link = context.link().await?;
            context.ui.show(&Catalogue(link.client.tools().await?))?;
            Ok(Exit::Succeeded)
        }
        ToolVerb::Show(args) => {
            let link = context.link().await?;
            context.ui.show(&link.client.tool(args.name).await?)?;
            Ok(Exit::Succeeded)
        }
        ToolVerb::Check(args) => {
            let tool = request::tool(&args.folder)?;
            let link = context.link().await?;
            let reply = link.client.check_tool(tool).await?;
            context.ui.show(&reply)?;
            Ok(if reply.ok { Exit::Succeeded } else { Exit::JobFailed })
        }
    }
}
