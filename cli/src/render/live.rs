//! The live view: one line for each batch that moves and one for the whole job. Pure; `follow::screen` draws it.

use autoexec_model::outcome::{OutcomeClass, Verdict};
use autoexec_model::view::{BatchView, JobView};

use super::style::{self, Paint};
use super::text::{self, Line};
use super::{Look, time};

/// Columns of the bar on a narrow terminal, and on one that has 120 columns or more.
const BAR: (usize, usize) = (12, 40);

/// From this width on there is room for more.
const WIDE: usize = 120;

/// Names in fewer columns than this say nothing.
const LEAST_NAMES: usize = 16;

/// Whether the batch is over, so that its line scrolls up and is not drawn again.
pub(crate) fn is_settled(batch: &BatchView) -> bool {
    batch.started_at.is_some() && matches!(batch.state.as_str(), "succeeded" | "failed" | "cancelled" | "aborted")
}

/// Whether the batch moves, or is held at its gate.
pub(crate) fn is_moving(batch: &BatchView) -> bool {
    matches!(batch.state.as_str(), "running" | "held") || batch.running > 0
}

/// The lines that move, at most `rows`: the batches first, the job last.
pub(crate) fn moving(view: &JobView, look: &Look, rows: usize) -> Vec<String> {
    let batches: Vec<&BatchView> = view.batches.iter().filter(|batch| is_moving(batch)).collect();
    // The job's own line, and one to say that there are more.
    let room = rows.saturating_sub(2).max(1);
    let mut lines: Vec<String> = batches.iter().take(room).map(|batch| batch_line(batch, view, look)).collect();
    if batches.len() > room {
        lines.push(style::faint(&format!("… and {} more batches", batches.len() - room)));
    }
    lines.push(job_line(view, look));
    lines
}

/// The line of one batch.
pub(crate) fn batch_line(batch: &BatchView, view: &JobView, look: &Look) -> String {
    let mut line = Line::new(look.width);
    let total = view.batches.len().to_string();
    line.push(&format!("{:>2$}/{} ", batch.index, total, total.len()), style::none);
    bar(&mut line, batch, if look.width >= WIDE { BAR.1 } else { BAR.0 });
    let done: u32 = batch.counts.values().sum();
    // As wide as the largest batch, so that the columns stand below each other.
    let digits = view.batches.iter().map(|batch| batch.size).max().unwrap_or(0).to_string().len();
    line.push(&format!(" {done:>digits$}/{size:<digits$}", size = batch.size), style::none);
    let took = time::took(batch.started_at, batch.finished_at, look).unwrap_or_default();
    line.push(&format!(" {took:>6}  "), style::faint);
    let counts = batch_counts(batch);
    if !line.push_whole(&counts) {
        line.push(&text::colourless(&counts), style::none);
    }
    let word = doing(batch);
    if !word.is_empty() {
        line.push(if counts.is_empty() { "" } else { "  " }, style::none);
        line.push(word, if batch.phase.is_empty() { style::word(&batch.state) } else { style::faint });
    }
    if (look.width >= WIDE || is_settled(batch)) && line.left() > LEAST_NAMES + 2 {
        line.push("  ", style::none);
        let names = text::clip_folded(&batch.targets, batch.size as usize, line.left());
        line.push(&names, style::faint);
    }
    line.end()
}

/// The phase it is in; its state when that says more than its counts.
fn doing(batch: &BatchView) -> &str {
    match batch.state.as_str() {
        "succeeded" | "failed" => "",
        state if batch.phase.is_empty() => state,
        "running" => &batch.phase,
        // not our enum: a state of a newer scheduler.
        state => state,
    }
}

fn batch_counts(batch: &BatchView) -> String {
    let known = |word: &'static str| (word, batch.counts.get(word).copied().unwrap_or(0));
    let words = Verdict::ALL.iter().map(|verdict| known(verdict.word()));
    text::counts(words.chain([known("unresolved"), ("running", batch.running)]), style::word)
}

