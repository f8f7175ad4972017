//! The list of jobs, newest first, as a table or as JSON.

use autoexec_model::api::JobsPage;
use autoexec_model::outcome::Verdict;
use autoexec_model::view::JobRow;
use serde_json::{Value, json};

use super::table::{Cell, Table};
use super::{Look, json as as_json, style, text, time};
use crate::ui::Shown;

impl Shown for JobsPage {
    fn human(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["JOB", "NAME", "STATE", "BY", "SUBMITTED", "TOOK", "TARGETS", "RESULT"]);
        for row in &self.rows {
            let took = time::took(row.started_at, row.finished_at, look).unwrap_or_default();
            table.row(fields(row, time::local(row.created_at, look), took));
        }
        table.human(look.width, 0)
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for row in &self.rows {
            let millis = row.started_at.zip(row.finished_at).map(|(from, to)| to.since(from).to_string());
            table.row(fields(row, time::rfc3339(row.created_at), millis.unwrap_or_default()));
        }
        table.plain()
    }

    fn json(&self) -> Value {
        json!({ "jobs": as_json::of(&self.rows), "more": self.more })
    }
}

fn fields(row: &JobRow, submitted: String, took: String) -> Vec<Cell> {
    vec![
        Cell::plain(row.id.to_string()),
        Cell::new(&row.name, style::strong),
        Cell::new(&row.state, style::word(&row.state)),
        Cell::plain(&row.by),
        Cell::plain(submitted),
        Cell::plain(took),
        Cell::plain(row.targets.to_string()),
        Cell::plain(text::counts(verdicts(row), |_| style::none)),
    ]
}

fn verdicts(row: &JobRow) -> impl Iterator<Item = (&'static str, u32)> {
    Verdict::ALL.iter().map(|verdict| (verdict.word(), row.counts.get(verdict.word()).copied().unwrap_or(0)))
}

/// Said when there is nothing to list.
pub(crate) fn none(look: &Look) -> String {
    format!("no job matches; {} run starts one", look.program)
}

/// Said when there are more.
pub(crate) fn more(page: &JobsPage, look: &Look) -> Option<String> {
    let last = page.rows.last().filter(|_| page.more)?;
    Some(format!("there are more: {} jobs --before {}", look.program, last.id))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{at, bare, coloured, look, row};

    fn page() -> JobsPage {
        let mut old = row();
        (old.id, old.state, old.name) = (16, "succeeded".to_owned(), "hello".to_owned());
        old.finished_at = Some(at(9));
        old.counts.remove("failed");
        JobsPage { rows: vec![row(), old], more: true }
    }

    #[test]
    fn jobs_are_a_table() {
        expect![[r#"
            JOB  NAME        STATE      BY   SUBMITTED  TOOK   TARGETS  RESULT
            17   roll-nginx  running    ada  12:00:00   1m02s  40       16 succeeded, 2 fai…
            16   hello       succeeded  ada  12:00:00   8.0s   40       16 succeeded
        "#]]
        .assert_eq(&bare(&page().human(&look(80))));
        expect![[r#"
            ^[2mJOB^[0m  ^[2mNAME^[0m        ^[2mSTATE^[0m      ^[2mBY^[0m   ^[2mSUBMITTED^[0m  ^[2mTOOK^[0m   ^[2mTARGETS^[0m  ^[2mRESULT^[0m
            17   ^[1mroll-nginx^[0m  running    ada  12:00:00   1m02s  40       16 succeeded, 2 fai…
            16   ^[1mhello^[0m       ^[32msucceeded^[39m  ada  12:00:00   8.0s   40       16 succeeded
        "#]].assert_eq(&coloured(&page().human(&look(80))));
        expect![[r#"
            17	roll-nginx	running	ada	2026-03-14T12:00:00.000Z	-	40	16 succeeded, 2 failed
            16	hello	succeeded	ada	2026-03-14T12:00:00.000Z	8000	40	16 succeeded
        "#]]
        .assert_eq(&page().plain(&look(80)));
        expect![[r#"{"jobs":[{"id":17,"name":"roll-nginx","state":"running","by":"ada","created_at":"2026-03-14T12:00:00.000Z","started_at":"2026-03-14T12:00:01.000Z","finished_at":null,"targets":40,"counts":{"failed":2,"succeeded":16}},{"id":16,"name":"hello","state":"succeeded","by":"ada","created_at":"2026-03-14T12:00:00.000Z","started_at":"2026-03-14T12:00:01.000Z","finished_at":"2026-03-14T12:00:09.000Z","targets":40,"counts":{"succeeded":16}}],"more":true}"#]].assert_eq(&page().json().to_string());
        assert_eq!(JobsPage::default().human(&look(80)), "");
        expect!["there are more: autoexec jobs --before 16"].assert_eq(&more(&page(), &look(80)).unwrap_or_default());
        expect!["no job matches; autoexec run starts one"].assert_eq(&none(&look(80)));
    }
}
