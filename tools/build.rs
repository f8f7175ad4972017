//! Writes the table of shipped tools: every file below `plugins-local/` and `plugins-remote/`, embedded in the program.
//!
//! The table is sorted, so that the same sources give the same program. Fails when a folder cannot be read or a name is not UTF-8.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let house = here.parent().ok_or("the crate is not inside the workspace")?;
    let mut table = String::from("pub(crate) static SHIPPED: &[ShippedFile] = &[\n");
    for room in ["plugins-local", "plugins-remote"] {
        let folder = house.join(room);
        println!("cargo::rerun-if-changed={}", folder.display());
        for tool in sorted(&folder)? {
            if tool.is_dir() {
                embed(&mut table, &tool, &tool)?;
            }
        }
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("shipped.rs"), table)?;
    Ok(())
}

/// Adds the files of one tool's folder, and of the folders below it.
fn embed(table: &mut String, tool: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in sorted(folder)? {
        let name = entry.file_name().and_then(|name| name.to_str()).ok_or("a file name is not UTF-8")?;
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if entry.is_dir() {
            embed(table, tool, &entry)?;
            continue;
        }
        println!("cargo::rerun-if-changed={}", entry.display());
        let tool_name = tool.file_name().and_then(|name| name.to_str()).ok_or("a folder name is not UTF-8")?;
        let path = entry.strip_prefix(tool)?.to_str().ok_or("a path is not UTF-8")?;
        writeln!(
            table,
            "    ShippedFile {{ tool: {tool_name:?}, path: {path:?}, bytes: include_bytes!({:?}) }},",
            entry.to_str().ok_or("a path is not UTF-8")?
        )?;
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    Ok(entries)
}
