//! Tests of the way from a command's bytes to the pieces that are sent.

use std::sync::Arc;

use autoexec_model::grant::{MAX_CHUNK, Stream};
use autoexec_model::id::{AttemptId, Epoch, JobId, TaskIx};
use autoexec_model::plan::{Connection, Target, Transport};
use autoexec_wire::session::RunnerMessage;
use serde_json::{Map, Value, json};

use super::{MAX_CAPTURE, Output, Secrets};
use crate::board::{Board, Live};

const ATTEMPT: AttemptId = AttemptId { job: JobId(1), task: TaskIx(0), n: 1 };

struct Bench {
    board: Board,
    live: Arc<Live>,
}

impl Bench {
    fn new() -> Self {
        let board = Board::default();
        let live = board.take(ATTEMPT, Epoch(1)).expect("new");
        Self { board, live }
    }

    fn output(&self, secrets: &Secrets, stored: (u64, u64)) -> Output {
        Output::new(Arc::clone(&self.live), secrets, None, stored)
    }

    /// Pieces that are to be sent: stream, offset, text.
    async fn sent(&self) -> Vec<(Stream, u64, String)> {
        let mut sent = Vec::new();
        while let std::task::Poll::Ready(messages) = futures::poll!(std::pin::pin!(self.board.next())) {
            for message in messages {
                let RunnerMessage::Output { chunk, .. } = message else { panic!("not output: {message:?}") };
                sent.push((chunk.stream, chunk.offset, String::from_utf8_lossy(&chunk.bytes).into_owned()));
            }
        }
        sent
    }

    /// The bytes of one stream, which must follow each other from `from`.
    async fn stream(&self, stream: Stream, from: u64) -> String {
        let mut text = String::new();
        for (_, offset, piece) in self.sent().await.into_iter().filter(|(of, ..)| *of == stream) {
            assert_eq!(offset, from + text.len() as u64, "no gap, no repetition");
            text.push_str(&piece);
        }
        text
    }
}

fn none() -> Secrets {
    Secrets::new(&Map::new(), &[])
}

fn secret(value: &str) -> Secrets {
    let Value::Object(params) = json!({ "s": value }) else { panic!("an object") };
    Secrets::new(&params, &["s".to_owned()])
}

#[tokio::test]
async fn what_is_stored_already_is_not_sent_again() {
    for stored in 0..=11 {
        let bench = Bench::new();
        let mut output = bench.output(&none(), (stored, 0));
        output.push(Stream::Stdout, b"hello ").await;
        output.push(Stream::Stdout, b"world").await;
        output.push(Stream::Stderr, b"all of it").await;
        output.end_step().await;
        let (stdout, stderr, _) = output.finish();
        assert_eq!((stdout, stderr), (11, 9), "counted from the beginning");
        let sent = bench.sent().await;
        let of =
            |stream| sent.iter().filter(|(of, ..)| *of == stream).map(|(_, _, text)| text.as_str()).collect::<String>();
        assert_eq!(of(Stream::Stdout), "hello world"[usize::try_from(stored).unwrap_or(0)..], "stored {stored}");
        assert_eq!(of(Stream::Stderr), "all of it");
        if let Some((_, offset, _)) = sent.iter().find(|(of, ..)| *of == Stream::Stdout) {
            assert_eq!(*offset, stored);
        }
    }
}

#[tokio::test]
async fn a_secret_is_masked_wherever_the_pieces_are_cut_and_offsets_count_what_is_kept() {
    let text = "user ann password hunter2hunter2 end\n";
    for cut in 1..text.len() {
        let bench = Bench::new();
        let mut output = bench.output(&secret("hunter2"), (0, 0));
        for piece in text.as_bytes().chunks(cut) {
            output.push(Stream::Stdout, piece).await;
        }
        assert_eq!(output.end_step().await, text.trim_end(), "a later step reads the real value");
        let kept = bench.stream(Stream::Stdout, 0).await;
        assert_eq!(kept, "user ann password ************ end\n", "cut every {cut}");
        assert_eq!(output.finish().0, kept.len() as u64);
    }
}

#[tokio::test]
async fn a_secret_does_not_reach_over_the_end_of_a_step() {
    let bench = Bench::new();
    let mut output = bench.output(&secret("hunter2"), (0, 0));
    output.push(Stream::Stdout, b"hunt").await;
    output.end_step().await;
    output.begin_step(false);
    output.push(Stream::Stdout, b"er2").await;
    assert_eq!(output.end_step().await, "er2");
    assert_eq!(bench.stream(Stream::Stdout, 0).await, "hunter2", "no step printed it");
}

