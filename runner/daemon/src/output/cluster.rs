//! Which targets said the same: a digest of the output with everything masked that differs from host to host.
//!
//! Masked are the target's own name and address, the attempt's folder, IP addresses, UUIDs, dates and times, and process numbers. Lines are
//! hashed as they come, so that memory does not grow with the output.

use std::sync::LazyLock;

use autoexec_model::grant::Stream;
use autoexec_model::id::Digest;
use autoexec_model::plan::Target;
use regex::bytes::Regex;

/// Bytes of a line that are looked at; the rest of a longer one does not tell hosts apart.
const MAX_LINE: usize = 4 * 1024;

/// In order of precedence: the longer forms first.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u)(?i)[^\s'\x22]*/autoexec-\d+/[0-9a-f]{8}-\d+-\d+-\d+-s\d+-t\d+/(?:\w{32}/)?",
        r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b",
        r"|\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?\b",
        r"|\b(?:\d{1,3}\.){3}\d{1,3}\b",
        r"|\[\d+\]",
        r"|\bpid[ =:]+\d+\b",
    ))
    .ok()
});

/// The digest in the making.
pub(crate) struct Cluster {
    own: Vec<Vec<u8>>,
    lanes: [Lane; 2],
}

#[derive(Default)]
struct Lane {
    hasher: blake3::Hasher,
    line: Vec<u8>,
}

impl Cluster {
    pub(crate) fn new(target: Option<&Target>) -> Self {
        let mut own: Vec<Vec<u8>> = target
            .into_iter()
            .flat_map(|target| [target.name.as_str(), target.address.as_str()])
            .filter(|word| word.len() >= 3 || (word.len() == 2 && word.bytes().any(|byte| byte.is_ascii_digit())))
            .map(|word| word.as_bytes().to_vec())
            .collect();
        own.sort_by_key(|word| std::cmp::Reverse(word.len()));
        own.dedup();
        Self { own, lanes: [Lane::default(), Lane::default()] }
    }

    pub(crate) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let [stdout, stderr] = &mut self.lanes;
        let lane = match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE.saturating_sub(lane.line.len()).min(piece.len());
            lane.line.extend_from_slice(piece.get(..room).unwrap_or_default());
            if piece.ends_with(b"\n") {
                lane.close(&self.own);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Digest {
        let mut whole = blake3::Hasher::new();
        for lane in &mut self.lanes {
            if !lane.line.is_empty() {
                lane.close(&self.own);
            }
            whole.update(lane.hasher.finalize().as_bytes());
        }
        Digest(whole.finalize().to_hex().to_string())
    }
}

impl Lane {
    fn close(&mut self, own: &[Vec<u8>]) {
        let mut line = std::mem::take(&mut self.line);
        while matches!(line.last(), Some(b'\n' | b'\r' | b' ')) {
            line.pop();
        }
        for word in own {
            line = replace(&line, word);
        }
        let line = match &*VARIABLE {
            Some(variable) => variable.replace_all(&line, &b"<>"[..]).into_owned(),
            None => line,
        };
        self.hasher.update(&line);
        self.hasher.update(b"\n");
    }
}

/// Masks a name where it stands as a word: `web1` is not the beginning of `web10`.
fn replace(line: &[u8], word: &[u8]) -> Vec<u8> {
    let goes_on = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let begins = at == 0 || !goes_on(line.get(at - 1));
        if begins && rest.starts_with(word) && !goes_on(rest.get(word.len())) {
            out.extend_from_slice(b"<target>");
            at += word.len();
        } else {
            out.extend(rest.first());
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Cluster;
    use autoexec_model::grant::Stream;
    use autoexec_model::plan::{Connection, Target, Transport};

    fn digest(name: &str, text: &str, cut: usize) -> String {
        let target = Target {
            name: name.to_owned(),
            address: format!("10.1.2.{}", 10 + name.len()),
            transport: Transport::Ssh,
            port: None,
            user: None,
            labels: Default::default(),
            groups: Default::default(),
            vars: Default::default(),
            connection: Connection::default(),
        };
        let mut cluster = Cluster::new(Some(&target));
        for piece in text.as_bytes().chunks(cut) {
            cluster.push(Stream::Stdout, piece);
        }
        cluster.finish().0
    }

    #[test]
    fn a_name_is_masked_as_a_word_and_short_names_too() {
        assert_eq!(digest("h1", "kernel on h1, h1_log\n", 3), digest("h22", "kernel on h22, h22_log\n", 3));
        assert_ne!(digest("h1", "h1 h10\n", 3), digest("h2", "h2 h20\n", 3), "h10 and h20 are other hosts");
        assert_eq!(digest("a", "a file\n", 3), digest("b", "a file\n", 3), "one letter is no name");
        assert_eq!(digest("web", "webserver up\n", 3), digest("api", "webserver up\n", 3));
    }

    #[test]
    fn hosts_that_say_the_same_but_for_names_and_times_are_one_cluster() {
        let a =
            digest("web01", "web01 up at 12:03:04 pid 17\nid 8c5c6f0e-8a45-4d3c-9d0b-0123456789ab from 10.0.0.1\n", 5);
        let b = digest(
            "web0222",
            "web0222 up at 01:59:00 pid 9\nid 00000000-8a45-4d3c-9d0b-ffffffffffff from 10.9.0.7\n",
            64,
        );
        assert_eq!(a, b);
        assert_ne!(a, digest("web01", "web01 down at 12:03:04 pid 17\n", 7));
    }
}
