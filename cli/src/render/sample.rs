//! Views for the snapshots of this folder: one job in the middle of a rollout, and the same job at its end.

use std::collections::BTreeMap;

use anstream::adapter::strip_str;
use autoexec_model::id::UnixMillis;
use autoexec_model::view::{BatchView, ClusterView, FailureView, JobRow, JobView, PhaseView, TargetRow};
use jiff::tz::TimeZone;
use serde_json::json;

use super::Look;

/// 2026-03-14T12:00:00Z and so many seconds.
pub(crate) fn at(seconds: u64) -> UnixMillis {
    UnixMillis(1_773_489_600_000 + seconds * 1_000)
}

/// At noon and 63 seconds, in UTC.
pub(crate) fn look(width: usize) -> Look {
    Look { width, now: at(63), zone: TimeZone::UTC, program: "autoexec".to_owned() }
}

/// Without colours.
pub(crate) fn bare(text: &str) -> String {
    strip_str(text).to_string()
}

/// With colours that can be read: the escape character as `^`.
pub(crate) fn coloured(text: &str) -> String {
    text.replace('\u{1b}', "^")
}

fn numbers(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
    pairs.iter().map(|(word, number)| ((*word).to_owned(), *number)).collect()
}

fn batch(index: u32, state: &str, targets: &str, size: u32) -> BatchView {
    BatchView {
        index,
        group: "rollout".to_owned(),
        size,
        state: state.to_owned(),
        phase: String::new(),
        counts: BTreeMap::new(),
        running: 0,
        targets: targets.to_owned(),
        started_at: None,
        finished_at: None,
    }
}

/// A job of four batches in its third one.
pub(crate) fn job() -> JobView {
    let mut done = batch(1, "succeeded", "web01", 1);
    done.counts = numbers(&[("succeeded", 1)]);
    (done.started_at, done.finished_at) = (Some(at(1)), Some(at(4)));
    let mut failed = batch(2, "failed", "web[02-06]", 5);
    failed.counts = numbers(&[("failed", 1), ("succeeded", 4)]);
    (failed.started_at, failed.finished_at) = (Some(at(4)), Some(at(21)));
    let mut running = batch(3, "running", "web[07-26]", 20);
    running.counts = numbers(&[("failed", 1), ("succeeded", 11)]);
    (running.phase, running.running, running.started_at) = ("upgrade".to_owned(), 5, Some(at(21)));
    JobView {
        id: 17,
        name: "roll-nginx".to_owned(),
        state: "running".to_owned(),
        reason: String::new(),
        plan_digest: "3f9a07c41b22d8e6a5".to_owned(),
        by: "ada".to_owned(),
        created_at: at(0),
        started_at: Some(at(1)),
        finished_at: None,
        revision: 88,
        targets_total: 40,
        counts: numbers(&[
            ("succeeded", 16),
            ("failed", 2),
            ("ignored", 0),
            ("skipped", 0),
            ("cancelled", 0),
            ("aborted", 0),
        ]),
        open: numbers(&[("running", 5), ("waiting", 17)]),
        outcomes: numbers(&[
            ("succeeded", 16),
            ("failed", 1),
            ("unreachable", 1),
            ("timed_out", 0),
            ("interrupted", 0),
            ("stopped", 0),
        ]),
        batches: vec![done, failed, running, batch(4, "waiting", "web[27-40]", 14)],
        phases: vec![
            PhaseView {
                group: "rollout".to_owned(),
                name: "drain".to_owned(),
                place: "runner".to_owned(),
                counts: numbers(&[("succeeded", 1)]),
            },
            PhaseView {
                group: "rollout".to_owned(),
                name: "upgrade".to_owned(),
                place: "target".to_owned(),
                counts: numbers(&[("failed", 2), ("running", 5), ("succeeded", 16), ("waiting", 17)]),
            },
        ],
        clusters: Vec::new(),
        exceeded: Vec::new(),
        failures: vec![
            failure("web05", Some("install"), "exit 3", "install: no space left on /var"),
            failure("web11", None, "unreachable", "connection refused by 10.0.1.11:22"),
        ],
    }
}

