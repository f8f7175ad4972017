//! The stream of a runner.

use autoexec_model::refusal::Refusal;
use futures::{Stream, StreamExt};

use super::call::{Replies, begin, replies};
use super::connection::Client;
use crate::pb;
use crate::session::{RunnerMessage, SchedulerMessage};

impl Client {
    /// The stream of a runner: sends `messages` as they come, the hello first, and yields what the scheduler says.
    ///
    /// The scheduler ends it by ending the answers; the runner ends it by ending `messages` or by dropping the answers. Use a
    /// bounded channel of [`crate::limits::SESSION_QUEUE`] behind `messages`: a slow connection must slow the runner down.
    ///
    /// # Errors
    /// The scheduler's refusal, here or as the last item. A message that this version does not know is an `Err` item too, and
    /// the stream goes on after it.
    pub async fn session(
        &self,
        messages: impl Stream<Item = RunnerMessage> + Send + 'static,
    ) -> Result<Replies<SchedulerMessage>, Refusal> {
        let mut runners = self.runners_client();
        let messages = messages.map(pb::RunnerMessage::from);
        Ok(replies(begin(async { runners.session(messages).await }).await?))
    }
}
