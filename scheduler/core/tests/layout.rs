//! Where tasks are: cells, stages, batches.

use autoexec_core::layout::Layout;
use autoexec_model::id::TaskIx;
use expect_test::{Expect, expect};

use crate::plans::{batch_health, health, once, oneshot, phase, plan, rolling};

/// Stages as `stage: phase of batch: first task + tasks`; `|` where a gate may stand.
fn check(groups: Vec<autoexec_model::plan::Group>, expected: &Expect) {
    let plan = plan(16, groups);
    let layout = Layout::of(&plan);
    let mut shown = String::new();
    for (index, stage) in layout.stages.iter().enumerate() {
        let cells: Vec<String> = layout
            .cells_of(index as u32)
            .map(|(at, cell)| {
                assert_eq!(layout.stage_of_cell(at), index as u32);
                let name = &plan.groups[cell.group as usize].phases[cell.phase as usize].name;
                format!("{name} {}+{}", cell.first, cell.len)
            })
            .collect();
        let gate = if stage.before_next_batch { " |" } else { "" };
        shown.push_str(&format!("{}.{}: {}{gate}\n", stage.group, stage.batch, cells.join(", ")));
    }
    expected.assert_eq(&shown);
    every_task_has_one_place(&plan, &layout);
}

fn every_task_has_one_place(plan: &autoexec_model::plan::Plan, layout: &Layout) {
    let mut seen = vec![0; layout.tasks() as usize];
    for cell in &layout.cells {
        (cell.first..cell.first + cell.len).for_each(|task| seen[task as usize] += 1);
    }
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    for target in 0..plan.targets.len() as u32 {
        for task in layout.tasks_of_target(plan, target) {
            assert_eq!(layout.target(plan, task), Some(target));
            let cell = layout.cell(task).expect("it has a cell");
            let batch = layout.batch_of_target(plan, cell.group, target);
            let rolling = plan.groups[cell.group as usize].batches.len() > 1;
            assert!(!rolling || batch == Some(cell.batch), "task {task} moves with its target's batch");
        }
    }
    assert_eq!(layout.cell(TaskIx(layout.tasks())), None);
}

#[test]
fn a_batch_goes_through_all_phases_before_the_next() {
    check(
        vec![rolling(&[1, 5, 5, 5], vec![phase("a"), phase("b")])],
        &expect![[r#"
        0.0: a 0+1
        0.0: b 16+1 |
        0.1: a 1+5
        0.1: b 17+5 |
        0.2: a 6+5
        0.2: b 22+5 |
        0.3: a 11+5
        0.3: b 27+5
    "#]],
    );
}

#[test]
fn phases_that_run_once_have_one_task_in_their_batch() {
    let phases = vec![once("first", 0), phase("a"), once("middle", 1), once("last", 2)];
    check(
        vec![rolling(&[2, 2, 2], phases)],
        &expect![[r#"
        0.0: first 0+1
        0.0: a 1+2
        0.0: middle 7+0
        0.0: last 8+0 |
        0.1: first 0+0
        0.1: a 3+2
        0.1: middle 7+1
        0.1: last 8+0 |
        0.2: first 0+0
        0.2: a 5+2
        0.2: middle 7+0
        0.2: last 8+1
    "#]],
    );
}

#[test]
fn health_of_targets_and_of_batches_comes_after_the_work() {
    check(
        vec![rolling(&[1, 2], vec![phase("a"), health("h"), batch_health("b")])],
        &expect![[r#"
        0.0: a 0+1
        0.0: h 3+1
        0.0: b 6+1 |
        0.1: a 1+2
        0.1: h 4+2
        0.1: b 7+1
    "#]],
    );
}

#[test]
fn oneshot_phases_share_a_stage_and_health_does_not() {
    check(
        vec![oneshot(3, vec![phase("a"), once("o", 0), phase("b"), health("h")])],
        &expect![[r#"
        0.0: a 0+3, o 3+1, b 4+3
        0.0: h 7+3
    "#]],
    );
}

#[test]
fn groups_follow_each_other_and_one_without_targets_still_has_its_turn() {
    check(
        vec![oneshot(2, vec![phase("a")]), rolling(&[], vec![once("o", 0), phase("p")]), oneshot(1, vec![phase("z")])],
        &expect![[r#"
        0.0: a 0+2
        1.0: o 2+1
        1.0: p 3+0
        2.0: z 3+1
    "#]],
    );
}
