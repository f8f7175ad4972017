//! A private `sshd` for tests: own configuration, host keys and user keys, a free port, killed with everything under it on drop.
//!
//! It listens on all of 127/8, so that 127.0.1.1, 127.0.1.2, ... are separate targets without any set-up. `start` answers `None`, with
//! a loud line on stderr, where there is no sshd and none can be installed. Only the standard library is used.

#![expect(unreachable_pub, reason = "written to be moved to a crate of its own")]
#![expect(clippy::disallowed_methods, reason = "a fixture waits for a real process")]

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const SSHD: &str = "/usr/sbin/sshd";
/// A started sshd answers in some 30 ms; a loaded machine may need much longer.
const READY: Duration = Duration::from_secs(20);

/// What a test may want different.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Types of the host keys, as `ssh-keygen -t` takes them.
    pub host_keys: Vec<&'static str>,
    /// Sessions on one connection.
    pub max_sessions: u32,
    /// Further lines of the configuration; they come first and so win.
    pub lines: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { host_keys: vec!["ed25519"], max_sessions: 100, lines: Vec::new() }
    }
}

/// A running server.
pub struct Sshd {
    child: Child,
    dir: PathBuf,
    /// The port on every address of 127/8.
    pub port: u16,
    /// The user to log in as: the one who runs the tests.
    pub user: String,
}

impl Sshd {
    /// Starts a server with the usual set-up.
    pub fn start() -> Option<Self> {
        Self::start_with(&Setup::default())
    }

    /// Starts a server and waits until it answers.
    pub fn start_with(setup: &Setup) -> Option<Self> {
        if !available() {
            return None;
        }
        // The port is free when asked for and may be taken a moment later: then sshd ends at once and another one is tried.
        (0..5).find_map(|_| Self::try_start(setup))
    }

    fn try_start(setup: &Setup) -> Option<Self> {
        let dir = scratch_dir();
        for kind in &setup.host_keys {
            keygen(&dir.join(format!("host_{kind}")), kind, "");
        }
        keygen(&dir.join("user_ed25519"), "ed25519", "");
        fs::copy(dir.join("user_ed25519.pub"), dir.join("authorized_keys")).expect("authorized_keys");
        fs::create_dir(dir.join("home")).expect("home");
        let port = free_port();
        fs::write(dir.join("sshd_config"), config(&dir, port, setup)).expect("sshd_config");
        if is_root() {
            // sshd wants its empty folder for privilege separation.
            fs::create_dir_all("/run/sshd").expect("/run/sshd");
        }
        let log = fs::File::create(dir.join("log")).expect("log");
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(dir.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd");
        let mut server = Self { child, dir, port, user: user_name() };
        if server.wait_until_ready() { Some(server) } else { None }
    }

    fn wait_until_ready(&mut self) -> bool {
        let deadline = Instant::now() + READY;
        while Instant::now() < deadline {
            if self.child.try_wait().expect("sshd state").is_some() {
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
            std::thread::yield_now();
        }
        panic!("sshd did not answer within {READY:?}: {}", self.log());
    }

    /// The private key that the server accepts from the start.
    pub fn key(&self) -> PathBuf {
        self.dir.join("user_ed25519")
    }

    /// A file or folder of this server's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes a key pair; the server does not accept it yet.
    pub fn make_key(&self, name: &str, kind: &str, passphrase: &str) -> PathBuf {
        let path = self.dir.join(name);
        keygen(&path, kind, passphrase);
        path
    }

    /// Accepts the public half of `key` from now on.
    pub fn authorize(&self, key: &Path) {
        let public = fs::read_to_string(format!("{}.pub", key.display())).expect("public key");
        let file = self.dir.join("authorized_keys");
        let text = fs::read_to_string(&file).expect("authorized_keys");
        fs::write(&file, format!("{text}{public}")).expect("authorize");
    }

    /// A host's public key, `ssh-ed25519 AAAA...` without a comment.
    pub fn host_key(&self, kind: &str) -> String {
        let text = fs::read_to_string(self.dir.join(format!("host_{kind}.pub"))).expect("host key");
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// A host key's `SHA256:` fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self, kind: &str) -> String {
        let output = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(self.dir.join(format!("host_{kind}.pub")))
            .output()
            .expect("keygen -l");
        let text = String::from_utf8(output.stdout).expect("text");
        text.split_whitespace().nth(1).expect("fingerprint").to_owned()
    }

    /// The line of `known_hosts` for one of the server's addresses.
    pub fn known_hosts_line(&self, address: &str, kind: &str) -> String {
        format!("[{address}]:{} {}\n", self.port, self.host_key(kind))
    }

    /// Writes a `known_hosts` file for the addresses and answers its path.
    pub fn known_hosts(&self, name: &str, addresses: &[&str], kind: &str) -> PathBuf {
        let path = self.dir.join(name);
        let text: String = addresses.iter().map(|address| self.known_hosts_line(address, kind)).collect();
        fs::write(&path, text).expect("known_hosts");
        path
    }

    /// The processes that serve connections now: children of the listening server.
    pub fn connection_pids(&self) -> Vec<u32> {
        children_of(self.child.id())
    }

    /// Kills every process that serves a connection, as a crash of the host would.
    pub fn kill_connections(&self) {
        for pid in self.connection_pids() {
            kill_tree(pid);
        }
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        kill_tree(self.child.id());
        let reaped = self.child.wait();
        let removed = fs::remove_dir_all(&self.dir);
        if std::thread::panicking() && (reaped.is_err() || removed.is_err()) {
            eprintln!("the sshd fixture left something behind in {}", self.dir.display());
        }
    }
}

/// Whether there is an sshd; installs it where that is possible. Asked once.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        if Path::new(SSHD).exists() {
            return true;
        }
        let install = "apt-get install -y openssh-server || { apt-get update && apt-get install -y openssh-server; }";
        let installed = is_root()
            && Command::new("sh").args(["-c", install]).stdout(Stdio::null()).status().is_ok_and(|s| s.success());
        if !(installed && Path::new(SSHD).exists()) {
            eprintln!("SKIPPED: no {SSHD}, and openssh-server cannot be installed here: nothing about SSH is tested");
            return false;
        }
        true
    })
}

