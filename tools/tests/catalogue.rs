//! The shipped tools are sound, and folders of the user are loaded, checked and refused as documented.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use autoexec_model::diagnostic::SourceFile;
use autoexec_model::tool::Entry;
use autoexec_model::yaml;
use autoexec_tools::check::{Severity, check, syntax_check};
use autoexec_tools::{Catalogue, CatalogueError, Origin, builtin, flow, markdown, package};

const SHIPPED: [&str; 15] = [
    "assert",
    "check-disk",
    "check-port",
    "copy",
    "facts",
    "fail",
    "fetch",
    "http",
    "ping",
    "script",
    "service",
    "set-var",
    "sleep",
    "wait-http",
    "wait-tcp",
];

/// Writes a tool into a folder of tools.
fn put(room: &Path, name: &str, manifest: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = room.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("tool.yaml"), manifest).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    folder
}

fn manifest(name: &str, more: &str) -> String {
    format!("name: {name}\nsummary: A tool.\nversion: \"1\"\nplaces: [target]\nentry: {{ script: run.sh }}\n{more}")
}

const SCRIPT: (&str, &str) = ("run.sh", "#!/bin/sh\nexit 0\n");

#[test]
fn every_shipped_tool_is_there_and_without_a_finding() {
    let catalogue = Catalogue::shipped();
    let findings: Vec<_> = catalogue.findings().iter().map(ToString::to_string).collect();
    assert_eq!(findings, Vec::<String>::new());
    let names: Vec<_> = catalogue.tools().map(|tool| tool.descriptor.manifest.name.value.as_str()).collect();
    assert_eq!(names, SHIPPED);
    for tool in catalogue.tools() {
        let manifest = &tool.descriptor.manifest;
        assert_eq!(tool.origin, Origin::Shipped);
        assert!(manifest.example.is_some(), "{}: an example", manifest.name.value);
        assert!(
            manifest.params.iter().all(|(_, spec)| spec.help.is_some()),
            "{}: help for each parameter",
            manifest.name.value
        );
        assert!(manifest.outputs.iter().all(|(_, output)| output.help.is_some()), "{}", manifest.name.value);
    }
}

#[test]
fn every_example_uses_its_tool_with_parameters_that_it_takes() {
    for tool in Catalogue::shipped().tools() {
        let manifest = &tool.descriptor.manifest;
        let name = &manifest.name.value;
        let src = SourceFile::new(name.as_str(), manifest.example.as_deref().unwrap());
        let steps: Vec<serde_json::Value> = yaml::parse(&src).unwrap();
        let step = steps.iter().find(|step| step["tool"] == name.as_str()).unwrap_or_else(|| panic!("{name}"));
        let given = step["with"].as_object().cloned().unwrap_or_default();
        for (param, spec) in manifest.params.iter() {
            assert!(given.contains_key(&param.value) || !spec.required, "{name}: {}", param.value);
        }
        for (param, value) in &given {
            let spec = manifest.params.get(param).unwrap_or_else(|| panic!("{name}: there is no parameter {param}"));
            // What a template becomes is known only when a job runs.
            if !value.to_string().contains("{{") {
                assert!(spec.check(param, value).is_ok(), "{name}: {param}: {value}");
            }
        }
    }
}

#[test]
fn each_builtin_and_flow_has_a_manifest() {
    let catalogue = Catalogue::shipped();
    for (names, kind) in [(&builtin::NAMES[..], "builtin"), (&flow::NAMES[..], "flow")] {
        for name in names {
            let entry = &catalogue.get(name).unwrap().descriptor.manifest.entry.value;
            let matches = match entry {
                Entry::Builtin(entry) => kind == "builtin" && entry == name,
                Entry::Flow(entry) => kind == "flow" && entry == name,
                Entry::Script(_) => false,
            };
            assert!(matches, "{name}: {entry:?}");
        }
    }
}

#[test]
fn a_package_opens_only_with_the_content_that_its_digest_says() {
    let catalogue = Catalogue::shipped();
    for tool in catalogue.tools() {
        let package = catalogue.package(&tool.descriptor.digest).unwrap();
        assert_eq!(package::open(package).unwrap(), tool.descriptor.manifest);
    }
    let mut changed = catalogue.get("copy").unwrap().package.as_ref().clone();
    changed.files[0].bytes.push(b'\n');
    assert!(matches!(package::open(&changed), Err(package::PackageError::OtherContent { .. })));
    for name in ["../escape", "/etc/passwd", "tool.yaml", "", "a/../../b"] {
        let mut changed = catalogue.get("copy").unwrap().package.as_ref().clone();
        changed.files[0].name = name.to_owned();
        changed.digest = package::digest(&changed);
        assert!(matches!(package::open(&changed), Err(package::PackageError::FileName { .. })), "{name}");
    }
}

#[test]
fn tools_of_the_user_join_the_shipped_ones_and_may_take_their_place() {
    let room = tempfile::tempdir().unwrap();
    put(room.path(), "deploy", &manifest("deploy", ""), &[SCRIPT]);
    put(room.path(), "copy", &manifest("copy", ""), &[SCRIPT]);
    fs::create_dir(room.path().join(".git")).unwrap();
    fs::write(room.path().join("README"), "x").unwrap();
    let catalogue = Catalogue::load(&[room.path().to_owned()]).unwrap();
    assert_eq!(catalogue.findings(), []);
    assert_eq!(catalogue.index().len(), SHIPPED.len() + 1);
    assert_eq!(catalogue.get("deploy").unwrap().origin, Origin::Folder(room.path().join("deploy")));
    assert_eq!(catalogue.get("copy").unwrap().origin, Origin::Instead(room.path().join("copy")));
    assert_ne!(
        catalogue.get("copy").unwrap().descriptor.digest,
        Catalogue::shipped().get("copy").unwrap().descriptor.digest
    );
    assert_eq!(catalogue.nearest("deplyo"), Some("deploy"));
}

