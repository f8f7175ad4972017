//! A plan, as `autoexec plan` prints it.

use autoexec_model::api::PlanReply;
use serde_json::{Value, json};

use super::{Look, report};
use crate::ui::Shown;

impl Shown for PlanReply {
    fn human(&self, _: &Look) -> String {
        report::human(&self.report)
    }

    fn plain(&self, _: &Look) -> String {
        report::plain(&self.report)
    }

    fn json(&self) -> Value {
        json!({ "digest": self.digest, "plan": self.plan })
    }
}

/// What to do with it next.
pub(crate) fn next(reply: &PlanReply, look: &Look) -> String {
    format!("run it with: {} run --plan {}", look.program, reply.digest.short())
}

#[cfg(test)]
mod tests {
    use autoexec_model::api::{LineKind, ReportLine};
    use autoexec_model::id::Digest;

    use super::*;
    use crate::render::sample::{bare, look};

    #[test]
    fn a_plan_is_its_report_or_its_json() {
        let reply = PlanReply {
            digest: Digest("3f9a07c41b22d8e6a5".to_owned()),
            plan: json!({ "name": "roll" }),
            report: vec![ReportLine { kind: LineKind::Heading, indent: 0, text: "plan roll".to_owned() }],
        };
        assert_eq!(bare(&reply.human(&look(80))), "plan roll\n");
        assert_eq!(reply.plain(&look(80)), "plan roll\n");
        assert_eq!(reply.json().to_string(), r#"{"digest":"3f9a07c41b22d8e6a5","plan":{"name":"roll"}}"#);
        assert_eq!(next(&reply, &look(80)), "run it with: autoexec run --plan 3f9a07c41b22");
    }
}
