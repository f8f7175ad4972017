//! One step on a simulated target.

use std::time::Duration;

use autoexec_model::grant::Stream;
use autoexec_model::plan::{SimOptions, Step, Target};
use tokio::sync::watch;

use super::context::Context;
use super::execute::{RunEnd, stop_request};
use crate::board::{Live, StopRequest};
use crate::clock;
use crate::output::Output;
use crate::transport::sim::{End, script};

/// A try of a step on a simulated target.
pub(crate) struct Simulated<'a> {
    pub(crate) options: &'a SimOptions,
    pub(crate) target: &'a Target,
    pub(crate) step: &'a Step,
    pub(crate) context: &'a Context,
    pub(crate) live: &'a Live,
    pub(crate) attempt_try: u32,
}

impl Simulated<'_> {
    pub(crate) async fn run(&self, output: &mut Output, stop: &mut watch::Receiver<Option<StopRequest>>) -> RunEnd {
        let script = script(self.options, self.target, self.step, self.live.attempt.n, self.attempt_try);
        if script.end == End::Unreachable {
            return self
                .after(
                    script.takes,
                    stop,
                    RunEnd::Unreachable { message: format!("{}: simulated: no route", self.target.name) },
                )
                .await;
        }
        self.live.start(clock::now());
        let limit = Duration::from_millis(self.step.timeout.as_millis());
        let End::Exits(code) = script.end else {
            return self.after(limit, stop, timed_out()).await;
        };
        if script.takes >= limit {
            return self.after(limit, stop, timed_out()).await;
        }
        let end = self
            .after(script.takes, stop, RunEnd::Exited { code: u32::try_from(code).unwrap_or(1), result: None })
            .await;
        if let RunEnd::Exited { .. } = end {
            let (stream, text) = self.says(code);
            output.push(stream, text.as_bytes()).await;
        }
        end
    }

    fn says(&self, code: i32) -> (Stream, String) {
        if code != 0 {
            return (Stream::Stderr, format!("{}: simulated failure\n", self.step.id));
        }
        let text = match &self.options.output {
            Some(template) => self.context.text(template).unwrap_or_else(|error| error.to_string()),
            None => format!("{}: ok", self.step.id),
        };
        (Stream::Stdout, format!("{text}\n"))
    }

    async fn after(&self, time: Duration, stop: &mut watch::Receiver<Option<StopRequest>>, end: RunEnd) -> RunEnd {
        tokio::select! {
            () = tokio::time::sleep(time) => end,
            request = stop_request(stop) => RunEnd::Stopped { request, began: true, confirmed: true, left: String::new() },
        }
    }
}

fn timed_out() -> RunEnd {
    RunEnd::TimedOut { confirmed: true, left: String::new() }
}
