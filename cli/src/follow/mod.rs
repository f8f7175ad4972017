//! Follows a job until it ends, waits for a person, or the user leaves. Leaving never stops the job.
//!
//! ```text
//! updates (own task, reconnects) --news--> watcher --> screen (terminal) or lines (no terminal)
//! signals, keys ------------------------------^
//! ```

mod ask;
mod finish;
mod question;
mod screen;
mod signals;
mod updates;
mod watcher;

pub(crate) use finish::finish;
pub(crate) use watcher::{Followed, How, Manner, follow};
