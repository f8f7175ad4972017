//! The steps of an attempt one after the other, and what they add up to.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use autoexec_model::grant::{AttemptReport, Grant, GrantAttempt, StepReport};
use autoexec_model::id::UnixMillis;
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::{OnFailure, Step};
use futures::FutureExt as _;
use serde_json::Map;

use super::context::Context;
use super::step::{StepEnd, StepRun};
use crate::board::{Live, StopRequest};
use crate::clock;
use crate::output::{Output, Secrets};
use crate::runner::Equipment;

/// Executes an attempt and says how it ended, whatever happens: a bug of ours must not leave a job waiting for ever.
pub(crate) async fn execute(equipment: Arc<Equipment>, grant: Arc<Grant>, given: GrantAttempt, live: Arc<Live>) {
    let began = clock::now();
    let held = Arc::clone(&live);
    if AssertUnwindSafe(Box::pin(steps(equipment, grant, given, live))).catch_unwind().await.is_err() {
        held.finish(AttemptReport {
            outcome: Outcome::Interrupted,
            verdict: Verdict::Failed,
            message: "a bug of the runner ended this attempt; the runner's log says where".to_owned(),
            decided_by: None,
            steps: Vec::new(),
            cluster: None,
            stdout: 0,
            stderr: 0,
            started_at: began,
            finished_at: clock::now(),
        });
    }
}

async fn steps(equipment: Arc<Equipment>, grant: Arc<Grant>, given: GrantAttempt, live: Arc<Live>) {
    let secrets = Secrets::new(&grant.params, &grant.secrets);
    let stored = given.resume.map_or((0, 0), |resume| (resume.stdout, resume.stderr));
    let output = Output::new(Arc::clone(&live), &secrets, given.target.as_ref(), stored);
    let context = Context::new(&grant, &given);
    let started_at = given.resume.map_or_else(clock::now, |resume| resume.started_at);
    let mut attempt = Attempt {
        before: Before { last: given.resume.map(|resume| resume.step), fenced: false },
        equipment,
        grant,
        given,
        live,
        secrets,
        context,
        steps: Vec::new(),
        sum: Sum::default(),
    };
    attempt.run(output, started_at).await;
}

/// An attempt that is being executed.
pub(crate) struct Attempt {
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) given: GrantAttempt,
    pub(crate) live: Arc<Live>,
    pub(crate) secrets: Secrets,
    pub(crate) context: Context,
    pub(crate) before: Before,
    steps: Vec<StepReport>,
    sum: Sum,
}

/// What an earlier runner is known to have done of the attempt.
pub(crate) struct Before {
    /// Index of the last step that it came to, when it had begun something.
    last: Option<u32>,
    /// Whether a step with a fence was met by this runner.
    fenced: bool,
}

impl Before {
    /// Whether the step with a fence that comes now is known to have begun: every one up to the last that was come to, and the
    /// first one in any case, because something had begun. What is not found on the host is lost then, not new.
    pub(crate) fn must_exist(&mut self, index: u32) -> bool {
        let first = !std::mem::replace(&mut self.fenced, true);
        self.last.is_some_and(|last| first || index <= last)
    }
}

impl Attempt {
    /// How much of its time the step that comes now has used under an earlier runner. It is known for the first step with a
    /// fence only, which began when the attempt did; a later one gets its whole time again.
    pub(crate) fn used(&self) -> Duration {
        let resume = self.given.resume.filter(|_| !self.before.fenced);
        resume.map_or(Duration::ZERO, |resume| Duration::from_millis(clock::now().since(resume.started_at)))
    }
}

/// What the steps add up to so far.
#[derive(Default)]
struct Sum {
    failed: bool,
    ignored: bool,
    ran: bool,
    decided: Option<Decided>,
}

struct Decided {
    step: String,
    outcome: Outcome,
    message: String,
    verdict: Option<Verdict>,
}

impl Attempt {
    async fn run(&mut self, mut output: Output, started_at: UnixMillis) {
        let grant = Arc::clone(&self.grant);
        match self.skip_all() {
            Ok(true) => {}
            Ok(false) => {
                for (index, step) in grant.phase.steps.iter().enumerate() {
                    if !self.step(index as u32, step, &mut output).await {
                        break;
                    }
                }
            }
            Err(message) => {
                self.sum.failed = true;
                self.sum.decided =
                    Some(Decided { step: String::new(), outcome: Outcome::FailedToStart, message, verdict: None });
            }
        }
        let report = self.report(output, started_at);
        self.live.finish(report);
    }

    fn skip_all(&self) -> Result<bool, String> {
        match &self.grant.phase.when {
            Some(when) => self.context.holds(when).map(|holds| !holds).map_err(|error| format!("when: {error}")),
            None => Ok(false),
        }
    }

