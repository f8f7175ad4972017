//! From a step to an execution: templates rendered, parameters checked, files staged.
//!
//! Values reach tools as bytes: environment, arguments and a JSON file. No shell ever evaluates one. What holds a secret
//! goes the secret way: never on a disk, never on a command line.

use std::sync::Arc;

use autoexec_model::grant::ToolPackage;
use autoexec_model::outcome::Outcome;
use autoexec_model::param::resolve_params;
use autoexec_model::plan::{Action, BecomeMethod, BecomePlan, Step};
use autoexec_model::tool::{Entry, Manifest};
use autoexec_process::ask;
use autoexec_process::execution::{self, Execution, ExtraFile, FileBytes, HostPath, Script, reopens_output};
use autoexec_process::files::Digest;
use autoexec_process::key::ExecKey;
use autoexec_process::secret::SecretBytes;
use autoexec_tools::flow::{self, FlowResult};
use autoexec_tools::invocation::{StagedContent, context};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::Attempt;
use super::step::StepEnd;
use crate::credential;
use crate::host::{Host, source_chain};

/// A step ready to be run.
pub(crate) enum Prepared {
    /// Evaluated by the runner itself.
    Flow(FlowResult),
    /// Run on a host.
    Execution(Box<Execution>),
}

type Result<T> = std::result::Result<T, Box<StepEnd>>;

fn failed(message: impl Into<String>) -> Box<StepEnd> {
    Box::new(StepEnd::failed(Outcome::FailedToStart, message.into()))
}

/// Prepares try `n` of the step with this index.
pub(crate) async fn prepare(
    attempt: &Attempt,
    step: &Step,
    (index, n): (u32, u32),
    tool: Option<&ToolPackage>,
    host: &Host,
) -> Result<Prepared> {
    let key = attempt.live.attempt.step_key(&attempt.grant.instance, index, n);
    let key = ExecKey::new(key).map_err(|error| failed(error.to_string()))?;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| failed(format!("no random bytes: {error}")))?;
    let mut execution = Execution::new(key, nonce, Bytes::new());
    let maker = Maker { attempt, step, host };
    match (&step.action, tool) {
        (Action::Run { script, interpreter, args, stdin }, _) => {
            execution.pipes = reopens_output(script.as_bytes());
            execution.script = Script::Text(Bytes::from(script.clone().into_bytes()));
            execution.interpreter.clone_from(interpreter);
            execution.args = args.iter().map(|arg| maker.plain("args", arg)).collect::<Result<_>>()?;
            execution.stdin = stdin.as_ref().map(|stdin| maker.plain("stdin", stdin)).transpose()?;
            maker.params_of_job(&mut execution);
        }
        (Action::Tool { with, .. }, Some(package)) => {
            if let Some(flow) = maker.tool(package, with, &mut execution).await? {
                return Ok(Prepared::Flow(flow));
            }
        }
        (Action::Tool { name, .. }, None) => return Err(failed(format!("tool `{name}` is not here"))),
    }
    maker.surroundings(&mut execution)?;
    Ok(Prepared::Execution(Box::new(execution)))
}

struct Maker<'a> {
    attempt: &'a Attempt,
    step: &'a Step,
    host: &'a Host,
}

