//! `autoexec show`: one job, with its targets one by one when they are asked for.

use autoexec_model::api::TargetsQuery;
use autoexec_model::view::TargetRow;

use super::context::Context;
use crate::args::ShowArgs;
use crate::daemon::Link;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::job::Page;

/// Rows of one answer; a larger job is read in pages.
const PAGE: u32 = 1_000;

/// Runs the verb.
pub(super) async fn show(context: &Context, args: ShowArgs) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let view = link.client.show(args.job, true).await?;
    let wanted = args.targets || args.select.is_some() || !args.verdicts.is_empty();
    let targets = if wanted {
        let query = TargetsQuery {
            job: view.id,
            targets: args.select,
            verdicts: args.verdicts,
            since: 0,
            outputs: args.outputs,
            limit: PAGE,
            offset: 0,
        };
        Some(all_targets(&link, query).await?)
    } else {
        None
    };
    context.ui.show(&Page { view, targets })?;
    Ok(Exit::Succeeded)
}

/// Every row that the query means, page by page.
pub(super) async fn all_targets(link: &Link, mut query: TargetsQuery) -> Result<Vec<TargetRow>, Failure> {
    let mut rows = Vec::new();
    loop {
        let page = link.client.targets(query.clone()).await?;
        let got = page.rows.len();
        rows.extend(page.rows);
        query.offset += got as u32;
        if got == 0 || query.offset >= page.total {
            return Ok(rows);
        }
    }
}
