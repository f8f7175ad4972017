//! `known_hosts`: reading it and asking it about a host. Pure: text in, answer out.
//!
//! Understood are plain, hashed (`|1|salt|hash`) and pattern names with negation, `[host]:port`, `@revoked` and `@cert-authority`.
//! A line that cannot be understood is skipped, as OpenSSH does: one bad line must not lock everybody out.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use russh::keys::{HashAlg, PublicKey};

use super::error::{HostKey, KnownAt};
use super::wildcard;

/// What a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// The key belongs to the host.
    Host,
    /// The key signs host certificates.
    CertAuthority,
    /// The key must never be accepted.
    Revoked,
}

/// One understood line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What the line says.
    pub(crate) marker: Marker,
    /// The names it says it for, as written.
    pub(crate) names: String,
    /// The key.
    pub(crate) key: PublicKey,
    /// The file it stands in.
    pub(crate) file: PathBuf,
    /// The line, counted from 1.
    pub(crate) line: usize,
}

/// What `known_hosts` says about one key of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// This very key is recorded.
    Known,
    /// The host has other keys.
    Mismatch(Vec<KnownAt>),
    /// The host is not there.
    Unknown {
        /// A `@cert-authority` line names the host.
        authority: Option<KnownAt>,
    },
    /// The key is withdrawn.
    Revoked(KnownAt),
}

/// The name under which a host is recorded: `host`, or `[host]:port` when the port is not 22.
pub(crate) fn recorded_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// The lines of `text` that speak about one of `names`, in order. Keys are decoded only for those: files have thousands of lines.
pub(crate) fn parse_known_hosts(text: &str, file: &Path, names: &[String]) -> Vec<Entry> {
    text.lines().enumerate().filter_map(|(index, line)| parse_line(line, file, index + 1, names)).collect()
}

/// What the entries say about `offered`. `entries` are those of the host's own name, `plain` those of the host without its port:
/// like OpenSSH, a key recorded without the port is accepted, and a different one there is not a mismatch.
pub(crate) fn look_up(entries: &[Entry], plain: &[Entry], offered: &PublicKey) -> Lookup {
    let is_offered = |entry: &&Entry| entry.key.key_data() == offered.key_data();
    let all = || entries.iter().chain(plain);
    if let Some(revoked) = all().filter(|e| e.marker == Marker::Revoked).find(is_offered) {
        return Lookup::Revoked(revoked.place());
    }
    if all().filter(|e| e.marker == Marker::Host).any(|e| is_offered(&e)) {
        return Lookup::Known;
    }
    let others: Vec<KnownAt> = entries.iter().filter(|e| e.marker == Marker::Host).map(Entry::place).collect();
    if others.is_empty() {
        let authority = all().find(|e| e.marker == Marker::CertAuthority).map(Entry::place);
        return Lookup::Unknown { authority };
    }
    Lookup::Mismatch(others)
}

/// The line that records `key` for `name`.
pub(crate) fn render_line(name: &str, key: &PublicKey) -> Option<String> {
    let mut bare = key.clone();
    bare.set_comment("");
    Some(format!("{name} {}\n", bare.to_openssh().ok()?.trim_end()))
}

/// A key as people compare it.
pub(crate) fn shown_key(key: &PublicKey) -> HostKey {
    HostKey {
        algorithm: key.algorithm().as_str().to_owned(),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    }
}

impl Entry {
    fn place(&self) -> KnownAt {
        KnownAt { file: self.file.clone(), line: self.line, key: shown_key(&self.key).to_string() }
    }
}

fn parse_line(line: &str, file: &Path, number: usize, names: &[String]) -> Option<Entry> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let mut first = words.next()?;
    let marker = match first {
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::CertAuthority,
        other if other.starts_with('@') => return None,
        _ => Marker::Host,
    };
    if marker != Marker::Host {
        first = words.next()?;
    }
    if !names.iter().any(|name| names_match(first, name)) {
        return None;
    }
    let (algorithm, blob) = (words.next()?, words.next()?);
    let key = PublicKey::from_openssh(&format!("{algorithm} {blob}")).ok()?;
    Some(Entry { marker, names: first.to_owned(), key, file: file.to_path_buf(), line: number })
}

fn names_match(written: &str, name: &str) -> bool {
    if written.starts_with("|1|") {
        return hashed_name_is(written, name);
    }
    wildcard::list_matches(written.split(','), name)
}

