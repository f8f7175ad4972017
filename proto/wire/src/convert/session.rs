//! The messages of the stream between runner and scheduler.
//!
//! Pieces of output and of files that are larger than the protocol allows are refused here, so that nobody behind this line
//! has to think of them.

use autoexec_model::grant::MAX_CHUNK;

use super::{Encode, field, required};
use crate::field::FieldError;
use crate::limits::MAX_FILE_PIECE;
use crate::pb;
use crate::pb::runner_message::Message as FromRunner;
use crate::pb::scheduler_message::Message as FromScheduler;
use crate::session::{Lease, RunnerMessage, SchedulerMessage};

message!(Lease <=> Lease { epoch; attempt });
as_field!(RunnerMessage, RunnerMessage);
as_field!(SchedulerMessage, SchedulerMessage);

impl TryFrom<pb::RunnerMessage> for RunnerMessage {
    type Error = FieldError;

    fn try_from(message: pb::RunnerMessage) -> Result<Self, FieldError> {
        match message.message.ok_or_else(|| FieldError::missing("message"))? {
            FromRunner::Hello(hello) => Ok(Self::Hello(field("hello", hello)?)),
            FromRunner::Accepted(pb::Accepted { attempts }) => {
                Ok(Self::Accepted { attempts: within("accepted", field("attempts", attempts))? })
            }
            FromRunner::Started(pb::Started { lease, at }) => {
                let Lease { attempt, epoch } = within("started", required("lease", lease))?;
                Ok(Self::Started { attempt, epoch, at: field("at", at)? })
            }
            FromRunner::Progress(pb::Progress { lease, step, attempt_try }) => {
                let Lease { attempt, epoch } = within("progress", required("lease", lease))?;
                Ok(Self::Progress { attempt, epoch, step, attempt_try })
            }
            FromRunner::Output(output) => within("output", leased_output(output)),
            FromRunner::Finished(pb::Finished { lease, report }) => {
                let Lease { attempt, epoch } = within("finished", required("lease", lease))?;
                Ok(Self::Finished { attempt, epoch, report: within("finished", required("report", report))? })
            }
            FromRunner::Heartbeat(pb::Heartbeat { live, at }) => {
                Ok(Self::Heartbeat { live: within("heartbeat", field("live", live))?, at: field("at", at)? })
            }
            FromRunner::Draining(pb::Draining {}) => Ok(Self::Draining),
            FromRunner::NeedTool(pb::NeedTool { digest }) => Ok(Self::NeedTool { digest: field("digest", digest)? }),
            FromRunner::NeedFile(pb::NeedFile { sha256 }) => Ok(Self::NeedFile { sha256 }),
        }
    }
}

impl From<RunnerMessage> for pb::RunnerMessage {
    fn from(message: RunnerMessage) -> Self {
        let message = match message {
            RunnerMessage::Hello(hello) => FromRunner::Hello(hello.encode()),
            RunnerMessage::Accepted { attempts } => FromRunner::Accepted(pb::Accepted { attempts: attempts.encode() }),
            RunnerMessage::Started { attempt, epoch, at } => {
                FromRunner::Started(pb::Started { lease: Some(Lease { attempt, epoch }.encode()), at: at.encode() })
            }
            RunnerMessage::Progress { attempt, epoch, step, attempt_try } => {
                FromRunner::Progress(pb::Progress { lease: Some(Lease { attempt, epoch }.encode()), step, attempt_try })
            }
            RunnerMessage::Output { chunk, epoch } => {
                FromRunner::Output(pb::LeasedOutput { chunk: Some(chunk.encode()), epoch: epoch.encode() })
            }
            RunnerMessage::Finished { attempt, epoch, report } => FromRunner::Finished(pb::Finished {
                lease: Some(Lease { attempt, epoch }.encode()),
                report: Some(report.encode()),
            }),
            RunnerMessage::Heartbeat { live, at } => {
                FromRunner::Heartbeat(pb::Heartbeat { live: live.encode(), at: at.encode() })
            }
            RunnerMessage::Draining => FromRunner::Draining(pb::Draining {}),
            RunnerMessage::NeedTool { digest } => FromRunner::NeedTool(pb::NeedTool { digest: digest.encode() }),
            RunnerMessage::NeedFile { sha256 } => FromRunner::NeedFile(pb::NeedFile { sha256 }),
        };
        Self { message: Some(message) }
    }
}

impl TryFrom<pb::SchedulerMessage> for SchedulerMessage {
    type Error = FieldError;

