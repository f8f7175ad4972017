//! Reports that the scheduler writes line by line: plans, help of tools, results of checks and of the store.

use autoexec_model::api::{CheckReply, LineKind, ReportLine, StoreReply};
use serde_json::{Value, json};

use super::style::{self, Paint};
use super::{Look, text};
use crate::ui::Shown;

/// Columns of one step of indent.
const STEP: usize = 2;

/// For people.
pub(crate) fn human(lines: &[ReportLine]) -> String {
    lines.iter().map(|line| laid_out(line, paint(line.kind))).collect()
}

/// For scripts: a warning says that it is one.
pub(crate) fn plain(lines: &[ReportLine]) -> String {
    lines.iter().map(|line| laid_out(line, style::none)).collect()
}

fn laid_out(line: &ReportLine, paint: Paint) -> String {
    let indent = " ".repeat(line.indent as usize * STEP);
    let text = text::harmless(&line.text);
    let mark = match line.kind {
        LineKind::Warning if !text.starts_with("warning") => "warning: ",
        LineKind::Warning | LineKind::Heading | LineKind::Text | LineKind::Faint => "",
    };
    format!("{indent}{}\n", paint(&format!("{mark}{text}")))
}

fn paint(kind: LineKind) -> Paint {
    match kind {
        LineKind::Heading => style::strong,
        LineKind::Text => style::none,
        LineKind::Warning => style::warn,
        LineKind::Faint => style::faint,
    }
}

impl Shown for StoreReply {
    fn human(&self, _: &Look) -> String {
        human(&self.report)
    }

    fn plain(&self, _: &Look) -> String {
        plain(&self.report)
    }

    fn json(&self) -> Value {
        self.json.clone()
    }
}

impl Shown for CheckReply {
    fn human(&self, _: &Look) -> String {
        human(&self.report)
    }

    fn plain(&self, _: &Look) -> String {
        plain(&self.report)
    }

    fn json(&self) -> Value {
        let lines: Vec<&str> = self.report.iter().map(|line| line.text.as_str()).collect();
        json!({ "ok": self.ok, "report": lines })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, look};

    fn reply() -> CheckReply {
        let line = |kind, indent, text: &str| ReportLine { kind, indent, text: text.to_owned() };
        CheckReply {
            report: vec![
                line(LineKind::Heading, 0, "rotate-logs"),
                line(LineKind::Text, 1, "2 parameters"),
                line(LineKind::Warning, 1, "no `timeout`"),
                line(LineKind::Faint, 2, "the default is 1h"),
            ],
            ok: true,
        }
    }

    #[test]
    fn lines_keep_their_indent_and_weight() {
        expect![[r#"
            rotate-logs
              2 parameters
              warning: no `timeout`
                the default is 1h
        "#]]
        .assert_eq(&bare(&reply().human(&look(80))));
        expect![[r#"
            ^[1mrotate-logs^[0m
              2 parameters
              ^[33mwarning: no `timeout`^[39m
                ^[2mthe default is 1h^[0m
        "#]]
        .assert_eq(&coloured(&reply().human(&look(80))));
        assert_eq!(reply().plain(&look(80)), bare(&reply().human(&look(80))));
        expect![[r#"{"ok":true,"report":["rotate-logs","2 parameters","no `timeout`","the default is 1h"]}"#]]
            .assert_eq(&reply().json().to_string());
    }
}
