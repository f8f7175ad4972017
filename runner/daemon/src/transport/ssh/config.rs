//! `ssh_config`: what it says about one host. Pure: text in, settings out; included files come from a closure.
//!
//! Written here because the available parser crate reads included files itself and knows nothing of `UserKnownHostsFile`,
//! `StrictHostKeyChecking`, `HostKeyAlias` and `IdentitiesOnly`. The rules are OpenSSH's: the first value wins, `IdentityFile`
//! collects, an `Include` counts where it stands and under the `Host` it stands in, unknown keywords are ignored.
//! `Match` blocks are skipped with a warning, except `Match all`.

use super::wildcard;

/// Includes inside includes; OpenSSH's own bound.
const MAX_DEPTH: usize = 16;
/// Files read for one host, against a pattern that matches a whole disk.
const MAX_FILES: usize = 1024;

/// One file: its name for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigSource {
    /// How the file is called in messages.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
}

/// What the files say about one host. Paths are as written: `~` and tokens are for the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostConfig {
    /// `HostName`, `%h` already replaced.
    pub(crate) host_name: Option<String>,
    /// `User`.
    pub(crate) user: Option<String>,
    /// `Port`.
    pub(crate) port: Option<u16>,
    /// Every `IdentityFile`, in order; `none` is kept as written.
    pub(crate) identity_files: Vec<String>,
    /// `IdentitiesOnly`.
    pub(crate) identities_only: Option<bool>,
    /// `ProxyJump`, as written (`none` included).
    pub(crate) proxy_jump: Option<String>,
    /// `UserKnownHostsFile`, one element per file.
    pub(crate) known_hosts: Option<Vec<String>>,
    /// `StrictHostKeyChecking`, lower case.
    pub(crate) strict: Option<String>,
    /// `ConnectTimeout` in seconds.
    pub(crate) connect_timeout: Option<u32>,
    /// `ServerAliveInterval` in seconds; 0 is off.
    pub(crate) alive_interval: Option<u32>,
    /// `HostKeyAlias`.
    pub(crate) alias: Option<String>,
    /// What was skipped and may matter, for people.
    pub(crate) warnings: Vec<String>,
}

/// A line that applies to the host and cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub(crate) struct ConfigError {
    /// The file's name.
    pub(crate) file: String,
    /// The line, counted from 1; 0 when the file as a whole is at fault.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) why: String,
}

/// What `main` and the files it includes say about `host` (the name as the user gives it).
///
/// `load` answers an `Include` argument, as written, with the files that it names, in order.
pub(crate) fn resolve_host_config(
    main: &ConfigSource,
    host: &str,
    load: &mut dyn FnMut(&str) -> Result<Vec<ConfigSource>, String>,
) -> Result<HostConfig, ConfigError> {
    let mut walk = Walk { host, load, found: HostConfig::default(), files: 0 };
    walk.file(main, true, 0)?;
    let mut found = walk.found;
    found.host_name = found.host_name.map(|name| name.replace("%h", host).replace("%%", "%"));
    Ok(found)
}

struct Walk<'a> {
    host: &'a str,
    load: &'a mut dyn FnMut(&str) -> Result<Vec<ConfigSource>, String>,
    found: HostConfig,
    files: usize,
}

