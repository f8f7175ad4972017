//! Where every task of a plan is: its number, its target, and the order in which the tasks' turns come.
//!
//! Tasks are numbered group by group, phase by phase, in the order of the group's targets, so that the tasks of one phase
//! in one batch are neighbours: a [`Cell`]. Cells that run together are a [`Stage`]; between stages is a barrier.
//!
//! ```text
//! rolling, 3 targets in batches 1 2, phases a b      oneshot, phases a b
//!   stage 0: a of batch 0   stage 2: a of batch 1      stage 0: a and b over all targets
//!   stage 1: b of batch 0   stage 3: b of batch 1      stage 1: health phases, one stage each
//! ```
//!
//! A layout is derived from the plan alone, so it is never stored.

use autoexec_model::id::TaskIx;
use autoexec_model::plan::{Group, Phase, Place, Plan, Strategy};

/// The tasks of one phase in one batch of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Index of the group.
    pub group: u32,
    /// Index of the batch in its group.
    pub batch: u32,
    /// Index of the phase in its group.
    pub phase: u32,
    /// Its first task.
    pub first: u32,
    /// How many tasks it has; 0 for a phase that runs once in another batch.
    pub len: u32,
    /// Position of its first task's target among the group's targets; none for a phase that runs once.
    pub position: Option<u32>,
}

/// Cells that run together; the next stage begins when all their tasks are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Index of its first cell.
    pub first_cell: u32,
    /// How many cells it has.
    pub cells: u32,
    /// Index of its group.
    pub group: u32,
    /// Index of its batch in the group.
    pub batch: u32,
    /// Whether another batch of the same group follows it: the gate stands here.
    pub before_next_batch: bool,
}

/// Where every task of a plan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// In the order of their turns.
    pub cells: Vec<Cell>,
    /// In the order of their turns.
    pub stages: Vec<Stage>,
    /// For each group and batch: its first cell and the one after its last.
    batch_cells: Vec<Vec<(u32, u32)>>,
    /// Index of the cell of each task.
    cell_of: Vec<u32>,
    /// For each group: first task of each phase.
    phase_first: Vec<Vec<u32>>,
    /// For each group: position of each target of the plan in it.
    positions: Vec<Vec<Option<u32>>>,
}

