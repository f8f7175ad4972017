//! Laws that every plan keeps, on random jobs.

use std::collections::BTreeSet;

use autoexec_model::plan::{Place, Strategy as Movement};
use proptest::prelude::*;

use super::{HOSTS, ask, request};

const SELECTORS: [&str; 8] =
    ["@web", "*", "zone=a*", "web[01-05],db1", "@db & !db2", "web99", "@web & zone=q", "!@web"];
const BATCHES: [&str; 6] = ["1", "1 5% 25% *2", "+3", "100%", "*2", "7 1"];
const TEXTS: [&str; 10] = [
    "plain",
    "{{ params.version }}",
    "{{ target.name }}",
    "{{ vars.port }}",
    "{{ steps.s0.stdout }}",
    "{{ phases.p0.steps.s0.stdout }}",
    "{{ x",
    "{{ params.nope | default('') }}",
    "{% for g in target.groups %}{{ g }}{% endfor %}",
    "{{ all('phases.p0.steps.s0.key') }}",
];
const PLACES: [&str; 4] = ["target", "runner", "runner-target", "sql"];

fn step() -> impl Strategy<Value = serde_json::Value> {
    (any::<bool>(), prop::sample::select(&TEXTS[..]), prop::option::of(prop::sample::select(&TEXTS[..])), 0u32..4)
        .prop_map(|(tool, text, when, retries)| {
            let mut step = if tool {
                serde_json::json!({ "tool": "http", "with": { "url": format!("https://x/{text}") } })
            } else {
                serde_json::json!({ "run": "true", "env": { "A": text } })
            };
            step["retries"] = retries.into();
            if let Some(when) = when {
                step["when"] = when.trim_matches(['{', '}', ' ']).into();
            }
            step
        })
}

fn phase(index: usize) -> impl Strategy<Value = serde_json::Value> {
    (prop::collection::vec(step(), 0..4), prop::sample::select(&PLACES[..]), 0u32..3).prop_map(
        move |(mut steps, on, parallel)| {
            for (n, step) in steps.iter_mut().enumerate() {
                step["id"] = format!("s{n}").into();
            }
            let mut phase = serde_json::json!({ "name": format!("p{index}"), "on": on, "steps": steps });
            if parallel > 0 {
                phase["parallel"] = parallel.into();
            }
            phase
        },
    )
}

fn group(index: usize) -> impl Strategy<Value = serde_json::Value> {
    let phases = (phase(2 * index), phase(2 * index + 1), any::<bool>());
    let shape = (
        prop::sample::select(&SELECTORS[..]),
        prop::option::of(prop::sample::select(&BATCHES[..])),
        any::<bool>(),
        any::<bool>(),
    );
    (phases, shape, prop::option::of(step())).prop_map(
        move |((one, two, both), (targets, batches, random, narrow), health)| {
            let phases = if both { vec![one, two] } else { vec![one] };
            let mut group = serde_json::json!({ "name": format!("g{index}"), "phases": phases });
            if narrow {
                group["targets"] = targets.into();
            }
            if let Some(batches) = batches {
                group["batches"] = batches.into();
                group["budget"] = serde_json::json!({ "failed": "10%", "scope": if random { "batch" } else { "job" } });
            }
            if random {
                group["order"] = serde_json::json!({ "by": "random", "spread": "zone" });
            }
            if let Some(mut step) = health {
                step["id"] = "check".into();
                group["health"] = serde_json::json!([step]);
            }
            group
        },
    )
}

fn job() -> impl Strategy<Value = String> {
    (prop::sample::select(&SELECTORS[..]), group(0), group(1), any::<bool>()).prop_map(|(targets, one, two, both)| {
        let groups = if both { vec![one, two] } else { vec![one] };
        let params = serde_json::json!({ "version": { "type": "string", "default": "1" } });
        serde_json::json!({ "name": "random", "targets": targets, "params": params, "groups": groups }).to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plans_keep_their_laws(job in job()) {
        let Ok(planned) = ask(&request(&job, HOSTS)) else { return Ok(()) };
        let plan = &planned.plan;
        prop_assert!(!super::shown(&planned).is_empty());
        let mut used = BTreeSet::new();
        for group in &plan.groups {
            // Batches partition the targets of their group.
            prop_assert_eq!(group.batches.iter().sum::<u32>() as usize, group.targets.len());
            prop_assert!(group.batches.iter().all(|size| *size > 0));
            let unique: BTreeSet<u32> = group.targets.iter().copied().collect();
            prop_assert_eq!(unique.len(), group.targets.len());
            prop_assert!(unique.iter().all(|index| plan.target(*index).is_some()));
            prop_assert!(group.strategy == Movement::Rolling || group.batches.len() <= 1);
            used.extend(unique);
            let needs = group.phases.iter().any(|phase| phase.place != Place::Runner);
            prop_assert_eq!(needs, !group.targets.is_empty());
            for limit in &group.budget.limits {
                prop_assert!(limit.limit.len() == 1 || limit.limit.len() == group.batches.len());
            }
            for phase in &group.phases {
                prop_assert!(!phase.steps.is_empty() && phase.place != Place::Sql);
                prop_assert!(phase.once_in.is_none_or(|batch| (batch as usize) < group.batches.len().max(1)));
                prop_assert!(phase.steps.iter().all(|step| !step.timeout.is_zero()));
            }
        }
        // Every target is used, and no two have one name.
        prop_assert_eq!(used.len(), plan.targets.len());
        let names: BTreeSet<&str> = plan.targets.iter().map(|target| target.name.as_str()).collect();
        prop_assert_eq!(names.len(), plan.targets.len());
    }

    #[test]
    fn the_same_input_has_the_same_digest(job in job()) {
        let one = ask(&request(&job, HOSTS));
        let two = ask(&request(&job, HOSTS));
        prop_assert_eq!(&one, &two);
        if let Ok(planned) = one {
            let text = serde_json::to_string(&planned.plan).expect("json");
            let again: autoexec_model::plan::Plan = serde_json::from_str(&text).expect("a plan");
            prop_assert_eq!(again.digest().expect("a digest"), planned.digest);
        }
    }

    #[test]
    fn nothing_panics(job in "\\PC{0,60}", hosts in "\\PC{0,40}", targets in "\\PC{0,12}", words in prop::collection::vec("\\PC{0,8}", 0..3)) {
        let mut ask_for = request(&job, &hosts);
        ask_for.targets = Some(targets);
        let _ = ask(&ask_for);
        ask_for.job = autoexec_model::api::JobSource::Command { words };
        ask_for.inventory = None;
        let _ = ask(&ask_for);
    }
}

/// The seed of a random order and the members of each batch are part of the digest; the seed that nobody asked for is not.
#[test]
fn the_digest_follows_what_will_happen() {
    let job = |order: &str| {
        format!(
            "name: x\ntargets: '@web'\ngroups: [{{ name: g, batches: 5, order: {order}, phases: [{{ name: a, steps: [{{ run: 'true' }}] }}] }}]\n"
        )
    };
    let digest = |order: &str, seed: u64| {
        let mut ask_for = request(&job(order), HOSTS);
        ask_for.overrides.seed = seed;
        ask(&ask_for).unwrap_or_else(|e| panic!("{e}")).digest
    };
    assert_eq!(digest("inventory", 1), digest("inventory", 2));
    assert_ne!(digest("random", 1), digest("random", 2));
    assert_eq!(digest("random", 7), digest("{ by: random, seed: 7 }", 1));
    assert_ne!(digest("name", 1), digest("random", 1));
}
