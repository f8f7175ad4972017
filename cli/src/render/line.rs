//! One line for each thing that happens, when nobody looks or a log is wanted.

use autoexec_model::api::{SubmitReply, WatchLine};
use serde_json::{Value, json};

use super::{Look, style, text, time};
use crate::ui::Shown;

/// A thing that happened, with its time of day.
pub(crate) fn happened(line: &WatchLine, look: &Look) -> String {
    let text = text::first_line(&line.text);
    let text = if line.bad { style::bad(&text) } else { text };
    format!("{} {text}\n", time::clock(line.at, look))
}

/// Said when a job was submitted.
pub(crate) fn submitted(reply: &SubmitReply) -> String {
    let known = if reply.known { " (it had been submitted before)" } else { "" };
    format!(
        "job {}: {} in {}, plan {}{known}",
        reply.job,
        text::count(reply.targets, "target", "targets"),
        text::count(reply.batches, "batch", "batches"),
        reply.plan_digest.short(),
    )
}

/// Said when the user leaves a job.
pub(crate) fn left(job: u64, look: &Look) -> String {
    format!("job {job} goes on; {} joins it again", style::hint(&format!("{} watch {job}", look.program)))
}

/// The answer to a job that was submitted and not followed.
impl Shown for SubmitReply {
    fn human(&self, look: &Look) -> String {
        format!("{}\n{}\n", submitted(self), left(self.job.0, look))
    }

    fn plain(&self, _: &Look) -> String {
        format!("{}\n", self.job)
    }

    fn json(&self) -> Value {
        json!({ "id": self.job, "plan_digest": self.plan_digest, "targets": self.targets, "batches": self.batches,
            "warnings": self.warnings, "known": self.known })
    }
}

#[cfg(test)]
mod tests {
    use autoexec_model::id::{Digest, JobId};
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{at, bare, coloured, look};

    #[test]
    fn a_line_has_its_time() {
        let line = |bad| WatchLine { at: at(4), text: "batch 1 of 4 succeeded\nand more".to_owned(), bad };
        assert_eq!(happened(&line(false), &look(80)), "12:00:04 batch 1 of 4 succeeded\n");
        assert_eq!(coloured(&happened(&line(true), &look(80))), "12:00:04 ^[31mbatch 1 of 4 succeeded^[39m\n");
    }

    #[test]
    fn a_submitted_job_says_how_to_join_it() {
        let mut reply = SubmitReply {
            job: JobId(17),
            plan_digest: Digest("3f9a07c41b22d8e6a5".to_owned()),
            targets: 40,
            batches: 1,
            warnings: vec!["host keys are not checked".to_owned()],
            known: false,
        };
        expect![[r#"
            job 17: 40 targets in 1 batch, plan 3f9a07c41b22
            job 17 goes on; autoexec watch 17 joins it again
        "#]]
        .assert_eq(&bare(&reply.human(&look(80))));
        assert_eq!(reply.plain(&look(80)), "17\n");
        expect![[r#"{"id":17,"plan_digest":"3f9a07c41b22d8e6a5","targets":40,"batches":1,"warnings":["host keys are not checked"],"known":false}"#]]
            .assert_eq(&reply.json().to_string());
        reply.known = true;
        assert!(submitted(&reply).ends_with("(it had been submitted before)"));
    }
}