fn failure(target: &str, step: Option<&str>, outcome: &str, message: &str) -> FailureView {
    FailureView {
        target: target.to_owned(),
        phase: "upgrade".to_owned(),
        step: step.map(str::to_owned),
        verdict: "failed".to_owned(),
        outcome: outcome.to_owned(),
        message: message.to_owned(),
    }
}

/// The same job, stopped by its budget.
pub(crate) fn ended() -> JobView {
    let mut view = job();
    view.state = "failed".to_owned();
    view.reason = "the budget of group `rollout` was exceeded".to_owned();
    view.finished_at = Some(at(64));
    view.counts =
        numbers(&[("succeeded", 23), ("failed", 3), ("ignored", 0), ("skipped", 0), ("cancelled", 0), ("aborted", 14)]);
    view.open = BTreeMap::new();
    view.outcomes = numbers(&[
        ("succeeded", 23),
        ("failed", 2),
        ("unreachable", 1),
        ("timed_out", 0),
        ("interrupted", 0),
        ("stopped", 0),
    ]);
    view.exceeded = vec!["failed: 2 of 40 targets, 1 allowed (2% of 40 is 0, written 1)".to_owned()];
    view.batches[2].state = "failed".to_owned();
    view.batches[2].phase = String::new();
    view.batches[2].running = 0;
    view.batches[2].counts = numbers(&[("failed", 2), ("succeeded", 18)]);
    view.batches[2].finished_at = Some(at(63));
    view.batches[3].state = "aborted".to_owned();
    view.batches[3].counts = numbers(&[("aborted", 14)]);
    view.failures.insert(1, failure("web09", Some("install"), "exit 3", "install: no space left on /var"));
    view.clusters = vec![
        ClusterView {
            size: 23,
            targets: "web[01-04,06-08,10,12-26]".to_owned(),
            verdict: "succeeded".to_owned(),
            outcome: "exit 0".to_owned(),
            sample: "nginx version: nginx/1.27\nrestarted\n".to_owned(),
        },
        ClusterView {
            size: 2,
            targets: "web[05,09]".to_owned(),
            verdict: "failed".to_owned(),
            outcome: "exit 3".to_owned(),
            sample: "install: no space left on /var\n".to_owned(),
        },
    ];
    view
}

/// A row of `jobs`.
pub(crate) fn row() -> JobRow {
    JobRow {
        id: 17,
        name: "roll-nginx".to_owned(),
        state: "running".to_owned(),
        by: "ada".to_owned(),
        created_at: at(0),
        started_at: Some(at(1)),
        finished_at: None,
        targets: 40,
        counts: numbers(&[("succeeded", 16), ("failed", 2)]),
    }
}

/// Two targets, one of which failed.
pub(crate) fn rows() -> Vec<TargetRow> {
    let row = TargetRow {
        name: "web01".to_owned(),
        verdict: "succeeded".to_owned(),
        outcome: Some("exited".to_owned()),
        exit_code: Some(0),
        attempts: 1,
        batch: 1,
        phase: "upgrade".to_owned(),
        runner: Some("local".to_owned()),
        started_at: Some(at(1)),
        finished_at: Some(at(4)),
        message: String::new(),
        outputs: json!({"upgrade": {"install": {"old": "1.25"}}}),
    };
    let bad = TargetRow {
        name: "web11".to_owned(),
        verdict: "failed".to_owned(),
        outcome: Some("unreachable".to_owned()),
        exit_code: None,
        attempts: 2,
        batch: 3,
        message: "connection refused by 10.0.1.11:22".to_owned(),
        outputs: json!({}),
        ..row.clone()
    };
    vec![row, bad]
}
