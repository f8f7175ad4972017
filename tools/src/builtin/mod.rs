//! The tools that are compiled into the program: `autoexec tool-exec NAME` runs one, as a process of its own.
//!
//! They keep the contract of every tool: parameters from `$AUTOEXEC_PARAMS`, outputs to `$AUTOEXEC_OUTPUT`, exit 0 for success. Being a
//! process they can be killed, timed out and found again like any other. Exit codes: 0 succeeded, 1 failed, 2 a parameter
//! makes no sense, 70 the contract itself was broken (no parameter file, outputs that cannot be written).

mod call;
mod expect;
mod http;
mod http_client;
mod icmp;
mod ping;
mod poll;
mod wait_http;
mod wait_tcp;

use std::io::Write;

pub use call::Environment;
use call::{Call, Stop};

/// The names that [`main`] knows: what a manifest may write behind `builtin:`.
pub const NAMES: [&str; 4] = ["http", "ping", "wait-http", "wait-tcp"];

/// Runs the built-in tool `name` with the given environment; the returned number is the exit code of the process.
///
/// What it says goes to `out` and `err`; a failure to write there does not change the result, because a reader that went away
/// must not turn a finished request into a failed one.
pub fn main(name: &str, environment: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let result = Call::read(environment, out, err).and_then(|mut call| match name {
        "http" => http::run(&mut call),
        "ping" => ping::run(&mut call),
        "wait-http" => wait_http::run(&mut call),
        "wait-tcp" => wait_tcp::run(&mut call),
        other => Err(Stop::Contract(format!("there is no built-in tool `{other}`"))),
    });
    match result {
        Ok(()) => 0,
        Err(stop) => {
            let _ = writeln!(err, "{name}: {stop}");
            stop.exit_code()
        }
    }
}
