//! Transitions of tasks. Every change of a task goes through [`Change::set`], which keeps the counts beside it true.

use std::sync::Arc;

use autoexec_model::event::{Gate, LeaseFact};
use autoexec_model::grant::AttemptReport;
use autoexec_model::id::{TaskIx, UnixMillis};
use autoexec_model::outcome::Verdict;
use autoexec_model::state::{JobState, TaskState};
use serde_json::{Map, Value};

use super::Illegal;
use crate::decide::final_state;
use crate::state::{Job, Runner, Task};

/// A change of one job by one event.
pub(super) struct Change<'a> {
    pub(super) job: &'a mut Job,
    pub(super) runners: &'a mut Vec<Runner>,
    pub(super) at: UnixMillis,
    pub(super) fact: &'static str,
}

impl Change<'_> {
    pub(super) fn grant(&mut self, leases: &[LeaseFact], runner: Option<u16>) -> Result<(), Illegal> {
        for lease in leases {
            let known = self.task(lease.task)?;
            let next = if known.fresh { known.n + 1 } else { known.n };
            if known.state != TaskState::Waiting || lease.n != next || lease.epoch <= known.epoch {
                return Err(self.illegal(lease.task));
            }
            let at = self.at;
            self.set(lease.task, |task| {
                task.state = TaskState::Granted;
                task.n = lease.n;
                task.fresh = false;
                task.forgiven = false;
                task.epoch = lease.epoch;
                task.runner = runner;
                task.granted_at = Some(at);
                task.started_at = None;
                task.finished_at = None;
            })?;
        }
        Ok(())
    }

    pub(super) fn start(&mut self, tasks: &[TaskIx]) -> Result<(), Illegal> {
        for task in tasks {
            let next = match self.task(*task)?.state {
                TaskState::Granted => TaskState::Running,
                TaskState::Stopping if self.task(*task)?.started_at.is_none() => TaskState::Stopping,
                TaskState::Stopping
                | TaskState::Waiting
                | TaskState::Unresolved
                | TaskState::Running
                | TaskState::Done(_) => {
                    return Err(self.illegal(*task));
                }
            };
            let at = self.at;
            self.set(*task, |task| {
                task.state = next;
                task.started_at = Some(at);
            })?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, task: TaskIx, n: u32, report: &AttemptReport) -> Result<(), Illegal> {
        let known = self.task(task)?;
        if !known.state.is_live() || known.n != n {
            return Err(self.illegal(task));
        }
        let at = self.at;
        self.set(task, |task| {
            task.state = TaskState::Done(report.verdict);
            task.fresh = true;
            task.finished_at = Some(at);
            task.report = Some(Arc::new(report.clone()));
        })
    }

    pub(super) fn interrupt(
        &mut self,
        task: TaskIx,
        n: u32,
        report: &AttemptReport,
        again: bool,
    ) -> Result<(), Illegal> {
        let known = self.task(task)?;
        if !known.state.is_live() || known.n != n {
            return Err(self.illegal(task));
        }
        let at = self.at;
        self.set(task, |task| {
            task.state = if again { TaskState::Waiting } else { TaskState::Unresolved };
            task.fresh = true;
            task.finished_at = Some(at);
            task.report = Some(Arc::new(report.clone()));
        })
    }

    pub(super) fn end_leases(&mut self, tasks: &[TaskIx]) -> Result<(), Illegal> {
        for task in tasks {
            if self.task(*task)?.state != TaskState::Granted {
                return Err(self.illegal(*task));
            }
            self.set(*task, |task| task.state = TaskState::Waiting)?;
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, tasks: &[TaskIx]) -> Result<(), Illegal> {
        for task in tasks {
            if !self.task(*task)?.state.is_live() {
                return Err(self.illegal(*task));
            }
            self.set(*task, |task| task.state = TaskState::Stopping)?;
        }
        Ok(())
    }

    /// Sets tasks back and the job to the earliest stage that has something to do.
    pub(super) fn retry(&mut self, tasks: &[TaskIx]) -> Result<(), Illegal> {
        for task in tasks {
            let state = self.task(*task)?.state;
            let may = match state {
                TaskState::Unresolved | TaskState::Done(_) => true,
                TaskState::Waiting | TaskState::Granted | TaskState::Running | TaskState::Stopping => false,
            };
            if !may || state == TaskState::Done(Verdict::Succeeded) {
                return Err(self.illegal(*task));
            }
            self.set(*task, |task| {
                task.state = TaskState::Waiting;
                task.finished_at = None;
            })?;
        }
        if self.job.state.is_final() {
            self.forgive()?;
        }
        let job = &mut *self.job;
        let earliest = tasks.iter().filter_map(|task| job.layout.cell_index(*task)).min();
        if let Some(cell) = earliest {
            job.stage = job.stage.min(job.layout.stage_of_cell(cell));
            job.begun = false;
        }
        let held_by_gate = match job.gate {
            Some(Gate::Confirm | Gate::Failure | Gate::Unresolved) => true,
            Some(Gate::Soak { .. }) | None => false,
        };
        if job.state.is_final() || held_by_gate {
            job.state = JobState::Running;
        }
        // The gate stands again when the work before it is over again.
        job.gate = None;
        job.end = None;
        job.exceeded.clear();
        job.finished_at = None;
        Ok(())
    }

    /// Takes the failures of a job that is over out of its budgets: a person knew them and asked for more all the same.
    fn forgive(&mut self) -> Result<(), Illegal> {
        for index in 0..self.job.tasks.len() as u32 {
            if self.task(TaskIx(index))?.failure_class().is_some() {
                self.set(TaskIx(index), |task| task.forgiven = true)?;
            }
        }
        Ok(())
    }

    pub(super) fn decide(
        &mut self,
        task: TaskIx,
        verdict: Verdict,
        outputs: &Map<String, Value>,
    ) -> Result<(), Illegal> {
        let state = self.task(task)?.state;
        if state.is_live() || state == TaskState::Done(Verdict::Succeeded) {
            return Err(self.illegal(task));
        }
        let at = self.at;
        self.set(task, |task| {
            task.state = TaskState::Done(verdict);
            task.finished_at = Some(at);
            task.supplied = (!outputs.is_empty()).then(|| Arc::new(outputs.clone()));
        })?;
        if self.job.gate == Some(Gate::Unresolved) {
            self.job.gate = None;
            self.job.state = JobState::Running;
        }
        // A person who decides the last failure of a job that is over decides how it ended.
        let failed = matches!(self.job.state, JobState::Failed | JobState::Aborted);
        if failed && final_state(self.job) == JobState::Succeeded {
            self.job.state = JobState::Succeeded;
            self.job.end = None;
        }
        Ok(())
    }

    /// Begins a stage: targets that failed before do not take part.
    pub(super) fn begin_stage(&mut self, stage: u32) -> Result<(), Illegal> {
        let job = &*self.job;
        let due = if job.begun { stage == job.stage + 1 } else { stage == job.stage };
        let legal =
            due && job.state == JobState::Running && job.gate.is_none() && (stage as usize) < job.layout.stages.len();
        if !legal {
            return Err(self.illegal_job());
        }
        let dropped: Vec<TaskIx> = job
            .layout
            .cells_of(stage)
            .filter(|(_, cell)| cell.position.is_some())
            .flat_map(|(_, cell)| (cell.first..cell.first + cell.len).map(TaskIx))
            .filter(|task| self.is_dropped(stage, *task))
            .collect();
        let at = self.at;
        for task in dropped {
            self.set(task, |task| {
                task.state = TaskState::Done(Verdict::Aborted);
                task.finished_at = Some(at);
            })?;
        }
        self.job.stage = stage;
        self.job.begun = true;
        Ok(())
    }

    /// Whether the target of a waiting task failed in an earlier stage.
    fn is_dropped(&self, stage: u32, task: TaskIx) -> bool {
        let job = &*self.job;
        if job.task(task).is_none_or(|task| task.state != TaskState::Waiting) {
            return false;
        }
        let Some(target) = job.layout.target(&job.plan, task) else { return false };
        let first_cell = job.layout.stages.get(stage as usize).map_or(0, |stage| stage.first_cell as usize);
        job.layout
            .tasks_of_target(&job.plan, target)
            .filter(|earlier| job.layout.cell_index(*earlier).is_some_and(|cell| cell < first_cell))
            .any(|earlier| job.task(earlier).is_some_and(Task::drops_target))
    }

    /// Ends the job: what still waits is over with it.
    pub(super) fn finish_job(&mut self, state: JobState) -> Result<(), Illegal> {
        let may = match self.job.state {
            JobState::Running | JobState::Stopping | JobState::Waiting => state.is_final(),
            JobState::Scheduled
            | JobState::Queued
            | JobState::Pausing
            | JobState::Paused
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Aborted => false,
        };
        if !may || self.job.live() > 0 {
            return Err(self.illegal_job());
        }
        let verdict = if state == JobState::Cancelled { Verdict::Cancelled } else { Verdict::Aborted };
        let at = self.at;
        for index in 0..self.job.tasks.len() as u32 {
            let task = TaskIx(index);
            match self.task(task)?.state {
                TaskState::Waiting => self.set(task, |task| {
                    task.state = TaskState::Done(verdict);
                    task.finished_at = Some(at);
                })?,
                TaskState::Unresolved
                | TaskState::Granted
                | TaskState::Running
                | TaskState::Stopping
                | TaskState::Done(_) => {}
            }
        }
        self.job.state = state;
        self.job.gate = None;
        self.job.finished_at = Some(self.at);
        Ok(())
    }

    fn task(&self, task: TaskIx) -> Result<&Task, Illegal> {
        self.job.tasks.get(task.0 as usize).ok_or_else(|| self.illegal(task))
    }

    /// Changes one task and every count that knows it.
    fn set(&mut self, task: TaskIx, change: impl FnOnce(&mut Task)) -> Result<(), Illegal> {
        self.try_set(task, change).ok_or_else(|| self.illegal(task))
    }

    fn try_set(&mut self, task: TaskIx, change: impl FnOnce(&mut Task)) -> Option<()> {
        let job = &mut *self.job;
        let cell = job.layout.cell_index(task)?;
        let position = task.0 - job.layout.cells.get(cell)?.first;
        let slot = job.tasks.get_mut(task.0 as usize)?;
        let tally = job.tallies.get_mut(cell)?;
        tally.count(slot, false);
        count_live(self.runners, slot, false);
        change(slot);
        slot.changed = job.revision;
        tally.count(slot, true);
        count_live(self.runners, slot, true);
        if slot.state == TaskState::Waiting {
            tally.hint = tally.hint.min(position);
        } else if tally.hint == position {
            tally.hint += 1;
        }
        Some(())
    }

    fn illegal(&self, task: TaskIx) -> Illegal {
        Illegal::Task {
            fact: self.fact,
            job: self.job.id,
            task: task.0,
            state: self
                .job
                .task(task)
                .map_or_else(|| "not there".to_owned(), |known| format!("{} (attempt {})", known.state, known.n)),
        }
    }

    fn illegal_job(&self) -> Illegal {
        Illegal::job(self.fact, self.job)
    }
}

fn count_live(runners: &mut [Runner], task: &Task, add: bool) {
    if !task.state.is_live() {
        return;
    }
    if let Some(runner) = task.runner.and_then(|index| runners.get_mut(usize::from(index))) {
        runner.live = if add { runner.live + 1 } else { runner.live.saturating_sub(1) };
    }
}
