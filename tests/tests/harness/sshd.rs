//! A private `sshd`: own configuration, host key and user key, a free port, killed with everything under it on drop.
//!
//! It listens on every address of 127/8, so that 127.0.1.1, 127.0.1.2, ... are separate targets without any set-up. `start` answers
//! `None`, with a loud line, where there is no sshd and none can be installed.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::processes::kill_tree;

const SSHD: &str = "/usr/sbin/sshd";
/// A started sshd answers in some 30 ms; a loaded machine may need much longer.
const READY: Duration = Duration::from_secs(20);

/// What a test may want different.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Further lines of the configuration; they come first and so win.
    pub(crate) lines: Vec<String>,
}

/// A running server.
pub(crate) struct Sshd {
    child: Child,
    dir: tempfile::TempDir,
    /// The port on every address of 127/8.
    pub(crate) port: u16,
    /// The user to log in as: the one who runs the tests.
    pub(crate) user: String,
}

impl Sshd {
    /// Starts a server with the usual set-up.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&Setup::default())
    }

    /// Starts a server and waits until it answers.
    pub(crate) fn start_with(setup: &Setup) -> Option<Self> {
        if !available() {
            return None;
        }
        // The port is free when asked for and may be taken a moment later: then sshd ends at once and another one is tried.
        let server = (0..5).find_map(|_| Self::try_start(setup));
        Some(server.expect("sshd starts"))
    }

    fn try_start(setup: &Setup) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("ax-sshd").tempdir().expect("a temporary folder");
        let at = dir.path();
        // sshd reads the accepted keys as the user who logs in, who may be another one.
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("its mode");
        for name in ["host", "user", "other_host", "other_user"] {
            run_tool(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", at.join(name).to_str().expect("a path")],
            );
        }
        fs::copy(at.join("user.pub"), at.join("authorized_keys")).expect("authorized_keys");
        fs::create_dir(at.join("home")).expect("home");
        let port = free_port();
        fs::write(at.join("sshd_config"), config(at, port, setup)).expect("sshd_config");
        if is_root() {
            // sshd wants its empty folder for privilege separation.
            fs::create_dir_all("/run/sshd").expect("/run/sshd");
        }
        let log = fs::File::create(at.join("log")).expect("log");
        let mut command = Command::new(SSHD);
        command
            .args(["-D", "-e", "-f"])
            .arg(at.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = command.spawn().expect("sshd");
        let user = run_tool("id", &["-un"]).trim().to_owned();
        let mut server = Self { child, dir, port, user };
        server.wait_until_ready().then_some(server)
    }

    fn wait_until_ready(&mut self) -> bool {
        let deadline = Instant::now() + READY;
        while Instant::now() < deadline {
            if self.child.try_wait().expect("sshd's state").is_some() {
                eprintln!("sshd ended at once: {}", self.log());
                return false;
            }
            let mut banner = [0; 8];
            let read = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(5)))?;
                stream.read_exact(&mut banner)
            });
            if read.is_ok() && &banner == b"SSH-2.0-" {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("sshd did not answer within {READY:?}: {}", self.log());
    }

    /// The private key that the server accepts.
    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// A private key that it does not accept.
    pub(crate) fn wrong_key(&self) -> PathBuf {
        self.dir.path().join("other_user")
    }

    /// A file that knows the server under each of its addresses.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.write_known_hosts("known_hosts", "host")
    }

    /// A file that expects another key of it.
    pub(crate) fn wrong_known_hosts(&self) -> PathBuf {
        self.write_known_hosts("wrong_known_hosts", "other_host")
    }

    fn write_known_hosts(&self, name: &str, key: &str) -> PathBuf {
        let public = fs::read_to_string(self.dir.path().join(format!("{key}.pub"))).expect("a public key");
        let path = self.dir.path().join(name);
        fs::write(&path, format!("[127.*]:{} {public}", self.port)).expect("known_hosts");
        path
    }

    /// What the server wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How often somebody logged in.
    pub(crate) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey for ").count()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        kill_tree(self.child.id());
        let _ = self.child.wait();
    }
}

/// Whether there is an sshd; installs it where that is possible. Asked once.
fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        if Path::new(SSHD).exists() {
            return true;
        }
        let install = "apt-get install -y openssh-server || { apt-get update && apt-get install -y openssh-server; }";
        let installed = is_root()
            && Command::new("sh")
                .args(["-c", install])
                .stdout(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        if !(installed && Path::new(SSHD).exists()) {
            super::skip(&format!(
                "no {SSHD}, and openssh-server cannot be installed here: nothing about SSH is tested"
            ));
            return false;
        }
        true
    })
}

/// Whether the tests may do what only root may.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs a program that must succeed, and answers its output.
#[track_caller]
pub(crate) fn run_tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect(program);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("0.0.0.0", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn config(dir: &Path, port: u16, setup: &Setup) -> String {
    let dir = dir.display();
    let text = setup.lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    text + &format!(
        "HostKey {dir}/host\n\
         Port {port}\n\
         ListenAddress 0.0.0.0\n\
         PidFile {dir}/pid\n\
         AuthorizedKeysFile {dir}/authorized_keys\n\
         UsePAM no\n\
         StrictModes no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         MaxStartups 1000\n\
         MaxSessions 100\n\
         SetEnv HOME={dir}/home\n\
         PrintMotd no\n\
         PrintLastLog no\n\
         UseDNS no\n\
         LogLevel VERBOSE\n",
    )
}
