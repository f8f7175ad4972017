//! From what an engineer wrote to a complete plan: targets chosen, batches cut, defaults filled in, limits in numbers.
//!
//! [`plan`] is pure: the same input gives the same plan and the same digest on any machine. It fails with every error that it
//! found, each with its place in the file it stands in. What can be known before a job begins is refused here: unknown names
//! in templates, parameters that a tool does not have, selectors that match nothing, limits that cannot be kept.
//!
//! | file | what it does |
//! |---|---|
//! | `request` | a client's request becomes the planner's input |
//! | `adhoc` | a command line becomes a job |
//! | `draft` | `steps:`, `phases:` and `groups:` become one shape |
//! | `select`, `order` | which targets, in which order |
//! | `group`, `budget` | batches, windows, limits |
//! | `phase`, `step`, `with` | what is done, with every default written out |
//! | `names`, `reach` | whether templates read only what there is |
//! | `report` | the plan for people |

mod adhoc;
mod budget;
mod draft;
mod group;
mod input;
mod names;
mod order;
mod params;
mod phase;
mod planner;
mod reach;
mod report;
mod request;
mod select;
mod step;
mod with;

#[cfg(test)]
mod tests;

pub use adhoc::command_job;
pub use input::{PlanInput, PlanOptions, Planned};
pub use planner::plan;
pub use report::{report, size_of};
pub use request::plan_request;
