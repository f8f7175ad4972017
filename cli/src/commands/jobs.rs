//! `autoexec jobs`: lists jobs, newest first, page by page.

use autoexec_model::api::JobsQuery;

use super::context::Context;
use crate::args::{Format, JobsArgs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::jobs as shown;

/// Runs the verb.
pub(super) async fn jobs(context: &Context, args: JobsArgs) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let query = JobsQuery { states: args.states, name: args.name, limit: args.limit, before: args.before };
    let page = link.client.jobs(query).await?;
    context.ui.show(&page)?;
    if context.ui.format() == Format::Human {
        let look = context.ui.look();
        if page.rows.is_empty() {
            context.ui.talk(&shown::none(&look));
        } else if let Some(more) = shown::more(&page, &look) {
            context.ui.talk(&more);
        }
    }
    Ok(Exit::Succeeded)
}
