//! The `autoexec` command: parse, ask the scheduler, print. It also is the local scheduler and its tools, under hidden verbs.
//!
//! Every failure is printed in one place, here; a panic is a bug and ends with 70.

mod args;
mod clock;
mod commands;
mod daemon;
mod error;
mod exit;
mod follow;
mod render;
mod request;
mod ui;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output and a mistake to standard error; nobody is left to tell when that fails.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Succeeded.code() });
        }
    };
    catch_unwind(AssertUnwindSafe(|| commands::start(cli))).unwrap_or_else(|_| ExitCode::from(Exit::Bug.code()))
}
