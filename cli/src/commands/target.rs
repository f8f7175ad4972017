//! `autoexec target`: the targets of an inventory, and a job that logs in to each of them and does nothing.

use autoexec_model::api::{JobSource, Overrides, PlanRequest, SubmitWhat, TargetsQuery};

use super::context::Context;
use super::run::submit;
use super::show::all_targets;
use crate::args::{CheckArgs, TargetLsArgs, TargetVerb};
use crate::error::Failure;
use crate::exit::Exit;
use crate::follow::{self, How, Manner};
use crate::render::check::Checked;
use crate::render::line;
use crate::render::targets::Inventory;
use crate::request;

/// What runs on each target: it proves that a shell can be started there, and prints nothing.
const PROBE: &str = "exit 0";

/// A check stops for no failure: it is there to find them all.
const NO_LIMIT: &str = "failed=100%,unreachable=100%,timed_out=100%,interrupted=100%";

/// Rows of one answer.
const PAGE: u32 = 1_000;

/// Runs the verb.
pub(super) async fn target(context: &Context, verb: TargetVerb) -> Result<Exit, Failure> {
    match verb {
        TargetVerb::Ls(args) => ls(context, args).await,
        TargetVerb::Check(args) => check(context, args).await,
    }
}

async fn ls(context: &Context, args: TargetLsArgs) -> Result<Exit, Failure> {
    let inventory = request::optional(args.inventory.as_deref())?;
    let link = context.link().await?;
    let targets = link.client.list_targets(inventory, args.targets).await?;
    context.ui.show(&Inventory(targets))?;
    Ok(Exit::Succeeded)
}

async fn check(context: &Context, args: CheckArgs) -> Result<Exit, Failure> {
    let request = probe(args)?;
    let mut link = context.link().await?;
    let reply = submit(&mut link, SubmitWhat::Plan(Box::new(request))).await?;
    for warning in &reply.warnings {
        context.ui.warn(warning);
    }
    context.ui.talk(&line::submitted(&reply));
    let followed = follow::follow(&context.ui, &link, reply.job.0, Manner::Quiet).await?;
    match followed.how {
        How::Ended => {}
        How::Waits | How::Detached => return follow::finish(&context.ui, &link, reply.job.0, followed).await,
    }
    let query = TargetsQuery { job: reply.job.0, limit: PAGE, ..TargetsQuery::default() };
    let checked = Checked(all_targets(&link, query).await?);
    context.ui.show(&checked)?;
    Ok(if checked.all_ok() { Exit::Succeeded } else { Exit::JobFailed })
}

fn probe(args: CheckArgs) -> Result<PlanRequest, Failure> {
    let inventory = request::optional(args.inventory.as_deref())?;
    let targets = match (args.targets, &inventory) {
        (Some(targets), _) => targets,
        (None, Some(_)) => "*".to_owned(),
        (None, None) => {
            return Err(Failure::usage("there is nothing to check", "name an inventory with -i, or targets with -t"));
        }
    };
    Ok(PlanRequest {
        job: JobSource::Command { words: vec![PROBE.to_owned()] },
        inventory,
        targets: Some(targets),
        overrides: Overrides {
            name: Some("target-check".to_owned()),
            budget: Some(NO_LIMIT.to_owned()),
            timeout: Some(args.timeout),
            parallel: args.parallel,
            user: args.user,
            key: args.key.as_deref().map(request::absolute),
            transport: args.transport,
            host_key: args.host_key,
            ..Overrides::default()
        },
        ..PlanRequest::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(targets: Option<&str>) -> CheckArgs {
        CheckArgs {
            inventory: None,
            targets: targets.map(str::to_owned),
            user: None,
            key: None,
            transport: Some("sim".to_owned()),
            host_key: None,
            parallel: None,
            timeout: "30s".to_owned(),
        }
    }

    #[test]
    fn a_check_never_stops_at_a_failure() {
        let request = probe(args(Some("web[01-40]"))).expect("a request");
        assert_eq!(request.overrides.budget.as_deref(), Some(NO_LIMIT));
        assert_eq!(request.overrides.transport.as_deref(), Some("sim"));
        assert_eq!(probe(args(None)).expect_err("nothing").exit().code(), 2);
    }
}
