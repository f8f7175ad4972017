//! Random plans and random inputs. Inputs are abstract ("the third live task fails") and made concrete against the state.

use autoexec_core::apply::name_of;
use autoexec_core::decide::{Input, decide};
use autoexec_model::api::{Operation, RetryWhat};
use autoexec_model::event::Gate;
use autoexec_model::grant::AttemptReport;
use autoexec_model::id::{AttemptId, Epoch, JobId, RunnerId};
use autoexec_model::outcome::{Outcome, OutcomeClass, Verdict};
use autoexec_model::plan::{BetweenMode, BudgetScope, Group, Phase, Place, Plan, Strategy as Move, Transport};
use proptest::prelude::*;
use std::collections::BTreeMap;

use crate::plans;
use crate::world::{World, report};

/// What a generator tried and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tried: u32,
    pub(crate) skipped: u32,
    pub(crate) operations: BTreeMap<&'static str, (u32, u32)>,
    pub(crate) facts: BTreeMap<&'static str, u32>,
    pub(crate) ends: BTreeMap<&'static str, u32>,
}

/// Something that a runner, a person or the clock does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Hello {
        runner: u8,
        capacity: u32,
    },
    Gone {
        runner: u8,
    },
    Begin {
        which: prop::sample::Index,
        twice: bool,
    },
    Finish {
        which: prop::sample::Index,
        how: u8,
        twice: bool,
    },
    /// A message about a live task with an epoch, a number or a sender that is not the lease's.
    Stale {
        which: prop::sample::Index,
        how: u8,
        finished: bool,
    },
    Operate {
        what: u8,
        targets: Vec<prop::sample::Index>,
    },
    Pass {
        millis: u64,
    },
    SubmitAgain,
    Boot,
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        5 => (0..3_u8, prop_oneof![1 => Just(0), 3 => 1..5_u32, 6 => 5..40_u32]).prop_map(|(runner, capacity)| Action::Hello { runner, capacity }),
        2 => (1..3_u8).prop_map(|runner| Action::Gone { runner }),
        8 => (index(), any::<bool>()).prop_map(|(which, twice)| Action::Begin { which, twice }),
        24 => (index(), any::<u8>(), any::<bool>()).prop_map(|(which, how, twice)| Action::Finish { which, how, twice }),
        4 => (index(), any::<u8>(), any::<bool>()).prop_map(|(which, how, finished)| Action::Stale { which, how, finished }),
        9 => (any::<u8>(), prop::collection::vec(index(), 1..4)).prop_map(|(what, targets)| Action::Operate { what, targets }),
        4 => prop_oneof![1..1_000_u64, 5_000..40_000_u64].prop_map(|millis| Action::Pass { millis }),
        1 => Just(Action::SubmitAgain),
        1 => Just(Action::Boot),
    ]
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    (prop_oneof![1 => Just(0_u32), 6 => 1..8_u32, 2 => 8..31_u32], prop::collection::vec(group(), 1..4), any::<bool>())
        .prop_map(|(targets, groups, local)| build(targets, groups, local))
}

#[derive(Debug, Clone)]
struct GroupDraft {
    rolling: bool,
    share: u8,
    cuts: Vec<u8>,
    phases: Vec<(u8, bool)>,
    health: Option<bool>,
    parallel: u32,
    narrow: Option<u32>,
    mode: BetweenMode,
    soak: u64,
    budget: (BudgetScope, Vec<(OutcomeClass, u32)>),
}

fn group() -> impl Strategy<Value = GroupDraft> {
    let mode = prop_oneof![
        3 => Just(BetweenMode::Continue),
        2 => Just(BetweenMode::Confirm),
        2 => Just(BetweenMode::PauseOnFailure)
    ];
    let scope = prop_oneof![
        Just(BudgetScope::Batch),
        Just(BudgetScope::Phase),
        Just(BudgetScope::Group),
        Just(BudgetScope::Job)
    ];
    let class = prop_oneof![
        Just(OutcomeClass::Failed),
        Just(OutcomeClass::Unreachable),
        Just(OutcomeClass::TimedOut),
        Just(OutcomeClass::Interrupted)
    ];
    let limits = prop::collection::vec((class, 0..4_u32), 0..3);
    (
        (
            any::<bool>(),
            any::<u8>(),
            prop::collection::vec(1..6_u8, 1..5),
            prop::collection::vec((0..6_u8, any::<bool>()), 1..4),
        ),
        (prop::option::of(any::<bool>()), 1..12_u32, prop::option::of(1..4_u32), mode),
        (prop_oneof![2 => Just(0_u64), 1 => 1..20_u64], scope, limits),
    )
        .prop_map(|((rolling, share, cuts, phases), (health, parallel, narrow, mode), (soak, scope, limits))| {
            GroupDraft { rolling, share, cuts, phases, health, parallel, narrow, mode, soak, budget: (scope, limits) }
        })
}

