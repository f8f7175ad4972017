//! `autoexec output`: what targets printed. One target comes raw, byte for byte; several come under headers or behind prefixes.

use autoexec_model::api::{OutputPiece, OutputQuery, TargetsQuery};
use autoexec_model::grant::Stream;
use tokio_stream::StreamExt;

use super::context::{Context, number};
use crate::args::{Format, OutputArgs};
use crate::daemon::Link;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::output::{self as shown, Headed, Prefixed};

/// How pieces are printed.
enum Form {
    /// As they are, each stream to its own.
    Raw,
    /// Under a header for each target.
    Headed(Headed),
    /// Line by line behind the name of the target.
    Prefixed(Prefixed),
    /// One JSON object for each piece.
    Json,
}

/// Runs the verb.
pub(super) async fn output(context: &Context, args: OutputArgs) -> Result<Exit, Failure> {
    let link = context.link().await?;
    let job = number(&link, args.job.clone()).await?;
    let mut form = match context.ui.format() {
        Format::Json => Form::Json,
        Format::Human | Format::Plain if args.prefix => Form::Prefixed(Prefixed::default()),
        Format::Human | Format::Plain if is_one(&link, job, args.target.clone()).await? => Form::Raw,
        Format::Human | Format::Plain => Form::Headed(Headed::default()),
    };
    let query = OutputQuery {
        job,
        targets: args.target,
        phase: args.phase,
        stream: args.stream.map(Stream::from),
        follow: args.follow,
        attempt: args.attempt,
    };
    let mut pieces = link.client.output(query).await?;
    let mut seen = 0_u64;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        seen += piece.bytes.len() as u64;
        print(context, &mut form, &piece)?;
    }
    match &mut form {
        Form::Headed(headed) => context.ui.data(headed.rest())?,
        Form::Prefixed(prefixed) => {
            let rest = prefixed.rest();
            context.ui.data(&rest)?;
        }
        Form::Raw | Form::Json => {}
    }
    if seen == 0 && context.ui.format() == Format::Human {
        context.ui.talk("nothing was printed");
    }
    Ok(Exit::Succeeded)
}

/// Whether the selector means exactly one target.
async fn is_one(link: &Link, job: u64, targets: Option<String>) -> Result<bool, Failure> {
    // Phases that run once print under the name `runner`, which is no target.
    if targets.as_deref() == Some("runner") {
        return Ok(true);
    }
    let query = TargetsQuery { job, targets, limit: 1, ..TargetsQuery::default() };
    Ok(link.client.targets(query).await?.total == 1)
}

fn print(context: &Context, form: &mut Form, piece: &OutputPiece) -> Result<(), Failure> {
    let ui = &context.ui;
    match form {
        Form::Raw => match piece.stream {
            Stream::Stdout => ui.bytes(&piece.bytes),
            Stream::Stderr => ui.error_bytes(&piece.bytes),
        },
        Form::Headed(headed) => {
            if let Some(header) = headed.header(piece) {
                ui.data(&header)?;
            }
            ui.bytes(&piece.bytes)
        }
        Form::Prefixed(prefixed) => {
            let lines = prefixed.take(piece);
            ui.data(&lines)
        }
        Form::Json => ui.bytes(format!("{}\n", shown::json(piece)).as_bytes()),
    }
}
