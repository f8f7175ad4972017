//! When a group stops itself, in numbers.

use autoexec_model::budget::{Allowance, Budget};
use autoexec_model::plan::{BetweenMode, BudgetLimit, BudgetPlan, BudgetScope, Strategy};

/// The numbers that a budget is about.
pub(super) struct Sizes<'a> {
    /// Targets of the job.
    pub(super) job: u32,
    /// Targets of the group.
    pub(super) group: u32,
    /// Targets of each of its batches.
    pub(super) batches: &'a [u32],
}

/// The limits of a group. What the budget does not name has the strategy's default: a rolling group that goes on by itself
/// allows nothing; one that asks a person, or that does everything at once, has no limit.
pub(super) fn limits(budget: Option<&Budget>, strategy: Strategy, mode: BetweenMode, sizes: &Sizes<'_>) -> BudgetPlan {
    let default = match (strategy, mode) {
        (Strategy::Rolling, BetweenMode::Continue) => Some(Allowance::NONE),
        (Strategy::Rolling, BetweenMode::Confirm | BetweenMode::PauseOnFailure) | (Strategy::Oneshot, _) => None,
    };
    let scope = budget.map_or(BudgetScope::Group, |budget| budget.scope);
    let limits = Budget::CLASSES.iter().filter_map(|class| {
        let allowance = budget.and_then(|budget| budget.allowance(*class)).or(default)?;
        Some(BudgetLimit { class: *class, allowance: allowance.to_string(), limit: numbers(allowance, scope, sizes) })
    });
    BudgetPlan { scope, limits: limits.collect(), by_default: budget.is_none() }
}

fn numbers(allowance: Allowance, scope: BudgetScope, sizes: &Sizes<'_>) -> Vec<u32> {
    match scope {
        BudgetScope::Batch => sizes.batches.iter().map(|size| allowance.limit(*size)).collect(),
        BudgetScope::Phase | BudgetScope::Group => vec![allowance.limit(sizes.group)],
        BudgetScope::Job => vec![allowance.limit(sizes.job)],
    }
}
