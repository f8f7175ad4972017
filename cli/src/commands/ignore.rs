//! `autoexec ignore`: the failure of some targets does not count. Refused for targets that did not fail.

use autoexec_model::api::Operation;

use super::context::Context;
use crate::args::PickArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn ignore(context: &Context, args: PickArgs) -> Result<Exit, Failure> {
    context.operate(args.job, Operation::Ignore { targets: args.targets }).await
}
