//! The frame parser against hostile bytes and any cutting into chunks.

use autoexec_process::frame::{Frame, FrameError, MAX_LINE, MAX_NOISE, Stream};
use autoexec_process::parser::FrameParser;
use bytes::Bytes;
use proptest::prelude::*;

const MARK: &[u8] = b"autoexec-frames-1:\n";

/// What a sequence of frames means, independent of how data was cut.
fn meaning(chunks: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let mut parser = FrameParser::default();
    let mut frames: Vec<Frame> = Vec::new();
    for chunk in chunks {
        parser.feed(chunk);
        loop {
            match parser.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => push(&mut frames, frame),
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Joins neighbouring data of one stream.
fn push(frames: &mut Vec<Frame>, frame: Frame) {
    if let (Some(Frame::Data { stream, offset, bytes }), Frame::Data { stream: s, offset: o, bytes: b }) =
        (frames.last_mut(), &frame)
        && *stream == *s
        && *offset + bytes.len() as u64 == *o
    {
        *bytes = Bytes::from([bytes.as_ref(), b.as_ref()].concat());
        return;
    }
    frames.push(frame);
}

fn encode(frame: &Frame) -> Vec<u8> {
    let name = |stream: &Stream| if *stream == Stream::Stdout { "o" } else { "e" };
    match frame {
        Frame::Started { pid } => format!("s started {pid}\n").into_bytes(),
        Frame::Attached { pid } => format!("s attached {pid}\n").into_bytes(),
        Frame::Unknown => b"u\n".to_vec(),
        Frame::Refused { reason } => format!("r {reason}\n").into_bytes(),
        Frame::Data { stream, offset, bytes } => {
            [format!("{} {offset} {}\n", name(stream), bytes.len()).as_bytes(), bytes.as_ref()].concat()
        }
        Frame::Dropped { stream, total } => format!("d {} {total}\n", name(stream)).into_bytes(),
        Frame::Truncated { stream, from, to } => format!("t {} {from} {to}\n", name(stream)).into_bytes(),
        Frame::Heartbeat => b"h\n".to_vec(),
        Frame::Result { bytes, total } => [format!("j {} {total}\n", bytes.len()).as_bytes(), bytes.as_ref()].concat(),
        Frame::Exit { code } => format!("x {code}\n").into_bytes(),
        Frame::Killed { code } => format!("k {}\n", code.map_or(String::new(), |code| code.to_string())).into_bytes(),
        Frame::Lost { reason } => format!("l {reason}\n").into_bytes(),
        Frame::Answer { text } => format!("a {text}\n").into_bytes(),
    }
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)]
}

fn frame() -> impl Strategy<Value = Frame> {
    let data = prop::collection::vec(any::<u8>(), 1..200).prop_map(Bytes::from);
    let text = "[ -~]{0,40}";
    prop_oneof![
        any::<u64>().prop_map(|pid| Frame::Started { pid }),
        any::<u64>().prop_map(|pid| Frame::Attached { pid }),
        Just(Frame::Unknown),
        Just(Frame::Heartbeat),
        text.prop_map(|reason| Frame::Refused { reason }),
        text.prop_map(|reason| Frame::Lost { reason }),
        text.prop_map(|text| Frame::Answer { text }),
        (stream(), 0..u64::MAX / 2, data.clone()).prop_map(|(stream, offset, bytes)| Frame::Data {
            stream,
            offset,
            bytes
        }),
        (stream(), any::<u64>()).prop_map(|(stream, total)| Frame::Dropped { stream, total }),
        (stream(), any::<u64>(), any::<u64>()).prop_map(|(stream, from, to)| Frame::Truncated { stream, from, to }),
        (data, any::<u64>()).prop_map(|(bytes, total)| Frame::Result { bytes, total }),
        any::<u32>().prop_map(|code| Frame::Exit { code }),
        any::<Option<u32>>().prop_map(|code| Frame::Killed { code }),
    ]
}

/// Cuts at the given places.
fn cut(bytes: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
    places.retain(|place| *place < bytes.len());
    places.sort_unstable();
    let mut chunks = Vec::new();
    let mut from = 0;
    for place in places {
        chunks.push(&bytes[from..place]);
        from = place;
    }
    chunks.push(&bytes[from..]);
    chunks
}

proptest! {
    #[test]
    fn any_cutting_means_the_same(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        frames in prop::collection::vec(frame(), 0..20),
        places in prop::collection::vec(0usize..6000, 0..60),
    ) {
        let mut want = Vec::new();
        let mut all = [noise.as_slice(), MARK].concat();
        for frame in frames {
            all.extend_from_slice(&encode(&frame));
            push(&mut want, frame);
        }
        let (got, error) = meaning(&cut(&all, places));
        prop_assert_eq!(error, None);
        prop_assert_eq!(got, want);
    }

    #[test]
    fn hostile_bytes_never_panic_and_stay_errors(
        marked in any::<bool>(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"oejxkdtsarlhu 0123456789\n".to_vec())], 0..2000),
        places in prop::collection::vec(0usize..2000, 0..20),
    ) {
        let all = if marked { [MARK, &bytes].concat() } else { bytes };
        let whole = meaning(&[&all]);
        prop_assert_eq!(meaning(&cut(&all, places)), whole);
    }
}

#[test]
fn limits_hold() {
    let (_, error) = meaning(&[&vec![b'n'; MAX_NOISE + 100]]);
    assert_eq!(error, Some(FrameError::Noise));
    let (_, error) = meaning(&[MARK, &vec![b'r'; MAX_LINE + 1]]);
    assert_eq!(error, Some(FrameError::LongLine));
    let (_, error) = meaning(&[MARK, b"j 99999999999 5\n"]);
    assert!(matches!(error, Some(FrameError::Unknown { .. })));
    let (frames, error) = meaning(&[MARK, b"o 18446744073709551615 18446744073709551615\nabc"]);
    assert!(error.is_none() && !frames.is_empty());
}

#[test]
fn a_broken_parser_stays_broken() {
    let mut parser = FrameParser::default();
    parser.feed(MARK);
    parser.feed(b"what\nx 0\n");
    assert!(parser.next_frame().is_err());
    parser.feed(b"x 0\n");
    assert!(parser.next_frame().is_err());
}
