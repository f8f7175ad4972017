//! The end of a job that was followed: failures first, then identical outputs under folded names, then one line and where to look.

use std::collections::BTreeMap;

use autoexec_model::nodeset;
use autoexec_model::outcome::Verdict;
use autoexec_model::view::{ClusterView, FailureView, JobView};
use serde_json::Value;

use super::table::{Cell, Table};
use super::{Look, json, style, text, time};
use crate::ui::Shown;

/// Rows of failures: a screen full of them is enough to see what kind of evening it will be.
const MAX_FAILURES: usize = 20;

/// Groups of identical output.
const MAX_CLUSTERS: usize = 20;

/// Lines of each of them.
const MAX_SAMPLE_LINES: usize = 20;

/// A sample of this many bytes was cut by the scheduler.
const SAMPLE_BYTES: usize = 2_000;

/// A job at its end, or where it waits; with its clusters.
pub(crate) struct Ended(pub(crate) JobView);

impl Shown for Ended {
    fn human(&self, look: &Look) -> String {
        let mut shown = failures(&self.0, look);
        shown.push_str(&clusters(&self.0, look));
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&summary(&self.0, look));
        shown
    }

    fn plain(&self, look: &Look) -> String {
        self.human(look)
    }

    fn json(&self) -> Value {
        json::of(&self.0)
    }
}

/// Failures with the same cause are one row under folded names.
pub(crate) fn failures(view: &JobView, look: &Look) -> String {
    if view.failures.is_empty() {
        return String::new();
    }
    let rows = by_cause(&view.failures);
    let mut table = Table::new(&["", "", "", ""]);
    for row in rows.iter().take(MAX_FAILURES) {
        // Names get a third of the line, so that the reason is still there to be read.
        let names = text::clip_folded(&row.names, row.size, (look.width / 3).max(20));
        let at = row
            .first
            .step
            .as_ref()
            .map_or_else(|| row.first.phase.clone(), |step| format!("{}/{step}", row.first.phase));
        table.row(vec![
            Cell::new(names, style::strong),
            Cell::plain(at),
            Cell::new(&row.first.outcome, style::word(&row.first.verdict)),
            Cell::plain(text::first_line(message(row.first))),
        ]);
    }
    let mut shown = format!("\n{}\n{}", style::strong("Not succeeded"), table.human(look.width, 2));
    if rows.len() > MAX_FAILURES {
        shown.push_str(&style::faint(&format!("  … and {} more causes\n", rows.len() - MAX_FAILURES)));
    }
    shown
}

/// The sentence about a failure, without the name of the target; nothing when it only repeats the outcome.
fn message(failure: &FailureView) -> &str {
    let message = text::without_name(&failure.message, &failure.target);
    if message == failure.outcome { "" } else { message }
}

struct Cause<'a> {
    names: String,
    size: usize,
    first: &'a FailureView,
}

fn by_cause(failures: &[FailureView]) -> Vec<Cause<'_>> {
    let mut places: BTreeMap<(&str, Option<&str>, &str, &str, &str), usize> = BTreeMap::new();
    let mut causes: Vec<(Vec<&str>, &FailureView)> = Vec::new();
    for failure in failures {
        let key = (
            failure.phase.as_str(),
            failure.step.as_deref(),
            failure.verdict.as_str(),
            failure.outcome.as_str(),
            message(failure),
        );
        let at = *places.entry(key).or_insert_with(|| {
            causes.push((Vec::new(), failure));
            causes.len() - 1
        });
        if let Some((names, _)) = causes.get_mut(at) {
            names.push(&failure.target);
        }
    }
    let cause = |(names, first): (Vec<&str>, _)| Cause { size: names.len(), names: nodeset::fold(names), first };
    causes.into_iter().map(cause).collect()
}

/// Identical outputs: those that did not succeed first, then the largest.
pub(crate) fn clusters(view: &JobView, look: &Look) -> String {
    let mut clusters: Vec<&ClusterView> = view.clusters.iter().collect();
    clusters.sort_by_key(|cluster| (cluster.verdict == Verdict::Succeeded.word(), std::cmp::Reverse(cluster.size)));
    let mut shown: String =
        clusters.iter().take(MAX_CLUSTERS).map(|cluster| one_cluster(cluster, view, look)).collect();
    if clusters.len() > MAX_CLUSTERS {
        let rest = clusters.len() - MAX_CLUSTERS;
        shown.push_str(&style::faint(&format!("\n… and {rest} more outputs: {} output {}\n", look.program, view.id)));
    }
    shown
}

