//! `autoexec cancel`: stops a job and everything it runs, verified. Refused when it has ended.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::CancelArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn cancel(context: &Context, args: CancelArgs) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Cancel { reason: args.reason }).await
}
