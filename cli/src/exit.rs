//! The exit codes of the command line. The set is documented and closed.

use autoexec_model::state::JobState;
use autoexec_model::view::JobView;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked was done, or the job succeeded.
    Succeeded,
    /// The job did not succeed, or a check found something.
    JobFailed,
    /// The input is wrong.
    Usage,
    /// The job succeeded with ignored failures.
    Ignored,
    /// The scheduler cannot be reached.
    Unreachable,
    /// The job waits for a person.
    Waiting,
    /// A bug of ours.
    Bug,
    /// The user left.
    Interrupted,
}

impl Exit {
    /// Its number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::JobFailed => 1,
            Self::Usage => 2,
            Self::Ignored => 3,
            Self::Unreachable => 4,
            Self::Waiting => 5,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }

    /// What a job that is followed no longer amounts to.
    pub(crate) fn of(view: &JobView) -> Self {
        match state(view) {
            Some(JobState::Succeeded) if view.counts.get("ignored").is_some_and(|ignored| *ignored > 0) => {
                Self::Ignored
            }
            Some(JobState::Succeeded) => Self::Succeeded,
            Some(JobState::Failed | JobState::Cancelled | JobState::Aborted) => Self::JobFailed,
            Some(JobState::Waiting | JobState::Paused) => Self::Waiting,
            Some(
                JobState::Scheduled | JobState::Queued | JobState::Running | JobState::Pausing | JobState::Stopping,
            )
            | None => Self::Interrupted,
        }
    }
}

/// The state of a job; none when a newer scheduler has one that this program does not know.
pub(crate) fn state(view: &JobView) -> Option<JobState> {
    JobState::ALL.into_iter().find(|state| state.word() == view.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn each_end_has_its_code() {
        let code = |state: &str, ignored: u32| {
            let mut view = sample::job();
            view.state = state.to_owned();
            view.counts.insert("ignored".to_owned(), ignored);
            Exit::of(&view).code()
        };
        assert_eq!([code("succeeded", 0), code("succeeded", 2)], [0, 3]);
        assert_eq!([code("failed", 0), code("aborted", 1), code("cancelled", 0)], [1, 1, 1]);
        assert_eq!([code("waiting", 0), code("paused", 0)], [5, 5]);
        assert_eq!([code("running", 0), code("dreaming", 0)], [130, 130]);
    }
}