fn build(targets: u32, drafts: Vec<GroupDraft>, local: bool) -> Plan {
    let groups = drafts.into_iter().enumerate().map(|(index, draft)| build_group(index, targets, draft)).collect();
    let mut plan = plans::plan(targets, groups);
    for target in plan.targets.iter_mut().skip(1).step_by(2).filter(|_| local) {
        target.transport = Transport::Local;
    }
    plan
}

fn build_group(index: usize, targets: u32, draft: GroupDraft) -> Group {
    // From all targets down to a quarter of them, from the end, so that groups overlap and orders differ.
    let take = targets - (targets * u32::from(draft.share % 4)) / 4;
    let chosen: Vec<u32> = (0..targets).rev().take(take as usize).collect();
    let batches = cut(take, &draft.cuts, draft.rolling);
    let count = batches.len().max(1) as u32;
    let mut phases: Vec<Phase> = draft
        .phases
        .iter()
        .enumerate()
        .map(|(p, (kind, idempotent))| {
            let name = format!("g{index}p{p}");
            let mut phase = match kind {
                0 if draft.rolling => plans::once(&name, [0, count / 2, count - 1][p % 3]),
                0 => plans::once(&name, 0),
                1 => Phase { place: Place::RunnerTarget, ..plans::phase(&name) },
                _ => plans::phase(&name),
            };
            phase.steps = vec![plans::step("s1", *idempotent)];
            phase
        })
        .collect();
    match draft.health {
        Some(true) => phases.push(plans::batch_health(&format!("g{index}h"))),
        Some(false) => phases.push(plans::health(&format!("g{index}h"))),
        None => {}
    }
    if let Some(phase) = phases.first_mut() {
        phase.parallel = draft.narrow;
    }
    let (scope, limits) = draft.budget;
    // Of two limits for one class the last one stands, as in a job file.
    let limits: BTreeMap<OutcomeClass, u32> = limits.into_iter().collect();
    let limits: Vec<(OutcomeClass, Vec<u32>)> = limits
        .into_iter()
        .map(|(class, limit)| {
            (class, if scope == BudgetScope::Batch { vec![limit; count as usize] } else { vec![limit] })
        })
        .collect();
    let limits: Vec<(OutcomeClass, &[u32])> = limits.iter().map(|(class, limit)| (*class, limit.as_slice())).collect();
    Group {
        name: format!("g{index}"),
        strategy: if draft.rolling { Move::Rolling } else { Move::Oneshot },
        targets: chosen,
        parallel: draft.parallel,
        between: plans::between(draft.mode, draft.soak),
        budget: plans::budget(scope, &limits),
        batches,
        phases,
        ..plans::oneshot(0, Vec::new())
    }
}

fn cut(total: u32, cuts: &[u8], rolling: bool) -> Vec<u32> {
    if total == 0 {
        return Vec::new();
    }
    if !rolling {
        return vec![total];
    }
    let mut left = total;
    let mut batches = Vec::new();
    for at in 0.. {
        let size = u32::from(cuts[at.min(cuts.len() - 1)]).min(left);
        batches.push(size);
        left -= size;
        if left == 0 {
            break;
        }
    }
    batches
}

