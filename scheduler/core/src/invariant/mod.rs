//! The named invariants: what must be true of every state and of every step from one state to the next.
//!
//! Tests, simulation and debug assertions ask for them after each event. A violation is a bug of ours, never of an operator.
//!
//! | function | looks at | time |
//! |---|---|---|
//! | [`check`] | one state | in proportion to its tasks |
//! | [`check_step`] | the state before an event, the event, the state after | in proportion to the job of the event |
//! | [`check_settled`] | a state of which the driver says that nothing moves by itself | in proportion to its tasks |

mod rule;
mod standing;
mod step;

pub use rule::{Rule, Violation};
pub use standing::{check, check_settled};
pub use step::check_step;
