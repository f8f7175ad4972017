//! What happens in a job, as a stream that survives the loss of its connection: it joins the scheduler again, which starts the
//! local one when it is gone, and resumes at the revision that was seen last. Gives up after a minute.

use std::time::Duration;

use autoexec_model::api::WatchUpdate;
use autoexec_model::refusal::{Code, Refusal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_stream::StreamExt;

use crate::daemon::Link;
use crate::error::Failure;
use crate::exit;

/// How long a lost scheduler is looked for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pauses between two tries, growing: a restart takes less than a second, a reboot more.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// News that wait to be shown. A slow terminal slows the stream, not the memory.
const QUEUE: usize = 4;

/// Something to tell.
#[derive(Debug)]
pub(super) enum News {
    /// The job changed.
    Update(Box<WatchUpdate>),
    /// The connection was lost.
    Lost,
    /// It is there again.
    Back,
    /// There will be nothing more.
    Over(Result<(), Failure>),
}

/// The stream; it ends when this is dropped.
pub(super) struct Updates {
    news: mpsc::Receiver<News>,
    task: JoinHandle<()>,
}

impl Updates {
    /// Begins at revision 0: the first news is the job as it stands.
    pub(super) fn begin(link: Link, job: u64, program: &str) -> Self {
        let (sender, news) = mpsc::channel(QUEUE);
        let rejoin = format!("{program} watch {job} joins it again");
        let task = tokio::spawn(async move {
            let mut pump = Pump { link, job, rejoin, revision: 0, is_final: false, sender };
            let over = pump.run().await;
            // Nobody listens any more when this fails, and then nobody needs to know.
            let _ = pump.sender.send(News::Over(over)).await;
        });
        Self { news, task }
    }

    /// The next news.
    pub(super) async fn next(&mut self) -> News {
        let bug = || News::Over(Err(Failure::Bug { what: "the stream of updates ended without a word".to_owned() }));
        self.news.recv().await.unwrap_or_else(bug)
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Pump {
    link: Link,
    job: u64,
    rejoin: String,
    revision: u64,
    is_final: bool,
    sender: mpsc::Sender<News>,
}

/// Why one connection ended.
enum End {
    /// Nothing more will come, or nobody listens.
    Done,
    /// It was lost.
    Lost,
}

impl Pump {
    async fn run(&mut self) -> Result<(), Failure> {
        let mut lost_at: Option<Instant> = None;
        let mut pause = PAUSES.0;
        loop {
            match self.connection(&mut lost_at).await? {
                End::Done => return Ok(()),
                End::Lost => {}
            }
            if lost_at.is_none() {
                pause = PAUSES.0;
                self.tell(News::Lost).await;
            }
            let since = *lost_at.get_or_insert_with(Instant::now);
            if since.elapsed() >= PATIENCE {
                return Err(Failure::Lost { job: self.job, seconds: PATIENCE.as_secs(), rejoin: self.rejoin.clone() });
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
            // Why it cannot be joined is not told again and again; the sum is told when patience ends.
            let _ = self.link.again().await;
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection(&mut self, lost_at: &mut Option<Instant>) -> Result<End, Failure> {
        let mut stream = match self.link.client.watch(self.job, self.revision).await {
            Ok(stream) => stream,
            Err(refusal) => return lost_or(refusal),
        };
        if lost_at.take().is_some() {
            self.tell(News::Back).await;
        }
        while let Some(update) = stream.next().await {
            match update {
                Ok(update) => {
                    self.revision = update.job.revision;
                    self.is_final = exit::state(&update.job).is_some_and(autoexec_model::state::JobState::is_final);
                    if !self.tell(News::Update(Box::new(update))).await {
                        return Ok(End::Done);
                    }
                }
                Err(refusal) => return lost_or(refusal),
            }
        }
        Ok(if self.is_final { End::Done } else { End::Lost })
    }

    /// Whether somebody still listens.
    async fn tell(&self, news: News) -> bool {
        self.sender.send(news).await.is_ok()
    }
}

fn lost_or(refusal: Refusal) -> Result<End, Failure> {
    if refusal.code == Code::Unavailable { Ok(End::Lost) } else { Err(refusal.into()) }
}