/// Does an action. Every event is checked by the world.
pub(crate) fn act(world: &mut World, action: &Action, tally: &mut Tally) {
    tally.tried += 1;
    let name = |runner: u8| RunnerId(format!("r{runner}"));
    match action {
        Action::Hello { runner, capacity } => drop(world.hello(&name(*runner).0, *capacity)),
        Action::Gone { runner } => drop(world.gone(&name(*runner).0)),
        Action::Begin { which, twice } => {
            let Some((runner, attempt, epoch, _)) = pick(world, which) else { return stuck(world, tally) };
            let input = Input::Started { runner, attempts: vec![(attempt, epoch)] };
            world.tell(input.clone());
            if *twice {
                assert_eq!(decide(&world.state, &input, world.now), Ok(Vec::new()), "a repetition is a no-op");
            }
        }
        Action::Finish { which, how, twice } => {
            let Some((runner, attempt, epoch, begun)) = pick(world, which) else { return stuck(world, tally) };
            let report = answer(*how, begun);
            let input = Input::Finished { runner, attempt, epoch, report: Box::new(report) };
            world.tell(input.clone());
            if *twice {
                assert_eq!(decide(&world.state, &input, world.now), Ok(Vec::new()), "a repetition is a no-op");
            }
        }
        Action::Stale { which, how, finished } => {
            let Some(live) = pick(world, which) else { return tally.skipped += 1 };
            stale(world, live, *how, *finished);
        }
        Action::Operate { what, targets } => operate(world, *what, targets, tally),
        Action::Pass { millis } => drop(world.pass(*millis)),
        Action::SubmitAgain => {
            let plan = world.plans.values().next().map(|plan| plan.as_ref().clone()).expect("there is a plan");
            let again = world.submission(plan, Some("key"));
            let jobs = world.state.jobs.len();
            world.tell(again.clone());
            world.tell(again);
            assert!(world.state.jobs.len() <= jobs + 1 && world.state.jobs.len() <= 2, "one key is one job");
        }
        Action::Boot => {
            world.tell(Input::Boot { version: "2".to_owned() });
            // Most often the runner of the same machine is back at once.
            world.hello("r1", 10);
        }
    }
}

/// Nothing is live: a job that is over is run again, others wait for a person, a runner or time, and sometimes get them.
fn stuck(world: &mut World, tally: &mut Tally) {
    tally.skipped += 1;
    if world.job().state.is_final() {
        let _ = world.operate(Operation::Retry { what: RetryWhat::All }, &[]);
    } else if tally.skipped.is_multiple_of(2) {
        world.hello("r2", 10);
        world.pass(20_000);
    }
}

type Live = (RunnerId, AttemptId, Epoch, bool);

fn pick(world: &World, which: &prop::sample::Index) -> Option<Live> {
    let live = world.live();
    (!live.is_empty()).then(|| which.get(&live).clone())
}

/// How an attempt ends: mostly well.
pub(crate) fn answer(how: u8, begun: bool) -> AttemptReport {
    let (outcome, verdict) = match how % 16 {
        0 | 1 => (Outcome::Exited { code: 3 }, Verdict::Failed),
        2 => (Outcome::Unreachable, Verdict::Failed),
        3 => (Outcome::TimedOut, Verdict::Failed),
        4 | 5 if begun => (Outcome::Interrupted, Verdict::Failed),
        6 => (Outcome::Exited { code: 1 }, Verdict::Ignored),
        7 => (Outcome::Exited { code: 0 }, Verdict::Skipped),
        8 => (Outcome::Killed, Verdict::Cancelled),
        9 => (Outcome::Signalled { signal: 9 }, Verdict::Failed),
        10 => (Outcome::Rejected, Verdict::Failed),
        _ => (Outcome::Exited { code: 0 }, Verdict::Succeeded),
    };
    report(outcome, verdict)
}

fn stale(world: &World, (runner, attempt, epoch, _): Live, how: u8, finished: bool) {
    let (runner, attempt, epoch) = match how % 5 {
        0 => (runner, attempt, Epoch(epoch.0 - 1)),
        1 => (runner, attempt, Epoch(epoch.0 + 1)),
        2 => (runner, AttemptId { n: attempt.n - 1, ..attempt }, epoch),
        3 => (RunnerId("stranger".to_owned()), attempt, epoch),
        _ => (runner, AttemptId { job: JobId(99), ..attempt }, epoch),
    };
    let input = if finished {
        Input::Finished { runner, attempt, epoch, report: Box::new(answer(15, true)) }
    } else {
        Input::Started { runner, attempts: vec![(attempt, epoch)] }
    };
    assert_eq!(decide(&world.state, &input, world.now), Ok(Vec::new()), "{input:?} fits no lease");
}