impl Layout {
    /// The layout of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut layout = Self {
            cells: Vec::new(),
            stages: Vec::new(),
            batch_cells: Vec::new(),
            cell_of: Vec::new(),
            phase_first: Vec::new(),
            positions: Vec::new(),
        };
        for (index, group) in plan.groups.iter().enumerate() {
            layout.add_group(index as u32, group, plan.targets.len());
        }
        layout
    }

    /// How many tasks there are.
    pub fn tasks(&self) -> u32 {
        self.cell_of.len() as u32
    }

    /// Index of the cell that a task belongs to.
    pub fn cell_index(&self, task: TaskIx) -> Option<usize> {
        self.cell_of.get(task.0 as usize).map(|cell| *cell as usize)
    }

    /// The cell that a task belongs to.
    pub fn cell(&self, task: TaskIx) -> Option<&Cell> {
        self.cell_index(task).and_then(|cell| self.cells.get(cell))
    }

    /// The cells of a stage.
    pub fn cells_of(&self, stage: u32) -> impl Iterator<Item = (usize, &Cell)> {
        let range = self
            .stages
            .get(stage as usize)
            .map_or(0..0, |stage| stage.first_cell as usize..(stage.first_cell + stage.cells) as usize);
        let first = range.start;
        self.cells.get(range).unwrap_or_default().iter().enumerate().map(move |(n, cell)| (first + n, cell))
    }

    /// The cells of one batch of a group.
    pub fn cells_of_batch(&self, group: u32, batch: u32) -> impl Iterator<Item = (usize, &Cell)> {
        let range = self.batch_cells.get(group as usize).and_then(|batches| batches.get(batch as usize).copied());
        let (first, end) = range.map_or((0, 0), |(first, end)| (first as usize, end as usize));
        self.cells.get(first..end).unwrap_or_default().iter().enumerate().map(move |(n, cell)| (first + n, cell))
    }

    /// The stage that a cell belongs to.
    pub fn stage_of_cell(&self, cell: usize) -> u32 {
        let after = self.stages.partition_point(|stage| stage.first_cell as usize <= cell);
        after.saturating_sub(1) as u32
    }

    /// Index into the plan's targets of the target of a task; none for a task that runs once.
    pub fn target(&self, plan: &Plan, task: TaskIx) -> Option<u32> {
        let cell = self.cell(task)?;
        let position = cell.position? + (task.0 - cell.first);
        plan.groups.get(cell.group as usize)?.targets.get(position as usize).copied()
    }

    /// The tasks of one target, in the order of groups and phases.
    pub fn tasks_of_target<'a>(&'a self, plan: &'a Plan, target: u32) -> impl Iterator<Item = TaskIx> + 'a {
        plan.groups.iter().enumerate().flat_map(move |(g, group)| {
            let position = self.positions.get(g).and_then(|of| of.get(target as usize).copied().flatten());
            let firsts = self.phase_first.get(g).map_or(&[][..], Vec::as_slice);
            group.phases.iter().zip(firsts).filter_map(move |(phase, first)| match phase.place {
                Place::Runner => None,
                Place::RunnerTarget | Place::Target | Place::Sql => position.map(|position| TaskIx(first + position)),
            })
        })
    }

    /// The batch of a group that a target moves in.
    pub fn batch_of_target(&self, plan: &Plan, group: u32, target: u32) -> Option<u32> {
        let position = self.positions.get(group as usize)?.get(target as usize).copied().flatten()?;
        let mut end = 0;
        plan.groups
            .get(group as usize)?
            .batches
            .iter()
            .position(|size| {
                end += size;
                position < end
            })
            .map(|batch| batch as u32)
    }

    fn add_group(&mut self, index: u32, group: &Group, targets: usize) {
        let mut positions = vec![None; targets];
        for (position, target) in group.targets.iter().enumerate() {
            if let Some(slot) = positions.get_mut(*target as usize) {
                *slot = Some(position as u32);
            }
        }
        self.positions.push(positions);
        let batches = batches_of(group);
        let firsts = self.number_phases(group, batches.len() as u32);
        match group.strategy {
            Strategy::Rolling => self.add_rolling(index, group, &batches, &firsts),
            Strategy::Oneshot => self.add_oneshot(index, group, &batches, &firsts),
        }
        self.phase_first.push(firsts);
        self.map_tasks();
    }

    /// Gives each phase its range of task numbers and returns the first of each.
    fn number_phases(&mut self, group: &Group, batches: u32) -> Vec<u32> {
        let mut next = self.cell_of.len() as u32;
        let mut firsts = Vec::with_capacity(group.phases.len());
        for phase in &group.phases {
            firsts.push(next);
            next += match repetition(phase) {
                Repetition::EachTarget => group.targets.len() as u32,
                Repetition::Once => 1,
                Repetition::EachBatch => batches,
            };
        }
        self.cell_of.resize(next as usize, 0);
        firsts
    }

    fn add_rolling(&mut self, index: u32, group: &Group, batches: &[u32], firsts: &[u32]) {
        let mut position = 0;
        let mut ranges = Vec::with_capacity(batches.len());
        for (batch, size) in batches.iter().enumerate() {
            let batch = batch as u32;
            let phases = group.phases.len();
            let begin = self.cells.len() as u32;
            for (p, (phase, first)) in group.phases.iter().zip(firsts).enumerate() {
                let first_cell = self.cells.len() as u32;
                let place = Slot { group: index, batch, phase: p as u32, first: *first };
                self.cells.push(cell(place, phase, position, *size));
                self.stages.push(Stage {
                    first_cell,
                    cells: 1,
                    group: index,
                    batch,
                    before_next_batch: p + 1 == phases && (batch as usize) + 1 < batches.len(),
                });
            }
            position += size;
            ranges.push((begin, self.cells.len() as u32));
        }
        self.batch_cells.push(ranges);
    }

    fn add_oneshot(&mut self, index: u32, group: &Group, batches: &[u32], firsts: &[u32]) {
        let size = batches.iter().sum();
        let begin = self.cells.len() as u32;
        let mut together: Option<u32> = None;
        for (p, (phase, first)) in group.phases.iter().zip(firsts).enumerate() {
            let first_cell = self.cells.len() as u32;
            let place = Slot { group: index, batch: 0, phase: p as u32, first: *first };
            self.cells.push(cell(place, phase, 0, size));
            match together {
                Some(stage) if !phase.health => {
                    if let Some(stage) = self.stages.get_mut(stage as usize) {
                        stage.cells += 1;
                    }
                }
                Some(_) | None => {
                    if !phase.health {
                        together = Some(self.stages.len() as u32);
                    }
                    self.stages.push(Stage { first_cell, cells: 1, group: index, batch: 0, before_next_batch: false });
                }
            }
        }
        self.batch_cells.push(vec![(begin, self.cells.len() as u32)]);
    }

    fn map_tasks(&mut self) {
        for (index, cell) in self.cells.iter().enumerate() {
            let range = cell.first as usize..(cell.first + cell.len) as usize;
            for slot in self.cell_of.get_mut(range).unwrap_or_default() {
                *slot = index as u32;
            }
        }
    }
}

/// Batches as they are run: a group without targets still has one, for its phases that run once.
fn batches_of(group: &Group) -> Vec<u32> {
    if group.batches.is_empty() { vec![0] } else { group.batches.clone() }
}

struct Slot {
    group: u32,
    batch: u32,
    phase: u32,
    first: u32,
}

fn cell(slot: Slot, phase: &Phase, position: u32, size: u32) -> Cell {
    let (first, len, position) = match repetition(phase) {
        Repetition::EachTarget => (slot.first + position, size, Some(position)),
        Repetition::EachBatch => (slot.first + slot.batch, 1, None),
        Repetition::Once => (slot.first, u32::from(phase.once_in.unwrap_or(0) == slot.batch), None),
    };
    Cell { group: slot.group, batch: slot.batch, phase: slot.phase, first, len, position }
}

enum Repetition {
    EachTarget,
    EachBatch,
    Once,
}

fn repetition(phase: &Phase) -> Repetition {
    match phase.place {
        Place::RunnerTarget | Place::Target | Place::Sql => Repetition::EachTarget,
        Place::Runner if phase.health => Repetition::EachBatch,
        Place::Runner => Repetition::Once,
    }
}
