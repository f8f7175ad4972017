//! Every tool that can be used: those inside the program and those in the user's folders.
//!
//! A user's tool takes the place of a shipped one with the same name, so that a new version of the program never changes what a team
//! already uses; [`Origin::Instead`] says so. Two folders of the user with the same name are refused, because nothing
//! would say which one was meant. A broken tool is left out with its reason and does not keep the others from
//! being used; it also does not let the shipped one of its name come back unnoticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoexec_model::diagnostic::nearest;
use autoexec_model::grant::ToolPackage;
use autoexec_model::id::Digest;
use autoexec_model::tool::{ToolDescriptor, ToolIndex};

use crate::check::{Finding, Severity, examine, folder_name, unreadable};
use crate::folder::{Folder, FolderError, MANIFEST, entries, is_left_out};
use crate::shipped;

/// Tools of all the user's folders together: a list that people can still read.
pub const MAX_TOOLS: usize = 1_000;

/// Bytes of all the user's tools together; they are kept in memory.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Where a tool comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is inside the program.
    Shipped,
    /// It is in this folder.
    Folder(PathBuf),
    /// It is in this folder and takes the place of the shipped tool of its name.
    Instead(PathBuf),
}

/// A tool that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What it says about itself, and its digest.
    pub descriptor: ToolDescriptor,
    /// Where it comes from.
    pub origin: Origin,
    /// What travels to a runner.
    pub package: Arc<ToolPackage>,
}

/// Every tool that can be used, and why some cannot.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    tools: BTreeMap<String, Tool>,
    findings: Vec<Finding>,
}

/// Why the user's folders cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder of tools cannot be read.
    #[error("cannot read the folder of tools {}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: FolderError,
    },
    /// The folder is a tool itself.
    #[error("{} is a tool, not a folder of tools: give the folder that holds it", .0.display())]
    IsATool(PathBuf),
    /// Two tools of the user have the same name.
    #[error("the tool `{name}` is in {} and in {}", first.display(), second.display())]
    Twice {
        /// The name of both.
        name: String,
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Too many tools, or too many bytes.
    #[error("the folders hold more than {MAX_TOOLS} tools or more than {} MiB", MAX_BYTES / 1024 / 1024)]
    TooMany,
}

impl Catalogue {
    /// The shipped tools alone.
    pub fn shipped() -> Self {
        let mut catalogue = Self::default();
        for (name, folder) in shipped::folders() {
            match folder {
                Ok(folder) => drop(catalogue.add(name, &Path::new(name).join(MANIFEST), &folder, Origin::Shipped)),
                Err(error) => catalogue.findings.push(unreadable(name, &error)),
            }
        }
        catalogue
    }

