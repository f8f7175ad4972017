//! What is printed when a job is not followed any longer, and the exit code that it amounts to.

use autoexec_model::api::JobRef;

use super::{Followed, How};
use crate::daemon::Link;
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::{end::Ended, line};
use crate::ui::Ui;

/// Prints the end of a job, or how to join it again.
pub(crate) async fn finish(ui: &Ui, link: &Link, job: u64, followed: Followed) -> Result<Exit, Failure> {
    match followed.how {
        How::Detached => {
            ui.talk(&line::left(job, &ui.look()));
            return Ok(Exit::Interrupted);
        }
        How::Ended | How::Waits => {}
    }
    let view = link.client.show(JobRef::Id(job), true).await?;
    // The code is that of the job as it was seen: someone may have retried it meanwhile.
    let exit = Exit::of(followed.view.as_ref().unwrap_or(&view));
    ui.show_as(ui.following_format(), &Ended(view))?;
    Ok(exit)
}