/// Whether the tests may do what only root may.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// The name of the user who runs the tests.
pub fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout).expect("name").trim().to_owned()
}

/// Runs a program that must succeed, and answers its output.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect(program);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An address on which nobody listens, at a port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("0.0.0.0", 0)).expect("a free port");
    listener.local_addr().expect("address").port()
}

fn config(dir: &Path, port: u16, setup: &Setup) -> String {
    let dir = dir.display();
    let mut text = setup.lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for kind in &setup.host_keys {
        text += &format!("HostKey {dir}/host_{kind}\n");
    }
    text + &format!(
        "Port {port}\n\
         ListenAddress 0.0.0.0\n\
         PidFile {dir}/pid\n\
         AuthorizedKeysFile {dir}/authorized_keys\n\
         UsePAM no\n\
         StrictModes no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         MaxStartups 1000\n\
         MaxSessions {}\n\
         SetEnv HOME={dir}/home\n\
         PrintMotd no\n\
         PrintLastLog no\n\
         UseDNS no\n\
         LogLevel VERBOSE\n",
        setup.max_sessions
    )
}

fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let (kind, bits) = kind.split_once(':').unwrap_or((kind, ""));
    let mut arguments = vec!["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", path.to_str().expect("path")];
    if !bits.is_empty() {
        arguments.extend(["-b", bits]);
    }
    run("ssh-keygen", &arguments);
}

fn scratch_dir() -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("autoexec-sshd-{}-{number}", std::process::id()));
    fs::create_dir_all(&dir).expect("scratch folder");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("mode");
    dir
}

/// The children of a process, from `/proc`.
fn children_of(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent ...`; the name may hold anything but its own closing bracket is the last one.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Stops a process first, so that it cannot make new children, then kills what is under it, then itself.
fn kill_tree(pid: u32) {
    signal(pid, "STOP");
    for child in children_of(pid) {
        kill_tree(child);
    }
    signal(pid, "KILL");
}

fn signal(pid: u32, name: &str) {
    // A process that ended meanwhile is what is wanted.
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "kill cannot be run");
}
