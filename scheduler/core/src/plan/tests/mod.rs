//! Job and inventory text in, plan or errors out.

mod errors;
mod laws;
mod reports;
mod requests;

use std::collections::BTreeMap;

use autoexec_model::api::{JobSource, LineKind, Overrides, PlanRequest, ReportLine, Source};
use autoexec_model::diagnostic::SourceFile;
use autoexec_model::id::Digest;
use autoexec_model::plan::Plan;
use autoexec_model::tool::{Manifest, ToolDescriptor, ToolIndex};

use super::{Planned, plan_request, report};

/// Hosts that most tests use: 40 web servers in two zones, two databases.
pub(super) const HOSTS: &str = r#"
defaults: { user: deploy, transport: ssh }
groups:
  web:
    hosts:
      "web[01-20]": { address: "10.0.1.{{ n }}", labels: { zone: a1 } }
      "web[21-40]": { address: "10.0.1.{{ n }}", labels: { zone: b1 } }
    vars: { app: shop }
  db:
    hosts: { db1: { labels: { role: main } }, db2: {} }
    vars: { app: shop, port: 5432 }
"#;

const TOOLS: [&str; 4] = [
    r#"
name: http
summary: Ask a URL.
version: "1"
places: [runner, runner-target]
entry: { builtin: http }
params:
  url: { type: string, required: true, pattern: "^https?://", help: The address to ask. }
  method: { type: select, options: [GET, POST], default: GET }
  body: { type: string }
  timeout: { type: duration, default: 60s }
  token: { type: secret }
outputs:
  status: { type: int }
idempotent: true
"#,
    r#"
name: service
summary: Start and stop a service.
version: "1"
places: [target]
entry: { script: service.sh }
timeout: 2m
params:
  name: { type: string, required: true }
  action: { type: select, options: [start, stop, restart], required: true }
  tries: { type: int, min: 1, max: 9 }
"#,
    r#"
name: assert
summary: Fail unless something holds.
version: "1"
places: [runner, runner-target, target]
entry: { flow: assert }
params:
  that: { type: string, required: true }
"#,
    r#"
name: copy
summary: Make a file.
version: "1"
places: [target]
entry: { script: copy.sh }
params:
  dest: { type: string, required: true }
  src: { type: file }
"#,
];

pub(super) fn tools() -> ToolIndex {
    let read = |text: &&str| {
        let manifest = Manifest::parse(&SourceFile::new("tool.yaml", *text)).expect("a manifest");
        (manifest.name.value.clone(), ToolDescriptor { manifest, digest: Digest::of(text.as_bytes()) })
    };
    TOOLS.iter().map(read).collect()
}

pub(super) fn request(job: &str, hosts: &str) -> PlanRequest {
    PlanRequest {
        job: JobSource::File(Source { name: "job.yaml".to_owned(), bytes: job.as_bytes().to_vec() }),
        inventory: (!hosts.is_empty())
            .then(|| Source { name: "hosts.yaml".to_owned(), bytes: hosts.as_bytes().to_vec() }),
        overrides: Overrides { seed: 42, ..Overrides::default() },
        ..PlanRequest::default()
    }
}

pub(super) fn ask(request: &PlanRequest) -> Result<Planned, String> {
    plan_request(request, &BTreeMap::new(), &tools()).map_err(|errors| errors.to_string())
}

pub(super) fn plan_of(job: &str) -> Plan {
    ask(&request(job, HOSTS)).unwrap_or_else(|errors| panic!("{errors}")).plan
}

pub(super) fn error_of(job: &str) -> String {
    ask(&request(job, HOSTS)).map(|planned| shown(&planned)).expect_err("must not be planned")
}

/// The report as text: two columns for each step of indent, `!` before warnings.
pub(super) fn shown(planned: &Planned) -> String {
    let line = |line: &ReportLine| {
        let mark = if line.kind == LineKind::Warning { "! " } else { "" };
        format!("{:width$}{mark}{}\n", "", line.text, width = 2 * line.indent as usize)
    };
    report(&planned.plan, &planned.digest).iter().map(line).collect()
}