#[test]
fn a_broken_tool_is_left_out_with_its_reason_and_nothing_takes_its_place() {
    let room = tempfile::tempdir().unwrap();
    put(room.path(), "good", &manifest("good", ""), &[SCRIPT]);
    put(room.path(), "copy", "name: copy\nsumary: x\n", &[]);
    fs::create_dir(room.path().join("empty")).unwrap();
    let catalogue = Catalogue::load(&[room.path().to_owned()]).unwrap();
    assert!(catalogue.get("good").is_some());
    assert!(catalogue.get("copy").is_none(), "the shipped one does not come back unnoticed");
    assert!(catalogue.left_out("copy").unwrap().to_string().contains("sumary"), "{:?}", catalogue.left_out("copy"));
    assert!(catalogue.left_out("empty").unwrap().to_string().contains("has no tool.yaml"));
}

#[test]
fn two_tools_of_the_same_name_and_wrong_folders_are_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(one.path(), "a", &manifest("a", ""), &[SCRIPT]);
    let tool = put(two.path(), "a", &manifest("a", ""), &[SCRIPT]);
    let both = [one.path().to_owned(), two.path().to_owned()];
    assert!(matches!(Catalogue::load(&both), Err(CatalogueError::Twice { name, .. }) if name == "a"));
    assert!(matches!(Catalogue::load(&[tool]), Err(CatalogueError::IsATool(_))));
    assert!(matches!(Catalogue::load(&[one.path().join("none")]), Err(CatalogueError::Folder { .. })));
}

/// The findings of one tool, as people read them.
fn findings(name: &str, manifest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let room = tempfile::tempdir().unwrap();
    let folder = put(room.path(), name, manifest, files);
    check(&folder)
        .iter()
        .map(|finding| {
            let hint = finding.diagnostic.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}: {}{hint}", finding.severity, finding.diagnostic.message)
        })
        .collect()
}

#[test]
fn check_says_what_is_wrong_and_what_is_odd() {
    assert_eq!(findings("a", &manifest("a", ""), &[SCRIPT]), Vec::<String>::new());
    assert_eq!(
        findings("a", &manifest("a", ""), &[("runn.sh", "x")]),
        ["error: there is no file `run.sh` beside the manifest (did you mean `runn.sh`?)"]
    );
    assert_eq!(
        findings("a", &manifest("b", ""), &[SCRIPT]),
        ["warning: the tool is called `b`, but its folder `a` (give both the same name)"]
    );
    assert_eq!(
        findings("a", &manifest("a", "interpreter: bash\n"), &[("run.sh", "#!/usr/bin/env -S python3 -u\n")]),
        [
            "warning: `run.sh` begins with `#!` for python3, but the manifest runs it with bash (write `interpreter: python3`, or change the first line)"
        ]
    );
    assert_eq!(
        findings(
            "a",
            &manifest("a", "params: { used: {}, unused: {}, PATH: {} }\n"),
            &[("run.sh", "echo \"$used\" unused_too $PATH\n")]
        ),
        [
            "warning: the script never uses the parameter `unused`",
            "error: `PATH` is a name that programs themselves obey: its value would change how they run (choose another name)",
        ]
    );
    assert_eq!(
        findings("a", &manifest("a", "params: { any: {} }\n"), &[("run.sh", "jq . \"$AUTOEXEC_PARAMS\"\n")]),
        Vec::<String>::new()
    );
    let crlf = findings("a", &manifest("a", ""), &[("run.sh", "echo a\r\n")]);
    assert!(crlf[0].contains("Windows line ends"), "{crlf:?}");
    let builtin = "name: a\nsummary: A tool.\nversion: \"1\"\nplaces: [target]\nentry: { builtin: htpt }\n";
    assert_eq!(
        findings("a", builtin, &[]),
        [
            "error: there is no builtin `htpt` (did you mean `http`?)",
            "error: a builtin runs on the runner, not on `target` (allowed: runner, runner-target)",
        ]
    );
}

#[test]
fn the_syntax_is_left_to_the_interpreter() {
    let catalogue = Catalogue::shipped();
    let of = |name: &str| syntax_check(&catalogue.get(name).unwrap().descriptor.manifest);
    assert_eq!(of("copy"), Some(vec!["sh".to_owned(), "-n".to_owned()]));
    assert_eq!(of("http"), None);
}

#[test]
fn the_reference_has_a_section_for_each_tool() {
    let text = markdown::markdown(&Catalogue::shipped());
    for name in SHIPPED {
        assert!(text.contains(&format!("\n## {name}\n")), "{name}");
    }
    assert!(text.contains("| `action` | select: `start`, `stop`"), "{text}");
    for line in text.lines().filter(|line| line.starts_with('|')) {
        assert!(line.ends_with('|'), "{line}");
    }
}

#[test]
fn an_error_points_into_the_manifest() {
    let room = tempfile::tempdir().unwrap();
    let folder = put(room.path(), "a", &manifest("a", "risk: enormous\n"), &[SCRIPT]);
    let found = check(&folder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].severity, found[0].diagnostic.place.map(|place| place.line)), (Severity::Error, Some(6)));
}
