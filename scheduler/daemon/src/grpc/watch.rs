//! Watching a job: its view and what happened, whenever something did, at most ten times a second.

use std::time::Duration;

use autoexec_core::view;
use autoexec_model::api::WatchUpdate;
use autoexec_model::id::JobId;
use autoexec_model::refusal::Refusal;
use autoexec_wire::server::Replies;
use futures::StreamExt as _;

use super::Services;

/// Between two updates: a terminal shows no more.
const PACE: Duration = Duration::from_millis(100);

/// What changes in a job after a revision, until it is final or waits for a person and nothing more will come by itself.
pub(super) async fn watch(services: &Services, job: JobId, since: u64) -> Result<Replies<WatchUpdate>, Refusal> {
    let engine = services.engine.clone();
    // Refused at once when there is no such job.
    engine.on_job(job, |_, _| ()).await?;
    let activity = services.activity.hold();
    let state = (engine, since, false, activity);
    let updates = futures::stream::unfold(state, move |(engine, since, over, activity)| async move {
        if over {
            return None;
        }
        let mut changes = engine.changes();
        loop {
            changes.mark_unchanged();
            let look = engine
                .on_job(job, move |engine, job| {
                    let news = job.revision > since || job.state.is_final();
                    let update = || WatchUpdate { job: view::job_view(job), lines: engine.lines.since(job.id, since) };
                    (news.then(update), job.revision, job.state.is_final())
                })
                .await;
            match look {
                Ok((Some(update), revision, is_final)) => {
                    tokio::time::sleep(if since == 0 || is_final { Duration::ZERO } else { PACE }).await;
                    return Some((Ok(update), (engine, revision, is_final, activity)));
                }
                Ok((None, ..)) => {
                    if changes.changed().await.is_err() {
                        return None;
                    }
                }
                Err(refusal) => return Some((Err(refusal), (engine, since, true, activity))),
            }
        }
    });
    Ok(updates.boxed())
}
