//! Which crate may depend on which, read from each Cargo.toml. Dependencies for tests are free.
//!
//! Everything may use `autoexec-model`. A new crate fails until it has a line in `LAYERS`.

use super::finding::Finding;
use super::tree::{File, Tree};

const MODEL: &str = "autoexec-model";

/// Each crate with the crates of this workspace it may use besides the model.
const LAYERS: &[(&str, &[&str])] = &[
    (MODEL, &[]),
    ("autoexec-wire", &[]),
    ("autoexec-core", &[]),
    ("autoexec-store", &[]),
    ("autoexec-process", &[]),
    ("autoexec-tools", &[]),
    ("autoexec-scheduler", &["autoexec-core", "autoexec-store", "autoexec-tools", "autoexec-wire"]),
    ("autoexec-runner", &["autoexec-process", "autoexec-tools", "autoexec-wire"]),
    ("tagent", &["autoexec-process", "autoexec-wire"]),
    ("autoexec", &["autoexec-wire", "autoexec-scheduler", "autoexec-runner"]),
];

/// The crate of tests may use anything.
const TESTS: &str = "autoexec-tests";

/// What the pure crates must not even be able to call.
const PURE: &[&str] = &[MODEL, "autoexec-core"];
const IMPURE: &[&str] =
    &["tokio", "futures", "rand", "getrandom", "nix", "russh", "rusqlite", "tonic", "prost", "tempfile"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter(|file| file.name() == "Cargo.toml").flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Finding> {
    let Some(package) = package_name(&file.text).filter(|name| *name != TESTS) else {
        return Vec::new();
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == package) else {
        let what = format!("crate `{package}` has no place in the layers");
        return vec![Finding::new(
            &file.path,
            1,
            what,
            "add it to LAYERS in tests/tests/tidy/layers.rs and to docs/architecture.md",
        )];
    };
    let mut found = Vec::new();
    for (line, dependency) in dependencies(&file.text) {
        let ours = dependency == "tagent" || dependency == "autoexec" || dependency.starts_with("autoexec-");
        if ours && dependency != MODEL && !allowed.contains(&dependency) {
            let what = format!("`{package}` must not depend on `{dependency}`");
            found.push(Finding::new(
                &file.path,
                line,
                what,
                "move the shared part to a crate both may use, or pass what is needed as an argument or a narrow trait",
            ));
        }
        if PURE.contains(&package) && IMPURE.contains(&dependency) {
            let what = format!("`{package}` is pure and must not depend on `{dependency}`");
            found.push(Finding::new(
                &file.path,
                line,
                what,
                "do the work in a driver and pass the result in as an argument",
            ));
        }
    }
    found
}

fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[package]").skip(1);
    let line = lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .find(|line| line.split('=').next().is_some_and(|key| key.trim() == "name"))?;
    Some(line.split_once('=')?.1.trim().trim_matches('"'))
}

/// Line and name of each normal and build dependency.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let (table, name) = match section.rsplit_once("dependencies.") {
                Some((before, name)) => (format!("{before}dependencies"), Some(name)),
                None => (section.to_owned(), None),
            };
            let counts = table.ends_with("dependencies")
                && !table.ends_with("dev-dependencies")
                && !table.starts_with("workspace");
            inside = counts && name.is_none();
            found.extend(name.filter(|_| counts).map(|name| (index + 1, name)));
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or(line);
            found.push((index + 1, name.trim_matches('"')));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(manifest: &str) -> Vec<String> {
        places(&check(&Tree::sample(&[("x/Cargo.toml", manifest)])))
    }

    #[test]
    fn a_dependency_against_the_direction_is_found() {
        assert_eq!(
            found(
                "[package]\nname = \"autoexec-core\"\n[dependencies]\nautoexec-model.workspace = true\nautoexec-store.workspace = true\n"
            ),
            ["x/Cargo.toml:5"]
        );
        assert_eq!(
            found("[package]\nname = \"autoexec-runner\"\n[build-dependencies]\nautoexec-core = { path = \"y\" }\n"),
            ["x/Cargo.toml:4"]
        );
        assert_eq!(
            found("[package]\nname = \"tagent\"\n[dependencies.autoexec-tools]\npath = \"y\"\n"),
            ["x/Cargo.toml:3"]
        );
        assert_eq!(
            found("[package]\nname = \"tagent\"\n[target.'cfg(unix)'.dependencies]\nautoexec-tools = \"1\"\n"),
            ["x/Cargo.toml:4"]
        );
    }

    #[test]
    fn the_right_direction_and_dependencies_of_tests_pass() {
        assert_eq!(
            found(
                "[package]\nname = \"autoexec-scheduler\"\n[dependencies]\nautoexec-core.workspace = true\n[dev-dependencies]\nautoexec-runner.workspace = true\n"
            ),
            [""; 0]
        );
        assert_eq!(found("[package]\nname = \"autoexec-tests\"\n[dependencies]\nautoexec.workspace = true\n"), [""; 0]);
        assert_eq!(found("[workspace.dependencies]\nautoexec-core = { path = \"y\" }\n"), [""; 0]);
    }

    #[test]
    fn pure_crates_and_unknown_crates_are_held_to_account() {
        assert_eq!(
            found("[package]\nname = \"autoexec-model\"\n[dependencies]\n# why\ntokio.workspace = true\n"),
            ["x/Cargo.toml:5"]
        );
        assert_eq!(found("[package]\nname = \"autoexec-extra\"\n"), ["x/Cargo.toml:1"]);
    }
}