fn one_cluster(cluster: &ClusterView, view: &JobView, look: &Look) -> String {
    // A target that was never started has no outcome.
    let outcome = if cluster.outcome.is_empty() { &cluster.verdict } else { &cluster.outcome };
    let head = format!("{} · {outcome}", text::count(cluster.size, "target", "targets"));
    let room = look.width.saturating_sub(text::width(&head) + 3);
    let names = text::clip_folded(&cluster.targets, cluster.size as usize, room);
    let mut shown = format!("\n{}{}\n", style::strong(&names), style::word(&cluster.verdict)(&format!(" · {head}")));
    let sample = text::harmless(&cluster.sample);
    let lines: Vec<&str> = sample.lines().collect();
    // Of a failure the end says more than the beginning.
    let skipped =
        if cluster.verdict == Verdict::Failed.word() { lines.len().saturating_sub(MAX_SAMPLE_LINES) } else { 0 };
    for line in lines.iter().skip(skipped).take(MAX_SAMPLE_LINES) {
        shown.push_str(&format!("  {}\n", line.trim_end()));
    }
    if lines.len() > MAX_SAMPLE_LINES || cluster.sample.len() >= SAMPLE_BYTES {
        let whose = if cluster.size == 1 { format!(" {}", cluster.targets) } else { String::new() };
        shown.push_str(&style::faint(&format!("  … all of it: {} output {}{whose}\n", look.program, view.id)));
    }
    shown
}

/// One line about the job, why it ended so, and the commands to look further.
pub(crate) fn summary(view: &JobView, look: &Look) -> String {
    let word = if view.finished_at.is_some() { "in" } else { "after" };
    let took =
        time::took(view.started_at, view.finished_at, look).map_or_else(String::new, |took| format!(" {word} {took}"));
    let mut shown = format!(
        "{} {}{took}",
        style::strong(&format!("job {} {}:", view.id, view.name)),
        style::word(&view.state)(&view.state)
    );
    let counts = text::counts(Verdict::ALL.iter().map(|verdict| pair(verdict.word(), &view.counts)), style::word);
    let open =
        text::counts(["running", "unresolved", "waiting"].iter().map(|word| pair(word, &view.open)), style::word);
    for part in [counts, open] {
        if !part.is_empty() {
            shown.push_str(&format!(" · {part}"));
        }
    }
    shown.push('\n');
    let exceeded = view.exceeded.iter().filter(|line| **line != view.reason);
    for line in std::iter::once(&view.reason).chain(exceeded).filter(|line| !line.is_empty()) {
        shown.push_str(&format!("  {}\n", style::warn(&text::harmless(line))));
    }
    for command in further(view) {
        shown.push_str(&format!("  {}\n", style::hint(&format!("{} {command}", look.program))));
    }
    shown
}

fn pair<'a>(word: &'a str, numbers: &BTreeMap<String, u32>) -> (&'a str, u32) {
    (word, numbers.get(word).copied().unwrap_or(0))
}