fn bar(line: &mut Line, batch: &BatchView, columns: usize) {
    let of = |words: &[&str]| words.iter().filter_map(|word| batch.counts.get(*word)).sum::<u32>();
    let bad = of(&["failed", "aborted", "cancelled", "unresolved"]);
    let good = of(&["succeeded", "ignored", "skipped"]);
    let parts: [(u32, &str, Paint); 3] =
        [(good, "█", style::good), (bad, "█", style::bad), (batch.running, "▒", style::none)];
    let size = batch.size.max(1) as usize;
    let (mut seen, mut drawn) = (0_usize, 0_usize);
    for (number, cell, paint) in parts {
        seen += number as usize;
        // What is there at all is seen: a single failure among thousands still takes one cell.
        let least = drawn + usize::from(number > 0);
        let upto = (seen * columns / size).max(least).min(columns);
        line.push(&cell.repeat(upto - drawn), paint);
        drawn = upto;
    }
    line.push(&"░".repeat(columns - drawn), style::faint);
}

fn job_line(view: &JobView, look: &Look) -> String {
    let mut line = Line::new(look.width);
    line.push(&format!("job {} {}", view.id, view.name), style::strong);
    line.push(&format!(" {}", view.state), style::word(&view.state));
    let done: u32 = view.counts.values().sum();
    line.push(&format!(" · {done}/{}", view.targets_total), style::none);
    let bad = OutcomeClass::ALL.iter().filter(|class| **class != OutcomeClass::Succeeded);
    let bad = text::counts(
        bad.map(|class| (class.word(), view.outcomes.get(class.word()).copied().unwrap_or(0))),
        style::word,
    );
    if !bad.is_empty() {
        line.push_whole(&format!(" · {bad}"));
    }
    if let Some(took) = time::took(view.started_at, view.finished_at, look) {
        line.push(&format!(" · {took}"), style::none);
    }
    line.push_whole(&style::faint(" · ctrl-c: leave, pause or cancel"));
    line.end()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, job, look};

    #[test]
    fn what_moves_fits_the_terminal() {
        let view = job();
        let shown = |width| bare(&moving(&view, &look(width), 20).join("\n"));
        expect![[r#"
            3/4 ███████▒▒▒░░ 12/20    42s  11 succeeded, 1 failed, 5 running  upgrade
            job 17 roll-nginx running · 18/40 · 1 failed, 1 unreachable · 1m02s"#]]
        .assert_eq(&shown(80));
        expect![[r#"
            3/4 ████████████████████████▒▒▒▒▒▒▒▒▒▒░░░░░░ 12/20    42s  11 succeeded, 1 failed, 5 running  upgrade  web[07-26]
            job 17 roll-nginx running · 18/40 · 1 failed, 1 unreachable · 1m02s · ctrl-c: leave, pause or cancel"#]].assert_eq(&shown(200));
        expect![[r#"
            3/4 ^[32m██████^[39m^[31m█^[39m▒▒▒^[2m░░^[0m 12/20^[2m    42s  ^[0m^[32m11 succeeded^[39m, ^[31m1 failed^[39m, 5 running  ^[2mupgrade^[0m
            ^[1mjob 17 roll-nginx^[0m running · 18/40 · ^[31m1 failed^[39m, ^[31m1 unreachable^[39m · 1m02s"#]].assert_eq(&coloured(&moving(&view, &look(80), 20).join("\n")));
        for width in 40..200 {
            for line in moving(&view, &look(width), 20) {
                assert!(text::width(&line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn batches_that_are_over_scroll_up_once() {
        let view = job();
        let over: Vec<u32> = view.batches.iter().filter(|batch| is_settled(batch)).map(|batch| batch.index).collect();
        assert_eq!(over, [1, 2]);
        expect!["2/4 ████████████  5/5     17s  4 succeeded, 1 failed  web[02-06]"].assert_eq(&bare(&batch_line(
            &view.batches[1],
            &view,
            &look(80),
        )));
    }

    #[test]
    fn more_batches_than_rows_are_counted() {
        let mut view = job();
        for batch in &mut view.batches {
            batch.state = "running".to_owned();
        }
        assert_eq!(bare(&moving(&view, &look(80), 4)[2]), "… and 2 more batches");
    }

    #[test]
    fn one_failure_in_a_large_batch_is_seen() {
        let mut view = job();
        view.batches[2].size = 10_000;
        view.batches[2].counts = [("succeeded".to_owned(), 9_998), ("failed".to_owned(), 1)].into_iter().collect();
        view.batches[2].running = 1;
        let line = coloured(&batch_line(&view.batches[2], &view, &look(80)));
        assert!(line.contains("^[31m█"), "{line}");
    }
}
