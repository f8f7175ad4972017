//! What can be said about a host, a group of hosts or all of them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::diagnostic::Located;
use crate::millis::Millis;
use crate::plan::Transport;
use crate::spec::{BecomeSpec, CredentialSpec, HostKeySpec};
use crate::yaml::Entries;

/// How a host is reached, and what is known about it. `{{ n }}` is the number of the host, `{{ name }}` its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// Host name or address; the host's name when nothing is said.
    #[serde(default)]
    pub address: Option<Located<String>>,
    /// Port; 22 for SSH when neither this nor `~/.ssh/config` says.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Option<Located<u16>>,
    /// User to log in as.
    #[serde(default)]
    pub user: Option<Located<String>>,
    /// How it is reached; `ssh` when nothing is said.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// Path of the private key on the runner.
    #[serde(default)]
    pub key: Option<Located<String>>,
    /// Where the password, or the passphrase of the key, is found.
    #[serde(default)]
    pub password: Option<Located<CredentialSpec>>,
    /// Jump hosts, nearest to the runner first: `[user@]host[:port]`, one or a list.
    #[serde(default)]
    pub jump: Option<Jump>,
    /// How its host key is checked; `verify` when nothing is said.
    #[serde(default)]
    pub host_key: Option<HostKeySpec>,
    /// Path of the known-hosts file on the runner.
    #[serde(default)]
    pub known_hosts: Option<Located<String>>,
    /// Whether `~/.ssh/config` of the runner's user is read; it is when nothing is said.
    #[serde(default)]
    pub ssh_config: Option<bool>,
    /// Time to connect and log in.
    #[serde(default)]
    pub connect_timeout: Option<Located<Millis>>,
    /// Encoding of its output when that is not UTF-8, as an IANA name such as `gbk`.
    #[serde(default)]
    pub encoding: Option<Located<String>>,
    /// Folder on the host for attempts.
    #[serde(default)]
    pub work_dir: Option<Located<String>>,
    /// Whose rights steps on it run with, unless the job or the step says.
    #[serde(rename = "become", default)]
    pub become_user: Option<Located<BecomeSpec>>,
    /// How it behaves; only for the transport `sim`.
    #[serde(default)]
    pub sim: Option<Located<SimSpec>>,
    /// Labels, for selectors and templates.
    #[serde(default)]
    pub labels: Entries<Located<String>>,
    /// Variables, for templates.
    #[serde(default)]
    pub vars: Entries<Located<Value>>,
}

/// How a simulated host behaves. The same seed and the same host name behave the same every time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimSpec {
    /// Shortest time of a step; `20ms` when nothing is said.
    #[serde(default)]
    pub latency: Option<Millis>,
    /// Added at random, up to this.
    #[serde(default)]
    pub jitter: Option<Millis>,
    /// Share of the steps that fail.
    #[serde(default)]
    pub fail: Option<Chance>,
    /// Share of the hosts that cannot be reached.
    #[serde(default)]
    pub unreachable: Option<Chance>,
    /// Share of the steps that never end by themselves.
    #[serde(default)]
    pub hang: Option<Chance>,
    /// What a step prints; a template over `target`.
    #[serde(default)]
    pub output: Option<Located<String>>,
    /// Where all the chance comes from; 0 when nothing is said.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// Jump hosts, nearest to the runner first, each `[user@]host[:port]`. An empty list is none, even when a default has some.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Jump(pub Vec<Located<String>>);

/// A probability, exact to a millionth, written as a share: `2%`, `0.5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chance {
    /// In millionths, 0 to 1,000,000.
    pub ppm: u32,
}

/// The text is not a chance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a share; write `2%` or `0.5%`, from 0% to 100%")]
pub struct ChanceError(String);

impl FromStr for Chance {
    type Err = ChanceError;

    fn from_str(text: &str) -> Result<Self, ChanceError> {
        let error = || ChanceError(text.chars().take(24).collect());
        let number = text.trim().strip_suffix('%').map(str::trim_end).ok_or_else(error)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 4 {
            return Err(error());
        }
        // Four places of a percentage are millionths of the whole.
        let ppm: u32 = format!("{whole}{fraction:0<4}").parse().map_err(|_| error())?;
        (ppm <= 1_000_000).then_some(Self { ppm }).ok_or_else(error)
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:04}", self.ppm % 10_000);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}%", self.ppm / 10_000),
            rest => write!(f, "{}.{rest}%", self.ppm / 10_000),
        }
    }
}

impl Serialize for Chance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Chance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Chance {
    fn schema_name() -> Cow<'static, str> {
        "Chance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A share, from 0% to 100%.", "type": "string", "pattern": r"^\d{1,3}(\.\d{1,4})?%$" })
    }
}

impl Serialize for Jump {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jump {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JumpVisitor)
    }
}

struct JumpVisitor;

impl<'de> Visitor<'de> for JumpVisitor {
    type Value = Jump;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a jump host such as `ops@gate:22`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Jump, E> {
        Ok(Jump(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Located::from).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Jump, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = seq.next_element::<Located<String>>()? {
            list.push(one);
        }
        Ok(Jump(list))
    }
}

impl JsonSchema for Jump {
    fn schema_name() -> Cow<'static, str> {
        "Jump".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Jump hosts, nearest to the runner first, each [user@]host[:port].",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}
