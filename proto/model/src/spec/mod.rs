//! What an engineer writes: the job file.
//!
//! [`JobSpec::parse`] reads the YAML and checks everything that can be told from the file alone: shape, names, ids, what may
//! not stand together. Selectors are parsed while reading; templates, tools, targets and parameters are the planner's, which is
//! why the fields that it judges are [`crate::yaml::Located`].
//!
//! | file | what is in it |
//! |---|---|
//! | `job` | the whole job, its defaults |
//! | `group` | groups, phases, order, what happens between batches |
//! | `step` | steps and health checks |
//! | `small` | values that can be written in more than one way: `become`, `retries`, `interpreter` |
//! | `host_key` | how host keys are checked |
//! | `credential` | references to passwords |
//! | `check` | what the shape alone cannot say |

mod check;
mod credential;
mod group;
mod host_key;
mod job;
mod small;
mod step;
#[cfg(test)]
mod tests;

pub use check::{is_job_name, is_name, step_ids};
pub use credential::{CredentialError, CredentialRef, CredentialSpec};
pub use group::{BatchChoice, BetweenSpec, GroupSpec, OrderBy, OrderSpec, PhaseSpec};
pub use host_key::HostKeySpec;
pub use job::{Defaults, JobSpec, schema};
pub use small::{Backoff, BecomeSpec, BecomeUser, Interpreter, RetriesSpec};
pub use step::StepSpec;