/// What is worth typing next.
fn further(view: &JobView) -> Vec<String> {
    let id = view.id;
    match view.state.as_str() {
        "succeeded" => vec![format!("show {id} --targets"), format!("output {id}")],
        "failed" | "aborted" | "cancelled" => {
            let named = view.failures.first().filter(|failure| failure.target != "runner");
            let output =
                named.map_or_else(|| format!("output {id}"), |failure| format!("output {id} {}", failure.target));
            vec![format!("show {id} --targets"), output, format!("retry {id}")]
        }
        "waiting" if view.open.get("unresolved").is_some_and(|open| *open > 0) => {
            vec![format!("explain {id}"), format!("resolve {id} TARGET --as succeeded")]
        }
        "waiting" => vec![format!("confirm {id}"), format!("reject {id}"), format!("explain {id}")],
        "paused" => vec![format!("resume {id}"), format!("cancel {id}"), format!("explain {id}")],
        // not our enum: a job that goes on, or a state of a newer scheduler.
        _ => vec![format!("watch {id}"), format!("explain {id}")],
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, ended, job, look};

    #[test]
    fn failures_come_first_then_outputs_then_the_sum() {
        let end = Ended(ended());
        expect![[r#"

            Not succeeded
              web[05,09]  upgrade/install  exit 3       install: no space left on /var
              web11       upgrade          unreachable  connection refused by 10.0.1.11:22

            web[05,09] · 2 targets · exit 3
              install: no space left on /var

            web[01-04,06-08,10,12-26] · 23 targets · exit 0
              nginx version: nginx/1.27
              restarted

            job 17 roll-nginx: failed in 1m03s · 23 succeeded, 3 failed, 14 aborted
              the budget of group `rollout` was exceeded
              failed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)
              autoexec show 17 --targets
              autoexec output 17 web05
              autoexec retry 17
        "#]]
        .assert_eq(&bare(&end.human(&look(80))));
        expect![[r#"

            ^[1mNot succeeded^[0m
              ^[1mweb[05,09]^[0m  upgrade/install  ^[31mexit 3^[39m       install: no space left on /var
              ^[1mweb11^[0m       upgrade          ^[31munreachable^[39m  connection refused by 10.0.1.11:22

            ^[1mweb[05,09]^[0m^[31m · 2 targets · exit 3^[39m
              install: no space left on /var

            ^[1mweb[01-04,06-08,10,12-26]^[0m^[32m · 23 targets · exit 0^[39m
              nginx version: nginx/1.27
              restarted

            ^[1mjob 17 roll-nginx:^[0m ^[31mfailed^[39m in 1m03s · ^[32m23 succeeded^[39m, ^[31m3 failed^[39m, ^[31m14 aborted^[39m
              ^[33mthe budget of group `rollout` was exceeded^[39m
              ^[33mfailed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)^[39m
              ^[36mautoexec show 17 --targets^[39m
              ^[36mautoexec output 17 web05^[39m
              ^[36mautoexec retry 17^[39m
        "#]].assert_eq(&coloured(&end.human(&look(80))));
        expect![[r#"

            Not succeeded
              web[05,09]  upgrade/install  exit 3       install: no space left on /var
              web11       upgrade          unreachable  connection refused by 10.0.1.11:22

            web[05,09] · 2 targets · exit 3
              install: no space left on /var

            web[01-04,06-08,10,12-26] · 23 targets · exit 0
              nginx version: nginx/1.27
              restarted

            job 17 roll-nginx: failed in 1m03s · 23 succeeded, 3 failed, 14 aborted
              the budget of group `rollout` was exceeded
              failed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)
              autoexec show 17 --targets
              autoexec output 17 web05
              autoexec retry 17
        "#]]
        .assert_eq(&bare(&end.plain(&look(usize::MAX))));
    }

    #[test]
    fn json_is_the_view_with_readable_times() {
        expect![[r#"
            {
              "id": 17,
              "name": "roll-nginx",
              "state": "failed",
              "reason": "the budget of group `rollout` was exceeded",
              "plan_digest": "3f9a07c41b22d8e6a5",
              "by": "ada",
              "created_at": "2026-03-14T12:00:00.000Z",
              "started_at": "2026-03-14T12:00:01.000Z",
              "finished_at": "2026-03-14T12:01:04.000Z",
              "revision": 88,
              "targets_total": 40,
              "counts": {
                "aborted": 14,
                "cancelled": 0,
                "failed": 3,
                "ignored": 0,
                "skipped": 0,
                "succeeded": 23
              },
              "open": {},
              "outcomes": {
                "failed": 2,
                "interrupted": 0,
                "stopped": 0,
                "succeeded": 23,
                "timed_out": 0,
                "unreachable": 1
              },
              "batches": [
                {
                  "index": 1,
                  "group": "rollout",
                  "size": 1,
                  "state": "succeeded",
                  "phase": "",
                  "counts": {
                    "succeeded": 1
                  },
                  "running": 0,
                  "targets": "web01",
                  "started_at": "2026-03-14T12:00:01.000Z",
                  "finished_at": "2026-03-14T12:00:04.000Z"
                },
                {
                  "index": 2,
                  "group": "rollout",
                  "size": 5,
                  "state": "failed",
                  "phase": "",
                  "counts": {
                    "failed": 1,
                    "succeeded": 4
                  },
                  "running": 0,
                  "targets": "web[02-06]",
                  "started_at": "2026-03-14T12:00:04.000Z",
                  "finished_at": "2026-03-14T12:00:21.000Z"
                },
                {
                  "index": 3,
                  "group": "rollout",
                  "size": 20,
                  "state": "failed",
                  "phase": "",
                  "counts": {
                    "failed": 2,
                    "succeeded": 18
                  },
                  "running": 0,
                  "targets": "web[07-26]",
                  "started_at": "2026-03-14T12:00:21.000Z",
                  "finished_at": "2026-03-14T12:01:03.000Z"
                },
                {
                  "index": 4,
                  "group": "rollout",
                  "size": 14,
                  "state": "aborted",
                  "phase": "",
                  "counts": {
                    "aborted": 14
                  },
                  "running": 0,
                  "targets": "web[27-40]",
                  "started_at": null,
                  "finished_at": null
                }
              ],
              "phases": [
                {
                  "group": "rollout",
                  "name": "drain",
                  "place": "runner",
                  "counts": {
                    "succeeded": 1
                  }
                },
                {
                  "group": "rollout",
                  "name": "upgrade",
                  "place": "target",
                  "counts": {
                    "failed": 2,
                    "running": 5,
                    "succeeded": 16,
                    "waiting": 17
                  }
                }
              ],
              "clusters": [
                {
                  "size": 23,
                  "targets": "web[01-04,06-08,10,12-26]",
                  "verdict": "succeeded",
                  "outcome": "exit 0",
                  "sample": "nginx version: nginx/1.27\nrestarted\n"
                },
                {
                  "size": 2,
                  "targets": "web[05,09]",
                  "verdict": "failed",
                  "outcome": "exit 3",
                  "sample": "install: no space left on /var\n"
                }
              ],
              "exceeded": [
                "failed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)"
              ],
              "failures": [
                {
                  "target": "web05",
                  "phase": "upgrade",
                  "step": "install",
                  "verdict": "failed",
                  "outcome": "exit 3",
                  "message": "install: no space left on /var"
                },
                {
                  "target": "web09",
                  "phase": "upgrade",
                  "step": "install",
                  "verdict": "failed",
                  "outcome": "exit 3",
                  "message": "install: no space left on /var"
                },
                {
                  "target": "web11",
                  "phase": "upgrade",
                  "step": null,
                  "verdict": "failed",
                  "outcome": "unreachable",
                  "message": "connection refused by 10.0.1.11:22"
                }
              ]
            }
        "#]]
        .assert_eq(&format!("{:#}\n", Ended(ended()).json()));
    }

    #[test]
    fn a_job_that_waits_says_what_moves_it() {
        let mut view = job();
        view.state = "waiting".to_owned();
        view.reason = "batch 2 of 4 of group `rollout` is done; the next one waits for a confirmation".to_owned();
        view.failures.clear();
        expect![[r#"
            job 17 roll-nginx: waiting after 1m02s · 16 succeeded, 2 failed · 5 running, 17 waiting
              batch 2 of 4 of group `rollout` is done; the next one waits for a confirmation
              autoexec confirm 17
              autoexec reject 17
              autoexec explain 17
        "#]]
        .assert_eq(&bare(&Ended(view.clone()).human(&look(80))));
        view.open.insert("unresolved".to_owned(), 1);
        assert!(bare(&summary(&view, &look(80))).contains("autoexec resolve 17 TARGET --as succeeded"));
        view.state = "paused".to_owned();
        assert!(bare(&summary(&view, &look(80))).contains("autoexec resume 17"));
    }

    #[test]
    fn a_message_that_names_its_target_or_repeats_its_outcome_is_one_cause() {
        let mut view = ended();
        for failure in &mut view.failures {
            (failure.step, failure.outcome) = (None, "unreachable".to_owned());
            failure.message = format!("{}: no route", failure.target);
        }
        view.failures[2].message = "unreachable".to_owned();
        expect![[r#"

            Not succeeded
              web[05,09]  upgrade  unreachable  no route
              web11       upgrade  unreachable
        "#]]
        .assert_eq(&bare(&failures(&view, &look(80))));
        view.clusters[0].outcome = String::new();
        assert!(bare(&clusters(&view, &look(80))).contains("23 targets · succeeded"));
    }

    #[test]
    fn long_outputs_are_cut_and_say_so() {
        let mut view = ended();
        view.clusters.truncate(1);
        view.clusters[0].sample = "line\n".repeat(30);
        let shown = bare(&clusters(&view, &look(80)));
        assert_eq!(shown.matches("  line\n").count(), MAX_SAMPLE_LINES);
        assert!(shown.ends_with("  … all of it: autoexec output 17\n"), "{shown}");
    }
}
