//! Blobs: files by the blake3 digest of their bytes (parameters of kind file, tool files).
//!
//! A blob is written into `incoming/` by any thread ([`BlobInbox`]), synced, and then adopted by the writer: renamed and
//! recorded. A crash in between leaves a file in `incoming/`, removed on opening. Damage is found when the blob is read to its end.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, params};

use super::files;
use super::layout::Layout;
use super::schema::{begin, from_db, to_db};
use super::secrets::fill_random;
use crate::api::BlobReader;
use crate::commit::BlobUse;
use crate::error::{During, Result, StoreError};

/// Bytes copied at once.
const BUFFER: usize = 128 << 10;

/// Writes blobs from any thread, without holding up the writer of the store.
#[derive(Debug, Clone)]
pub struct BlobInbox {
    layout: Layout,
    /// Random, so that two processes do not choose the same name; a number behind it for each blob.
    prefix: String,
    count: Arc<AtomicU64>,
}

/// A blob that is on disk but not yet in the store; dropping it removes the file.
#[derive(Debug)]
pub struct StagedBlob {
    path: PathBuf,
    digest: String,
    bytes: u64,
}

impl StagedBlob {
    /// The blake3 digest in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for StagedBlob {
    fn drop(&mut self) {
        // Gone after adoption. A file that stays is removed when the store is opened.
        let _gone_or_left = fs::remove_file(&self.path);
    }
}

impl BlobInbox {
    pub(crate) fn new(layout: Layout) -> Result<Self> {
        let mut random = [0; 4];
        fill_random(&mut random)?;
        Ok(Self { layout, prefix: hex(&random), count: Arc::default() })
    }

    /// Copies the bytes into a file and syncs it. Refuses more than `max_bytes` with `TooLarge`.
    pub fn stage(&self, source: &mut dyn Read, max_bytes: u64) -> Result<StagedBlob> {
        let name = format!("{}-{}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed));
        let path = self.layout.incoming().join(name);
        let mut file = files::create_new(&path).during("create", &path)?;
        let mut staged = StagedBlob { path, digest: String::new(), bytes: 0 };
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let got = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(StoreError::BlobSource { source }),
            };
            staged.bytes += got as u64;
            if staged.bytes > max_bytes {
                return Err(StoreError::TooLarge { what: "a blob", size: staged.bytes, limit: max_bytes });
            }
            hasher.update(&buffer[..got]);
            file.write_all(&buffer[..got]).during("write", &staged.path)?;
        }
        file.sync_all().during("sync", &staged.path)?;
        staged.digest = hasher.finalize().to_hex().to_string();
        Ok(staged)
    }
}

/// Moves a staged blob to its place and records it.
pub(crate) fn adopt(conn: &mut Connection, layout: &Layout, staged: &StagedBlob, now_ms: u64) -> Result<()> {
    let target = layout.blob(&staged.digest);
    let folder = target.parent().unwrap_or_else(|| layout.root());
    if !folder.is_dir() {
        files::make_dir(folder)?;
        files::sync_dir(&layout.blobs())?;
    }
    // Also when the blob is there already: the new file has the right bytes for certain.
    fs::rename(&staged.path, &target).during("rename into place", &target)?;
    files::sync_dir(folder)?;
    let tx = begin(conn, layout)?;
    tx.execute(
        "INSERT INTO blobs(digest, bytes, stored_ms) VALUES (?1, ?2, ?3) ON CONFLICT(digest) DO UPDATE SET stored_ms = max(stored_ms, excluded.stored_ms)",
        params![staged.digest, to_db(staged.bytes), to_db(now_ms)],
    )
    .during("record a blob", &layout.db())?;
    tx.commit().during("record a blob", &layout.db())
}

/// Refuses a digest that is malformed or not stored.
pub(crate) fn check_stored(conn: &Connection, layout: &Layout, digest: &str) -> Result<()> {
    if size(conn, layout, digest)?.is_some() {
        Ok(())
    } else {
        Err(StoreError::BlobMissing { digest: digest.to_owned() })
    }
}

/// Records that a job needs a blob.
pub(crate) fn insert_use(conn: &Connection, layout: &Layout, blob_use: &BlobUse) -> Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO blob_uses(digest, job) VALUES (?1, ?2)")
        .and_then(|mut s| s.execute(params![blob_use.digest, to_db(blob_use.job)]))
        .map(|_| ())
        .during("record the use of a blob", &layout.db())
}

/// The size of a blob; `None` when it is not stored.
fn size(conn: &Connection, layout: &Layout, digest: &str) -> Result<Option<u64>> {
    // Also keeps names with slashes or dots out of paths.
    if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(StoreError::BlobName { digest: digest.to_owned() });
    }
    let size: Option<i64> = conn
        .prepare_cached("SELECT bytes FROM blobs WHERE digest = ?1")
        .and_then(|mut s| s.query_row([digest], |row| row.get(0)).optional())
        .during("look for a blob", &layout.db())?;
    Ok(size.map(from_db))
}

/// A blob as a stream that checks itself.
pub(crate) fn open(conn: &Connection, layout: &Layout, digest: &str) -> Result<Option<BlobReader>> {
    let Some(bytes) = size(conn, layout, digest)? else {
        return Ok(None);
    };
    let path = layout.blob(digest);
    match File::open(&path) {
        Ok(file) => Ok(Some(Box::new(CheckedReader {
            file,
            hasher: blake3::Hasher::new(),
            digest: digest.to_owned(),
            left: bytes,
        }))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            // Retention may have removed it since; then it is simply not there.
            if size(conn, layout, digest)?.is_none() {
                Ok(None)
            } else {
                Err(StoreError::corrupt("blobs", digest, "the file is missing"))
            }
        }
        Err(e) => Err(e).during("open", &path),
    }
}

/// A whole blob of a bounded size, checked.
pub(crate) fn get(conn: &Connection, layout: &Layout, digest: &str, max_bytes: u64) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = size(conn, layout, digest)? else {
        return Ok(None);
    };
    if bytes > max_bytes {
        return Err(StoreError::TooLarge { what: "a blob", size: bytes, limit: max_bytes });
    }
    let Some(mut reader) = open(conn, layout, digest)? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    match reader.read_to_end(&mut content) {
        Ok(_) => Ok(Some(content)),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            Err(StoreError::corrupt("blobs", digest, "the bytes do not match the digest"))
        }
        Err(e) => Err(e).during("read", &layout.blob(digest)),
    }
}

/// Gives the bytes through and compares size and digest at the end.
struct CheckedReader {
    file: File,
    hasher: blake3::Hasher,
    digest: String,
    left: u64,
}

impl Read for CheckedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let got = self.file.read(buffer)?;
        self.hasher.update(&buffer[..got]);
        let ended = got == 0;
        let too_long = got as u64 > self.left;
        self.left = self.left.saturating_sub(got as u64);
        if too_long || (ended && (self.left > 0 || self.hasher.finalize().to_hex().as_str() != self.digest)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("blob {} is damaged", self.digest)));
        }
        Ok(got)
    }
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
