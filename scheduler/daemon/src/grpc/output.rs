//! Reading output: task by task in plan order, in pieces, and on to the end of the job when it is followed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use autoexec_core::view;
use autoexec_model::api::{OutputPiece, OutputQuery};
use autoexec_model::grant::{MAX_CHUNK, Stream};
use autoexec_model::id::{AttemptId, JobId, TaskIx};
use autoexec_model::refusal::Refusal;
use autoexec_store::{EmbeddedReader, StoreReader};
use autoexec_wire::server::Replies;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::{Services, store_refusal};
use crate::engine::{Handle, stream_key};

/// Pieces that may wait for a reader: a megabyte.
const WAITING: usize = 16;

/// Between two looks of a follower: nobody reads faster.
const PACE: Duration = Duration::from_millis(50);

/// One stream to read.
#[derive(Debug, Clone)]
struct Source {
    attempt: AttemptId,
    target: String,
    phase: String,
    stream: Stream,
    over: bool,
}

/// Output of a job.
pub(super) async fn output(services: &Services, query: OutputQuery) -> Result<Replies<OutputPiece>, Refusal> {
    let job = JobId(query.job);
    let chosen = match &query.targets {
        Some(text) => Some(services.select(job, text).await?),
        None => None,
    };
    let first = sources(&services.engine, job, &query, chosen.clone()).await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let engine = services.engine.clone();
    let dir = services.state_dir.clone();
    let activity = services.activity.hold();
    tokio::spawn(async move {
        let _activity = activity;
        let reading = Reading { engine, dir, job, query, chosen, sender: sender.clone() };
        if let Err(refusal) = reading.run(first).await {
            let _ = sender.send(Err(refusal)).await;
        }
    });
    Ok(tokio_stream::wrappers::ReceiverStream::new(receiver).boxed())
}

struct Reading {
    engine: Handle,
    dir: std::path::PathBuf,
    job: JobId,
    query: OutputQuery,
    chosen: Option<Vec<u32>>,
    sender: mpsc::Sender<Result<OutputPiece, Refusal>>,
}

impl Reading {
    async fn run(&self, mut sources: (Vec<Source>, bool)) -> Result<(), Refusal> {
        let mut offsets: HashMap<(AttemptId, Stream), u64> = HashMap::new();
        // Streams of attempts that are over and read to their end: a job may have thousands, and none of them grows any more.
        let mut whole: HashSet<(AttemptId, Stream)> = HashSet::new();
        let mut changes = self.engine.changes();
        loop {
            let (list, is_final) = sources;
            for source in list {
                let name = (source.attempt, source.stream);
                if whole.contains(&name) {
                    continue;
                }
                if !self.read(&source, offsets.entry(name).or_insert(0)).await? {
                    return Ok(());
                }
                if source.over {
                    whole.insert(name);
                }
            }
            if is_final || !self.query.follow {
                return Ok(());
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                () = self.sender.closed() => return Ok(()),
            }
            tokio::time::sleep(PACE).await;
            changes.mark_unchanged();
            sources = self::sources(&self.engine, self.job, &self.query, self.chosen.clone()).await?;
        }
    }

    /// Sends what is stored of one stream from an offset on; `false` when nobody reads any more.
    async fn read(&self, source: &Source, offset: &mut u64) -> Result<bool, Refusal> {
        loop {
            let key = stream_key(source.attempt.job, u64::from(source.attempt.task.0), source.attempt.n, source.stream);
            let (dir, from) = (self.dir.clone(), *offset);
            let read =
                move || EmbeddedReader::open(&dir).and_then(|reader| reader.read_output(&key, from, 16 * MAX_CHUNK));
            let page = tokio::task::spawn_blocking(read)
                .await
                .map_err(|error| Refusal::new(autoexec_model::refusal::Code::Internal, error.to_string()))?
                .map_err(|error| store_refusal(&error))?;
            let whole = page.next_offset >= page.len;
            for (at, bytes) in page.chunks {
                if !self.send(source, at, bytes, false).await {
                    return Ok(false);
                }
            }
            for lost in page.lost {
                tracing::warn!(attempt = %source.attempt, from = lost.start, to = lost.end, "output is lost");
            }
            *offset = page.next_offset;
            if whole {
                return Ok(!source.over || self.query.follow || self.send(source, *offset, Vec::new(), true).await);
            }
        }
    }

    async fn send(&self, source: &Source, offset: u64, bytes: Vec<u8>, end: bool) -> bool {
        let piece = OutputPiece {
            attempt: source.attempt,
            target: source.target.clone(),
            phase: source.phase.clone(),
            stream: source.stream,
            offset,
            bytes,
            end,
        };
        self.sender.send(Ok(piece)).await.is_ok()
    }
}

/// The streams that a query means, in plan order, and whether the job is final.
async fn sources(
    engine: &Handle,
    job: JobId,
    query: &OutputQuery,
    chosen: Option<Vec<u32>>,
) -> Result<(Vec<Source>, bool), Refusal> {
    let query = query.clone();
    engine
        .on_job(job, move |_, job| {
            let mut found = Vec::new();
            for index in 0..job.tasks.len() as u32 {
                let task = TaskIx(index);
                let Some(known) = job.task(task) else { continue };
                let n = query.attempt.unwrap_or(known.n);
                let target = job.layout.target(&job.plan, task);
                let wanted = chosen.as_ref().is_none_or(|chosen| target.is_some_and(|target| chosen.contains(&target)));
                let phase = view::phase_name(job, task);
                if n == 0 || n > known.n || !wanted || query.phase.as_ref().is_some_and(|wanted| *wanted != phase) {
                    continue;
                }
                for stream in [Stream::Stdout, Stream::Stderr] {
                    if query.stream.is_none_or(|wanted| wanted == stream) {
                        found.push(Source {
                            attempt: AttemptId { job: job.id, task, n },
                            target: job.subject(task).to_owned(),
                            phase: phase.clone(),
                            stream,
                            over: !known.state.is_live(),
                        });
                    }
                }
            }
            // All output of one target stands together.
            let order: HashMap<String, usize> =
                job.plan.targets.iter().enumerate().map(|(at, target)| (target.name.clone(), at + 1)).collect();
            found.sort_by_key(|source| (order.get(&source.target).copied().unwrap_or(0), source.attempt.task));
            (found, job.state.is_final())
        })
        .await
}
