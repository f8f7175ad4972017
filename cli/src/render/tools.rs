//! The catalogue of tools.

use autoexec_model::api::{ToolHelp, ToolRow};
use serde_json::{Value, json};

use super::table::{Cell, Table};
use super::{Look, report, style};
use crate::ui::Shown;

/// The tools that there are.
pub(crate) struct Catalogue(pub(crate) Vec<ToolRow>);

impl Shown for Catalogue {
    fn human(&self, look: &Look) -> String {
        let mut table = Table::new(&["TOOL", "RUNS ON", "RISK", "FROM", "SUMMARY"]);
        for tool in &self.0 {
            table.row(vec![
                Cell::new(&tool.name, style::strong),
                Cell::plain(tool.places.join(" ")),
                Cell::new(&tool.risk, if tool.risk == "high" { style::warn } else { style::none }),
                Cell::plain(&tool.origin),
                Cell::plain(&tool.summary),
            ]);
        }
        table.human(look.width, 0)
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for tool in &self.0 {
            table.row(vec![
                Cell::plain(&tool.name),
                Cell::plain(tool.places.join(",")),
                Cell::plain(&tool.risk),
                Cell::plain(&tool.origin),
                Cell::plain(&tool.digest.0),
                Cell::plain(&tool.summary),
            ]);
        }
        table.plain()
    }

    fn json(&self) -> Value {
        json!({ "tools": self.0 })
    }
}

impl Shown for ToolHelp {
    fn human(&self, _: &Look) -> String {
        report::human(&self.help)
    }

    fn plain(&self, _: &Look) -> String {
        report::plain(&self.help)
    }

    fn json(&self) -> Value {
        json!({ "tool": self.tool, "manifest": self.manifest })
    }
}

#[cfg(test)]
mod tests {
    use autoexec_model::api::{LineKind, ReportLine};
    use autoexec_model::id::Digest;
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, look};

    fn tool() -> ToolRow {
        ToolRow {
            name: "service".to_owned(),
            summary: "Start, stop, restart or reload a service, whatever looks after services there".to_owned(),
            places: vec!["target".to_owned()],
            risk: "high".to_owned(),
            digest: Digest("ab12".to_owned()),
            origin: "shipped".to_owned(),
        }
    }

    #[test]
    fn tools_are_a_table() {
        let shown = Catalogue(vec![tool()]);
        expect![[r#"
            TOOL     RUNS ON  RISK  FROM     SUMMARY
            service  target   high  shipped  Start, stop, restart or reload a service, what…
        "#]]
        .assert_eq(&bare(&shown.human(&look(80))));
        expect![[r#"
            ^[2mTOOL^[0m     ^[2mRUNS ON^[0m  ^[2mRISK^[0m  ^[2mFROM^[0m     ^[2mSUMMARY^[0m
            ^[1mservice^[0m  target   ^[33mhigh^[39m  shipped  Start, stop, restart or reload a service, what…
        "#]]
        .assert_eq(&coloured(&shown.human(&look(80))));
        expect![[r#"
            service	target	high	shipped	ab12	Start, stop, restart or reload a service, whatever looks after services there
        "#]].assert_eq(&shown.plain(&look(80)));
        expect![[r#"{"tools":[{"name":"service","summary":"Start, stop, restart or reload a service, whatever looks after services there","places":["target"],"risk":"high","digest":"ab12","origin":"shipped"}]}"#]].assert_eq(&shown.json().to_string());
    }

    #[test]
    fn a_tool_is_its_help() {
        let help = vec![ReportLine { kind: LineKind::Heading, indent: 0, text: "service".to_owned() }];
        let shown = ToolHelp { tool: tool(), manifest: "name: service\n".to_owned(), help };
        assert_eq!(bare(&shown.human(&look(80))), "service\n");
        assert_eq!(shown.json()["manifest"], "name: service\n");
    }
}
