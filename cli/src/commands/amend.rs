//! `autoexec amend`: changes how many targets a job works on at once. Refused when it has ended.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::AmendArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn amend(context: &Context, args: AmendArgs) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Parallel { parallel: args.parallel }).await
}
