//! One job, as `autoexec show` prints it.

use autoexec_model::outcome::OutcomeClass;
use autoexec_model::view::{BatchView, JobView, TargetRow};
use serde_json::Value;

use super::table::{Cell, Table};
use super::{Look, end, json, style, targets, text, time};
use crate::ui::Shown;

/// A job with its clusters and, when they were asked for, its targets.
pub(crate) struct Page {
    /// The job.
    pub(crate) view: JobView,
    /// Its targets.
    pub(crate) targets: Option<Vec<TargetRow>>,
}

impl Shown for Page {
    fn human(&self, look: &Look) -> String {
        let mut shown = head(&self.view, look);
        shown.push_str(&batches(&self.view, look));
        shown.push_str(&phases(&self.view, look));
        if let Some(rows) = &self.targets {
            shown.push_str(&format!("\n{}", targets::human(rows, look)));
        } else {
            shown.push_str(&end::failures(&self.view, look));
            shown.push_str(&end::clusters(&self.view, look));
        }
        shown
    }

    fn plain(&self, look: &Look) -> String {
        self.targets.as_ref().map_or_else(|| facts(&self.view), |rows| targets::plain(rows, look))
    }

    fn json(&self) -> Value {
        let mut value = json::of(&self.view);
        if let (Some(fields), Some(rows)) = (value.as_object_mut(), &self.targets) {
            fields.insert("targets".to_owned(), json::of(rows));
        }
        value
    }
}

fn head(view: &JobView, look: &Look) -> String {
    let mut shown = end::summary(view, look);
    let mut table = Table::new(&["", ""]);
    let mut fact = |name: &str, value: String| table.row(vec![Cell::new(name, style::faint), Cell::plain(value)]);
    fact("submitted", format!("{} by {}", time::local(view.created_at, look), view.by));
    if let Some(at) = view.started_at {
        fact("started", time::local(at, look));
    }
    if let Some(at) = view.finished_at {
        fact("finished", time::local(at, look));
    }
    fact("plan", view.plan_digest.chars().take(12).collect());
    let outcomes =
        OutcomeClass::ALL.iter().map(|class| (class.word(), view.outcomes.get(class.word()).copied().unwrap_or(0)));
    let outcomes = text::counts(outcomes, |_| style::none);
    if !outcomes.is_empty() {
        fact("outcomes", outcomes);
    }
    shown.push_str(&table.human(look.width, 2));
    shown
}

fn batches(view: &JobView, look: &Look) -> String {
    if view.batches.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["BATCH", "GROUP", "STATE", "TOOK", "RESULT", "TARGETS"]);
    for batch in &view.batches {
        table.row(batch_row(batch, look));
    }
    format!("\n{}", table.human(look.width, 0))
}

fn batch_row(batch: &BatchView, look: &Look) -> Vec<Cell> {
    let counts = batch.counts.iter().map(|(word, number)| (word.as_str(), *number));
    let counts = text::counts(counts.chain([("running", batch.running)]), |_| style::none);
    // The names take what is left of the line; the table clips them, so they are only folded here.
    vec![
        Cell::plain(batch.index.to_string()),
        Cell::plain(&batch.group),
        Cell::new(&batch.state, style::word(&batch.state)),
        Cell::plain(time::took(batch.started_at, batch.finished_at, look).unwrap_or_default()),
        Cell::plain(counts),
        Cell::plain(format!(
            "{} {}",
            batch.size,
            text::clip_folded(&batch.targets, batch.size as usize, (look.width / 3).max(16))
        )),
    ]
}

fn phases(view: &JobView, look: &Look) -> String {
    if view.phases.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["PHASE", "GROUP", "ON", "TASKS"]);
    for phase in &view.phases {
        let counts = text::counts(phase.counts.iter().map(|(word, number)| (word.as_str(), *number)), |_| style::none);
        table.row(vec![
            Cell::plain(&phase.name),
            Cell::plain(&phase.group),
            Cell::plain(&phase.place),
            Cell::plain(counts),
        ]);
    }
    format!("\n{}", table.human(look.width, 0))
}