/// `|1|base64(salt)|base64(hmac-sha1(salt, name))`.
fn hashed_name_is(written: &str, name: &str) -> bool {
    let mut parts = written.split('|').skip(2);
    let (Some(salt), Some(hash)) = (parts.next(), parts.next()) else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    // SHA-1 only hides the name here; what is trusted is the key on the line.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    hmac::verify(&key, name.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Keys and hashed lines made with ssh-keygen for these tests.
    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOYeDXChKy7vBMUCAWa7vPHqQAS5mvVHJ7TCeOhYViA2";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ04vftPxmBQAJ0YfRX4B9fgdcmr+vcNRzx0L45z4K3A";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).expect("key")
    }

    fn ask(text: &str, host: &str, port: u16, offered: &str) -> Lookup {
        let entries = parse_known_hosts(text, Path::new("kh"), &[recorded_name(host, port)]);
        let plain = parse_known_hosts(text, Path::new("kh"), &[recorded_name(host, 22)]);
        look_up(&entries, if port == 22 { &[] } else { &plain }, &key(offered))
    }

    fn hashed(name: &str) -> String {
        let salt = b"0123456789abcdefghij";
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt), name.as_bytes());
        format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(tag))
    }

    #[test]
    fn names_table() {
        let on_port = hashed("[web.lan]:2222");
        let cases = [
            ("web.lan", "web.lan", 22, true),
            ("WEB.lan", "web.LAN", 22, true),
            ("web.lan,10.0.0.1", "10.0.0.1", 22, true),
            ("web.lan", "db.lan", 22, false),
            ("*.lan,!db.lan", "web.lan", 22, true),
            ("*.lan,!db.lan", "db.lan", 22, false),
            ("[web.lan]:2222", "web.lan", 2222, true),
            ("[web.lan]:2222", "web.lan", 22, false),
            ("[web.lan]:2222", "web.lan", 2223, false),
            ("web.lan", "web.lan", 2222, true),
            ("|1|broken", "web.lan", 22, false),
            (on_port.as_str(), "web.lan", 2222, true),
            (on_port.as_str(), "web.lan", 22, false),
        ];
        for (names, host, port, known) in cases {
            let answer = ask(&format!("{names} {A} comment\n"), host, port, A);
            assert_eq!(answer == Lookup::Known, known, "{names} {host} {port}: {answer:?}");
        }
    }

    #[test]
    fn a_hashed_line_of_openssh_is_understood() {
        // `ssh-keygen -H` wrote this name for example.com.
        let line = format!("|1|YMBDb6iEl53GN7I3+gGb+Dz/4WE=|JFjzldkqbwbCHXiOxWV2ngmkYZQ= {B}\n");
        assert_eq!(ask(&line, "example.com", 22, B), Lookup::Known);
        assert!(matches!(ask(&line, "example.org", 22, B), Lookup::Unknown { authority: None }));
    }

    #[test]
    fn a_different_key_is_a_mismatch_with_its_place() {
        let text = format!("# note\n\nweb.lan {A}\n");
        let Lookup::Mismatch(known) = ask(&text, "web.lan", 22, B) else { panic!("no mismatch") };
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].line, known[0].file.as_path()), (3, Path::new("kh")));
        assert!(known[0].key.starts_with("ssh-ed25519 SHA256:"), "{}", known[0].key);
    }

    #[test]
    fn one_of_several_keys_is_enough_and_a_plain_name_on_another_port_is_no_mismatch() {
        assert_eq!(ask(&format!("web.lan {A}\nweb.lan {B}\n"), "web.lan", 22, B), Lookup::Known);
        assert!(matches!(ask(&format!("web.lan {A}\n"), "web.lan", 2222, B), Lookup::Unknown { .. }));
    }

    #[test]
    fn revoked_wins_over_known_and_authorities_are_told() {
        let text = format!("web.lan {A}\n@revoked * {A}\n");
        assert!(matches!(ask(&text, "web.lan", 22, A), Lookup::Revoked(at) if at.line == 2));
        let text = format!("@cert-authority *.lan {A}\n@unknown-marker web.lan {B}\nweb.lan garbage\n");
        assert!(matches!(ask(&text, "web.lan", 22, B), Lookup::Unknown { authority: Some(at) } if at.line == 1));
    }

    #[test]
    fn the_written_line_is_read_again() {
        let line = render_line("[web.lan]:2222", &key(&format!("{A} somebody@here"))).expect("line");
        assert_eq!(line, format!("[web.lan]:2222 {A}\n"));
        assert_eq!(ask(&line, "web.lan", 2222, A), Lookup::Known);
    }
}
