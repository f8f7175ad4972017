//! `autoexec retry`: new attempts for what did not succeed; what succeeded is left alone. Refused while the job runs.

use autoexec_model::api::{Operation, RetryWhat};

use super::context::Context;
use crate::args::RetryArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn retry(context: &Context, args: RetryArgs) -> Result<Exit, Failure> {
    let what = match args.targets {
        Some(targets) => RetryWhat::Targets(targets),
        None if args.all => RetryWhat::All,
        None => RetryWhat::Failed,
    };
    context.operate(args.job, Operation::Retry { what }).await
}
