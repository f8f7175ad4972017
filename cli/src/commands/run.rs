//! `autoexec run`: submits a job and follows it. The job does not depend on this process: it may leave at any time.

use autoexec_model::api::{SubmitReply, SubmitRequest, SubmitWhat};
use autoexec_model::refusal::Code;

use super::context::Context;
use crate::args::{Format, RunArgs};
use crate::daemon::Link;
use crate::error::Failure;
use crate::exit::Exit;
use crate::follow::{self, Manner};
use crate::render::line;
use crate::request;
use crate::ui::Ui;

/// Runs the verb.
pub(super) async fn run(context: &Context, args: RunArgs) -> Result<Exit, Failure> {
    let what = match args.plan {
        Some(digest) => SubmitWhat::Digest { digest, secrets: request::secrets(&args.work.secrets)? },
        None => SubmitWhat::Plan(Box::new(request::plan(&args.work)?)),
    };
    let mut link = context.link().await?;
    let reply = submit(&mut link, what).await?;
    for warning in &reply.warnings {
        context.ui.warn(warning);
    }
    if args.detach {
        context.ui.show(&reply)?;
        return Ok(Exit::Succeeded);
    }
    context.ui.talk(&line::submitted(&reply));
    let followed = follow::follow(&context.ui, &link, reply.job.0, manner(&context.ui)).await?;
    follow::finish(&context.ui, &link, reply.job.0, followed).await
}

/// How a job is followed for the format that was asked for.
pub(super) fn manner(ui: &Ui) -> Manner {
    match ui.following_format() {
        Format::Human if ui.is_live() => Manner::Live,
        Format::Human | Format::Plain => Manner::Lines,
        Format::Json => Manner::Quiet,
    }
}

/// Submits it, once more when the connection was lost: the key makes both the same job.
pub(super) async fn submit(link: &mut Link, what: SubmitWhat) -> Result<SubmitReply, Failure> {
    let request = SubmitRequest { what, by: request::by(), idempotency_key: Some(request::idempotency_key()?) };
    match link.client.submit(request.clone()).await {
        Err(refusal) if refusal.code == Code::Unavailable => {
            link.again().await?;
            Ok(link.client.submit(request).await?)
        }
        result => Ok(result?),
    }
}
