//! A tool as it arrives at a runner.
//!
//! The runner trusts a digest, not a sender: it computes the digest of what it received and compares. Fails when they differ, when a file
//! name could leave the tool's folder, or when the manifest does not fit this version of the program.

use std::path::{Component, Path};

use autoexec_model::diagnostic::{Diagnostics, SourceFile};
use autoexec_model::grant::ToolPackage;
use autoexec_model::id::Digest;
use autoexec_model::tool::Manifest;

use crate::folder::{Folder, MANIFEST};

/// Why a package is not used.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The content is not what the digest says.
    #[error("the tool `{name}` arrived with other content than its digest {} says", wanted.short())]
    OtherContent {
        /// The tool.
        name: String,
        /// The digest that was asked for.
        wanted: Digest,
    },
    /// A file name that could leave the folder, or take the manifest's place.
    #[error("the tool `{name}` has a file with the name `{}`", file.escape_debug())]
    FileName {
        /// The tool.
        name: String,
        /// The file.
        file: String,
    },
    /// The manifest cannot be read.
    #[error("the manifest of the tool `{name}` cannot be read")]
    Manifest {
        /// The tool.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Diagnostics,
    },
}

/// Checks a package against its digest and reads its manifest.
///
/// # Errors
/// When the content is not what the digest says, a file name is not safe, or the manifest cannot be read.
pub fn open(package: &ToolPackage) -> Result<Manifest, PackageError> {
    let name = &package.name;
    if let Some(file) = package.files.iter().find(|file| !is_safe(&file.name)) {
        return Err(PackageError::FileName { name: name.clone(), file: file.name.clone() });
    }
    if digest(package) != package.digest {
        return Err(PackageError::OtherContent { name: name.clone(), wanted: package.digest.clone() });
    }
    let src = SourceFile::new(format!("{name}/{MANIFEST}"), package.manifest.as_str());
    Manifest::parse(&src).map_err(|source| PackageError::Manifest { name: name.clone(), source })
}

/// The digest of a package's content; its own claim is not looked at.
pub fn digest(package: &ToolPackage) -> Digest {
    let mut files = package.files.clone();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Folder { manifest: package.manifest.clone(), files }.digest()
}

/// A relative path of plain names.
fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && name != MANIFEST
        && !name.contains('\0')
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}
