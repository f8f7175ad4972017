//! From the parsed command line to its verb, and from the verb's result to the exit code.

use std::process::ExitCode;

use super::context::Context;
use super::{
    amend, cancel, completions, confirm, daemon, demo, explain, ignore, jobs, output, pause, plan, reject, resolve,
    resume, retry, run, schema, show, skip, store, target, tool, tool_exec, up, watch,
};
use crate::args::{Cli, Verb};
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::failure;

/// Runs the verb and prints its failure, if any.
pub(crate) fn start(cli: Cli) -> ExitCode {
    let context = Context::new(cli.global);
    let result = match cli.verb {
        Verb::ToolExec(args) => return tool_exec::tool_exec(&args),
        Verb::Daemon(args) => daemon::daemon(&context, args),
        verb => on_runtime(&context, verb),
    };
    match result {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            if !matches!(failure, Failure::ReaderLeft) {
                context.ui.talk(failure::told(&failure).trim_end());
            }
            ExitCode::from(failure.exit().code())
        }
    }
}

/// One thread is enough to wait for a scheduler.
fn on_runtime(context: &Context, verb: Verb) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Bug { what: format!("the runtime cannot be started: {error}") })?;
    let result = runtime.block_on(Box::pin(dispatch(context, verb)));
    // A thread that still reads the terminal is not waited for.
    runtime.shutdown_background();
    result
}

async fn dispatch(context: &Context, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Run(args) => run::run(context, *args).await,
        Verb::Plan(args) => plan::plan(context, *args).await,
        Verb::Jobs(args) => jobs::jobs(context, args).await,
        Verb::Show(args) => show::show(context, args).await,
        Verb::Watch(args) => watch::watch(context, args).await,
        Verb::Output(args) => output::output(context, args).await,
        Verb::Explain(args) => explain::explain(context, args).await,
        Verb::Pause(args) => pause::pause(context, args).await,
        Verb::Resume(args) => resume::resume(context, args).await,
        Verb::Cancel(args) => cancel::cancel(context, args).await,
        Verb::Retry(args) => retry::retry(context, args).await,
        Verb::Confirm(args) => confirm::confirm(context, args).await,
        Verb::Reject(args) => reject::reject(context, args).await,
        Verb::Skip(args) => skip::skip(context, args).await,
        Verb::Ignore(args) => ignore::ignore(context, args).await,
        Verb::Resolve(args) => resolve::resolve(context, args).await,
        Verb::Amend(args) => amend::amend(context, args).await,
        Verb::Target(verb) => target::target(context, verb).await,
        Verb::Tool(verb) => tool::tool(context, verb).await,
        Verb::Store(verb) => store::store(context, verb).await,
        Verb::Schema(args) => schema::schema(context, &args).await,
        Verb::Completions { shell } => completions::completions(context, shell),
        Verb::Demo(args) => demo::demo(context, args).await,
        Verb::Up(args) => up::up(context, args).await,
        Verb::Daemon(_) | Verb::ToolExec(_) => {
            Err(Failure::Bug { what: "a verb of another process was run in this one".to_owned() })
        }
    }
}
