//! One step of an attempt: its tries, and what the last of them means.

use std::time::Duration;

use autoexec_model::grant::ToolPackage;
use autoexec_model::outcome::Outcome;
use autoexec_model::plan::{Action, Place, Step, Transport};
use autoexec_process::ended::{ToolResult, likely_signal};
use serde_json::{Map, Value, json};

use super::Attempt;
use super::command::{self, Prepared};
use super::execute::{Run, RunEnd, Seen, stop_request};
use super::fetch;
use super::simulate::Simulated;
use crate::board::StopRequest;
use crate::credential;
use crate::host::Host;
use crate::output::{MAX_CAPTURE, Output};

/// What a step may publish, as JSON, in bytes: it travels in the journal.
const MAX_OUTPUTS: usize = 256 * 1024;

/// How a step ended.
#[derive(Debug)]
pub(crate) struct StepEnd {
    pub(crate) outcome: Outcome,
    /// Whether that is what the step wanted.
    pub(crate) ok: bool,
    pub(crate) tries: u32,
    /// What it published: recorded, and readable in later phases.
    pub(crate) outputs: Map<String, Value>,
    /// What later steps of this phase can read.
    pub(crate) readable: Map<String, Value>,
    pub(crate) message: String,
    pub(crate) stopped: Option<StopRequest>,
}

impl StepEnd {
    pub(crate) fn failed(outcome: Outcome, message: String) -> Self {
        Self { outcome, ok: false, tries: 1, outputs: Map::new(), readable: Map::new(), message, stopped: None }
    }

    pub(crate) fn done(outputs: Map<String, Value>) -> Self {
        let readable = outputs.clone();
        Self { ok: true, outputs, readable, ..Self::failed(Outcome::Exited { code: 0 }, String::new()) }
    }

    fn stopped(request: StopRequest, began: bool, confirmed: bool, left: &str) -> Self {
        let outcome = match (began, confirmed) {
            (_, false) => Outcome::KillUnconfirmed,
            (true, true) => Outcome::Killed,
            (false, true) => Outcome::Cancelled,
        };
        let mut message = if request.reason.is_empty() { "stopped".to_owned() } else { request.reason.clone() };
        if !confirmed {
            message = format!("{message}; it is not certain that it ended: {left}");
        }
        Self { stopped: Some(request), ..Self::failed(outcome, message) }
    }
}

/// A step to be run.
pub(crate) struct StepRun<'a> {
    pub(crate) attempt: &'a mut Attempt,
    pub(crate) index: u32,
    pub(crate) step: &'a Step,
}

