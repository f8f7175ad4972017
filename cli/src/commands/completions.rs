//! `autoexec completions`: the script that teaches a shell our verbs and flags.

use clap::CommandFactory;
use clap_complete::Shell;

use super::context::Context;
use crate::args::Cli;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) fn completions(context: &Context, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "autoexec", &mut script);
    context.ui.bytes(&script)?;
    Ok(Exit::Succeeded)
}