#[tokio::test]
async fn what_a_target_says_in_its_own_encoding_is_kept_as_utf_8_wherever_it_is_cut() {
    let (gbk, _, _) = encoding_rs::GBK.encode("你好，世界\n");
    let target = Target {
        name: "t".into(),
        address: "t".into(),
        transport: Transport::Local,
        port: None,
        user: None,
        labels: Default::default(),
        groups: Default::default(),
        vars: Default::default(),
        connection: Connection { encoding: Some("gbk".into()), ..Connection::default() },
    };
    for cut in 1..=gbk.len() {
        let bench = Bench::new();
        let mut output = Output::new(Arc::clone(&bench.live), &none(), Some(&target), (0, 0));
        for piece in gbk.chunks(cut) {
            output.push(Stream::Stdout, piece).await;
        }
        assert_eq!(output.end_step().await, "你好，世界");
        assert_eq!(bench.stream(Stream::Stdout, 0).await, "你好，世界\n", "cut every {cut}");
    }
    let bench = Bench::new();
    let mut output = Output::new(Arc::clone(&bench.live), &none(), Some(&target), (0, 0));
    output.push(Stream::Stdout, b"ok \xff\xff\n").await;
    output.push(Stream::Stdout, b"\xc4").await;
    output.end_step().await;
    let kept = bench.stream(Stream::Stdout, 0).await;
    assert!(kept.starts_with("ok ") && kept.contains('\u{fffd}'), "{kept:?}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_they_are() {
    let bench = Bench::new();
    let mut output = bench.output(&none(), (0, 0));
    output.push(Stream::Stdout, &[0, 255, 10, 200]).await;
    output.end_step().await;
    let RunnerMessage::Output { chunk, .. } = &bench.board.next().await[0] else { panic!("output") };
    assert_eq!(chunk.bytes, [0, 255, 10, 200]);
}

#[tokio::test]
async fn a_step_that_is_not_to_be_logged_leaves_only_what_later_steps_read() {
    let bench = Bench::new();
    let mut output = bench.output(&none(), (0, 0));
    output.begin_step(true);
    output.push(Stream::Stdout, b"token\r\n\n").await;
    output.push(Stream::Stderr, b"trace").await;
    assert_eq!(output.end_step().await, "token");
    output.begin_step(false);
    output.push(Stream::Stdout, b"next\n").await;
    assert_eq!(output.end_step().await, "next", "and nothing of the step before");
    assert_eq!(bench.stream(Stream::Stdout, 0).await, "next\n");
    assert_eq!(output.finish().1, 0);
}

#[tokio::test]
async fn large_output_goes_in_bounded_pieces_and_later_steps_read_the_beginning() {
    let bench = Bench::new();
    let mut output = bench.output(&none(), (0, 0));
    let bytes = vec![b'y'; MAX_CHUNK * 2 + 5];
    output.push(Stream::Stdout, &bytes).await;
    assert_eq!(output.end_step().await.len(), MAX_CAPTURE);
    let sent = bench.sent().await;
    assert_eq!(sent.iter().map(|(_, _, text)| text.len()).collect::<Vec<_>>(), [MAX_CHUNK, MAX_CHUNK, 5]);
}

#[tokio::test]
async fn a_push_that_is_given_up_while_the_window_is_full_leaves_no_gap() {
    let bench = Bench::new();
    let mut output = bench.output(&none(), (0, 0));
    // Twice the window in one push: it cannot be handed over whole before something is acknowledged.
    let bytes: Vec<u8> = (0..2 << 20).map(|n: u32| b'a' + (n % 26) as u8).collect();
    let given_up = futures::poll!(std::pin::pin!(output.push(Stream::Stdout, &bytes)));
    assert!(given_up.is_pending());
    let mut all = String::new();
    let mut pushed = false;
    // The scheduler acknowledges; what the runner says next comes after what was left.
    for _ in 0..8 {
        for (_, offset, text) in bench.sent().await {
            assert_eq!(offset, all.len() as u64, "no gap");
            all.push_str(&text);
        }
        bench.board.acknowledge_output(ATTEMPT, Stream::Stdout, all.len() as u64);
        if !pushed {
            pushed = futures::poll!(std::pin::pin!(output.push(Stream::Stdout, b""))).is_ready();
        }
    }
    assert!(pushed);
    assert_eq!(all.as_bytes(), bytes);
}

#[tokio::test]
async fn remarks_of_ours_go_to_standard_error() {
    let bench = Bench::new();
    let mut output = bench.output(&none(), (0, 0));
    output.push(Stream::Stdout, b"text").await;
    output.remark("7 bytes of output were dropped").await;
    output.end_step().await;
    assert_eq!(bench.stream(Stream::Stderr, 0).await, "[autoexec] 7 bytes of output were dropped\n");
}
