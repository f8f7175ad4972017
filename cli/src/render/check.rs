//! The result of `target check`: which targets can be worked on, and why the others cannot.

use autoexec_model::outcome::Verdict;
use autoexec_model::view::TargetRow;
use serde_json::{Value, json};

use super::table::{Cell, Table};
use super::{Look, style, text, time};
use crate::ui::Shown;

/// The targets that were checked.
pub(crate) struct Checked(pub(crate) Vec<TargetRow>);

impl Checked {
    /// Whether all of them can be worked on.
    pub(crate) fn all_ok(&self) -> bool {
        self.0.iter().all(is_ok)
    }
}

impl Shown for Checked {
    fn human(&self, look: &Look) -> String {
        let mut rows: Vec<&TargetRow> = self.0.iter().collect();
        // What needs attention comes first; the order of the inventory stays inside.
        rows.sort_by_key(|row| is_ok(row));
        let mut table = Table::new(&["TARGET", "RESULT", "TOOK", "REASON"]);
        for row in rows {
            let took = time::took(row.started_at, row.finished_at, look).unwrap_or_default();
            let paint = if is_ok(row) { style::good } else { style::bad };
            table.row(vec![
                Cell::new(&row.name, style::strong),
                Cell::new(result(row), paint),
                Cell::plain(took),
                Cell::plain(text::first_line(reason(row))),
            ]);
        }
        let ok = self.0.iter().filter(|row| is_ok(row)).count();
        format!(
            "{}\n{ok} of {} ok\n",
            table.human(look.width, 0),
            text::count(self.0.len() as u32, "target", "targets")
        )
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for row in &self.0 {
            table.row(vec![Cell::plain(&row.name), Cell::plain(result(row)), Cell::plain(reason(row))]);
        }
        table.plain()
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .0
            .iter()
            .map(|row| json!({ "name": row.name, "ok": is_ok(row), "result": result(row), "reason": reason(row) }))
            .collect();
        json!({ "ok": self.all_ok(), "targets": rows })
    }
}

fn is_ok(row: &TargetRow) -> bool {
    row.verdict == Verdict::Succeeded.word()
}

fn reason(row: &TargetRow) -> &str {
    text::without_name(&row.message, &row.name)
}

fn result(row: &TargetRow) -> String {
    if is_ok(row) { "ok".to_owned() } else { row.outcome.as_deref().unwrap_or(&row.verdict).replace('_', " ") }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, look, rows};

    #[test]
    fn what_cannot_be_reached_comes_first() {
        let mut checked = Checked(rows());
        checked.0[1].message = format!("web11: {}", checked.0[1].message);
        expect![[r#"
            TARGET  RESULT       TOOK  REASON
            web11   unreachable  3.0s  connection refused by 10.0.1.11:22
            web01   ok           3.0s

            1 of 2 targets ok
        "#]]
        .assert_eq(&bare(&checked.human(&look(80))));
        expect![[r#"
            ^[2mTARGET^[0m  ^[2mRESULT^[0m       ^[2mTOOK^[0m  ^[2mREASON^[0m
            ^[1mweb11^[0m   ^[31munreachable^[39m  3.0s  connection refused by 10.0.1.11:22
            ^[1mweb01^[0m   ^[32mok^[39m           3.0s

            1 of 2 targets ok
        "#]]
        .assert_eq(&coloured(&checked.human(&look(80))));
        expect![[r#"
            web01	ok	-
            web11	unreachable	connection refused by 10.0.1.11:22
        "#]]
        .assert_eq(&checked.plain(&look(80)));
        expect![[r#"{"ok":false,"targets":[{"name":"web01","ok":true,"result":"ok","reason":""},{"name":"web11","ok":false,"result":"unreachable","reason":"connection refused by 10.0.1.11:22"}]}"#]].assert_eq(&checked.json().to_string());
        assert!(!checked.all_ok());
    }
}
