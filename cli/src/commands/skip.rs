//! `autoexec skip`: some targets of a job are not run. Refused for targets that run or have succeeded.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::PickArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn skip(context: &Context, args: PickArgs) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Skip { targets: args.targets }).await
}