fn operate(world: &mut World, what: u8, picks: &[prop::sample::Index], tally: &mut Tally) {
    let selector = String::new;
    let (name, operation) = match what % 16 {
        0 => ("pause", Operation::Pause),
        1 | 2 => match world.job().gate {
            Some(Gate::Confirm) if what > 128 => ("reject", Operation::Reject),
            Some(Gate::Confirm) => ("confirm", Operation::Confirm),
            Some(Gate::Soak { .. } | Gate::Failure | Gate::Unresolved) | None => ("resume", Operation::Resume),
        },
        3 => ("resume", Operation::Resume),
        4 if what > 128 => ("cancel", Operation::Cancel { reason: String::new() }),
        4 | 5 => ("confirm", Operation::Confirm),
        6 if what > 128 => ("reject", Operation::Reject),
        6 | 7 => ("retry failed", Operation::Retry { what: RetryWhat::Failed }),
        8 => ("retry all", Operation::Retry { what: RetryWhat::All }),
        9 => ("retry targets", Operation::Retry { what: RetryWhat::Targets(selector()) }),
        10 => ("skip", Operation::Skip { targets: selector() }),
        11 => ("ignore", Operation::Ignore { targets: selector() }),
        12 | 13 => ("resolve", Operation::Resolve { targets: selector(), succeeded: what > 128 }),
        _ => ("amend", Operation::Parallel { parallel: u32::from(what % 7) + 1 }),
    };
    let count = world.job().plan.targets.len();
    let targets: Vec<u32> =
        if count == 0 { Vec::new() } else { picks.iter().map(|pick| pick.index(count) as u32).collect() };
    let before = world.state.clone();
    let known = tally.operations.entry(name).or_default();
    match world.operate(operation, &targets) {
        Ok(_) => known.0 += 1,
        Err(refusal) => {
            known.1 += 1;
            assert!(!refusal.message.is_empty() && !refusal.hints.is_empty(), "a refusal helps: {refusal:?}");
            assert_eq!(world.state, before, "a refusal changes nothing");
        }
    }
}

/// Runners answer everything and a person answers every question, until every job is final.
pub(crate) fn to_the_end(world: &mut World, answers: &[u8]) {
    for runner in ["r0", "r1", "r2"] {
        world.hello(runner, 40);
    }
    let tasks: usize = world.state.jobs.values().map(|job| job.tasks.len() + job.layout.stages.len()).sum();
    let bound = 20 * (tasks + 10);
    for step in 0..bound {
        if world.state.jobs.values().all(|job| job.state.is_final()) {
            return;
        }
        let live = world.live();
        if let Some((runner, attempt, epoch, begun)) = live.first().cloned() {
            let how = if answers.is_empty() { 15 } else { answers[step % answers.len()] };
            world.tell(Input::Finished { runner, attempt, epoch, report: Box::new(answer(how, begun)) });
            continue;
        }
        person(world);
    }
    panic!("not every job ends within {bound} steps:\n{}", world.text());
}

/// A person does what `explain` says of the first job that is not over; when it says nothing, time passes.
fn person(world: &mut World) {
    let job = world.state.jobs.values().find(|job| !job.state.is_final()).expect("one is not over");
    let id = job.id;
    let why = &autoexec_core::explain::explain(&world.state, job, None, world.now)[0];
    let open: Vec<u32> = (0..job.plan.targets.len() as u32)
        .filter(|target| {
            job.layout.tasks_of_target(&job.plan, *target).any(|task| {
                job.task(task).is_some_and(|task| task.state == autoexec_model::state::TaskState::Unresolved)
            })
        })
        .collect();
    let selector = String::new;
    let operation = match why.next.first().map(|next| next.split(' ').nth(1).unwrap_or_default()) {
        Some("resume") => Operation::Resume,
        Some("confirm") => Operation::Confirm,
        Some("resolve") => Operation::Resolve { targets: selector(), succeeded: true },
        Some("retry") => Operation::Retry { what: RetryWhat::Failed },
        Some(other) => panic!("explain says `{other}`: {why:?}"),
        None => return drop(world.pass(60_000)),
    };
    let input = Input::Operate { job: id, operation, targets: open, by: "ada".to_owned() };
    world.take(&input).unwrap_or_else(|refusal| panic!("{why:?} is refused: {refusal}"));
}

/// What happened in a world, for the tally.
pub(crate) fn count(world: &World, tally: &mut Tally) {
    for event in &world.journal {
        *tally.facts.entry(name_of(&event.fact)).or_default() += 1;
    }
    for job in world.state.jobs.values() {
        *tally.ends.entry(job.state.word()).or_default() += 1;
    }
}
