//! Targets: of a job, and of an inventory.

use autoexec_model::api::TargetInfo;
use autoexec_model::plan::Transport;
use autoexec_model::view::TargetRow;
use serde_json::{Value, json};

use super::table::{Cell, Table};
use super::{Look, json as as_json, style, time};
use crate::ui::Shown;

/// The targets of a job, for people.
pub(crate) fn human(rows: &[TargetRow], look: &Look) -> String {
    if rows.is_empty() {
        return format!("{}\n", style::faint("no target matches"));
    }
    let mut table = Table::new(&["TARGET", "VERDICT", "OUTCOME", "BATCH", "PHASE", "TRIES", "TOOK", "MESSAGE"]);
    for row in rows {
        table.row(vec![
            Cell::new(&row.name, style::strong),
            Cell::new(&row.verdict, style::word(&row.verdict)),
            Cell::plain(outcome(row)),
            Cell::plain(row.batch.to_string()),
            Cell::plain(&row.phase),
            Cell::plain(row.attempts.to_string()),
            Cell::plain(time::took(row.started_at, row.finished_at, look).unwrap_or_default()),
            Cell::plain(&row.message),
        ]);
    }
    table.human(look.width, 0)
}

/// The targets of a job, for scripts: name, verdict, outcome, exit code, batch, phase, attempts, message.
pub(crate) fn plain(rows: &[TargetRow], _: &Look) -> String {
    let mut table = Table::new(&[]);
    for row in rows {
        table.row(vec![
            Cell::plain(&row.name),
            Cell::plain(&row.verdict),
            Cell::plain(row.outcome.as_deref().unwrap_or_default()),
            Cell::plain(row.exit_code.map_or_else(String::new, |code| code.to_string())),
            Cell::plain(row.batch.to_string()),
            Cell::plain(&row.phase),
            Cell::plain(row.attempts.to_string()),
            Cell::plain(&row.message),
        ]);
    }
    table.plain()
}

fn outcome(row: &TargetRow) -> String {
    match (&row.outcome, row.exit_code) {
        (_, Some(code)) => format!("exit {code}"),
        (Some(word), None) => word.replace('_', " "),
        (None, None) => String::new(),
    }
}

/// The targets of an inventory.
pub(crate) struct Inventory(pub(crate) Vec<TargetInfo>);

impl Shown for Inventory {
    fn human(&self, look: &Look) -> String {
        let mut table = Table::new(&["TARGET", "ADDRESS", "BY", "USER", "GROUPS", "LABELS"]);
        for info in &self.0 {
            table.row(fields(info, " "));
        }
        table.human(look.width, 0)
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for info in &self.0 {
            table.row(fields(info, ","));
        }
        table.plain()
    }

    fn json(&self) -> Value {
        json!({ "targets": as_json::of(&self.0) })
    }
}

fn fields(info: &TargetInfo, separator: &str) -> Vec<Cell> {
    let labels: Vec<String> = info.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let groups: Vec<&str> = info.groups.iter().map(String::as_str).collect();
    let address = info.port.map_or_else(|| info.address.clone(), |port| format!("{}:{port}", info.address));
    vec![
        Cell::new(&info.name, style::strong),
        Cell::plain(address),
        Cell::plain(transport(info.transport)),
        Cell::plain(info.user.as_deref().unwrap_or_default()),
        Cell::plain(groups.join(separator)),
        Cell::plain(labels.join(separator)),
    ]
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Ssh => "ssh",
        Transport::Agent => "agent",
        Transport::Local => "local",
        Transport::Sim => "sim",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, look, rows};

    #[test]
    fn targets_of_a_job_are_a_table() {
        expect![[r#"
            TARGET  VERDICT    OUTCOME      BATCH  PHASE    TRIES  TOOK  MESSAGE
            web01   succeeded  exit 0       1      upgrade  1      3.0s
            web11   failed     unreachable  3      upgrade  2      3.0s  connection refused…
        "#]]
        .assert_eq(&bare(&human(&rows(), &look(80))));
        expect![[r#"
            ^[2mTARGET^[0m  ^[2mVERDICT^[0m    ^[2mOUTCOME^[0m      ^[2mBATCH^[0m  ^[2mPHASE^[0m    ^[2mTRIES^[0m  ^[2mTOOK^[0m  ^[2mMESSAGE^[0m
            ^[1mweb01^[0m   ^[32msucceeded^[39m  exit 0       1      upgrade  1      3.0s
            ^[1mweb11^[0m   ^[31mfailed^[39m     unreachable  3      upgrade  2      3.0s  connection refused…
        "#]].assert_eq(&coloured(&human(&rows(), &look(80))));
        expect![[r#"
            web01	succeeded	exited	0	1	upgrade	1	-
            web11	failed	unreachable	-	3	upgrade	2	connection refused by 10.0.1.11:22
        "#]]
        .assert_eq(&plain(&rows(), &look(80)));
        assert_eq!(bare(&human(&[], &look(80))), "no target matches\n");
    }

    #[test]
    fn targets_of_an_inventory_are_a_table() {
        let info = TargetInfo {
            name: "web01".to_owned(),
            address: "10.0.1.1".to_owned(),
            transport: Transport::Ssh,
            port: Some(2222),
            user: Some("deploy".to_owned()),
            labels: [("zone".to_owned(), "a1".to_owned())].into_iter().collect(),
            groups: ["all-eu".to_owned(), "web".to_owned()].into_iter().collect(),
        };
        let bare_one =
            TargetInfo { name: "db1".to_owned(), port: None, user: None, labels: Default::default(), ..info.clone() };
        let shown = Inventory(vec![info, bare_one]);
        expect![[r#"
            TARGET  ADDRESS        BY   USER    GROUPS      LABELS
            web01   10.0.1.1:2222  ssh  deploy  all-eu web  zone=a1
            db1     10.0.1.1       ssh          all-eu web
        "#]]
        .assert_eq(&bare(&shown.human(&look(80))));
        expect![[r#"
            web01	10.0.1.1:2222	ssh	deploy	all-eu,web	zone=a1
            db1	10.0.1.1	ssh	-	all-eu,web	-
        "#]]
        .assert_eq(&shown.plain(&look(80)));
        expect![[r#"{"targets":[{"name":"web01","address":"10.0.1.1","transport":"ssh","port":2222,"user":"deploy","labels":{"zone":"a1"},"groups":["all-eu","web"]},{"name":"db1","address":"10.0.1.1","transport":"ssh","port":null,"user":null,"labels":{},"groups":["all-eu","web"]}]}"#]].assert_eq(&shown.json().to_string());
    }
}
