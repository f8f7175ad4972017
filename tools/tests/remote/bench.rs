//! Runs one script of `plugins-remote/` the way a runner does: parameters in a clean environment, outputs in a file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use autoexec_tools::Catalogue;
use serde_json::Value;
use tempfile::TempDir;

/// The shells that a target may have as `sh`.
const SHELLS: [&[&str]; 5] = [&["dash"], &["bash"], &["busybox", "ash"], &["ksh"], &["mksh"]];

pub(crate) type Shell = &'static [&'static str];

/// The shells of this machine. Missing ones are named once, so that a green run does not hide them.
#[expect(clippy::print_stderr, reason = "a green run must not hide what it did not test")]
pub(crate) fn shells() -> &'static [Shell] {
    static FOUND: OnceLock<Vec<Shell>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let (found, missing): (Vec<Shell>, Vec<Shell>) = SHELLS.into_iter().partition(|shell| find(shell[0]).is_some());
        if !missing.is_empty() {
            eprintln!("not tested, because they are not installed: {missing:?}");
        }
        assert!(!found.is_empty(), "no shell at all");
        found
    })
}

/// A program on this machine's path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Where the shipped scripts lie.
pub(crate) fn script_of(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins-remote").join(tool).join(format!("{tool}.sh"))
}

/// A folder to work in, and an environment to run in.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    path: OsString,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: Value,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self { dir: tempfile::tempdir().unwrap(), path }
    }

    /// A file or folder of this bench.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text_at(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    /// Puts an executable script before everything else on the path.
    pub(crate) fn program(&mut self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let bin = self.at("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join(name), text).unwrap();
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        let rest: Vec<_> = std::env::split_paths(&self.path).filter(|folder| *folder != bin).collect();
        self.path = std::env::join_paths(std::iter::once(bin).chain(rest)).unwrap();
    }

    /// Leaves only these programs of the machine on the path.
    pub(crate) fn only(&mut self, programs: &[&str]) {
        let bin = self.at("only");
        std::fs::create_dir_all(&bin).unwrap();
        for program in programs {
            let real = find(program).unwrap_or_else(|| panic!("{program} is not installed"));
            std::os::unix::fs::symlink(real, bin.join(program)).unwrap();
        }
        self.path = bin.into_os_string();
    }

    /// Runs a tool with parameters as text.
    pub(crate) fn run(&self, shell: Shell, tool: &str, params: &[(&str, &str)]) -> Ran {
        let params = params.iter().map(|(name, value)| (*name, OsStr::new(value))).collect::<Vec<_>>();
        self.run_os(shell, tool, &params)
    }

    /// Runs a tool with parameters as bytes.
    pub(crate) fn run_bytes(&self, shell: Shell, tool: &str, params: &[(&str, &[u8])]) -> Ran {
        let params = params.iter().map(|(name, value)| (*name, OsStr::from_bytes(value))).collect::<Vec<_>>();
        self.run_os(shell, tool, &params)
    }

    fn run_os(&self, shell: Shell, tool: &str, params: &[(&str, &OsStr)]) -> Ran {
        let output_file = self.at("outputs.json");
        let _ = std::fs::remove_file(&output_file);
        let temporary = self.at("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let environment: BTreeMap<&str, &OsStr> = params.iter().copied().collect();
        let program = find(shell[0]).unwrap();
        let done = Command::new(program)
            .args(&shell[1..])
            .arg(script_of(tool))
            .env_clear()
            .env("PATH", &self.path)
            .env("TMPDIR", &temporary)
            .env("AUTOEXEC_OUTPUT", &output_file)
            .envs(environment)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let left = std::fs::read_dir(&temporary).unwrap().count();
        assert_eq!(left, 0, "{tool} under {shell:?} left files behind in the temporary folder");
        let outputs = match std::fs::read(&output_file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                panic!("{tool} under {shell:?} wrote bad JSON: {error}: {}", String::from_utf8_lossy(&bytes))
            }),
            Err(_) => Value::Null,
        };
        check_outputs(tool, &outputs);
        Ran {
            code: done.status.code(),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
            outputs,
        }
    }
}

/// What a tool publishes is what its manifest promises; `script` publishes what its script does.
fn check_outputs(tool: &str, outputs: &Value) {
    let Value::Object(outputs) = outputs else {
        return;
    };
    let catalogue = Catalogue::shipped();
    let manifest = &catalogue.get(tool).unwrap().descriptor.manifest;
    if tool == "script" {
        return;
    }
    for (name, value) in outputs {
        let declared =
            manifest.outputs.get(name).unwrap_or_else(|| panic!("{tool} does not declare the output {name}"));
        assert!(declared.accepts(value), "{tool}: {name} is not {}: {value}", declared.kind);
    }
    let missing: Vec<_> = manifest.outputs.names().filter(|name| !outputs.contains_key(*name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "{tool} does not publish all that it declares");
}

/// 4 KiB in which every byte but NUL occurs: what cannot be in an environment is not tested through one.
pub(crate) fn awkward_bytes() -> Vec<u8> {
    let mut bytes = b"$(id);'\"\n`\\\n".to_vec();
    let mut state: u32 = 0x2545_f491;
    while bytes.len() < 4096 {
        // xorshift: any fixed sequence will do, it only has to reach every value.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let byte = state.to_le_bytes()[1];
        if byte != 0 {
            bytes.push(byte);
        }
    }
    bytes.extend_from_slice(b"\n\n");
    bytes
}
