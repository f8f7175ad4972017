//! The request to plan a job, from what was typed.

use std::path::Path;

use autoexec_model::api::{JobSource, Overrides, PlanRequest};

use super::{folder, inventory, params, random, secret, source};
use crate::args::WorkArgs;
use crate::error::Failure;

/// Reads everything that the job needs from this side.
pub(crate) fn plan(work: &WorkArgs) -> Result<PlanRequest, Failure> {
    let job = job(work)?;
    let inventory = match (&work.inventory, &job, &work.job) {
        (Some(named), _, _) => Some(source::read(named)?),
        (None, JobSource::File(file), Some(path)) => {
            inventory::named_by(path, &file.bytes).map(|found| source::read(&found)).transpose()?
        }
        (None, JobSource::File(_) | JobSource::Command { .. }, _) => None,
    };
    let params::Params { values, files } = params::params(&work.params)?;
    let mut tools = Vec::new();
    for dir in &work.tools {
        tools.extend(folder::tools(dir)?);
    }
    Ok(PlanRequest {
        job,
        inventory,
        targets: work.targets.clone(),
        exclude: work.exclude.clone(),
        params: values,
        secrets: secret::secrets(&work.secrets)?,
        files,
        overrides: overrides(work)?,
        tools,
    })
}

fn job(work: &WorkArgs) -> Result<JobSource, Failure> {
    match (&work.job, work.command.is_empty()) {
        (Some(path), _) => Ok(JobSource::File(source::read(path)?)),
        (None, false) if work.targets.is_some() => Ok(JobSource::Command { words: work.command.clone() }),
        (None, false) => Err(Failure::usage(
            "a command needs targets",
            "name them with -t, such as: autoexec run -t 'web[01-40]' -i hosts.yaml -- uptime",
        )),
        (None, true) if looks_like_command(work) => {
            Err(Failure::usage("there is no command", "put it after two dashes: autoexec run -t SELECTOR -- COMMAND"))
        }
        (None, true) => Err(Failure::usage(
            "there is no job",
            "name a job file, or a command after two dashes: autoexec run -t SELECTOR -- COMMAND",
        )),
    }
}

fn looks_like_command(work: &WorkArgs) -> bool {
    work.targets.is_some()
}

fn overrides(work: &WorkArgs) -> Result<Overrides, Failure> {
    let seed = match work.seed {
        Some(seed) => seed,
        None => {
            let mut bytes = [0; 4];
            random(&mut bytes)?;
            u64::from(u32::from_le_bytes(bytes))
        }
    };
    Ok(Overrides {
        batches: work.batches.clone(),
        parallel: work.parallel,
        timeout: work.timeout.clone(),
        become_user: work.become_user.clone(),
        host_key: work.host_key.clone(),
        user: work.user.clone(),
        key: work.key.as_deref().map(absolute),
        transport: work.transport.clone(),
        seed,
        name: work.name.clone(),
        between: work.between.clone(),
        budget: work.budget.clone(),
    })
}

/// The scheduler runs in another folder; `~` stays for the runner to understand.
pub(crate) fn absolute(path: &str) -> String {
    if path.starts_with('~') {
        return path.to_owned();
    }
    std::path::absolute(Path::new(path)).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inventory_of_the_job_file_comes_along_unless_another_is_named() {
        let temp = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = temp.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let job = write("job.yaml", "name: x\ninventory: hosts.yaml\n");
        write("hosts.yaml", "groups: {}\n");
        let other = write("other.yaml", "defaults: {}\n");
        let mut work = WorkArgs { job: Some(job), ..WorkArgs::default() };
        let bytes = |work: &WorkArgs| plan(work).expect("read").inventory.map(|source| source.bytes);
        assert_eq!(bytes(&work), Some(b"groups: {}\n".to_vec()));
        work.inventory = Some(other);
        assert_eq!(bytes(&work), Some(b"defaults: {}\n".to_vec()));
    }

    #[test]
    fn a_command_needs_targets_and_targets_a_command() {
        let hint = |work: &WorkArgs| plan(work).expect_err("refused").hints().join(" ");
        let mut work = WorkArgs { command: vec!["uptime".to_owned()], ..WorkArgs::default() };
        assert!(hint(&work).starts_with("name them with -t"));
        work.targets = Some("web01".to_owned());
        work.seed = Some(7);
        let request = plan(&work).expect("a request");
        assert_eq!(request.job, JobSource::Command { words: vec!["uptime".to_owned()] });
        assert_eq!(request.overrides.seed, 7);
        work.command.clear();
        assert!(hint(&work).starts_with("put it after two dashes"));
        assert!(hint(&WorkArgs::default()).starts_with("name a job file"));
    }

    #[test]
    fn a_key_is_found_from_wherever_the_scheduler_runs() {
        assert_eq!(absolute("~/.ssh/db"), "~/.ssh/db");
        assert_eq!(absolute("/etc/key"), "/etc/key");
        assert!(Path::new(&absolute("keys/db")).is_absolute());
    }
}
