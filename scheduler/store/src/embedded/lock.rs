//! One writer per directory: an exclusive lock on the file `lock`, which says who holds it.
//!
//! The operating system drops the lock when the process ends, however it ends; the file stays and means nothing by itself.
//! A process that the holder has just forked shares the lock until it executes its program, so a lock that is taken is asked for again for a moment.
//! Fails with [`StoreError::Locked`] when another process (or another store of this process) has it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use super::files;
use super::layout::Layout;
use crate::error::{During, Result, StoreError};

/// How often a taken lock is asked for, and how far apart: the time between fork and exec is far below, a person does not notice it.
const TRIES: u32 = 20;
const APART: Duration = Duration::from_millis(20);

/// The lock; held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not release the lock while a forked process has a copy of it. If this fails, the end of the process does it.
        let _released = self.file.unlock();
    }
}

/// Takes the lock.
pub(crate) fn take(layout: &Layout) -> Result<Lock> {
    let path = layout.lock();
    let mut file = files::open_rw(&path).during("open", &path)?;
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(APART);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: layout.root().to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(source).during("lock", &path),
        }
    }
    // Not synced: after a power cut nobody holds the lock, whatever the file says.
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .during("write", &path)?;
    Ok(Lock { file })
}

/// The process id in the lock file. The holder may be just writing it; then it is not known.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
