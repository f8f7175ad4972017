//! The `fetch` tool: a file of the target comes to the runner, checked, and appears there whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use autoexec_model::outcome::Outcome;
use autoexec_process::ask::{self, FileSink};
use autoexec_process::files;
use autoexec_tools::flow::FetchRequest;
use bytes::Bytes;
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};

use super::step::StepEnd;
use crate::host::{Host, home_path, source_chain};

/// Fetches a file. A relative `dest` is below `folder`.
pub(crate) async fn fetch(host: &Host, request: &FetchRequest, target: &str, folder: &Path) -> StepEnd {
    match try_fetch(host, request, target, folder).await {
        Ok((path, size, sha256)) => {
            let mut outputs = Map::new();
            outputs.insert("path".to_owned(), json!(path.display().to_string()));
            outputs.insert("size".to_owned(), json!(size));
            outputs.insert("sha256".to_owned(), json!(sha256));
            StepEnd::done(outputs)
        }
        Err(end) => *end,
    }
}

struct Part {
    file: std::fs::File,
    hasher: Sha256,
    problem: Option<std::io::Error>,
}

impl FileSink for Part {
    async fn bytes(&mut self, bytes: Bytes) {
        self.hasher.update(&bytes);
        if self.problem.is_none() {
            self.problem = self.file.write_all(&bytes).err();
        }
    }
}

async fn try_fetch(
    host: &Host,
    request: &FetchRequest,
    target: &str,
    folder: &Path,
) -> Result<(PathBuf, u64, String), Box<StepEnd>> {
    let failed = |message: String| Box::new(StepEnd::failed(Outcome::FailedToStart, message));
    let dest = home_path(&request.dest);
    let dest = if dest.is_absolute() { dest } else { folder.join(dest) };
    let relative = Path::new(&request.src).strip_prefix("/").unwrap_or_else(|_| Path::new(&request.src));
    let path = match (request.flat, relative.file_name()) {
        (true, Some(name)) => dest.join(name),
        (true, None) => return Err(failed(format!("`{}` names no file", request.src))),
        (false, _) => dest.join(target).join(relative),
    };
    let cannot = |error: std::io::Error| failed(format!("cannot write {}: {error}", path.display()));
    let parent = path.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::create_dir_all(parent).map_err(cannot)?;
    let part = parent.join(format!(".{}.part", files::Digest::of(path.to_string_lossy().as_bytes())));
    let command = host.supervisor().fetch(request.max_size);
    let channel =
        host.exec(&command).await.map_err(|error| Box::new(StepEnd::failed(Outcome::Unreachable, error.message)))?;
    let mut sink = Part { file: std::fs::File::create(&part).map_err(cannot)?, hasher: Sha256::new(), problem: None };
    let fetched = ask::fetch(channel, request.src.as_bytes(), &mut sink).await.map_err(|error| {
        Box::new(StepEnd::failed(
            Outcome::Exited { code: 1 },
            format!("cannot fetch {}: {}", request.src, source_chain(&error)),
        ))
    })?;
    if let Some(problem) = sink.problem {
        return Err(cannot(problem));
    }
    sink.file.sync_all().map_err(cannot)?;
    std::fs::rename(&part, &path).map_err(cannot)?;
    let sha256 = sink.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((path, fetched.size, sha256))
}
