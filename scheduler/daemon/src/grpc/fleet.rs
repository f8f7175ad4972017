//! What there is to work with: tools, targets of an inventory, schemas.

use autoexec_core::view::place_word;
use autoexec_model::api::{CheckReply, LineKind, ReportLine, SchemaKind, Source, TargetInfo, ToolHelp, ToolRow};
use autoexec_model::diagnostic::{Diagnostics, SourceFile};
use autoexec_model::grant::ToolPackage;
use autoexec_model::inventory::{self, Inventory};
use autoexec_model::param::ParamSpec;
use autoexec_model::refusal::{Code, Refusal};
use autoexec_model::selector::{Selectable as _, Selector};
use autoexec_model::spec::Defaults;
use autoexec_model::tool::Manifest;
use autoexec_model::{spec, tool};
use autoexec_tools::{Origin, Severity, Tool, check_package};
use autoexec_wire::server::FleetApi;

use super::Services;
use crate::shelf::line;

impl FleetApi for Services {
    async fn tools(&self) -> Result<Vec<ToolRow>, Refusal> {
        self.activity.touch();
        Ok(self.shelf.shipped().tools().map(row).collect())
    }

    async fn tool(&self, name: String) -> Result<ToolHelp, Refusal> {
        self.activity.touch();
        let shipped = self.shelf.shipped();
        let Some(tool) = shipped.get(&name) else {
            let refusal = Refusal::new(Code::NotFound, format!("there is no tool `{name}`"));
            return Err(match shipped.nearest(&name) {
                Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                None => refusal.hint("`autoexec tool ls` lists the tools"),
            });
        };
        Ok(ToolHelp { tool: row(tool), manifest: tool.package.manifest.clone(), help: help(&tool.descriptor.manifest) })
    }

    async fn check_tool(&self, package: ToolPackage) -> Result<CheckReply, Refusal> {
        self.activity.touch();
        let found = check_package(&package);
        let ok = found.iter().all(|finding| finding.severity == Severity::Warning);
        let mut report: Vec<ReportLine> =
            found.iter().map(|finding| line(LineKind::Warning, 0, finding.to_string().trim_end())).collect();
        if report.is_empty() {
            report.push(line(LineKind::Text, 0, format!("tool `{}` is in order", package.name)));
        }
        Ok(CheckReply { report, ok })
    }

    async fn list_targets(&self, source: Option<Source>, targets: Option<String>) -> Result<Vec<TargetInfo>, Refusal> {
        self.activity.touch();
        let selector: Option<Selector> = match &targets {
            Some(text) => Some(text.parse().map_err(|error: autoexec_model::selector::SelectorError| {
                Refusal::new(Code::Invalid, format!("`{text}` is not a selector: {error}"))
            })?),
            None => None,
        };
        let hosts = match source {
            Some(source) => {
                let text = String::from_utf8(source.bytes)
                    .map_err(|_| Refusal::new(Code::Invalid, format!("{} is not UTF-8", source.name)))?;
                let file = SourceFile::new(source.name, text);
                Inventory::parse(&file)
                    .and_then(|inventory| inventory.resolve(&file))
                    .map_err(|found| pointed(&found))?
            }
            None => {
                let names = selector.as_ref().and_then(Selector::literal_hosts).unwrap_or_default();
                let file = SourceFile::new("-t", "");
                Inventory::from_hosts(&names).resolve(&file).map_err(|found| pointed(&found))?
            }
        };
        let chosen: Vec<TargetInfo> = hosts
            .iter()
            .filter(|host| selector.as_ref().is_none_or(|selector| selector.matches(*host)))
            .map(|host| {
                let target = host.to_target(&Defaults::default());
                TargetInfo {
                    name: host.name().to_owned(),
                    address: target.address,
                    transport: target.transport,
                    port: target.port,
                    user: target.user,
                    labels: target.labels,
                    groups: target.groups,
                }
            })
            .collect();
        if chosen.is_empty() {
            let what = targets
                .map_or_else(|| "the inventory holds no host".to_owned(), |text| format!("`{text}` matches no host"));
            return Err(Refusal::new(Code::NotFound, what).hint("without -t every host of the inventory is listed"));
        }
        Ok(chosen)
    }

    async fn schema(&self, kind: SchemaKind) -> Result<String, Refusal> {
        self.activity.touch();
        let schema = match kind {
            SchemaKind::Job => spec::schema(),
            SchemaKind::Inventory => inventory::schema(),
            SchemaKind::Tool => tool::schema(),
        };
        serde_json::to_string_pretty(&schema)
            .map_err(|error| Refusal::new(Code::Internal, format!("the schema cannot be written: {error}")))
    }
}

/// Errors that point, as one refusal.
fn pointed(found: &Diagnostics) -> Refusal {
    Refusal::new(Code::Invalid, found.to_string().trim_end().to_owned())
}

fn row(tool: &Tool) -> ToolRow {
    let manifest = &tool.descriptor.manifest;
    ToolRow {
        name: manifest.name.value.clone(),
        summary: manifest.summary.trim().to_owned(),
        places: manifest.places.iter().map(|place| place_word(*place).to_owned()).collect(),
        risk: manifest.risk.word().to_owned(),
        digest: tool.descriptor.digest.clone(),
        origin: match &tool.origin {
            Origin::Shipped => "shipped".to_owned(),
            Origin::Folder(path) | Origin::Instead(path) => path.display().to_string(),
        },
    }
}

fn help(manifest: &Manifest) -> Vec<ReportLine> {
    let places: Vec<&str> = manifest.places.iter().map(|place| place_word(*place)).collect();
    let mut lines = vec![
        line(LineKind::Heading, 0, format!("{} - {}", manifest.name.value, manifest.summary.trim())),
        line(
            LineKind::Text,
            0,
            format!("runs on {}, risk {}, version {}", places.join(", "), manifest.risk.word(), manifest.version),
        ),
    ];
    if let Some(description) = &manifest.description {
        lines.push(line(LineKind::Text, 0, ""));
        lines.extend(description.trim().lines().map(|text| line(LineKind::Text, 0, text)));
    }
    if !manifest.params.is_empty() {
        lines.push(line(LineKind::Heading, 0, "parameters"));
        lines.extend(manifest.params.iter().map(|(name, spec)| line(LineKind::Text, 1, param(&name.value, spec))));
    }
    if !manifest.outputs.is_empty() {
        lines.push(line(LineKind::Heading, 0, "outputs"));
        lines.extend(manifest.outputs.iter().map(|(name, output)| {
            let help = output.help.as_deref().unwrap_or_default();
            line(LineKind::Text, 1, format!("{} ({}) {help}", name.value, output.kind.word()))
        }));
    }
    if let Some(example) = &manifest.example {
        lines.push(line(LineKind::Heading, 0, "example"));
        lines.extend(example.trim_end().lines().map(|text| line(LineKind::Faint, 1, text)));
    }
    lines
}

fn param(name: &str, spec: &ParamSpec) -> String {
    let default = match (&spec.default, spec.required) {
        (_, true) => ", required".to_owned(),
        (Some(default), false) => format!(", default {}", default.value),
        (None, false) => String::new(),
    };
    format!("{name} ({}{default}) {}", spec.kind.word(), spec.help.as_deref().unwrap_or_default())
}
