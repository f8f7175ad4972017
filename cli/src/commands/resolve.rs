//! `autoexec resolve`: an operator says how interrupted targets ended. Refused for targets that were not interrupted.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::{ResolveArgs, SaidVerdict};
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn resolve(context: &Context, args: ResolveArgs) -> Result<Exit, Failure> {
    let succeeded = match args.verdict {
        SaidVerdict::Succeeded => true,
        SaidVerdict::Failed => false,
    };
    context.operate(args.job, Operation::Resolve { targets: args.targets, succeeded }).await
}
