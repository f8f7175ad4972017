//! [`Refusal`] as a gRPC status and back.
//!
//! The status has the code of the model's table, the beginning of the message as its text, and the whole refusal as JSON in its
//! details, so that the round trip is exact up to [`MAX_REFUSAL`]. Longer refusals are cut and say so: details travel in HTTP/2
//! headers, and a peer drops the connection when they are too large.

use autoexec_model::refusal::{Code, Refusal};
use tonic::{Code as Grpc, Status};

use crate::limits::{MAX_REFUSAL, MAX_STATUS_TEXT};

/// What stands where a refusal was cut.
const CUT: &str = "\n... (cut: the whole text is too long to be sent)";

/// The status that carries a refusal.
pub fn to_status(refusal: Refusal) -> Status {
    let code = Grpc::from_i32(refusal.code.grpc());
    let text = head(&refusal.message, MAX_STATUS_TEXT).to_owned();
    let refusal = bounded(refusal);
    match serde_json::to_vec(&refusal) {
        Ok(details) => Status::with_details(code, text, details.into()),
        Err(_) => Status::new(code, text),
    }
}

/// The refusal that a status carries; for a status of someone else, the nearest one.
///
/// A connection that could not be made or broke is [`Code::Unavailable`].
pub fn to_refusal(status: &Status) -> Refusal {
    if let Ok(refusal) = serde_json::from_slice(status.details()) {
        return refusal;
    }
    let text = status.message();
    if text.contains("message length too large") {
        return Refusal::new(Code::Exhausted, format!("a message is larger than one may be: {text}"))
            .hint("ask for fewer rows at once, or send smaller files");
    }
    if broken_connection(status) {
        return Refusal::new(Code::Unavailable, format!("the connection to the scheduler broke: {}", causes(status)));
    }
    let refusal =
        Refusal::new(nearest(status.code()), if text.is_empty() { status.code().description() } else { text });
    if status.code() == Grpc::Unimplemented {
        return refusal.hint("the other program does not know this request; both should have the same version");
    }
    refusal
}

/// The refusal for a connection that could not be made.
pub(crate) fn from_transport(error: &tonic::transport::Error, to: &str) -> Refusal {
    Refusal::new(Code::Unavailable, format!("cannot reach the scheduler at {to}: {}", chain(error)))
}

/// The code of ours that is nearest to one of gRPC's.
fn nearest(code: Grpc) -> Code {
    match code {
        Grpc::InvalidArgument => Code::Invalid,
        Grpc::NotFound => Code::NotFound,
        Grpc::FailedPrecondition | Grpc::Unimplemented => Code::Illegal,
        Grpc::AlreadyExists | Grpc::Aborted => Code::Conflict,
        Grpc::PermissionDenied | Grpc::Unauthenticated => Code::Denied,
        Grpc::ResourceExhausted | Grpc::OutOfRange => Code::Exhausted,
        Grpc::Unavailable | Grpc::DeadlineExceeded | Grpc::Cancelled => Code::Unavailable,
        Grpc::Ok | Grpc::Unknown | Grpc::Internal | Grpc::DataLoss => Code::Internal,
    }
}

/// Whether a status was not sent by the peer but made here, because the connection failed under the call.
fn broken_connection(status: &Status) -> bool {
    match status.code() {
        Grpc::Unknown | Grpc::Internal | Grpc::Unavailable => std::error::Error::source(status).is_some(),
        Grpc::Ok
        | Grpc::Cancelled
        | Grpc::InvalidArgument
        | Grpc::DeadlineExceeded
        | Grpc::NotFound
        | Grpc::AlreadyExists
        | Grpc::PermissionDenied
        | Grpc::ResourceExhausted
        | Grpc::FailedPrecondition
        | Grpc::Aborted
        | Grpc::OutOfRange
        | Grpc::Unimplemented
        | Grpc::DataLoss
        | Grpc::Unauthenticated => false,
    }
}

/// The causes of a status, outermost first; its own text when it has none.
fn causes(status: &Status) -> String {
    match std::error::Error::source(status) {
        Some(source) => chain(source),
        None => status.message().to_owned(),
    }
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// The same refusal, small enough to travel.
fn bounded(mut refusal: Refusal) -> Refusal {
    if encoded_len(&refusal) <= MAX_REFUSAL {
        return refusal;
    }
    // One byte of text is at most six of JSON, so these bounds hold for every text, and leave room for the code and the names.
    const MESSAGE: usize = MAX_REFUSAL / 8;
    const HINTS: usize = 4;
    const HINT: usize = MAX_REFUSAL / 64;
    if refusal.message.len() > MESSAGE {
        refusal.message = format!("{}{CUT}", head(&refusal.message, MESSAGE));
    }
    refusal.hints.truncate(HINTS);
    for hint in &mut refusal.hints {
        *hint = head(hint, HINT).to_owned();
    }
    refusal
}

/// Its length as JSON; a refusal that is no JSON counts as too long.
fn encoded_len(refusal: &Refusal) -> usize {
    serde_json::to_vec(refusal).map_or(usize::MAX, |bytes| bytes.len())
}

/// The beginning of a text, at most so many bytes, never cut inside a character.
fn head(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_with_message_and_hints() {
        for code in Code::ALL {
            let refusal = Refusal::new(code, "line 1\nline 2: «ü»").hint("try this").hint("or that");
            let status = to_status(refusal.clone());
            assert_eq!(i32::from(status.code()), code.grpc());
            assert_eq!(to_refusal(&status), refusal);
        }
    }

    #[test]
    fn a_status_without_details_keeps_its_class() {
        for code in Code::ALL {
            let status = Status::new(Grpc::from_i32(code.grpc()), "of someone else");
            assert_eq!(to_refusal(&status), Refusal::new(code, "of someone else"));
        }
    }

    #[test]
    fn a_strange_status_still_says_something() {
        for number in 0..20 {
            let refusal = to_refusal(&Status::new(Grpc::from_i32(number), ""));
            assert!(!refusal.message.is_empty(), "code {number}");
        }
        let details = Status::with_details(Grpc::NotFound, "no job 9", vec![0xff, 0x00].into());
        assert_eq!(to_refusal(&details), Refusal::new(Code::NotFound, "no job 9"));
    }

    #[test]
    fn a_refusal_too_long_for_headers_is_cut_between_characters() {
        // Control characters are the worst case: six bytes of JSON for one of text.
        for letter in ["ü", "\u{1}", "a"] {
            let refusal = Refusal::new(Code::Invalid, letter.repeat(200_000)).hint(letter.repeat(100_000));
            let status = to_status(refusal);
            assert!(status.details().len() <= MAX_REFUSAL, "{}", status.details().len());
            assert!(status.message().len() <= MAX_STATUS_TEXT);
            let back = to_refusal(&status);
            assert_eq!(back.code, Code::Invalid);
            assert!(back.message.ends_with(CUT));
            assert!(back.message.starts_with(letter));
            assert_eq!(back.hints.len(), 1);
        }
    }

    #[test]
    fn a_message_too_large_is_a_bound_reached() {
        let status =
            Status::out_of_range("Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes");
        assert_eq!(to_refusal(&status).code, Code::Exhausted);
    }
}
