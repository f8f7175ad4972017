//! The reference of all tools as Markdown, for `docs/tools.md`: generated, so that it is never out of date.

use std::fmt::Write as _;

use autoexec_model::param::ParamSpec;
use autoexec_model::tool::{Entry, Manifest};
use serde_json::Value;

use crate::catalogue::Catalogue;

/// A table of all tools, then a section for each.
pub fn markdown(catalogue: &Catalogue) -> String {
    let mut text = String::from("| tool | what it does | runs on | risk |\n|---|---|---|---|\n");
    let manifests: Vec<_> = catalogue.tools().map(|tool| &tool.descriptor.manifest).collect();
    for manifest in &manifests {
        let name = &manifest.name.value;
        let row = format!(
            "| [`{name}`](#{name}) | {} | {} | {} |",
            cell(&manifest.summary),
            places(manifest),
            manifest.risk.word()
        );
        line(&mut text, &row);
    }
    for manifest in manifests {
        section(&mut text, manifest);
    }
    text
}

fn section(text: &mut String, manifest: &Manifest) {
    line(text, &format!("\n## {}\n\n{}.", manifest.name.value, manifest.summary.trim().trim_end_matches('.')));
    if let Some(description) = &manifest.description {
        line(text, &format!("\n{}", description.trim()));
    }
    line(text, &format!("\n{}", facts(manifest)));
    if !manifest.params.is_empty() {
        line(text, "\n| parameter | type | default | meaning |\n|---|---|---|---|");
        for (name, spec) in manifest.params.iter() {
            let help = cell(spec.help.as_deref().unwrap_or_default());
            line(text, &format!("| `{}` | {} | {} | {help} |", name.value, kind(spec), default(spec)));
        }
    }
    if !manifest.outputs.is_empty() {
        line(text, "\n| output | type | meaning |\n|---|---|---|");
        for (name, output) in manifest.outputs.iter() {
            line(
                text,
                &format!(
                    "| `{}` | {} | {} |",
                    name.value,
                    output.kind,
                    cell(output.help.as_deref().unwrap_or_default())
                ),
            );
        }
    }
    if let Some(example) = &manifest.example {
        line(text, &format!("\n```yaml\n{}\n```", example.trim_end()));
    }
}

fn facts(manifest: &Manifest) -> String {
    let entry = match &manifest.entry.value {
        Entry::Script(_) => "a script",
        Entry::Builtin(_) => "built in, its own process",
        Entry::Flow(_) => "evaluated by the runner",
    };
    let mut facts = vec![
        format!("Runs on {}", places(manifest)),
        entry.to_owned(),
        format!("risk {}", manifest.risk.word()),
        if manifest.idempotent { "running it again is harmless" } else { "not idempotent" }.to_owned(),
    ];
    if manifest.become_needed {
        facts.push("usually needs `become: root`".to_owned());
    }
    format!("{}.", facts.join("; "))
}

fn places(manifest: &Manifest) -> String {
    let words = manifest.places.iter().map(|place| match serde_json::to_value(place) {
        Ok(Value::String(word)) => format!("`{word}`"),
        Ok(_) | Err(_) => String::new(),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn kind(spec: &ParamSpec) -> String {
    let mut kind = spec.kind.to_string();
    if !spec.options.is_empty() {
        let options: Vec<_> = spec.options.iter().map(|option| format!("`{}`", option.value.text())).collect();
        let _ = write!(kind, ": {}", options.join(", "));
    }
    if spec.required {
        kind.push_str(", required");
    }
    kind
}

fn default(spec: &ParamSpec) -> String {
    match spec.default.as_ref().map(|default| &default.value) {
        None => String::new(),
        Some(Value::String(text)) => format!("`{}`", cell(text)),
        Some(other) => format!("`{}`", cell(&other.to_string())),
    }
}

/// Text that may stand in a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
