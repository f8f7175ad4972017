//! One private key file: permissions, format, passphrase.
//!
//! Can fail when it is missing, readable by others (refused, as OpenSSH does), not a key, or encrypted without the right passphrase.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use russh::keys::{PrivateKey, PublicKey, decode_secret_key};
use zeroize::Zeroizing;

use super::secret::Secret;

/// No private key is larger; an RSA key of 16,384 bits is 13 KiB.
const MAX_KEY_FILE: u64 = 64 * 1024;

/// What a file gives.
#[derive(Clone)]
pub(crate) enum KeyMaterial {
    /// The key itself.
    Open(Arc<PrivateKey>),
    /// The file is encrypted and no passphrase was given; an agent may hold this key.
    Locked(PublicKey),
}

/// Why a file gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyProblem {
    /// There is no such file.
    Missing,
    /// It is there and cannot be used.
    Unusable(String),
}

impl KeyProblem {
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Missing => "no such file".to_owned(),
            Self::Unusable(why) => why.clone(),
        }
    }
}

/// Size, change time and mode of a key file: what a cached key depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// Reads the file's stamp, and refuses it when others may read it.
pub(crate) fn inspect(path: &Path) -> Result<FileStamp, KeyProblem> {
    let meta = std::fs::metadata(path).map_err(|e| problem(&e))?;
    if !meta.is_file() {
        return Err(KeyProblem::Unusable("not a file".into()));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 && meta.uid() == nix::unistd::getuid().as_raw() {
        let why = format!("mode {mode:04o} lets others read it; `chmod 600 {}`", path.display());
        return Err(KeyProblem::Unusable(why));
    }
    Ok(FileStamp { inode: meta.ino(), size: meta.len(), changed: (meta.ctime(), meta.ctime_nsec()) })
}

/// Reads and, with a passphrase, decrypts a key. Takes 0.1 s and more for an encrypted one: call it where blocking is allowed.
pub(crate) fn load(path: &Path, passphrase: Option<&Secret>) -> Result<KeyMaterial, KeyProblem> {
    let text = read(path)?;
    match decode_secret_key(&text, passphrase.map(Secret::expose)) {
        Ok(key) => Ok(KeyMaterial::Open(Arc::new(key))),
        Err(russh::keys::Error::KeyIsEncrypted) => locked(path, &text),
        Err(e) if passphrase.is_some() && is_encrypted(&text) => {
            Err(KeyProblem::Unusable(format!("the passphrase does not open it ({})", lower(&e.to_string()))))
        }
        // A PEM file that wants a passphrase fails in its own ways without one.
        Err(_) if is_encrypted(&text) => locked(path, &text),
        Err(e) => Err(KeyProblem::Unusable(format!("not a usable private key: {}", lower(&e.to_string())))),
    }
}

/// The public half of an encrypted key: OpenSSH's own format holds it in the clear, else the `.pub` file beside it does.
fn locked(path: &Path, text: &str) -> Result<KeyMaterial, KeyProblem> {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return Ok(KeyMaterial::Locked(key.public_key().clone()));
    }
    let beside = format!("{}.pub", path.display());
    let public = std::fs::read_to_string(beside).ok().and_then(|text| PublicKey::from_openssh(text.trim()).ok());
    public.map(KeyMaterial::Locked).ok_or_else(|| KeyProblem::Unusable("encrypted, and no passphrase was given".into()))
}

fn is_encrypted(text: &str) -> bool {
    text.contains("ENCRYPTED") || PrivateKey::from_openssh(text).is_ok_and(|key| key.is_encrypted())
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyProblem> {
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(|e| problem(&e))?;
    file.take(MAX_KEY_FILE + 1).read_to_string(&mut text).map_err(|e| problem(&e))?;
    if text.len() as u64 > MAX_KEY_FILE {
        return Err(KeyProblem::Unusable("larger than 64 KiB, not a key".into()));
    }
    Ok(text)
}

fn problem(error: &io::Error) -> KeyProblem {
    match error.kind() {
        io::ErrorKind::NotFound => KeyProblem::Missing,
        _ => KeyProblem::Unusable(lower(&error.to_string())),
    }
}

/// Messages of libraries begin with a capital; ours go on in a sentence.
pub(crate) fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let second_is_capital = text.chars().nth(1).is_some_and(char::is_uppercase);
    match chars.next() {
        Some(first) if !second_is_capital => first.to_lowercase().chain(chars).collect(),
        Some(_) | None => text.to_owned(),
    }
}
