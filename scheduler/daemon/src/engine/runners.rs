//! What goes to runners: the answer to a hello, leases, stops.

use std::collections::BTreeSet;

use autoexec_core::decide::{LEASE_MILLIS, held};
use autoexec_core::react::{Effect, outstanding};
use autoexec_model::event::LeaseFact;
use autoexec_model::grant::{LiveAttempt, RunnerHello};
use autoexec_model::id::{AttemptId, Epoch, RunnerId};
use autoexec_model::outcome::Verdict;
use autoexec_model::state::JobState;
use autoexec_wire::session::{Lease, SchedulerMessage};

use super::{Engine, Session};

/// How often a runner sends a sign of life, in milliseconds: a tenth of the lease, so that nine may be lost.
const HEARTBEAT_MILLIS: u64 = LEASE_MILLIS / 10;

impl Engine {
    /// Answers a hello: what the runner keeps, what it stops, and what it does not know yet.
    pub(super) fn welcome(&mut self, hello: &RunnerHello, session: Session) {
        let runner = hello.runner.clone();
        self.sessions.insert(runner.clone(), session);
        let (keep, stop): (Vec<&LiveAttempt>, Vec<&LiveAttempt>) =
            hello.live.iter().partition(|live| self.holds(&runner, live.attempt, live.epoch));
        let named = |live: &[&LiveAttempt]| -> Vec<Lease> {
            live.iter().map(|live| Lease { attempt: live.attempt, epoch: live.epoch }).collect()
        };
        let kept: BTreeSet<(AttemptId, Epoch)> = keep.iter().map(|live| (live.attempt, live.epoch)).collect();
        let welcome = SchedulerMessage::Welcome {
            instance: self.instance.clone(),
            keep: named(&keep),
            stop: named(&stop),
            heartbeat_ms: HEARTBEAT_MILLIS,
            lease_ms: LEASE_MILLIS,
        };
        self.send(&runner, welcome);
        for effect in outstanding(&self.state) {
            match effect {
                Effect::Grant { runner: to, job, leases } if to == runner => {
                    let unknown = |lease: &LeaseFact| {
                        !kept.contains(&(AttemptId { job, task: lease.task, n: lease.n }, lease.epoch))
                    };
                    let leases: Vec<LeaseFact> = leases.into_iter().filter(unknown).collect();
                    for mut grant in self.grants(job, &leases) {
                        // It was sent before, to a runner that is no more: nobody knows how far that one came.
                        grant.attempts.iter_mut().for_each(|attempt| attempt.again = true);
                        self.send(&to, SchedulerMessage::Grant(Box::new(grant)));
                    }
                }
                Effect::Stop { runner: to, attempt, epoch } if to == runner => {
                    self.perform(Effect::Stop { runner: to, attempt, epoch });
                }
                Effect::Grant { .. } | Effect::Stop { .. } | Effect::WakeAt { .. } | Effect::JobOver { .. } => {}
            }
        }
    }

    /// Whether this runner holds the lease of an attempt. What another runner says of it is no evidence.
    pub(super) fn holds(&self, runner: &RunnerId, attempt: AttemptId, epoch: Epoch) -> bool {
        held(&self.state, attempt, epoch)
            .and_then(|(_, task)| self.state.runner(task.runner?))
            .is_some_and(|holder| holder.id == *runner)
    }

    /// Does what the outside must do.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Grant { runner, job, leases } => {
                for grant in self.grants(job, &leases) {
                    self.send(&runner, SchedulerMessage::Grant(Box::new(grant)));
                }
            }
            Effect::Stop { runner, attempt, epoch } => {
                let end = self.state.jobs.get(&attempt.job).and_then(|job| job.end.clone());
                let (verdict, reason) = match end {
                    Some(end) if end.state == JobState::Cancelled => (Verdict::Cancelled, end.reason),
                    Some(end) => (Verdict::Aborted, end.reason),
                    None => (Verdict::Cancelled, String::new()),
                };
                self.send(
                    &runner,
                    SchedulerMessage::Stop { attempt, epoch, cancel: verdict == Verdict::Cancelled, reason },
                );
            }
            Effect::WakeAt { at } => {
                self.wake.insert(at);
            }
            Effect::JobOver { job } => {
                self.secrets.remove(&job);
                self.lengths.retain(|stream, _| stream.job != job.0);
                self.progress.retain(|attempt, _| attempt.job != job);
            }
        }
    }

    /// Sends a message to a runner. A runner that is away gets what it is owed when it says hello again; one that does not
    /// read loses its stream, for the same reason.
    pub(super) fn send(&mut self, runner: &RunnerId, message: SchedulerMessage) {
        let Some(session) = self.sessions.get(runner) else { return };
        if session.outbox.try_send(message).is_err() {
            tracing::warn!(%runner, "runner does not read its stream; it is closed");
            self.sessions.remove(runner);
        }
    }
}