    fn try_from(message: pb::SchedulerMessage) -> Result<Self, FieldError> {
        match message.message.ok_or_else(|| FieldError::missing("message"))? {
            FromScheduler::Welcome(welcome) => within("welcome", self::welcome(welcome)),
            FromScheduler::Grant(grant) => Ok(Self::Grant(Box::new(field("grant", grant)?))),
            FromScheduler::Stop(pb::Stop { lease, cancel, reason }) => {
                let Lease { attempt, epoch } = within("stop", required("lease", lease))?;
                Ok(Self::Stop { attempt, epoch, cancel, reason })
            }
            FromScheduler::Revoke(pb::Revoke { lease }) => {
                let Lease { attempt, epoch } = within("revoke", required("lease", lease))?;
                Ok(Self::Revoke { attempt, epoch })
            }
            FromScheduler::Renewed(pb::Renewed { until }) => Ok(Self::Renewed { until: field("until", until)? }),
            FromScheduler::OutputAck(pb::OutputAck { attempt, stream, offset }) => Ok(Self::OutputAck {
                attempt: within("output_ack", required("attempt", attempt))?,
                stream: within("output_ack", field("stream", stream))?,
                offset,
            }),
            FromScheduler::FinishedAck(lease) => {
                let Lease { attempt, epoch } = field("finished_ack", lease)?;
                Ok(Self::FinishedAck { attempt, epoch })
            }
            FromScheduler::Tool(tool) => Ok(Self::Tool(field("tool", tool)?)),
            FromScheduler::File(pb::FilePiece { sha256, bytes, offset, end }) => {
                within("file", small("bytes", &bytes, MAX_FILE_PIECE))?;
                Ok(Self::File { sha256, bytes, offset, end })
            }
        }
    }
}

impl From<SchedulerMessage> for pb::SchedulerMessage {
    fn from(message: SchedulerMessage) -> Self {
        let message = match message {
            SchedulerMessage::Welcome { instance, keep, stop, heartbeat_ms, lease_ms } => {
                FromScheduler::Welcome(pb::Welcome {
                    instance,
                    keep: keep.encode(),
                    stop: stop.encode(),
                    heartbeat_ms,
                    lease_ms,
                })
            }
            SchedulerMessage::Grant(grant) => FromScheduler::Grant((*grant).encode()),
            SchedulerMessage::Stop { attempt, epoch, cancel, reason } => {
                FromScheduler::Stop(pb::Stop { lease: Some(Lease { attempt, epoch }.encode()), cancel, reason })
            }
            SchedulerMessage::Revoke { attempt, epoch } => {
                FromScheduler::Revoke(pb::Revoke { lease: Some(Lease { attempt, epoch }.encode()) })
            }
            SchedulerMessage::Renewed { until } => FromScheduler::Renewed(pb::Renewed { until: until.encode() }),
            SchedulerMessage::OutputAck { attempt, stream, offset } => FromScheduler::OutputAck(pb::OutputAck {
                attempt: Some(attempt.encode()),
                stream: stream.encode(),
                offset,
            }),
            SchedulerMessage::FinishedAck { attempt, epoch } => {
                FromScheduler::FinishedAck(Lease { attempt, epoch }.encode())
            }
            SchedulerMessage::Tool(tool) => FromScheduler::Tool(tool.encode()),
            SchedulerMessage::File { sha256, bytes, offset, end } => {
                FromScheduler::File(pb::FilePiece { sha256, bytes, offset, end })
            }
        };
        Self { message: Some(message) }
    }
}

fn leased_output(message: pb::LeasedOutput) -> Result<RunnerMessage, FieldError> {
    let pb::LeasedOutput { chunk, epoch } = message;
    let chunk: autoexec_model::grant::OutputChunk = required("chunk", chunk)?;
    within("chunk", small("bytes", &chunk.bytes, MAX_CHUNK))?;
    Ok(RunnerMessage::Output { chunk, epoch: field("epoch", epoch)? })
}

fn welcome(message: pb::Welcome) -> Result<SchedulerMessage, FieldError> {
    let pb::Welcome { instance, keep, stop, heartbeat_ms, lease_ms } = message;
    Ok(SchedulerMessage::Welcome {
        instance,
        keep: field("keep", keep)?,
        stop: field("stop", stop)?,
        heartbeat_ms: positive("heartbeat_ms", heartbeat_ms)?,
        lease_ms: positive("lease_ms", lease_ms)?,
    })
}

/// The same result with a longer path in its error.
fn within<T>(outer: &str, result: Result<T, FieldError>) -> Result<T, FieldError> {
    result.map_err(|error| error.inside(outer))
}

/// A piece within its bound.
fn small(name: &str, bytes: &[u8], limit: usize) -> Result<(), FieldError> {
    if bytes.len() > limit {
        return Err(FieldError::new(format!("has {} bytes, and may have at most {limit}", bytes.len())).inside(name));
    }
    Ok(())
}

/// A rhythm: 0 would be a busy loop on the other side.
fn positive(name: &str, value: u64) -> Result<u64, FieldError> {
    if value == 0 { Err(FieldError::new("is 0, and must be at least 1").inside(name)) } else { Ok(value) }
}