    /// Runs one step; `false` when the attempt is decided by it.
    async fn step(&mut self, index: u32, step: &Step, output: &mut Output) -> bool {
        let begun = clock::now();
        let skip = match &step.when {
            Some(when) => self.context.holds(when).map(|holds| !holds),
            None => Ok(false),
        };
        let end = match skip {
            Ok(true) => {
                self.note(
                    step,
                    StepNote {
                        outcome: None,
                        verdict: Verdict::Skipped,
                        tries: 0,
                        millis: 0,
                        outputs: Map::new(),
                        message: String::new(),
                    },
                );
                self.context.add_step(&step.id, Map::new());
                return true;
            }
            Ok(false) => StepRun { attempt: self, index, step }.run(output).await,
            Err(error) => StepEnd::failed(Outcome::FailedToStart, format!("when: {error}")),
        };
        self.sum.ran = true;
        self.context.add_step(&step.id, end.readable.clone());
        let verdict = self.weigh(step, &end);
        let outputs = match self.secrets.mask_value(&serde_json::Value::Object(end.outputs)) {
            serde_json::Value::Object(masked) => masked,
            _ => Map::new(), // not our enum: masking keeps an object an object
        };
        self.note(
            step,
            StepNote {
                outcome: Some(end.outcome),
                verdict,
                tries: end.tries,
                millis: clock::now().since(begun),
                outputs,
                message: self.secrets.mask(&end.message),
            },
        );
        match verdict {
            Verdict::Succeeded | Verdict::Ignored | Verdict::Skipped => true,
            Verdict::Failed => step.on_failure == OnFailure::Continue && end.stopped.is_none(),
            Verdict::Cancelled | Verdict::Aborted => false,
        }
    }

    /// What the end of a step means for the attempt.
    fn weigh(&mut self, step: &Step, end: &StepEnd) -> Verdict {
        let stopped = end
            .stopped
            .as_ref()
            .map(|request: &StopRequest| if request.cancel { Verdict::Cancelled } else { Verdict::Aborted });
        let verdict = match (stopped, end.ok, step.on_failure) {
            (Some(verdict), _, _) => verdict,
            (None, true, _) => return Verdict::Succeeded,
            // What was interrupted is not known to have failed: only a person or `idempotent` moves it on.
            (None, false, OnFailure::Ignore) if end.outcome != Outcome::Interrupted => {
                self.sum.ignored = true;
                Verdict::Ignored
            }
            (None, false, OnFailure::Ignore | OnFailure::Stop | OnFailure::Continue) => {
                self.sum.failed = true;
                Verdict::Failed
            }
        };
        let worse = self.sum.decided.as_ref().is_none_or(|_| verdict != Verdict::Ignored);
        let first = self.sum.decided.as_ref().is_none_or(|known| known.verdict == Some(Verdict::Ignored));
        if (worse && first) || stopped.is_some() {
            self.sum.decided = Some(Decided {
                step: step.id.clone(),
                outcome: end.outcome.clone(),
                message: end.message.clone(),
                verdict: Some(verdict),
            });
        }
        verdict
    }

    fn note(&mut self, step: &Step, note: StepNote) {
        self.steps.push(StepReport {
            id: step.id.clone(),
            outcome: note.outcome,
            verdict: note.verdict,
            tries: note.tries,
            millis: note.millis,
            outputs: note.outputs,
            message: note.message,
        });
    }

    fn report(&mut self, output: Output, started_at: UnixMillis) -> AttemptReport {
        let (stdout, stderr, cluster) = output.finish();
        let decided = self.sum.decided.take();
        let stopped = decided
            .as_ref()
            .and_then(|decided| decided.verdict)
            .filter(|verdict| matches!(verdict, Verdict::Cancelled | Verdict::Aborted));
        let verdict = match stopped {
            Some(verdict) => verdict,
            None if self.sum.failed => Verdict::Failed,
            None if self.sum.ignored => Verdict::Ignored,
            None if self.sum.ran => Verdict::Succeeded,
            None => Verdict::Skipped,
        };
        let outcome = decided.as_ref().map_or(Outcome::Exited { code: 0 }, |decided| decided.outcome.clone());
        AttemptReport {
            outcome,
            verdict,
            message: decided.as_ref().map_or_else(String::new, |decided| self.secrets.mask(&decided.message)),
            decided_by: decided.map(|decided| decided.step).filter(|step| !step.is_empty()),
            steps: std::mem::take(&mut self.steps),
            cluster: Some(cluster),
            stdout,
            stderr,
            started_at,
            finished_at: clock::now(),
        }
    }
}

struct StepNote {
    outcome: Option<Outcome>,
    verdict: Verdict,
    tries: u32,
    millis: u64,
    outputs: Map<String, serde_json::Value>,
    message: String,
}

#[cfg(test)]
mod tests {
    use super::Before;

    /// Which of the steps with a fence, by index, must be found on the host.
    fn found(last: Option<u32>, fenced: &[u32]) -> Vec<bool> {
        let mut before = Before { last, fenced: false };
        fenced.iter().map(|index| before.must_exist(*index)).collect()
    }

    #[test]
    fn only_what_is_known_to_have_begun_must_be_there() {
        assert_eq!(found(None, &[0, 1, 2]), [false, false, false], "nothing had begun");
        assert_eq!(found(Some(1), &[0, 1, 2]), [true, true, false]);
        // Step 1 has no fence: a tool that the runner evaluates itself. What comes after it is new.
        assert_eq!(found(Some(1), &[0, 2]), [true, false]);
        // A scheduler that began again does not know how far it was; that something had begun it knows.
        assert_eq!(found(Some(0), &[2, 3]), [true, false]);
    }
}