    /// The shipped tools and those in the given folders: one folder per tool in each.
    ///
    /// # Errors
    /// When a folder cannot be read, is a tool itself, two of the user's tools have the same name, or there are too many.
    pub fn load(folders: &[PathBuf]) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::shipped();
        let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut bytes = 0;
        for path in tool_folders(folders)? {
            if seen.len() >= MAX_TOOLS {
                return Err(CatalogueError::TooMany);
            }
            let (name, size) = catalogue.add_folder(&path);
            bytes += size;
            if bytes > MAX_BYTES {
                return Err(CatalogueError::TooMany);
            }
            if let Some(first) = seen.insert(name.clone(), path.clone()) {
                return Err(CatalogueError::Twice { name, first, second: path });
            }
        }
        Ok(catalogue)
    }

    /// The tool of that name.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.tools.get(name)
    }

    /// The name nearest to one that is not there, for a hint.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.tools.keys().map(String::as_str))
    }

    /// Every tool, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.values()
    }

    /// What the planner looks tools up in.
    pub fn index(&self) -> ToolIndex {
        self.tools.iter().map(|(name, tool)| (name.clone(), tool.descriptor.clone())).collect()
    }

    /// What travels to a runner for a digest.
    pub fn package(&self, digest: &Digest) -> Option<&Arc<ToolPackage>> {
        self.tools.values().find(|tool| tool.descriptor.digest == *digest).map(|tool| &tool.package)
    }

    /// Everything found while loading: errors name the tools that were left out.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Why the tool of that name cannot be used, when it was there and was left out.
    pub fn left_out(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.tool == name && finding.severity == Severity::Error)
    }

    /// Adds a tool that came with a job; it takes the place of the shipped one of its name.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn bring(&mut self, package: &ToolPackage) -> Result<(), Vec<Finding>> {
        let mut files = package.files.clone();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let folder = Folder { manifest: package.manifest.clone(), files };
        let found = check_package(package);
        if found.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(found);
        }
        let path = Path::new(&package.name).join(MANIFEST);
        self.add(&package.name, &path, &folder, Origin::Folder(PathBuf::from(&package.name)));
        Ok(())
    }

    /// Adds a tool of the user: its name and its size in bytes. A broken one takes the shipped one of its name away.
    fn add_folder(&mut self, path: &Path) -> (String, usize) {
        let folder_name = folder_name(path);
        let folder = match Folder::read(path) {
            Ok(folder) => folder,
            Err(error) => {
                self.findings.push(unreadable(&folder_name, &error));
                self.tools.remove(&folder_name);
                return (folder_name, 0);
            }
        };
        let size = folder.manifest.len() + folder.files.iter().map(|file| file.bytes.len()).sum::<usize>();
        let name = self.add(&folder_name, &path.join(MANIFEST), &folder, Origin::Folder(path.to_owned()));
        (name, size)
    }

    /// Examines a tool and adds it if it is sound; its name either way.
    fn add(&mut self, folder_name: &str, manifest_path: &Path, folder: &Folder, origin: Origin) -> String {
        let (manifest, found) = examine(folder_name, &manifest_path.display().to_string(), folder);
        let sound = found.iter().all(|finding| finding.severity == Severity::Warning);
        self.findings.extend(found);
        let name = manifest.as_ref().map_or_else(|| folder_name.to_owned(), |manifest| manifest.name.value.clone());
        let replaced = self.tools.remove(&name).is_some();
        let Some(manifest) = manifest.filter(|_| sound) else {
            return name;
        };
        let origin = match origin {
            Origin::Folder(path) if replaced => Origin::Instead(path),
            other => other,
        };
        let digest = folder.digest();
        let package = Arc::new(ToolPackage {
            name: name.clone(),
            digest: digest.clone(),
            manifest: folder.manifest.clone(),
            files: folder.files.clone(),
        });
        self.tools.insert(name.clone(), Tool { descriptor: ToolDescriptor { manifest, digest }, origin, package });
        name
    }
}

/// Everything that is wrong with or odd about a tool that came as a package.
pub fn check_package(package: &ToolPackage) -> Vec<Finding> {
    let mut files = package.files.clone();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let folder = Folder { manifest: package.manifest.clone(), files };
    let path = Path::new(&package.name).join(MANIFEST);
    examine(&package.name, &path.display().to_string(), &folder).1
}

/// The folders in the given folders, each a tool. Loose files there are nobody's business.
fn tool_folders(folders: &[PathBuf]) -> Result<Vec<PathBuf>, CatalogueError> {
    let mut found = Vec::new();
    for folder in folders {
        let inside = entries(folder).map_err(|source| CatalogueError::Folder { folder: folder.clone(), source })?;
        if inside.iter().any(|path| path.file_name().is_some_and(|name| name == MANIFEST)) {
            return Err(CatalogueError::IsATool(folder.clone()));
        }
        // A link to a folder is welcome here: whoever sets up the folder of tools may collect them from several places.
        found.extend(inside.into_iter().filter(|path| path.is_dir() && !is_left_out(&folder_name(path))));
        if found.len() > MAX_TOOLS {
            return Err(CatalogueError::TooMany);
        }
    }
    Ok(found)
}
