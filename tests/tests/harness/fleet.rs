//! Inventories over private servers: many addresses of one sshd, ports that refuse, servers that accept and stay silent.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::sandbox::Sandbox;
use super::sshd::{Sshd, free_port};

/// An inventory that is being written.
pub(crate) struct Fleet {
    defaults: Vec<(&'static str, String)>,
    hosts: Vec<(String, String)>,
}

impl Fleet {
    /// Targets behind one sshd, with its key and a file that knows it. Attempts are kept inside the sandbox.
    pub(crate) fn ssh(sandbox: &Sandbox, sshd: &Sshd) -> Self {
        let defaults = vec![
            ("user", sshd.user.clone()),
            ("port", sshd.port.to_string()),
            ("key", sshd.key().display().to_string()),
            ("known_hosts", sshd.known_hosts().display().to_string()),
            ("work_dir", sandbox.folder("work")),
            ("connect_timeout", "20s".to_owned()),
        ];
        Self { defaults, hosts: Vec::new() }
    }

    /// Targets that are this machine itself.
    pub(crate) fn local() -> Self {
        Self { defaults: vec![("transport", "local".to_owned())], hosts: Vec::new() }
    }

    /// Simulated targets with the settings of `sim`, such as `{latency: 1ms}`.
    pub(crate) fn sim(settings: &str) -> Self {
        Self { defaults: vec![("transport", "sim".to_owned()), ("sim", settings.to_owned())], hosts: Vec::new() }
    }

    /// Hosts `web001` to `web<count>`, at 127.0.1.1 and on, 250 on each net.
    pub(crate) fn web(self, count: usize) -> Self {
        let width = count.to_string().len().max(3);
        let address = "127.0.{{ 1 + (n - 1) // 250 }}.{{ 1 + (n - 1) % 250 }}";
        self.host(&format!("web[{:0width$}-{count:0width$}]", 1), &format!("address: \"{address}\""))
    }

    /// A host or range, with settings such as `port: 22`. A later entry of a name adds to the earlier one.
    pub(crate) fn host(mut self, name: &str, settings: &str) -> Self {
        self.hosts.push((name.to_owned(), settings.to_owned()));
        self
    }

    /// A setting of all hosts, in the place of an earlier one.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.defaults.retain(|(known, _)| *known != name);
        self.defaults.push((name, value.into()));
        self
    }

    /// Writes it, and answers its path as text.
    pub(crate) fn write(&self, sandbox: &Sandbox, name: &str) -> String {
        let mut text = String::from("defaults:\n");
        for (key, value) in &self.defaults {
            writeln!(text, "  {key}: {value}").expect("text");
        }
        text += "groups:\n  web:\n    hosts:\n";
        for (host, settings) in &self.hosts {
            writeln!(text, "      \"{host}\": {{ {settings} }}").expect("text");
        }
        sandbox.write(name, text).display().to_string()
    }
}

/// A port on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    free_port()
}

/// A server that accepts connections and says nothing.
pub(crate) struct Silent {
    /// Its port, on every address.
    pub(crate) port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Silent {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("0.0.0.0", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if seen.load(Ordering::Relaxed) {
                    return;
                }
                held.push(stream);
            }
        });
        Self { port, over, thread: Some(thread) }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // One more connection lets the thread see that it is over.
        let woken = std::net::TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}
