//! The files of `ssh_config`: which ones a pattern names, and their text. The only I/O of that part.
//!
//! Can fail when a file that was named outright cannot be read, or is far larger than any configuration.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::config::{ConfigError, ConfigSource, HostConfig, resolve_host_config};
use super::environment::SshEnvironment;
use super::target::SshConfigUse;
use super::wildcard;

/// No `ssh_config` written by people is larger.
const MAX_CONFIG: u64 = 4 * 1024 * 1024;

/// What the user's `ssh_config` says about `host`.
pub(crate) fn host_config(wanted: &SshConfigUse, host: &str, env: &SshEnvironment) -> Result<HostConfig, ConfigError> {
    let (path, must_exist) = match wanted {
        SshConfigUse::Off => return Ok(HostConfig::default()),
        SshConfigUse::File(path) => (env.expand(path), true),
        SshConfigUse::Default => match env.ssh_dir() {
            Some(dir) => (dir.join("config"), false),
            None => return Ok(HostConfig::default()),
        },
    };
    let main = match read(&path) {
        Ok(source) => source,
        Err(e) if e.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(HostConfig::default()),
        Err(e) => return Err(ConfigError { file: path.display().to_string(), line: 0, why: e.to_string() }),
    };
    resolve_host_config(&main, host, &mut |pattern| included(pattern, env))
}

/// The files an `Include` names: absolute, under `~`, or under `~/.ssh`. A pattern that names nothing is no error, as in OpenSSH.
fn included(pattern: &str, env: &SshEnvironment) -> Result<Vec<ConfigSource>, String> {
    let path = env.expand(Path::new(pattern));
    let path = match env.ssh_dir() {
        Some(dir) if path.is_relative() => dir.join(path),
        Some(_) | None => path,
    };
    let read = |path: PathBuf| read(&path).map_err(|e| format!("cannot include {}: {e}", path.display()));
    expand_glob(&path).into_iter().map(read).collect()
}

/// The existing files that `pattern` names, sorted; wildcards may stand in any part of the path.
fn expand_glob(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let is_pattern = matches!(part, Component::Normal(_)) && text.contains(['*', '?']);
        found = found
            .into_iter()
            .flat_map(|base| if is_pattern { matching(&base, &text) } else { vec![base.join(part)] })
            .collect();
    }
    found.retain(|path| path.is_file());
    found
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            wildcard::matches(pattern, &name) && (!name.starts_with('.') || pattern.starts_with('.'))
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> io::Result<ConfigSource> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_CONFIG + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_CONFIG {
        return Err(io::Error::other("larger than 4 MiB"));
    }
    Ok(ConfigSource { name: path.display().to_string(), text: String::from_utf8_lossy(&bytes).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found_below_the_ssh_folder_in_order() {
        let home = tempfile::tempdir().expect("home");
        let ssh = home.path().join(".ssh");
        std::fs::create_dir_all(ssh.join("conf.d")).expect("dir");
        std::fs::write(ssh.join("config"), "Include conf.d/*.conf ~/extra nothing-here\nUser last\n").expect("config");
        std::fs::write(ssh.join("conf.d/20.conf"), "User second\nPort 20\n").expect("20");
        std::fs::write(ssh.join("conf.d/10.conf"), "User first\n").expect("10");
        std::fs::write(ssh.join("conf.d/skipped.txt"), "Port 99\n").expect("txt");
        std::fs::write(home.path().join("extra"), "HostName extra\n").expect("extra");
        let env = SshEnvironment { home: Some(home.path().to_path_buf()), ..SshEnvironment::default() };
        let found = host_config(&SshConfigUse::Default, "web", &env).expect("config");
        assert_eq!((found.user.as_deref(), found.port), (Some("first"), Some(20)));
        assert_eq!(found.host_name.as_deref(), Some("extra"));
        assert_eq!(host_config(&SshConfigUse::Off, "web", &env).expect("off"), HostConfig::default());
        let missing = SshConfigUse::File(home.path().join("no-such-file"));
        assert!(host_config(&missing, "web", &env).is_err(), "a file that was named must exist");
    }
}
