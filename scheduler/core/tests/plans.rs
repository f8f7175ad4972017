//! Small plans as plain data.

use std::collections::{BTreeMap, BTreeSet};

use autoexec_model::millis::Millis;
use autoexec_model::outcome::OutcomeClass;
use autoexec_model::plan::{
    Action, Between, BetweenMode, BudgetLimit, BudgetPlan, BudgetScope, Connection, Group, OnFailure, PLAN_FORMAT,
    Phase, Place, Plan, Retries, Step, Strategy, Target, Transport,
};
use serde_json::Map;

pub(crate) fn plan(targets: u32, groups: Vec<Group>) -> Plan {
    Plan {
        format: PLAN_FORMAT,
        name: "job".to_owned(),
        description: String::new(),
        params: Map::new(),
        secrets: Vec::new(),
        files: BTreeMap::new(),
        targets: (1..=targets).map(|n| target(&format!("web{n}"))).collect(),
        excluded: Vec::new(),
        groups,
        tools: BTreeMap::new(),
        warnings: Vec::new(),
    }
}

pub(crate) fn target(name: &str) -> Target {
    Target {
        name: name.to_owned(),
        address: "192.0.2.1".to_owned(),
        transport: Transport::Ssh,
        port: None,
        user: None,
        labels: BTreeMap::new(),
        groups: BTreeSet::new(),
        vars: Map::new(),
        connection: Connection::default(),
    }
}

/// A rolling group over the first targets of the plan, as many as its batches hold.
pub(crate) fn rolling(batches: &[u32], phases: Vec<Phase>) -> Group {
    Group { strategy: Strategy::Rolling, batches: batches.to_vec(), ..group("roll", batches.iter().sum(), phases) }
}

/// A oneshot group over the first targets of the plan.
pub(crate) fn oneshot(targets: u32, phases: Vec<Phase>) -> Group {
    group("all", targets, phases)
}

fn group(name: &str, targets: u32, phases: Vec<Phase>) -> Group {
    Group {
        name: name.to_owned(),
        strategy: Strategy::Oneshot,
        targets: (0..targets).collect(),
        batches: if targets == 0 { Vec::new() } else { vec![targets] },
        batch_expr: String::new(),
        order: "inventory".to_owned(),
        parallel: 100,
        between: Between { mode: BetweenMode::Continue, soak: Millis::ZERO },
        budget: BudgetPlan { scope: BudgetScope::Group, limits: Vec::new(), by_default: true },
        phases,
    }
}

pub(crate) fn phase(name: &str) -> Phase {
    Phase {
        name: name.to_owned(),
        place: Place::Target,
        health: false,
        once_in: None,
        when: None,
        parallel: None,
        steps: vec![step("s1", false)],
    }
}

/// A phase that runs once, in this batch.
pub(crate) fn once(name: &str, batch: u32) -> Phase {
    Phase { place: Place::Runner, once_in: Some(batch), ..phase(name) }
}

/// A phase that checks the health of each target.
pub(crate) fn health(name: &str) -> Phase {
    Phase { place: Place::RunnerTarget, health: true, ..phase(name) }
}

/// A phase that checks health once for each batch.
pub(crate) fn batch_health(name: &str) -> Phase {
    Phase { place: Place::Runner, health: true, ..phase(name) }
}

pub(crate) fn step(id: &str, idempotent: bool) -> Step {
    Step {
        id: id.to_owned(),
        action: Action::Run {
            script: "true".to_owned(),
            interpreter: vec!["sh".to_owned()],
            args: Vec::new(),
            stdin: None,
        },
        env: Vec::new(),
        become_user: None,
        workdir: None,
        timeout: Millis::from_secs(60),
        retries: Retries::NONE,
        on_failure: OnFailure::Stop,
        idempotent,
        when: None,
        success_codes: vec![0],
        no_log: false,
        keep_stdout: false,
    }
}

pub(crate) fn budget(scope: BudgetScope, limits: &[(OutcomeClass, &[u32])]) -> BudgetPlan {
    let limits = limits
        .iter()
        .map(|(class, limit)| BudgetLimit { class: *class, allowance: format!("{limit:?}"), limit: limit.to_vec() })
        .collect();
    BudgetPlan { scope, limits, by_default: false }
}

pub(crate) fn between(mode: BetweenMode, soak_secs: u64) -> Between {
    Between { mode, soak: Millis::from_secs(soak_secs) }
}
