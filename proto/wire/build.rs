//! Compiles the protocol of `proto/autoexec/v1` into Rust, without `protoc`.
//!
//! Fails with the place in the `.proto` file when one of them is wrong.

use std::error::Error;
use std::path::{Path, PathBuf};

/// Messages that may carry secrets: their `Debug` is written by hand and redacts them.
const SECRETIVE: [&str; 3] = [".autoexec.v1.NameValue", ".autoexec.v1.ParamFile", ".autoexec.v1.Grant"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("..");
    let folder = root.join("autoexec/v1");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", folder.display());
    let files = proto_files(&folder)?;
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [root])?;
    tonic_prost_build::configure()
        // Ordered maps: the same message always has the same bytes.
        .btree_map(".")
        .skip_debug(SECRETIVE)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}

/// The `.proto` files in a folder, sorted so that the generated code does not depend on the file system.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
