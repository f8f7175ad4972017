//! `autoexec resume`: a paused job goes on. Refused unless it is paused.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::JobArg;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn resume(context: &Context, args: JobArg) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Resume).await
}
