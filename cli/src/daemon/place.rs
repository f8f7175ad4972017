//! Where the local scheduler lives: its folder and its socket. Pure, so that each rule can be tested.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use autoexec_model::id::Digest;

use crate::args::Global;
use crate::error::Failure;

/// The longest path of a socket. The kernel's bound is 107 bytes here and 103 on other systems.
const MAX_SOCKET_PATH: usize = 100;

/// Name of the socket in its folder.
const SOCKET: &str = "daemon.sock";

/// The demonstration has a scheduler of its own, so that its jobs are not among real ones.
const DEMO: &str = "demo";

/// What the rules depend on besides the flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub(crate) state_home: Option<PathBuf>,
    /// The folder that relative paths start from.
    pub(crate) current: PathBuf,
    /// The user.
    pub(crate) uid: u32,
}

/// Where a scheduler is reached, and where the local one lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Folder of the local scheduler.
    pub(crate) state_dir: PathBuf,
    /// Where it is reached.
    pub(crate) socket: PathBuf,
    /// Whether the socket was named: then the scheduler is someone else's, and none is started.
    pub(crate) explicit: bool,
    /// Runners that the local scheduler has.
    pub(crate) runners: Vec<String>,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            home: path("HOME"),
            state_home: path("XDG_STATE_HOME"),
            current: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            uid: nix::unistd::geteuid().as_raw(),
        }
    }
}

impl Place {
    /// Finds it.
    pub(crate) fn locate(global: &Global, around: &Surroundings) -> Result<Self, Failure> {
        let base = match (&global.state_dir, &global.socket) {
            (Some(named), _) => around.current.join(named),
            (None, Some(_)) => PathBuf::new(),
            (None, None) => default_state_dir(around)?,
        };
        let (state_dir, runners) = if global.demo {
            (base.join(DEMO), vec!["runner-a".to_owned(), "runner-b".to_owned()])
        } else {
            (base, vec!["local".to_owned()])
        };
        let socket = match &global.socket {
            Some(named) => around.current.join(named),
            None => socket_in(&state_dir, around.uid),
        };
        Ok(Self { state_dir, socket, explicit: global.socket.is_some(), runners })
    }

    /// The folder that holds the socket, when it is not the state folder.
    pub(crate) fn socket_folder(&self) -> Option<&Path> {
        self.socket.parent().filter(|folder| *folder != self.state_dir)
    }
}

/// `XDG_STATE_HOME` counts only when it is absolute, as its specification says.
fn default_state_dir(around: &Surroundings) -> Result<PathBuf, Failure> {
    let state_home = around.state_home.clone().filter(|path| path.is_absolute());
    let state_home = state_home.or_else(|| around.home.as_ref().map(|home| home.join(".local/state")));
    Ok(state_home.ok_or(Failure::NoHome)?.join("autoexec"))
}

/// In the state folder; when that path is too long, in a folder under `/tmp` whose name is made from it.
fn socket_in(state_dir: &Path, uid: u32) -> PathBuf {
    let usual = state_dir.join(SOCKET);
    if usual.as_os_str().len() <= MAX_SOCKET_PATH {
        return usual;
    }
    let digest = Digest::of(state_dir.as_os_str().as_bytes());
    Path::new("/tmp").join(format!("autoexec-{uid}-{}", digest.short())).join(SOCKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        Surroundings { home: Some("/home/ada".into()), state_home: None, current: "/srv/jobs".into(), uid: 1000 }
    }

    fn located(global: &Global, around: &Surroundings) -> Place {
        Place::locate(global, around).expect("a place")
    }

    #[test]
    fn the_flag_comes_before_the_standard_and_the_standard_before_home() {
        let mut global = Global::default();
        let mut there = around();
        assert_eq!(located(&global, &there).socket, Path::new("/home/ada/.local/state/autoexec/daemon.sock"));
        there.state_home = Some("/var/state".into());
        assert_eq!(located(&global, &there).state_dir, Path::new("/var/state/autoexec"));
        there.state_home = Some("relative".into());
        assert_eq!(located(&global, &there).state_dir, Path::new("/home/ada/.local/state/autoexec"));
        global.state_dir = Some("mine".into());
        let place = located(&global, &there);
        assert_eq!((place.state_dir.as_path(), place.explicit), (Path::new("/srv/jobs/mine"), false));
        there.home = None;
        assert_eq!(located(&global, &there), place);
    }

    #[test]
    fn without_any_home_it_says_so() {
        let failure = Place::locate(&Global::default(), &Surroundings::default()).expect_err("no home");
        assert_eq!(failure.hints(), ["name a folder with --state-dir"]);
    }

    #[test]
    fn the_demonstration_is_apart_and_has_two_runners() {
        let global = Global { demo: true, ..Global::default() };
        let place = located(&global, &around());
        assert_eq!(place.state_dir, Path::new("/home/ada/.local/state/autoexec/demo"));
        assert_eq!(place.runners, ["runner-a", "runner-b"]);
    }

    #[test]
    fn a_named_socket_is_someone_elses() {
        let global = Global { socket: Some("s.sock".into()), ..Global::default() };
        let place = located(&global, &Surroundings { home: None, ..around() });
        assert_eq!((place.socket.as_path(), place.explicit), (Path::new("/srv/jobs/s.sock"), true));
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_replaced_by_a_short_one() {
        let long = |letters: usize| Global {
            state_dir: Some(format!("/{}", "d".repeat(letters)).into()),
            ..Global::default()
        };
        // `/`, 87 letters, `/daemon.sock`: exactly the bound.
        let fits = located(&long(87), &around());
        assert_eq!(fits.socket.as_os_str().len(), 100);
        assert_eq!(fits.socket_folder(), None);
        let short = located(&long(88), &around());
        assert!(short.socket.starts_with("/tmp"), "{short:?}");
        assert!(short.socket.to_string_lossy().starts_with("/tmp/autoexec-1000-"), "{short:?}");
        assert_ne!(short.socket, located(&long(89), &around()).socket);
        assert_eq!(short.socket_folder(), short.socket.parent());
    }
}
