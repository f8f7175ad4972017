//! The hands of autoexec: a runner takes grants from its scheduler and executes them, here or on targets.
//!
//! ```text
//! session ──grant──> board ──> attempt ──> step ──> execute ──> host: local | ssh     (or simulate, or a flow tool)
//!    ^                 │                                │
//!    └── what is new ──┴───────── output <──────────────┘
//! ```

mod attempt;
mod board;
mod clock;
mod credential;
mod host;
mod output;
mod runner;
mod session;
mod supply;
pub mod transport;

pub use runner::{Runner, RunnerError, RunnerOptions};

/// Runs a compiled-in tool in this process, as `autoexec tool-exec NAME` does, and answers with its exit code.
pub fn tool_exec(name: &str) -> i32 {
    let environment = std::env::vars_os().collect();
    autoexec_tools::builtin::main(name, &environment, &mut std::io::stdout(), &mut std::io::stderr())
}
