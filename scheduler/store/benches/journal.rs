//! Durable events a second, by the number of events in a commit, and output beside them. Run with `cargo bench -p autoexec-store`.
//!
//! An argument chooses the directory, because the disk decides: `cargo bench -p autoexec-store -- /var/tmp`. Prints one line per case.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use autoexec_store::{Commit, EmbeddedStore, EventBatch, OpenOptions, OutputChunk, Result, Store, StreamKey};

/// Each case runs at least this long.
const LONG_ENOUGH: Duration = Duration::from_secs(2);
/// A typical event: a task changed its state. The numbers differ, so that compression has something to do.
fn event(n: u64) -> Vec<u8> {
    let (task, at) = (n.wrapping_mul(7919) % 10_000, 1_760_000_000_000 + n * 13);
    format!(
        r#"{{"at":{at},"task":{task},"attempt":1,"kind":"task_finished","outcome":{{"exited":{}}},"runner":"jump-0{}"}}"#,
        u64::from(n.is_multiple_of(97)),
        n % 4
    )
    .into_bytes()
}

fn main() -> Result<()> {
    let base = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    println!("directory {}", base.display());
    disk(&base);
    for events in [1, 64, 1024] {
        for (jobs, output) in [(1, false), (8, false), (1, true)] {
            measure(&base, (events, jobs, output))?;
        }
    }
    replay(&base)
}

/// What the disk does at best: 256 bytes and a sync, again and again. A commit cannot be faster.
fn disk(base: &Path) {
    use std::io::Write;
    const TIMES: u32 = 500;
    let start = now();
    let done = tempfile::tempfile_in(base)
        .and_then(|mut file| (0..TIMES).try_for_each(|_| file.write_all(&[7; 256]).and_then(|()| file.sync_data())));
    match done {
        Ok(()) => {
            let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
            println!("the disk alone: {each:6.0} us a sync of 256 bytes");
        }
        Err(error) => println!("cannot write there: {error}"),
    }
}

/// One case: commits with `events` events over `jobs` jobs, with or without a line of output per event.
fn measure(base: &Path, (events, jobs, output): (usize, u64, bool)) -> Result<()> {
    let Ok(dir) = tempfile::tempdir_in(base) else {
        println!("cannot make a directory in {}", base.display());
        return Ok(());
    };
    let (mut store, _) = EmbeddedStore::open(dir.path(), &OpenOptions::new(0))?;
    let (mut commits, mut offset) = (0_u32, 0);
    let start = now();
    while start.elapsed() < LONG_ENOUGH {
        let mut commit = Commit::new(0);
        for job in 0..jobs.min(events as u64) {
            let count = events / usize::try_from(jobs.min(events as u64)).unwrap_or(1);
            commit.events.push(EventBatch {
                job: Some(job),
                records: (0..count as u64).map(|n| event(u64::from(commits) * 1024 + n)).collect(),
            });
        }
        if output {
            let line = format!("a line of output number {commits}\n").into_bytes();
            for _ in 0..events {
                let stream = StreamKey { job: 0, task: 1, attempt: 1, step: 0, stream: 1 };
                commit.output.push(OutputChunk { stream, offset, bytes: line.clone() });
                offset += line.len() as u64;
            }
        }
        store.append(commit)?;
        commits += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = f64::from(commits) * events as f64 / seconds;
    let each = seconds * 1e6 / f64::from(commits);
    println!("{events:5} events a commit, {jobs} jobs, output {output:5}: {rate:9.0} events/s, {each:6.0} us a commit");
    store.close()
}

/// How fast a start reads its journal.
fn replay(base: &Path) -> Result<()> {
    let Ok(dir) = tempfile::tempdir_in(base) else {
        return Ok(());
    };
    let (mut store, _) = EmbeddedStore::open(dir.path(), &OpenOptions::new(0))?;
    for round in 0..3000 {
        let mut commit = Commit::new(0);
        commit.events.push(EventBatch { job: Some(1), records: (0..64).map(|n| event(round * 64 + n)).collect() });
        store.append(commit)?;
    }
    let start = now();
    let mut events = 0_u32;
    for record in store.reader().read_live()? {
        record?;
        events += 1;
    }
    println!("replay: {events} events, {:9.0} events/s", f64::from(events) / start.elapsed().as_secs_f64());
    store.close()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
