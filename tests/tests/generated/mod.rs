//! Files in `docs/` that are made from the code: the same as the code would make them now.
//!
//! `make generate` writes them anew.

use std::path::{Path, PathBuf};

use autoexec_model::{inventory, spec, tool};
use autoexec_tools::Catalogue;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a file with what it should be, or writes it when `AUTOEXEC_GENERATE` is set.
fn check(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("AUTOEXEC_GENERATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&file, wanted).expect("the file is written");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the code makes; run `make generate` and look at the difference");
}

#[test]
fn schemas_are_those_of_the_types() {
    for (name, schema) in [("job", spec::schema()), ("inventory", inventory::schema()), ("tool", tool::schema())] {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        check(&format!("docs/schema/{name}.json"), &format!("{text}\n"));
    }
}

#[test]
fn the_reference_of_tools_is_that_of_the_manifests() {
    let head = "# Tools\n\nWhat is in the box. Made from the tools' manifests by `make generate`; a test compares.\n\n";
    let text = autoexec_tools::markdown::markdown(&Catalogue::shipped());
    check("docs/tools.md", &format!("{head}{text}"));
}
