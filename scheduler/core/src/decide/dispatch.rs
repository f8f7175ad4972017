//! Giving out tasks: which waiting task goes to which runner, and which leases are taken back.
//!
//! Jobs take turns in order of their number; inside a job the cells of the running stage fill their windows in target
//! order. A task goes to the connected runner with the most room.

use autoexec_model::event::{Event, Fact, LeaseFact};
use autoexec_model::id::{Epoch, TaskIx, UnixMillis};
use autoexec_model::plan::{Place, Transport};
use autoexec_model::state::{JobState, TaskState};

use super::{LEASE_MILLIS, about};
use crate::layout::Cell;
use crate::state::{Job, Runner, State};

/// Leases of one event, so that one event stays a small record.
const LEASES_PER_EVENT: usize = 1_000;

pub(super) fn dispatch(state: &State, now: UnixMillis) -> Vec<Event> {
    let ended = ended_leases(state, now);
    if !ended.is_empty() {
        return ended;
    }
    let mut turn = Turn { state, now, room: state.runners.iter().map(free).collect(), events: Vec::new() };
    for job in state.jobs.values().filter(|job| gives_out(job)) {
        for (index, cell) in job.layout.cells_of(job.stage) {
            let Some(tally) = job.tallies.get(index) else { continue };
            if tally.waiting == 0 {
                continue;
            }
            let window = job.window(cell.group, cell.phase).saturating_sub(tally.live);
            let tasks = waiting(job, cell, tally.hint, window.min(tally.waiting));
            turn.share_out(job, &tasks);
        }
    }
    turn.events
}

/// One turn of giving out: what each runner still has room for, and what was decided.
struct Turn<'a> {
    state: &'a State,
    now: UnixMillis,
    room: Vec<u32>,
    events: Vec<Event>,
}

impl Turn<'_> {
    /// Gives tasks to the runners with the most room, as many as there is room for.
    fn share_out(&mut self, job: &Job, tasks: &[TaskIx]) {
        let mut shares: Vec<Vec<LeaseFact>> = vec![Vec::new(); self.room.len()];
        for task in tasks {
            let most = self.room.iter().enumerate().max_by_key(|(index, free)| (**free, usize::MAX - *index));
            let Some(runner) = most.filter(|(_, free)| **free > 0).map(|(index, _)| index) else { break };
            let (Some(free), Some(share), Some(known)) =
                (self.room.get_mut(runner), shares.get_mut(runner), job.task(*task))
            else {
                break;
            };
            *free -= 1;
            let n = if known.fresh { known.n + 1 } else { known.n };
            share.push(LeaseFact { task: *task, n, epoch: Epoch(known.epoch.0 + 1) });
        }
        for (runner, share) in self.state.runners.iter().zip(shares) {
            for leases in share.chunks(LEASES_PER_EVENT) {
                let fact = Fact::TasksGranted { runner: runner.id.clone(), leases: leases.to_vec() };
                self.events.push(about(job, self.now, fact));
            }
        }
    }
}

/// Whether tasks of this job may be given out now.
pub(crate) fn gives_out(job: &Job) -> bool {
    job.state == JobState::Running && job.begun && job.gate.is_none()
}

/// How many more attempts a runner can hold.
pub(crate) fn free(runner: &Runner) -> u32 {
    if runner.connected { runner.capacity.saturating_sub(runner.live) } else { 0 }
}

fn waiting(job: &Job, cell: &Cell, hint: u32, at_most: u32) -> Vec<TaskIx> {
    (cell.first + hint..cell.first + cell.len)
        .map(TaskIx)
        .filter(|task| job.task(*task).is_some_and(|task| task.state == TaskState::Waiting))
        .take(at_most as usize)
        .collect()
}

/// Leases that end because their runner is away too long, of tasks that had not begun and whose fence is on the target, so
/// that another runner cannot start them a second time. What runs on the runner itself waits for that runner.
fn ended_leases(state: &State, now: UnixMillis) -> Vec<Event> {
    let away: Vec<u16> = state
        .runners
        .iter()
        .enumerate()
        .filter(|(_, runner)| !runner.connected && runner.live > 0 && now.since(runner.since) >= LEASE_MILLIS)
        .map(|(index, _)| index as u16)
        .collect();
    if away.is_empty() {
        return Vec::new();
    }
    let ended = |job: &Job| -> Option<Event> {
        let tasks: Vec<TaskIx> = (0..job.tasks.len() as u32)
            .map(TaskIx)
            .filter(|task| {
                job.task(*task).is_some_and(|known| {
                    known.state == TaskState::Granted
                        && known.runner.is_some_and(|runner| away.contains(&runner))
                        && fence_on_target(job, *task)
                })
            })
            .collect();
        let reason = format!("their runner has been away for {} seconds", LEASE_MILLIS / 1000);
        (!tasks.is_empty()).then(|| about(job, now, Fact::LeasesEnded { tasks, reason }))
    };
    state.jobs.values().filter(|job| !job.state.is_final()).filter_map(ended).collect()
}

fn fence_on_target(job: &Job, task: TaskIx) -> bool {
    let place = job
        .layout
        .cell(task)
        .and_then(|cell| job.plan.groups.get(cell.group as usize)?.phases.get(cell.phase as usize))
        .map(|phase| phase.place);
    let transport =
        job.layout.target(&job.plan, task).and_then(|target| job.plan.target(target)).map(|target| target.transport);
    match (place, transport) {
        (Some(Place::Target), Some(Transport::Ssh | Transport::Agent | Transport::Sim)) => true,
        (Some(Place::Target | Place::Runner | Place::RunnerTarget | Place::Sql) | None, _) => false,
    }
}
