//! The tools inside the program: `plugins-local/` and `plugins-remote/` as they were when it was built.

use std::collections::BTreeMap;
use std::path::Path;

use autoexec_model::grant::ToolFile;

use crate::folder::{Folder, FolderError};

/// One embedded file; the table is written by `build.rs`.
pub(crate) struct ShippedFile {
    pub(crate) tool: &'static str,
    pub(crate) path: &'static str,
    pub(crate) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The shipped tools by folder name. Modes are the same on every build machine: a script needs no executable bit, because its
/// interpreter is named.
pub(crate) fn folders() -> BTreeMap<&'static str, Result<Folder, FolderError>> {
    let mut files: BTreeMap<&'static str, Vec<ToolFile>> = BTreeMap::new();
    for file in SHIPPED {
        let file_of_tool = ToolFile { name: file.path.to_owned(), mode: 0o644, bytes: file.bytes.to_vec() };
        files.entry(file.tool).or_default().push(file_of_tool);
    }
    files.into_iter().map(|(tool, files)| (tool, Folder::of(Path::new(tool), files))).collect()
}
