//! The parts of a plan that travel to a runner.

use autoexec_model::plan::{
    Action, BecomeMethod, BecomePlan, Connection, HostKeyCheck, OnFailure, Phase, Place, Retries, SimOptions, Step,
    Target, Transport,
};

use super::rules::known;
use super::{Encode, field, required};
use crate::field::FieldError;
use crate::pb;

message!(Target <=> Target { name, address, transport, port, user, labels, groups, vars; connection });
choice!(Transport <=> Transport { Ssh, Agent, Local, Sim });
message!(Connection <=> Connection {
    key, password, known_hosts, jump, connect_timeout, ssh_config, encoding, work_dir, sim; host_key
});
message!(SimOptions <=> SimOptions { seed, latency, jitter, fail_ppm, unreachable_ppm, hang_ppm, output });
message!(Phase <=> Phase { name, place, health, once_in, when, parallel, steps });
choice!(Place <=> Place { Runner, RunnerTarget, Target, Sql });
message!(Become <=> BecomePlan { user, method, password });
choice!(BecomeMethod <=> BecomeMethod { Sudo, Su });
message!(Retries <=> Retries { max, delay, backoff_milli, max_delay });
choice!(OnFailure <=> OnFailure { Stop, Ignore, Continue });
as_field!(HostKeyCheck, HostKeyCheck);
as_field!(Step, Step);

impl TryFrom<pb::HostKeyCheck> for HostKeyCheck {
    type Error = FieldError;

    fn try_from(message: pb::HostKeyCheck) -> Result<Self, FieldError> {
        let pb::HostKeyCheck { mode, pinned } = message;
        let mode = known::<pb::HostKeyMode>(mode).map_err(|error| error.inside("mode"))?;
        match mode {
            pb::HostKeyMode::Unspecified => Err(FieldError::missing("mode")),
            pb::HostKeyMode::Verify => Ok(Self::Verify),
            pb::HostKeyMode::AcceptNew => Ok(Self::AcceptNew),
            pb::HostKeyMode::Pinned => Ok(Self::Pinned(pinned)),
            pb::HostKeyMode::No => Ok(Self::No),
        }
    }
}

impl From<HostKeyCheck> for pb::HostKeyCheck {
    fn from(check: HostKeyCheck) -> Self {
        let (mode, pinned) = match check {
            HostKeyCheck::Verify => (pb::HostKeyMode::Verify, Vec::new()),
            HostKeyCheck::AcceptNew => (pb::HostKeyMode::AcceptNew, Vec::new()),
            HostKeyCheck::Pinned(pinned) => (pb::HostKeyMode::Pinned, pinned),
            HostKeyCheck::No => (pb::HostKeyMode::No, Vec::new()),
        };
        Self { mode: mode.into(), pinned }
    }
}

impl TryFrom<pb::Step> for Step {
    type Error = FieldError;

    fn try_from(message: pb::Step) -> Result<Self, FieldError> {
        let pb::Step {
            id,
            action,
            env,
            r#become,
            workdir,
            timeout,
            retries,
            on_failure,
            idempotent,
            when,
            success_codes,
            no_log,
            keep_stdout,
        } = message;
        Ok(Self {
            id,
            action: match action.ok_or_else(|| FieldError::missing("action"))? {
                pb::step::Action::Tool(tool) => tool_use(tool).map_err(|error| error.inside("tool"))?,
                pb::step::Action::Run(pb::Script { script, interpreter, args, stdin }) => {
                    Action::Run { script, interpreter, args, stdin }
                }
            },
            env: field("env", env)?,
            become_user: field("become", r#become)?,
            workdir,
            timeout: field("timeout", timeout)?,
            retries: required("retries", retries)?,
            on_failure: field("on_failure", on_failure)?,
            idempotent,
            when,
            success_codes,
            no_log,
            keep_stdout,
        })
    }
}

impl From<Step> for pb::Step {
    fn from(step: Step) -> Self {
        let Step {
            id,
            action,
            env,
            become_user,
            workdir,
            timeout,
            retries,
            on_failure,
            idempotent,
            when,
            success_codes,
            no_log,
            keep_stdout,
        } = step;
        Self {
            id,
            action: Some(match action {
                Action::Tool { name, digest, with } => {
                    pb::step::Action::Tool(pb::ToolUse { name, digest: digest.encode(), with: with.encode() })
                }
                Action::Run { script, interpreter, args, stdin } => {
                    pb::step::Action::Run(pb::Script { script, interpreter, args, stdin })
                }
            }),
            env: env.encode(),
            r#become: become_user.encode(),
            workdir,
            timeout: timeout.encode(),
            retries: Some(retries.encode()),
            on_failure: on_failure.encode(),
            idempotent,
            when,
            success_codes,
            no_log,
            keep_stdout,
        }
    }
}

/// A tool that is used.
fn tool_use(message: pb::ToolUse) -> Result<Action, FieldError> {
    let pb::ToolUse { name, digest, with } = message;
    Ok(Action::Tool { name, digest: field("digest", digest)?, with: field("with", with)? })
}
