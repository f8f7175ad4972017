//! One call: its bounds, its answer as a type of the model, its failure as a refusal.

use std::time::Duration;

use autoexec_model::refusal::{Code, Refusal};
use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use tonic::{Response, Status, Streaming};

use crate::convert::Decode;
use crate::field::FieldError;
use crate::limits::{CALL_TIMEOUT, MAX_LARGE_MESSAGE, MAX_MESSAGE, STORE_TIMEOUT};
use crate::status::to_refusal;

/// What a stream of the scheduler yields until it ends.
pub type Replies<T> = BoxStream<'static, Result<T, Refusal>>;

/// How large a request may be and how long its answer may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    bytes: usize,
    time: Duration,
}

pub(super) const SMALL: Bounds = Bounds { bytes: MAX_MESSAGE, time: CALL_TIMEOUT };
pub(super) const LARGE: Bounds = Bounds { bytes: MAX_LARGE_MESSAGE, time: CALL_TIMEOUT };
pub(super) const STORE: Bounds = Bounds { bytes: MAX_MESSAGE, time: STORE_TIMEOUT };

/// Sends a request and reads its answer as a type of the model.
pub(super) async fn call<Q: Message, A: Decode<M>, M>(
    message: Q,
    bounds: Bounds,
    send: impl AsyncFnOnce(Q) -> Result<Response<A>, Status>,
) -> Result<M, Refusal> {
    raw(message, bounds, send).await?.decode().map_err(unreadable)
}

/// Sends a request within its bounds.
pub(super) async fn raw<Q: Message, A>(
    message: Q,
    bounds: Bounds,
    send: impl AsyncFnOnce(Q) -> Result<Response<A>, Status>,
) -> Result<A, Refusal> {
    let size = message.encoded_len();
    if size > bounds.bytes {
        let what = format!("the request has {size} bytes, and may have at most {}", bounds.bytes);
        return Err(Refusal::new(Code::Exhausted, what).hint("make the files that travel with it smaller"));
    }
    answered(bounds.time, send(message)).await
}

/// Waits until a stream begins.
pub(super) async fn begin<A>(call: impl Future<Output = Result<Response<A>, Status>>) -> Result<A, Refusal> {
    answered(CALL_TIMEOUT, call).await
}

/// Waits for an answer, at most so long.
pub(super) async fn answered<A>(
    time: Duration,
    call: impl Future<Output = Result<Response<A>, Status>>,
) -> Result<A, Refusal> {
    match tokio::time::timeout(time, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(to_refusal(&status)),
        Err(_) => Err(Refusal::new(Code::Unavailable, format!("the scheduler did not answer in {} s", time.as_secs()))),
    }
}

/// The items of a stream as types of the model.
pub(super) fn replies<A: Decode<M> + Send + 'static, M: 'static>(stream: Streaming<A>) -> Replies<M> {
    stream
        .map(|item| match item {
            Ok(message) => message.decode().map_err(unreadable),
            Err(status) => Err(to_refusal(&status)),
        })
        .boxed()
}

/// The scheduler sent something that this version cannot read.
pub(super) fn unreadable(error: FieldError) -> Refusal {
    Refusal::new(Code::Internal, format!("the scheduler's answer cannot be read: {error}"))
        .hint("both programs should have the same version")
}
