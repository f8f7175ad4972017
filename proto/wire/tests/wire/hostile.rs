//! Bytes that no well-behaved peer would send: cut short, changed, random, or whole and meaningless.

use autoexec_model::api::{JobRef, Operation, StoreVerb, SubmitRequest};
use autoexec_model::grant::{MAX_CHUNK, OutputChunk};
use autoexec_model::id::Epoch;
use autoexec_model::plan::{Phase, Target};
use autoexec_wire::limits::MAX_FILE_PIECE;
use autoexec_wire::pb;
use autoexec_wire::session::{RunnerMessage, SchedulerMessage};
use proptest::prelude::*;
use prost::Message;

use crate::cases::{Read, all};
use crate::samples::Samples;

#[test]
fn a_message_cut_at_any_byte_is_read_or_refused_and_never_panics() {
    for case in all(&Samples::new("x", 3)) {
        for end in 0..case.bytes.len() {
            // A cut between two fields leaves a message of which some fields are absent; all others are no protobuf.
            let read = (case.read)(&case.bytes[..end]);
            assert_ne!(read, Read::Same, "{} cut at {end} of {}", case.name, case.bytes.len());
        }
    }
}

#[test]
fn a_message_with_any_byte_changed_is_read_or_refused_and_never_panics() {
    for case in all(&Samples::new("x", 3)) {
        let mut bytes = case.bytes.clone();
        for at in 0..bytes.len() {
            for mask in [0xff, 0x01, 0x80] {
                bytes[at] ^= mask;
                let _: Read = (case.read)(&bytes);
                bytes[at] ^= mask;
            }
        }
        assert_eq!((case.read)(&bytes), Read::Same);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        for case in all(&Samples::new("", 0)) {
            let _: Read = (case.read)(&bytes);
        }
    }
}

#[test]
fn a_choice_that_was_not_made_is_missing() {
    let error = |result: Result<(), autoexec_wire::field::FieldError>| result.unwrap_err().to_string();
    assert_eq!(error(JobRef::try_from(pb::JobRef::default()).map(drop)), "field `job` is missing");
    assert_eq!(error(Operation::try_from(pb::Operation::default()).map(drop)), "field `operation` is missing");
    assert_eq!(error(StoreVerb::try_from(pb::StoreRequest::default()).map(drop)), "field `verb` is missing");
    assert_eq!(error(SubmitRequest::try_from(pb::SubmitRequest::default()).map(drop)), "field `what` is missing");
    assert_eq!(error(RunnerMessage::try_from(pb::RunnerMessage::default()).map(drop)), "field `message` is missing");
    assert_eq!(
        error(SchedulerMessage::try_from(pb::SchedulerMessage::default()).map(drop)),
        "field `message` is missing"
    );
}

/// The error of a phase after `spoil` had its way with it.
fn phase_error(spoil: impl FnOnce(&mut pb::Phase)) -> String {
    let mut message = pb::Phase::from(Samples::new("", 1).phase());
    spoil(&mut message);
    Phase::try_from(message).unwrap_err().to_string()
}

#[test]
fn an_error_names_the_field_deep_inside() {
    assert_eq!(phase_error(|phase| phase.place = 0), "field `place` is missing");
    assert_eq!(phase_error(|phase| phase.place = 99), "field `place` has the value 99, which is not known here");
    assert_eq!(phase_error(|phase| phase.steps[1].retries = None), "field `steps[1].retries` is missing");
    let with = phase_error(|phase| {
        if let Some(pb::step::Action::Tool(tool)) = &mut phase.steps[0].action {
            tool.with = b"[1]".to_vec();
        }
    });
    assert!(with.starts_with("field `steps[0].tool.with` is not a JSON object: "), "{with}");
}

#[test]
fn a_port_out_of_range_is_refused() {
    let mut message = pb::Target::from(Samples::new("", 1).target());
    message.port = Some(65_536);
    let error = Target::try_from(message).unwrap_err();
    assert_eq!(error.to_string(), "field `port` is 65536, and may be at most 65535");
}

#[test]
fn json_nested_without_end_is_refused() {
    let mut message = pb::Target::from(Samples::new("", 1).target());
    message.vars = ["{\"a\":".repeat(100_000).into_bytes(), b"1".to_vec(), b"}".repeat(100_000)].concat();
    let error = Target::try_from(message).unwrap_err();
    assert_eq!(error.path, "vars");
    assert!(error.what.contains("recursion limit"), "{error}");
}

#[test]
fn pieces_larger_than_the_protocol_allows_are_refused() {
    let chunk = |size| OutputChunk { bytes: vec![b'x'; size], ..Samples::new("", 1).chunk() };
    let output = |size| pb::RunnerMessage::from(RunnerMessage::Output { chunk: chunk(size), epoch: Epoch(1) });
    assert!(RunnerMessage::try_from(output(MAX_CHUNK)).is_ok());
    let error = RunnerMessage::try_from(output(MAX_CHUNK + 1)).unwrap_err();
    assert_eq!(error.to_string(), "field `output.chunk.bytes` has 65537 bytes, and may have at most 65536");

    let file = |size| {
        let piece = SchedulerMessage::File { sha256: String::new(), bytes: vec![0; size], offset: 0, end: false };
        pb::SchedulerMessage::from(piece)
    };
    assert!(SchedulerMessage::try_from(file(MAX_FILE_PIECE)).is_ok());
    assert_eq!(SchedulerMessage::try_from(file(MAX_FILE_PIECE + 1)).unwrap_err().path, "file.bytes");
}

#[test]
fn a_rhythm_of_zero_is_refused() {
    let welcome =
        SchedulerMessage::Welcome { instance: "i".into(), keep: vec![], stop: vec![], heartbeat_ms: 0, lease_ms: 5 };
    let error = SchedulerMessage::try_from(pb::SchedulerMessage::from(welcome)).unwrap_err();
    assert_eq!(error.path, "welcome.heartbeat_ms");
}

#[test]
fn a_field_of_a_newer_version_is_skipped() {
    // Field 1000, a varint: key 8000, value 1.
    let mut bytes = pb::JobRef::from(JobRef::Id(4)).encode_to_vec();
    bytes.extend([0xc0, 0x3e, 0x01]);
    assert_eq!(JobRef::try_from(pb::JobRef::decode(&*bytes).unwrap()), Ok(JobRef::Id(4)));
}