impl StepRun<'_> {
    /// Tries it as often as its retries say.
    pub(crate) async fn run(mut self, output: &mut Output) -> StepEnd {
        let mut stop = self.attempt.live.stopped();
        let tool = tokio::select! {
            tool = self.tool() => tool,
            request = stop_request(&mut stop), if !self.may_run() => return StepEnd::stopped(request, false, true, ""),
        };
        let tool = match tool {
            Ok(tool) => tool,
            Err(message) => return StepEnd::failed(Outcome::FailedToStart, message),
        };
        for n in 1.. {
            let pause = Duration::from_millis(if n == 1 { 0 } else { self.step.retries.delay_before(n) });
            tokio::select! {
                biased;
                request = stop_request(&mut stop), if !self.may_run() => return StepEnd::stopped(request, false, true, ""),
                () = tokio::time::sleep(pause) => {}
            }
            self.attempt.live.progress(self.index, n);
            output.begin_step(self.step.no_log);
            let mut end = self.one_try(n, tool.as_deref(), output).await;
            let stdout = output.end_step().await;
            end.tries = n;
            self.publish(&mut end, &stdout);
            let again =
                !end.ok && end.stopped.is_none() && end.outcome != Outcome::Interrupted && n <= self.step.retries.max;
            if !again {
                return end;
            }
            let message = self.attempt.secrets.mask(&end.message);
            output.remark(&format!("try {n} of step `{}` failed: {message}", self.step.id)).await;
        }
        StepEnd::failed(Outcome::Rejected, "no try was made".to_owned())
    }

    /// Whether something of this attempt may run on its host that this runner has not seen: then a stop must reach the host.
    fn may_run(&self) -> bool {
        self.attempt.given.resume.is_some() || self.attempt.given.again
    }

    /// The tool of the step, when it uses one.
    async fn tool(&self) -> Result<Option<std::sync::Arc<ToolPackage>>, String> {
        match &self.step.action {
            Action::Tool { name, digest, .. } => {
                let package =
                    self.attempt.equipment.supply.tool(name, digest).await.map_err(|error| error.to_string())?;
                Ok(Some(package))
            }
            Action::Run { .. } => Ok(None),
        }
    }

    async fn one_try(&mut self, n: u32, tool: Option<&ToolPackage>, output: &mut Output) -> StepEnd {
        let mut stop = self.attempt.live.stopped();
        let place = self.attempt.grant.phase.place;
        if let (Place::Target, Some(target)) = (place, &self.attempt.given.target)
            && let (Transport::Sim, Some(options)) = (target.transport, &target.connection.sim)
        {
            let simulated = Simulated {
                options,
                target,
                step: self.step,
                context: &self.attempt.context,
                live: &self.attempt.live,
                attempt_try: n,
            };
            let end = simulated.run(output, &mut stop).await;
            return self.judge(end, "");
        }
        let host = match self.host() {
            Ok(host) => host,
            Err(end) => return *end,
        };
        let prepared = tokio::select! {
            prepared = command::prepare(self.attempt, self.step, (self.index, n), tool, &host) => prepared,
            request = stop_request(&mut stop), if !self.may_run() => return StepEnd::stopped(request, false, true, ""),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(end) => return *end,
        };
        match prepared {
            Prepared::Flow(flow) => self.flow(flow, &host).await,
            Prepared::Execution(execution) => {
                let used = if n == 1 { self.attempt.used() } else { Duration::ZERO };
                let must_exist = n == 1 && self.attempt.before.must_exist(self.index);
                let mut seen = Seen::default();
                let run = Run {
                    host: &host,
                    execution: &execution,
                    timeout: Duration::from_millis(self.step.timeout.as_millis()),
                    must_exist,
                    used,
                    live: &self.attempt.live,
                };
                let end = run.to_the_end(output, &mut seen, &mut stop).await;
                // What is not to be logged is not to be quoted either.
                let last_line = if self.step.no_log { String::new() } else { seen.last_line() };
                self.judge(end, &last_line)
            }
        }
    }

    /// Where the step runs.
    fn host(&self) -> Result<Host, Box<StepEnd>> {
        let equipment = &self.attempt.equipment;
        let target = match (self.attempt.grant.phase.place, &self.attempt.given.target) {
            (Place::Target, Some(target)) => target,
            (Place::Runner | Place::RunnerTarget | Place::Sql | Place::Target, _) => {
                return Ok(Host::Local(equipment.local.clone()));
            }
        };
        match target.transport {
            Transport::Local => Ok(Host::Local(equipment.local.clone())),
            Transport::Ssh => {
                let password = match &target.connection.password {
                    Some(reference) => {
                        Some(credential::resolve(reference, &self.attempt.context).map_err(|error| {
                            Box::new(StepEnd::failed(
                                Outcome::FailedToStart,
                                format!("password of {}: {error}", target.name),
                            ))
                        })?)
                    }
                    None => None,
                };
                Host::ssh(equipment.pool.clone(), target, password.as_deref())
                    .map_err(|error| Box::new(StepEnd::failed(Outcome::FailedToStart, error.message)))
            }
            Transport::Agent => Err(Box::new(StepEnd::failed(
                Outcome::Rejected,
                format!("{}: this runner cannot reach targets by agent; use `transport: ssh`", target.name),
            ))),
            Transport::Sim => {
                Err(Box::new(StepEnd::failed(Outcome::Rejected, format!("{}: `sim` options are missing", target.name))))
            }
        }
    }

    async fn flow(&mut self, flow: autoexec_tools::flow::FlowResult, host: &Host) -> StepEnd {
        use autoexec_tools::flow::FlowResult;
        let mut stop = self.attempt.live.stopped();
        match flow {
            FlowResult::Outputs(outputs) => StepEnd::done(outputs),
            FlowResult::Failed { message } => StepEnd::failed(Outcome::Exited { code: 1 }, message),
            FlowResult::Sleep(time) => {
                let wanted = Duration::from_millis(time.as_millis());
                let limit = Duration::from_millis(self.step.timeout.as_millis());
                tokio::select! {
                    () = tokio::time::sleep(wanted.min(limit)) => if wanted > limit {
                        StepEnd::failed(Outcome::TimedOut, format!("timed out after {}", self.step.timeout))
                    } else {
                        StepEnd::done(Map::new())
                    },
                    request = stop_request(&mut stop) => StepEnd::stopped(request, false, true, ""),
                }
            }
            FlowResult::Fetch(request) => {
                let name = self.attempt.given.target.as_ref().map_or("runner", |target| target.name.as_str());
                let folder = self
                    .attempt
                    .equipment
                    .folder
                    .join("fetched")
                    .join(format!("job-{}", self.attempt.live.attempt.job));
                let limit = Duration::from_millis(self.step.timeout.as_millis());
                tokio::select! {
                    end = tokio::time::timeout(limit, fetch::fetch(host, &request, name, &folder)) => end.unwrap_or_else(|_| {
                        StepEnd::failed(Outcome::TimedOut, format!("timed out after {}", self.step.timeout))
                    }),
                    request = stop_request(&mut stop) => StepEnd::stopped(request, false, true, ""),
                }
            }
        }
    }

    fn judge(&self, end: RunEnd, last_line: &str) -> StepEnd {
        let said = |what: String| if last_line.is_empty() { what } else { format!("{what}: {last_line}") };
        match end {
            RunEnd::Exited { code, result } => self.exited(code, result, &said),
            RunEnd::TimedOut { confirmed, left } => {
                let mut message = said(format!("timed out after {}", self.step.timeout));
                if !confirmed {
                    message = format!("{message}; it is not certain that it ended: {left}");
                }
                StepEnd::failed(if confirmed { Outcome::TimedOut } else { Outcome::KillUnconfirmed }, message)
            }
            RunEnd::Stopped { request, began, confirmed, left } => StepEnd::stopped(request, began, confirmed, &left),
            RunEnd::Unreachable { message } => StepEnd::failed(Outcome::Unreachable, message),
            RunEnd::FailedToStart { message } => StepEnd::failed(Outcome::FailedToStart, message),
            RunEnd::Interrupted { message } => StepEnd::failed(Outcome::Interrupted, message),
        }
    }

    fn exited(&self, code: u32, result: Option<ToolResult>, said: &dyn Fn(String) -> String) -> StepEnd {
        let code = i32::try_from(code).unwrap_or(i32::MAX);
        let ok = self.step.success_codes.contains(&code);
        let outcome = Outcome::Exited { code };
        let outputs = match parse_outputs(result) {
            Ok(outputs) => outputs,
            Err(message) => return StepEnd::failed(outcome, format!("step `{}`: {message}", self.step.id)),
        };
        let message = match (ok, likely_signal(code.unsigned_abs())) {
            (true, _) => String::new(),
            (false, Some(signal)) => said(format!("exit {code} (signal {signal}, most likely)")),
            (false, None) => said(format!("exit {code}")),
        };
        StepEnd { ok, outputs, ..StepEnd::failed(outcome, message) }
    }

    /// What later steps and phases can read of it.
    fn publish(&self, end: &mut StepEnd, stdout: &str) {
        if self.step.keep_stdout && stdout.len() <= MAX_CAPTURE {
            end.outputs.insert("stdout".to_owned(), Value::String(stdout.to_owned()));
        }
        end.readable = end.outputs.clone();
        end.readable.insert("stdout".to_owned(), Value::String(stdout.to_owned()));
        end.readable.insert("exit_code".to_owned(), json!(end.outcome.exit_code()));
        end.readable.insert("outcome".to_owned(), Value::String(end.outcome.word().to_owned()));
        end.readable.insert("ok".to_owned(), Value::Bool(end.ok));
    }
}

/// What a tool wrote to `$AUTOEXEC_OUTPUT`.
fn parse_outputs(result: Option<ToolResult>) -> Result<Map<String, Value>, String> {
    let Some(result) = result else { return Ok(Map::new()) };
    if result.total > MAX_OUTPUTS as u64 {
        return Err(format!("$AUTOEXEC_OUTPUT has {} bytes, more than {MAX_OUTPUTS}", result.total));
    }
    if result.bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&result.bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("$AUTOEXEC_OUTPUT holds JSON, but not an object such as {\"key\": \"value\"}".to_owned()),
        Err(error) => Err(format!("$AUTOEXEC_OUTPUT is not JSON: {error}")),
    }
}