impl Walk<'_> {
    /// Reads one file. `outer` tells whether the place of its `Include` applies to the host.
    fn file(&mut self, source: &ConfigSource, outer: bool, depth: usize) -> Result<(), ConfigError> {
        let error = |line: usize, why: String| ConfigError { file: source.name.clone(), line, why };
        self.files += 1;
        if depth > MAX_DEPTH {
            return Err(error(0, format!("includes are nested deeper than {MAX_DEPTH}")));
        }
        if self.files > MAX_FILES {
            return Err(error(0, format!("more than {MAX_FILES} files are included")));
        }
        let mut applies = outer;
        for (index, raw) in source.text.lines().enumerate() {
            let line = index + 1;
            let words = split_words(raw).map_err(|why| error(line, why))?;
            let Some((keyword, arguments)) = words.split_first() else { continue };
            match keyword.to_ascii_lowercase().as_str() {
                "host" => applies = outer && wildcard::list_matches(arguments.iter().map(String::as_str), self.host),
                "match" => applies = outer && self.match_block(arguments, source, line),
                "include" if applies => {
                    for argument in arguments {
                        let included = (self.load)(argument).map_err(|why| error(line, why))?;
                        for file in &included {
                            self.file(file, true, depth + 1)?;
                        }
                    }
                }
                keyword if applies => self.setting(keyword, arguments).map_err(|why| error(line, why))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn match_block(&mut self, arguments: &[String], source: &ConfigSource, line: usize) -> bool {
        if arguments.len() == 1 && arguments[0].eq_ignore_ascii_case("all") {
            return true;
        }
        self.found.warnings.push(format!("{}:{line}: Match blocks are not read", source.name));
        false
    }

    fn setting(&mut self, keyword: &str, arguments: &[String]) -> Result<(), String> {
        let found = &mut self.found;
        match keyword {
            "hostname" => first(&mut found.host_name, one(keyword, arguments)?.to_owned()),
            "user" => first(&mut found.user, one(keyword, arguments)?.to_owned()),
            "port" => first(&mut found.port, number(keyword, arguments)?),
            "identityfile" => found.identity_files.push(one(keyword, arguments)?.to_owned()),
            "identitiesonly" => first(&mut found.identities_only, yes_or_no(keyword, arguments)?),
            "proxyjump" => first(&mut found.proxy_jump, one(keyword, arguments)?.to_owned()),
            "userknownhostsfile" => {
                one(keyword, arguments)?;
                first(&mut found.known_hosts, arguments.to_vec());
            }
            "stricthostkeychecking" => first(&mut found.strict, one(keyword, arguments)?.to_ascii_lowercase()),
            "connecttimeout" => first(&mut found.connect_timeout, seconds(keyword, arguments)?),
            "serveraliveinterval" => first(&mut found.alive_interval, seconds(keyword, arguments)?),
            "hostkeyalias" => first(&mut found.alias, one(keyword, arguments)?.to_owned()),
            "proxycommand" if !one(keyword, arguments)?.eq_ignore_ascii_case("none") => {
                found.warnings.push("ProxyCommand is not supported; use ProxyJump".to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn one<'a>(keyword: &str, arguments: &'a [String]) -> Result<&'a str, String> {
    arguments.first().map(String::as_str).ok_or_else(|| format!("`{keyword}` needs a value"))
}

fn number<T: std::str::FromStr>(keyword: &str, arguments: &[String]) -> Result<T, String> {
    let text = one(keyword, arguments)?;
    text.parse().map_err(|_| format!("`{keyword}` needs a number, not `{text}`"))
}

/// Seconds, or a sum of `1h30m10s` as OpenSSH writes times; `none` is 0.
fn seconds(keyword: &str, arguments: &[String]) -> Result<u32, String> {
    let text = one(keyword, arguments)?;
    if text.eq_ignore_ascii_case("none") {
        return Ok(0);
    }
    let wrong = || format!("`{keyword}` needs a time, not `{text}`");
    let (mut total, mut digits) = (0u32, String::new());
    for c in text.chars().chain(std::iter::once('s')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(wrong()),
        };
        if digits.is_empty() {
            continue;
        }
        let amount: u32 = digits.parse().map_err(|_| wrong())?;
        total = amount.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        digits.clear();
    }
    Ok(total)
}

fn yes_or_no(keyword: &str, arguments: &[String]) -> Result<bool, String> {
    match one(keyword, arguments)?.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        other => Err(format!("`{keyword}` needs yes or no, not `{other}`")),
    }
}

/// The words of a line: `Keyword value "quoted value"` or `Keyword=value`; `#` begins a comment at the start of a word.
fn split_words(line: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
            None => {
                let is_end = |c: char| c.is_whitespace() || (words.is_empty() && c == '=');
                rest.split_at(rest.find(is_end).unwrap_or(rest.len()))
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start();
        if words.len() == 1 {
            rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        }
    }
    Ok(words)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
