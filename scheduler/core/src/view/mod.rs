//! What readers get, computed from the state: the job, its batches, its targets.
//!
//! A target's word is that of the task that matters most: one that runs before one that waits, a failure before a success.

mod all;
mod batch;
mod job;
mod standing;
mod target;

use autoexec_model::nodeset;
use autoexec_model::plan::Place;
use autoexec_model::state::JobState;

pub use all::values_of_all;
pub use job::{job_row, job_view, reason};
pub use standing::{Standing, standing, standing_in_group, subject_standings};
pub use target::{outputs_of, phase_name, target_rows};

use crate::state::Job;

/// The word for a place in files and messages.
pub fn place_word(place: Place) -> &'static str {
    match place {
        Place::Runner => "runner",
        Place::RunnerTarget => "runner-target",
        Place::Target => "target",
        Place::Sql => "sql",
    }
}

/// Names of targets, folded.
pub fn fold(job: &Job, targets: impl IntoIterator<Item = u32>) -> String {
    let names: Vec<&str> =
        targets.into_iter().filter_map(|target| job.plan.target(target)).map(|target| target.name.as_str()).collect();
    nodeset::fold(names)
}

/// Whether the job waits for a person.
pub fn waits_for_person(job: &Job) -> bool {
    matches!(job.state, JobState::Waiting | JobState::Paused)
}