impl Maker<'_> {
    fn text(&self, what: &str, template: &str) -> Result<String> {
        self.attempt.context.text(template).map_err(|error| failed(format!("{what}: {error}")))
    }

    /// A text that others on the host can see: on a command line, or in a file.
    fn plain(&self, what: &str, template: &str) -> Result<Bytes> {
        let text = self.text(what, template)?;
        if self.attempt.secrets.are_in(&text) {
            return Err(failed(format!(
                "{what}: it holds a secret, which others could see there; hand it over with `env`"
            )));
        }
        Ok(Bytes::from(text))
    }

    /// Environment, folder and user: the same for scripts and tools.
    fn surroundings(&self, execution: &mut Execution) -> Result<()> {
        for (name, template) in &self.step.env {
            let value = self.text(&format!("env {name}"), template)?;
            self.set_env(execution, name, value.into_bytes());
        }
        let attempt = self.attempt.live.attempt;
        let about = context(&attempt.job.to_string(), &self.step.id, attempt.n, self.attempt.given.target.as_ref());
        execution.env.extend(about.into_iter().map(|(name, value)| (name, Bytes::from(value))));
        execution.workdir =
            self.step.workdir.as_ref().map(|dir| self.text("workdir", dir).map(Bytes::from)).transpose()?;
        execution.become_user = self.step.become_user.as_ref().map(|plan| self.becoming(plan)).transpose()?;
        Ok(())
    }

    fn set_env(&self, execution: &mut Execution, name: &str, value: Vec<u8>) {
        if self.attempt.secrets.are_in(&String::from_utf8_lossy(&value)) {
            execution.secret_env.push((name.to_owned(), SecretBytes::new(value)));
        } else {
            execution.env.push((name.to_owned(), Bytes::from(value)));
        }
    }

    fn becoming(&self, plan: &BecomePlan) -> Result<execution::Become> {
        let password =
            plan.password.as_ref().map(|reference| credential::resolve(reference, &self.attempt.context)).transpose();
        let password = password.map_err(|error| failed(format!("become password: {error}")))?;
        Ok(execution::Become {
            method: match plan.method {
                BecomeMethod::Sudo => execution::BecomeMethod::Sudo,
                BecomeMethod::Su => execution::BecomeMethod::Su,
            },
            user: self.text("become user", &plan.user)?,
            password: password.map(|password| SecretBytes::new(password.into_bytes())),
        })
    }

    /// A script of the job file finds the job's parameters in `$AUTOEXEC_PARAMS`.
    fn params_of_job(&self, execution: &mut Execution) {
        let json = Value::Object(self.attempt.grant.params.clone()).to_string().into_bytes();
        execution.params = Some(if self.attempt.grant.secrets.is_empty() {
            FileBytes::Plain(Bytes::from(json))
        } else {
            FileBytes::Secret(SecretBytes::new(json))
        });
    }

    /// A tool of the catalogue; a flow tool is evaluated at once.
    async fn tool(
        &self,
        package: &ToolPackage,
        with: &Map<String, Value>,
        execution: &mut Execution,
    ) -> Result<Option<FlowResult>> {
        let manifest = autoexec_tools::package::open(package)
            .map_err(|error| failed(format!("tool `{}`: {error}", package.name)))?;
        let params = self.checked(&manifest, with)?;
        match &manifest.entry.value {
            Entry::Flow(name) => {
                let flow = flow::run(name.as_str(), &params).map_err(|error| failed(error.to_string()))?;
                return Ok(Some(flow));
            }
            Entry::Builtin(name) => {
                execution.script =
                    Script::Text(Bytes::from_static(b"exec \"$AUTOEXEC_PROGRAM\" tool-exec \"$AUTOEXEC_BUILTIN\"\n"));
                execution.env.push(("AUTOEXEC_BUILTIN".to_owned(), Bytes::from(name.clone())));
                execution
                    .env
                    .push(("AUTOEXEC_PROGRAM".to_owned(), Bytes::from(self.attempt.equipment.program.clone())));
            }
            Entry::Script(file) => {
                let script = package.files.iter().find(|known| known.name == *file);
                let script = script.ok_or_else(|| failed(format!("tool `{}` has no file `{file}`", package.name)))?;
                execution.interpreter = manifest.interpreter.0.clone();
                execution.pipes = reopens_output(&script.bytes);
                execution.script = self.staged_script(&script.bytes).await?;
            }
        }
        self.hand_over(&manifest, &params, execution).await?;
        Ok(None)
    }

    /// Parameters rendered, checked and completed with defaults.
    fn checked(&self, manifest: &Manifest, with: &Map<String, Value>) -> Result<Map<String, Value>> {
        // A bare expression, as in `when`: it stays a text for the check and becomes its answer afterwards.
        let assertion = (*manifest.name == "assert").then(|| with.get("that").and_then(Value::as_str)).flatten();
        let mut given = Map::new();
        for (name, value) in with {
            let rendered = if name == "that" && assertion.is_some() {
                value.clone()
            } else {
                self.attempt.context.value(value).map_err(|error| failed(format!("{name}: {error}")))?
            };
            given.insert(name.clone(), rendered);
        }
        let mut params = resolve_params(&manifest.params, &given).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            failed(format!("tool `{}`: {}", manifest.name.value, problems.join("; ")))
        })?;
        if let Some(expression) = assertion {
            let holds = self.attempt.context.holds(expression).map_err(|error| failed(format!("that: {error}")))?;
            params.insert("that".to_owned(), Value::Bool(holds));
        }
        Ok(params)
    }

    /// Small scripts travel with the step; larger ones are put on the host once and found there by their digest.
    async fn staged_script(&self, bytes: &[u8]) -> Result<Script> {
        const INLINE: usize = 16 * 1024;
        if bytes.len() <= INLINE {
            return Ok(Script::Text(Bytes::copy_from_slice(bytes)));
        }
        self.push(bytes, 0o700).await.map(Script::Pushed)
    }

    async fn push(&self, bytes: &[u8], mode: u32) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let command = self.host.supervisor().push(&digest, bytes.len() as u64, mode);
        let channel = self.host.exec(&command).await.map_err(|error| {
            Box::new(StepEnd::failed(
                if error.before_start { Outcome::Unreachable } else { Outcome::FailedToStart },
                error.message,
            ))
        })?;
        ask::push(channel, Bytes::copy_from_slice(bytes))
            .await
            .map_err(|error| failed(format!("a file could not be sent: {}", source_chain(&error))))?;
        Ok(digest)
    }

    /// Parameters as environment, as JSON, and as files.
    async fn hand_over(
        &self,
        manifest: &Manifest,
        params: &Map<String, Value>,
        execution: &mut Execution,
    ) -> Result<()> {
        let call = autoexec_tools::invocation(&manifest.params, params).map_err(|error| failed(error.to_string()))?;
        for (name, value) in call.env {
            self.set_env(execution, &name, value);
        }
        let secret = !call.secret_env.is_empty();
        for (name, value) in call.secret_env {
            execution.secret_env.push((name, SecretBytes::new(value.0)));
        }
        let json = call.params_json.0;
        execution.params = Some(if secret || self.attempt.secrets.are_in(&String::from_utf8_lossy(&json)) {
            FileBytes::Secret(SecretBytes::new(json))
        } else {
            FileBytes::Plain(Bytes::from(json))
        });
        for file in call.files {
            match file.content {
                StagedContent::Reference(reference) => {
                    self.file(&file.variable, &reference.name, &reference.sha256, execution).await?;
                }
                StagedContent::Value(value) => {
                    let bytes = FileBytes::Secret(SecretBytes::new(value.0));
                    execution.files.push(ExtraFile { name: file.name.clone(), bytes, mode: 0o600 });
                    execution.path_env.push((file.variable, HostPath::Secret(file.name)));
                }
            }
        }
        Ok(())
    }

    /// A file parameter: on the runner its path in the runner's own store, on a target a copy put there once.
    async fn file(&self, param: &str, name: &str, sha256: &str, execution: &mut Execution) -> Result<()> {
        let path =
            self.attempt.equipment.supply.file(name, sha256).await.map_err(|error| failed(source_chain(&error)))?;
        match self.host {
            Host::Local(_) => {
                execution.env.push((param.to_owned(), Bytes::from(path.display().to_string())));
            }
            Host::Ssh { .. } => {
                let bytes = Arc::new(
                    tokio::fs::read(&path).await.map_err(|error| failed(format!("{}: {error}", path.display())))?,
                );
                let digest = self.push(&bytes, 0o600).await?;
                execution.path_env.push((param.to_owned(), HostPath::Pushed(digest)));
            }
        }
        Ok(())
    }
}
