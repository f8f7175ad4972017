//! kill -9 in the middle of appends: every acknowledged commit is there, and nothing is there by half.
//!
//! The test runs itself again as a child (an environment variable says so); the child appends and prints what was acknowledged, until it is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use autoexec_store::{Commit, EmbeddedStore, Store};

use crate::fixture::{Home, NOW, chunk, collect, events, job, secret, small_segments, stdout, whole};

const CHILD: &str = "AUTOEXEC_STORE_TEST_CHILD";
const JOBS: u64 = 3;

/// The bytes of output that commit `n` adds to its job.
fn output_of(n: u64) -> Vec<u8> {
    let line = format!("commit {n} says: {}\n", "la ".repeat((n % 40) as usize));
    line.repeat((n % 7) as usize).into_bytes()
}

/// Commit `n`; `offset` is where its job's output stands.
fn commit(n: u64, offset: u64) -> Commit {
    let id = n % JOBS;
    let mut commit = Commit::new(NOW);
    commit.events =
        vec![events(id, &[&format!("{n} first"), &format!("{n} second")]), events(None, &[&format!("{n} global")])];
    commit.output = vec![chunk(stdout(id, 0), offset, output_of(n))];
    commit.secrets = vec![secret(id, "latest", &n.to_string())];
    commit.jobs = vec![job(id, &n.to_string(), false)];
    commit
}

/// The child: appends from where the store stands, for ever.
fn append_until_killed(path: &Path) {
    let (mut store, _) = EmbeddedStore::open(path, &small_segments()).unwrap();
    let mut out = std::io::stdout().lock();
    let mut n = store.reader().read_all(0).filter(|r| r.as_ref().unwrap().job.is_none()).count() as u64;
    loop {
        let offset = store.reader().output_len(&stdout(n % JOBS, 0)).unwrap();
        store.append(commit(n, offset)).unwrap();
        n += 1;
        // Whoever reads this line may rely on n commits.
        writeln!(out, "acknowledged {n}").unwrap();
        out.flush().unwrap();
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::a_killed_writer_loses_nothing_and_leaves_nothing_by_half",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Checks that the store holds a whole number of commits, at least the acknowledged ones; returns how many.
fn check(path: &Path, acknowledged: u64) -> u64 {
    let (store, report) = EmbeddedStore::open(path, &small_segments()).unwrap();
    assert!(!report.clean, "it was killed");
    let reader = store.reader();
    let globals = collect(reader.read_all(0)).into_iter().filter(|r| r.job.is_none()).count() as u64;
    assert!(globals >= acknowledged, "{globals} commits of {acknowledged} acknowledged ones");
    assert!(
        globals <= acknowledged + 1,
        "only the last commit may be there without having been acknowledged: {globals}, {acknowledged}"
    );
    for id in 0..JOBS {
        let of_job: Vec<u64> = (0..globals).filter(|n| n % JOBS == id).collect();
        let texts: Vec<String> =
            collect(reader.read_job(id)).into_iter().map(|r| String::from_utf8(r.bytes).unwrap()).collect();
        let expected: Vec<String> = of_job.iter().flat_map(|n| [format!("{n} first"), format!("{n} second")]).collect();
        assert_eq!(texts, expected);
        let output: Vec<u8> = of_job.iter().flat_map(|&n| output_of(n)).collect();
        assert!(whole(reader, &stdout(id, 0), 5000) == output, "output of job {id}");
        if let Some(last) = of_job.last() {
            assert_eq!(store.secrets(id).unwrap()["latest"].expose(), last.to_string().as_bytes());
            assert_eq!(reader.job(id).unwrap().unwrap().state, last.to_string());
        }
    }
    let verified = reader.verify().unwrap();
    assert!(verified.is_sound() && verified.notes.is_empty() && verified.lost_pieces == 0, "{verified:?}");
    drop(store);
    globals
}

#[test]
fn a_killed_writer_loses_nothing_and_leaves_nothing_by_half() {
    if let Some(path) = std::env::var_os(CHILD) {
        append_until_killed(Path::new(&path));
    }
    let home = Home::new();
    let mut commits = 0;
    for round in 0..12_u64 {
        let mut child = start(&home.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut acknowledged = commits;
        let mut note = |line: String| {
            if let Some(n) = line.strip_prefix("acknowledged ") {
                acknowledged = n.parse().unwrap();
            }
        };
        // Killed after a different number of lines each time; the pipe may hold more, which count too.
        lines.by_ref().take(5 + round as usize * 3).for_each(&mut note);
        child.kill().unwrap();
        lines.for_each(&mut note);
        child.wait().unwrap();
        assert!(acknowledged > commits, "round {round}: the child appended nothing");
        commits = check(&home.path(), acknowledged);
    }
}
