//! `autoexec tool-exec` (hidden): one shipped tool as a process of its own, started by the runner.

use std::process::ExitCode;

use crate::args::ToolExecArgs;
use crate::daemon::serve;
use crate::exit::Exit;

/// Runs the verb.
pub(super) fn tool_exec(args: &ToolExecArgs) -> ExitCode {
    let code = serve::tool_exec(&args.name);
    ExitCode::from(u8::try_from(code).unwrap_or_else(|_| Exit::Bug.code()))
}
