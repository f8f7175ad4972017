//! Folders that only this user can use. A folder that others own or can enter is refused: whoever can reach the socket can run
//! anything with this user's keys.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use super::Place;
use crate::error::Failure;

/// Makes the folders of the local scheduler, or checks them.
pub(crate) fn prepare(place: &Place, uid: u32) -> Result<(), Failure> {
    if let Some(parent) = place.state_dir.parent() {
        // What is missing above it is for this user only too, as the XDG specification asks.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|source| refused(parent, &source.to_string(), "name another one with --state-dir"))?;
    }
    private(&place.state_dir, uid)?;
    place.socket_folder().map_or(Ok(()), |folder| private(folder, uid))
}

fn private(path: &Path, uid: u32) -> Result<(), Failure> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(path, &error.to_string(), "name another one with --state-dir")),
    }
    // Not followed: a link that someone else put there must not lead us elsewhere. A folder is opened by everyone's path, so a
    // link above it is the user's own choice.
    let found = fs::symlink_metadata(path)
        .map_err(|source| refused(path, &source.to_string(), "name another one with --state-dir"))?;
    if !found.is_dir() {
        return Err(refused(path, "it is not a folder", "name another one with --state-dir"));
    }
    if found.uid() != uid {
        return Err(refused(
            path,
            &format!("it belongs to user {}", found.uid()),
            "name a folder of your own with --state-dir",
        ));
    }
    if found.mode() & 0o077 != 0 {
        let mode = found.mode() & 0o777;
        return Err(refused(
            path,
            &format!("others may enter it (mode {mode:o})"),
            &format!("chmod 700 {}", path.display()),
        ));
    }
    Ok(())
}

fn refused(path: &Path, why: &str, hint: &str) -> Failure {
    Failure::StateDir { path: path.to_owned(), why: why.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn uid() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    fn place(state_dir: &Path) -> Place {
        Place {
            state_dir: state_dir.to_owned(),
            socket: state_dir.join("daemon.sock"),
            explicit: false,
            runners: Vec::new(),
        }
    }

    #[test]
    fn it_is_made_for_this_user_only() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = temp.path().join("a/b");
        prepare(&place(&state), uid()).expect("made");
        assert_eq!(fs::metadata(&state).expect("there").permissions().mode() & 0o777, 0o700);
        prepare(&place(&state), uid()).expect("found");
        // The folder of the demonstration is made inside the real one; that must stay usable when it came first.
        prepare(&place(&temp.path().join("a")), uid()).expect("the one above");
    }

    #[test]
    fn what_others_can_use_is_refused_with_the_way_out() {
        let temp = tempfile::tempdir().expect("a folder");
        let open = temp.path().join("open");
        fs::create_dir(&open).expect("made");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("mode");
        let failure = prepare(&place(&open), uid()).expect_err("open");
        assert_eq!(failure.hints(), [format!("chmod 700 {}", open.display())]);
        let link = temp.path().join("link");
        symlink(temp.path(), &link).expect("linked");
        assert!(prepare(&place(&link), uid()).expect_err("link").to_string().contains("not a folder"));
        let mine = temp.path().join("mine");
        assert!(prepare(&place(&mine), uid() + 1).expect_err("other").to_string().contains("belongs to user"));
    }

    #[test]
    fn the_folder_of_a_socket_elsewhere_is_checked_too() {
        let temp = tempfile::tempdir().expect("a folder");
        let mut place = place(&temp.path().join("state"));
        place.socket = temp.path().join("sockets/daemon.sock");
        prepare(&place, uid()).expect("made");
        assert_eq!(fs::metadata(temp.path().join("sockets")).expect("there").permissions().mode() & 0o777, 0o700);
    }
}