/// One fact per line: name, tab, value.
fn facts(view: &JobView) -> String {
    let mut table = Table::new(&[]);
    let mut fact = |name: &str, value: String| table.row(vec![Cell::plain(name), Cell::plain(value)]);
    fact("id", view.id.to_string());
    fact("name", view.name.clone());
    fact("state", view.state.clone());
    fact("reason", view.reason.clone());
    fact("plan_digest", view.plan_digest.clone());
    fact("by", view.by.clone());
    fact("created_at", time::rfc3339(view.created_at));
    fact("started_at", view.started_at.map_or_else(String::new, time::rfc3339));
    fact("finished_at", view.finished_at.map_or_else(String::new, time::rfc3339));
    fact("targets_total", view.targets_total.to_string());
    for (kind, numbers) in [("counts", &view.counts), ("open", &view.open), ("outcomes", &view.outcomes)] {
        for (word, number) in numbers {
            fact(&format!("{kind}.{word}"), number.to_string());
        }
    }
    table.plain()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, ended, job, look, rows};

    #[test]
    fn a_job_is_shown_from_the_whole_to_the_parts() {
        let page = Page { view: job(), targets: None };
        expect![[r#"
            job 17 roll-nginx: running after 1m02s · 16 succeeded, 2 failed · 5 running, 17 waiting
              autoexec watch 17
              autoexec explain 17
              submitted  12:00:00 by ada
              started    12:00:01
              plan       3f9a07c41b22
              outcomes   16 succeeded, 1 failed, 1 unreachable

            BATCH  GROUP    STATE      TOOK  RESULT                             TARGETS
            1      rollout  succeeded  3.0s  1 succeeded                        1 web01
            2      rollout  failed     17s   1 failed, 4 succeeded              5 web[02-06]
            3      rollout  running    42s   1 failed, 11 succeeded, 5 running  20 web[07-2…
            4      rollout  waiting                                             14 web[27-4…

            PHASE    GROUP    ON      TASKS
            drain    rollout  runner  1 succeeded
            upgrade  rollout  target  2 failed, 5 running, 16 succeeded, 17 waiting

            Not succeeded
              web05  upgrade/install  exit 3       install: no space left on /var
              web11  upgrade          unreachable  connection refused by 10.0.1.11:22
        "#]]
        .assert_eq(&bare(&page.human(&look(80))));
        expect![[r#"
            ^[1mjob 17 roll-nginx:^[0m running after 1m02s · ^[32m16 succeeded^[39m, ^[31m2 failed^[39m · 5 running, 17 waiting
              ^[36mautoexec watch 17^[39m
              ^[36mautoexec explain 17^[39m
              ^[2msubmitted^[0m  12:00:00 by ada
              ^[2mstarted^[0m    12:00:01
              ^[2mplan^[0m       3f9a07c41b22
              ^[2moutcomes^[0m   16 succeeded, 1 failed, 1 unreachable

            ^[2mBATCH^[0m  ^[2mGROUP^[0m    ^[2mSTATE^[0m      ^[2mTOOK^[0m  ^[2mRESULT^[0m                             ^[2mTARGETS^[0m
            1      rollout  ^[32msucceeded^[39m  3.0s  1 succeeded                        1 web01
            2      rollout  ^[31mfailed^[39m     17s   1 failed, 4 succeeded              5 web[02-06]
            3      rollout  running    42s   1 failed, 11 succeeded, 5 running  20 web[07-2…
            4      rollout  waiting                                             14 web[27-4…

            ^[2mPHASE^[0m    ^[2mGROUP^[0m    ^[2mON^[0m      ^[2mTASKS^[0m
            drain    rollout  runner  1 succeeded
            upgrade  rollout  target  2 failed, 5 running, 16 succeeded, 17 waiting

            ^[1mNot succeeded^[0m
              ^[1mweb05^[0m  upgrade/install  ^[31mexit 3^[39m       install: no space left on /var
              ^[1mweb11^[0m  upgrade          ^[31munreachable^[39m  connection refused by 10.0.1.11:22
        "#]].assert_eq(&coloured(&page.human(&look(80))));
        expect![[r#"
            id	17
            name	roll-nginx
            state	running
            reason	-
            plan_digest	3f9a07c41b22d8e6a5
            by	ada
            created_at	2026-03-14T12:00:00.000Z
            started_at	2026-03-14T12:00:01.000Z
            finished_at	-
            targets_total	40
            counts.aborted	0
            counts.cancelled	0
            counts.failed	2
            counts.ignored	0
            counts.skipped	0
            counts.succeeded	16
            open.running	5
            open.waiting	17
            outcomes.failed	1
            outcomes.interrupted	0
            outcomes.stopped	0
            outcomes.succeeded	16
            outcomes.timed_out	0
            outcomes.unreachable	1
        "#]]
        .assert_eq(&page.plain(&look(80)));
        let page = Page { view: ended(), targets: None };
        expect![[r#"
            job 17 roll-nginx: failed in 1m03s · 23 succeeded, 3 failed, 14 aborted
              the budget of group `rollout` was exceeded
              failed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)
              autoexec show 17 --targets
              autoexec output 17 web05
              autoexec retry 17
              submitted  12:00:00 by ada
              started    12:00:01
              finished   12:01:04
              plan       3f9a07c41b22
              outcomes   23 succeeded, 2 failed, 1 unreachable

            BATCH  GROUP    STATE      TOOK  RESULT                  TARGETS
            1      rollout  succeeded  3.0s  1 succeeded             1 web01
            2      rollout  failed     17s   1 failed, 4 succeeded   5 web[02-06]
            3      rollout  failed     42s   2 failed, 18 succeeded  20 web[07-26]
            4      rollout  aborted          14 aborted              14 web[27-40]

            PHASE    GROUP    ON      TASKS
            drain    rollout  runner  1 succeeded
            upgrade  rollout  target  2 failed, 5 running, 16 succeeded, 17 waiting

            Not succeeded
              web[05,09]  upgrade/install  exit 3       install: no space left on /var
              web11       upgrade          unreachable  connection refused by 10.0.1.11:22

            web[05,09] · 2 targets · exit 3
              install: no space left on /var

            web[01-04,06-08,10,12-26] · 23 targets · exit 0
              nginx version: nginx/1.27
              restarted
        "#]]
        .assert_eq(&bare(&page.human(&look(200))));
    }

    #[test]
    fn targets_are_added_to_the_json() {
        let json = Page { view: ended(), targets: Some(rows()) }.json();
        expect![[r#"
            [
              {
                "name": "web01",
                "verdict": "succeeded",
                "outcome": "exited",
                "exit_code": 0,
                "attempts": 1,
                "batch": 1,
                "phase": "upgrade",
                "runner": "local",
                "started_at": "2026-03-14T12:00:01.000Z",
                "finished_at": "2026-03-14T12:00:04.000Z",
                "message": "",
                "outputs": {
                  "upgrade": {
                    "install": {
                      "old": "1.25"
                    }
                  }
                }
              },
              {
                "name": "web11",
                "verdict": "failed",
                "outcome": "unreachable",
                "exit_code": null,
                "attempts": 2,
                "batch": 3,
                "phase": "upgrade",
                "runner": "local",
                "started_at": "2026-03-14T12:00:01.000Z",
                "finished_at": "2026-03-14T12:00:04.000Z",
                "message": "connection refused by 10.0.1.11:22",
                "outputs": {}
              }
            ]
        "#]]
        .assert_eq(&format!("{:#}\n", json["targets"]));
        assert_eq!(json["name"], "roll-nginx");
        assert!(Page { view: ended(), targets: None }.json().get("targets").is_none());
    }
}
