//! Tests of what is asked for, what is taken, and what is not.

use std::sync::Arc;
use std::time::Duration;

use autoexec_model::grant::{ToolFile, ToolPackage};
use autoexec_model::id::Digest;
use autoexec_process::files;
use autoexec_wire::session::RunnerMessage;
use tokio::sync::mpsc;

use super::Supply;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    supply: Arc<Supply>,
    wants: mpsc::Receiver<RunnerMessage>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (wants, asked) = mpsc::channel(8);
        Self { supply: Arc::new(Supply::new(&folder.path().join("files"), wants)), wants: asked, _folder: folder }
    }

    /// Begins to wait for a file.
    fn file(&self, sha256: &str) -> tokio::task::JoinHandle<Vec<u8>> {
        let (supply, sha256) = (Arc::clone(&self.supply), sha256.to_owned());
        tokio::spawn(
            async move { std::fs::read(supply.file("motd", &sha256).await.expect("it arrives")).expect("a file") },
        )
    }

    async fn asked(&mut self) -> RunnerMessage {
        tokio::time::timeout(PATIENCE, self.wants.recv()).await.expect("in time").expect("a question")
    }
}

fn sha256(bytes: &[u8]) -> String {
    files::Digest::of(bytes).to_string()
}

async fn done<T>(task: tokio::task::JoinHandle<T>) -> T {
    tokio::time::timeout(PATIENCE, task).await.expect("in time").expect("no panic")
}

fn package(content: &str) -> ToolPackage {
    let files = vec![ToolFile { name: "run.sh".into(), mode: 0o755, bytes: content.into() }];
    let mut package =
        ToolPackage { name: "t".into(), digest: Digest(String::new()), manifest: "name: t\n".into(), files };
    package.digest = autoexec_tools::package::digest(&package);
    package
}

#[tokio::test]
async fn many_who_want_the_same_file_ask_once() {
    let mut bench = Bench::new();
    let name = sha256(b"content");
    let waiting: Vec<_> = (0..20).map(|_| bench.file(&name)).collect();
    assert_eq!(bench.asked().await, RunnerMessage::NeedFile { sha256: name.clone() });
    bench.supply.take_file(&name, 0, b"con", false).expect("taken");
    bench.supply.take_file(&name, 3, b"tent", true).expect("taken");
    for task in waiting {
        assert_eq!(done(task).await, b"content");
    }
    assert_eq!(done(bench.file(&name)).await, b"content", "it is there now");
    assert!(bench.wants.try_recv().is_err(), "nobody asked again");
}

#[tokio::test]
async fn a_file_with_other_content_or_pieces_out_of_order_is_not_taken() {
    let mut bench = Bench::new();
    let name = sha256(b"content");
    let waiting = bench.file(&name);
    bench.asked().await;
    bench.supply.take_file(&name, 0, b"content!", true).expect("dropped");
    bench.supply.take_file(&name, 3, b"tent", true).expect("dropped: no beginning");
    bench.supply.take_file(&name, 0, b"con", false).expect("taken");
    bench.supply.take_file(&name, 4, b"ent", true).expect("dropped: a gap");
    bench.supply.take_file(&name, 3, b"tent", true).expect("dropped: the beginning is gone");
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    // A repetition from the beginning is a new beginning.
    bench.supply.take_file(&name, 0, b"co", false).expect("taken");
    bench.supply.take_file(&name, 0, b"con", false).expect("taken");
    bench.supply.take_file(&name, 3, b"tent", true).expect("taken");
    assert_eq!(done(waiting).await, b"content");
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let mut bench = Bench::new();
    let name = sha256(b"");
    let waiting = bench.file(&name);
    bench.asked().await;
    bench.supply.take_file(&name, 0, b"", true).expect("taken");
    assert_eq!(done(waiting).await, b"");
}

#[tokio::test]
async fn a_tool_is_what_its_digest_says_or_is_not_taken() {
    let mut bench = Bench::new();
    let (good, evil) = (package("echo good"), package("echo evil"));
    let (supply, digest) = (Arc::clone(&bench.supply), good.digest.clone());
    let waiting = tokio::spawn(async move { supply.tool("t", &digest).await.expect("it arrives") });
    assert_eq!(bench.asked().await, RunnerMessage::NeedTool { digest: good.digest.clone() });
    bench.supply.take_tool(ToolPackage { digest: good.digest.clone(), ..evil });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "other content under the same digest");
    bench.supply.take_tool(good.clone());
    assert_eq!(*done(waiting).await, good);
}
