//! `autoexec confirm`: a job that waits at a gate goes on. Refused unless it waits there.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::JobArg;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn confirm(context: &Context, args: JobArg) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Confirm).await
}
