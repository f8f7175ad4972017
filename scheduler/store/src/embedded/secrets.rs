//! Secrets, sealed with a key that lies beside the database in `secret.key`.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes per secret; job and name are authenticated too, so a sealed value cannot
//! be moved to another job. Who can read the whole directory can read the secrets: the key protects copies of the database alone, and logs.
//! Fails when the key file is missing, malformed or readable by others, and when a secret does not open.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use super::files;
use super::layout::Layout;
use super::schema::to_db;
use crate::api::SecretMap;
use crate::commit::{Secret, SecretPut};
use crate::error::{During, Result, StoreError};

/// Head of the key file: what it is, and its version.
const HEAD: &[u8; 8] = b"AXKEY\x001\n";
const KEY: usize = 32;
const NONCE: usize = 24;

/// The key; wiped when dropped.
pub(crate) struct Key(Zeroizing<[u8; KEY]>);

/// Makes a new key file.
pub(crate) fn create_key(layout: &Layout) -> Result<()> {
    let mut file = Zeroizing::new([0_u8; HEAD.len() + KEY]);
    file[..HEAD.len()].copy_from_slice(HEAD);
    fill_random(&mut file[HEAD.len()..])?;
    files::write_whole(&layout.key(), &file[..])
}

/// Reads the key. Refuses one that others may read.
pub(crate) fn read_key(layout: &Layout) -> Result<Key> {
    let path = layout.key();
    let mut file = File::open(&path).during("open", &path)?;
    let mode = file.metadata().during("look at", &path)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(StoreError::KeyPermissions { path, mode });
    }
    let mut bytes = Zeroizing::new([0_u8; HEAD.len() + KEY]);
    let mut behind = [0; 1];
    let whole = file.read_exact(&mut bytes[..]).is_ok() && file.read(&mut behind).during("read", &path)? == 0;
    if !whole || !bytes.starts_with(HEAD) {
        return Err(StoreError::KeyMalformed { path });
    }
    let mut key = Zeroizing::new([0; KEY]);
    key.copy_from_slice(&bytes[HEAD.len()..]);
    Ok(Key(key))
}

/// Seals and stores a secret.
pub(crate) fn put(conn: &Connection, layout: &Layout, key: &Key, secret: &SecretPut) -> Result<()> {
    let mut nonce = [0_u8; NONCE];
    fill_random(&mut nonce)?;
    let cannot = || StoreError::Seal { job: secret.job, name: secret.name.clone() };
    let bound = bound_to(secret.job, &secret.name);
    let sealed = key
        .cipher()
        .and_then(|cipher| {
            cipher.encrypt(&XNonce::from(nonce), Payload { msg: secret.value.expose(), aad: &bound }).ok()
        })
        .ok_or_else(cannot)?;
    conn.prepare_cached(
        "INSERT INTO secrets(job, name, nonce, sealed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(job, name) DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed",
    )
    .and_then(|mut s| s.execute(params![to_db(secret.job), secret.name, nonce, sealed]))
    .map(|_| ())
    .during("store a secret", &layout.db())
}

/// The secrets of a job, opened.
pub(crate) fn get(conn: &Connection, layout: &Layout, key: &Key, job: u64) -> Result<SecretMap> {
    let op = "read the secrets of a job";
    let mut statement =
        conn.prepare_cached("SELECT name, nonce, sealed FROM secrets WHERE job = ?1").during(op, &layout.db())?;
    let rows = statement
        .query_map([to_db(job)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .during(op, &layout.db())?;
    let mut secrets = SecretMap::new();
    for row in rows {
        let (name, nonce, sealed): (String, Vec<u8>, Vec<u8>) = row.during(op, &layout.db())?;
        let value = open(key, job, &name, (&nonce, &sealed))?;
        secrets.insert(name, value);
    }
    Ok(secrets)
}

/// Opens one sealed value.
pub(crate) fn open(key: &Key, job: u64, name: &str, (nonce, sealed): (&[u8], &[u8])) -> Result<Secret> {
    let nonce: Option<[u8; NONCE]> = nonce.try_into().ok();
    let bound = bound_to(job, name);
    nonce
        .zip(key.cipher())
        .and_then(|(nonce, cipher)| cipher.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &bound }).ok())
        .map(Secret::new)
        .ok_or_else(|| StoreError::Unseal { job, name: name.to_owned() })
}

/// Removes the secrets of a job.
pub(crate) fn delete(conn: &Connection, layout: &Layout, job: u64) -> Result<u64> {
    conn.execute("DELETE FROM secrets WHERE job = ?1", [to_db(job)])
        .map(|n| n as u64)
        .during("remove the secrets of a job", &layout.db())
}

/// Random bytes from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| StoreError::Entropy { reason: e.to_string() })
}

impl Key {
    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        XChaCha20Poly1305::new_from_slice(&self.0[..]).ok()
    }
}

/// What a sealed value belongs to.
fn bound_to(job: u64, name: &str) -> Vec<u8> {
    let mut bound = b"autoexec secret 1".to_vec();
    bound.extend_from_slice(&job.to_le_bytes());
    bound.extend_from_slice(name.as_bytes());
    bound
}
