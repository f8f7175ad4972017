//! What every verb gets: where to print, and the way to the scheduler.

use autoexec_model::api::{JobRef, Operation};

use crate::args::Global;
use crate::daemon::{self, Link, Place, Surroundings};
use crate::error::Failure;
use crate::exit::Exit;
use crate::render::acted::Acted;
use crate::request;
use crate::ui::Ui;

/// What every verb gets.
#[derive(Debug)]
pub(super) struct Context {
    /// Where to print.
    pub(super) ui: Ui,
    /// What holds for every verb.
    pub(super) global: Global,
}

impl Context {
    /// Of this command line.
    pub(super) fn new(global: Global) -> Self {
        Self { ui: Ui::new(&global), global }
    }

    /// Where the scheduler is.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        Place::locate(&self.global, &Surroundings::of_process())
    }

    /// Joins the scheduler; the local one is started when it does not run.
    pub(super) async fn link(&self) -> Result<Link, Failure> {
        daemon::join(self.place()?, &self.ui).await
    }

    /// Does one thing to a job and says how the job stands then.
    pub(super) async fn operate(&self, job: JobRef, operation: Operation) -> Result<Exit, Failure> {
        let link = self.link().await?;
        let id = number(&link, job).await?;
        let view = link.client.operate(id, operation, request::by()).await?;
        self.ui.show(&Acted(view))?;
        Ok(Exit::Succeeded)
    }
}

/// The number of a job.
pub(super) async fn number(link: &Link, job: JobRef) -> Result<u64, Failure> {
    match job {
        JobRef::Id(id) => Ok(id),
        JobRef::Last | JobRef::Name(_) => Ok(link.client.show(job, false).await?.id),
    }
}
