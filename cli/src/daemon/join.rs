//! Joins a scheduler: the one whose socket was named, or the local one, which is started when it does not run.
//!
//! A local scheduler of another version is replaced when it is idle, and tolerated with a warning when it is not.

use autoexec_model::refusal::{Code, Refusal};
use autoexec_wire::client::Client;

use super::start::{self, answering, start};
use super::{Place, Surroundings, folder};
use crate::error::Failure;
use crate::ui::Ui;

/// This program's version; a scheduler of the same one understands everything that is sent.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A scheduler that was joined, and the way back to it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The connection.
    pub(crate) client: Client,
    /// Where it is.
    pub(crate) place: Place,
}

impl Link {
    /// Joins it again after the connection was lost; starts the local one when it is gone: its jobs go on.
    pub(crate) async fn again(&mut self) -> Result<(), Failure> {
        self.client = if self.place.explicit { named(&self.place).await? } else { local(&self.place).await? };
        Ok(())
    }
}

/// Joins the scheduler, started when it is local and does not run.
pub(crate) async fn join(place: Place, ui: &Ui) -> Result<Link, Failure> {
    if place.explicit {
        let client = named(&place).await?;
        return Ok(Link { client, place });
    }
    let client = local(&place).await?;
    let info = client.info().await?;
    if info.version == VERSION {
        return Ok(Link { client, place });
    }
    if info.live_jobs > 0 {
        ui.warn(&format!(
            "the local scheduler has version {}, this program {VERSION}; it is replaced when its {} have ended",
            info.version,
            crate::render::text::count(info.live_jobs, "job", "jobs"),
        ));
        return Ok(Link { client, place });
    }
    start::stop(&place, true).await?;
    let client = start(&place).await?;
    Ok(Link { client, place })
}

/// Joins the scheduler when it runs, and starts none.
pub(crate) async fn join_if_running(place: Place) -> Option<Link> {
    let client = answering(&place.socket).await?;
    Some(Link { client, place })
}

async fn named(place: &Place) -> Result<Client, Failure> {
    let client = Client::connect_unix(&place.socket).await;
    client.map_err(|refusal| {
        let why = format!("no scheduler answers at {}: {}", place.socket.display(), refusal.message);
        Refusal::new(Code::Unavailable, why)
            .hint("without --socket and AUTOEXEC_SOCKET a local scheduler is started")
            .into()
    })
}

async fn local(place: &Place) -> Result<Client, Failure> {
    folder::prepare(place, Surroundings::of_process().uid)?;
    match answering(&place.socket).await {
        Some(client) => Ok(client),
        None => start(place).await,
    }
}
