//! Writing an accepted key to `known_hosts`: under a lock, appended in one write, never overwriting.
//!
//! Can fail when the folder or file cannot be created, locked, read or written; the caller refuses the host then, because a key
//! that is not written down would be accepted again, whatever it is, the next time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use russh::keys::PublicKey;

use super::known_hosts::{Entry, Lookup, look_up, parse_known_hosts, render_line};

/// Records `key` for `name` in `path` unless the file says something about the name meanwhile.
///
/// Blocks on the file lock: call it where blocking is allowed. The answer is what the file says *before* writing:
/// [`Lookup::Unknown`] means that the key was added.
pub(crate) fn accept_new(path: &Path, name: &str, key: &PublicKey) -> io::Result<Lookup> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    // The lock ends with the file handle. Two runners or two targets with one address meet here.
    file.lock()?;
    let text = read_all(&mut file)?;
    let entries: Vec<Entry> = parse_known_hosts(&text, path, &[name.to_owned()]);
    let verdict = look_up(&entries, &[], key);
    if matches!(verdict, Lookup::Unknown { .. }) {
        let line = render_line(name, key).ok_or_else(|| io::Error::other("the key cannot be written as text"))?;
        let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        file.write_all(format!("{separator}{line}").as_bytes())?;
        file.sync_data()?;
    }
    Ok(verdict)
}

/// A `known_hosts` above this is not one: reading it for every connection would be the real problem.
pub(crate) const MAX_KNOWN_HOSTS: u64 = 64 * 1024 * 1024;

/// The text of a `known_hosts` file; undecodable bytes only spoil their own line.
pub(crate) fn read_known_hosts(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Ok(mut file) => read_all(&mut file).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read_all(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_KNOWN_HOSTS + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_KNOWN_HOSTS {
        return Err(io::Error::other("larger than 64 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOYeDXChKy7vBMUCAWa7vPHqQAS5mvVHJ7TCeOhYViA2";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ04vftPxmBQAJ0YfRX4B9fgdcmr+vcNRzx0L45z4K3A";

    #[test]
    fn appends_once_never_overwrites_and_keeps_the_file_private() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("ssh/known_hosts");
        let (a, b) = (PublicKey::from_openssh(A).expect("a"), PublicKey::from_openssh(B).expect("b"));
        assert!(matches!(accept_new(&path, "web", &a).expect("first"), Lookup::Unknown { .. }));
        assert_eq!(accept_new(&path, "web", &a).expect("again"), Lookup::Known);
        assert!(matches!(accept_new(&path, "web", &b).expect("other"), Lookup::Mismatch(_)));
        assert_eq!(std::fs::read_to_string(&path).expect("text"), format!("web {A}\n"));
        assert_eq!(std::fs::metadata(&path).expect("meta").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_last_newline_does_not_spoil_two_lines() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("known_hosts");
        std::fs::write(&path, format!("old {A}")).expect("write");
        accept_new(&path, "web", &PublicKey::from_openssh(B).expect("b")).expect("add");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), format!("old {A}\nweb {B}\n"));
    }
}
