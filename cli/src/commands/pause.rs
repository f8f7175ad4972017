//! `autoexec pause`: nothing new is granted; what runs finishes. Refused unless the job runs.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::JobArg;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn pause(context: &Context, args: JobArg) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Pause).await
}
