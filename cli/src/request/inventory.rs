//! The inventory that a job file names, looked for beside the job file.
//!
//! Only the client can read it, and only the scheduler understands YAML; so this looks for one line, `inventory: PATH` at the top
//! level, and leaves everything it does not understand to the scheduler, which then says that no inventory came with the job.

use std::path::{Path, PathBuf};

/// The path that a job file names, relative to the folder of the job file.
pub(super) fn named_by(job: &Path, text: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(text).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("inventory:"))?;
    let value = scalar(value)?;
    let folder = job.parent().unwrap_or_else(|| Path::new(""));
    Some(folder.join(value))
}

/// A plain or simply quoted scalar; none for anything else.
fn scalar(value: &str) -> Option<&str> {
    if !value.starts_with([' ', '\t']) {
        return None;
    }
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inside, after) = rest.split_once(quote)?;
            let after = after.trim();
            return (!inside.is_empty() && !inside.contains('\\') && (after.is_empty() || after.starts_with('#')))
                .then_some(inside);
        }
    }
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    let is_plain = !value.starts_with(['{', '[', '|', '>', '&', '*', '!', '#', '%', '@', '`']) && !value.is_empty();
    (is_plain && !matches!(value, "~" | "null")).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        named_by(Path::new("jobs/roll.yaml"), text.as_bytes()).map(|path| path.display().to_string())
    }

    #[test]
    fn a_path_is_relative_to_the_job_file() {
        let there = |path: &str| Some(path.to_owned());
        assert_eq!(found("name: x\ninventory: hosts.yaml\n"), there("jobs/hosts.yaml"));
        assert_eq!(found("inventory: \"my hosts.yaml\" # all\n"), there("jobs/my hosts.yaml"));
        assert_eq!(found("inventory: '../hosts.yaml'\r\n"), there("jobs/../hosts.yaml"));
        assert_eq!(found("inventory: /etc/hosts.yaml # all of them"), there("/etc/hosts.yaml"));
        assert_eq!(named_by(Path::new("roll.yaml"), b"inventory: hosts.yaml"), Some("hosts.yaml".into()));
    }

    #[test]
    fn what_is_no_path_is_left_alone() {
        for text in [
            "name: x",
            "  inventory: deep.yaml",
            "inventory:",
            "inventory: { web: 1 }",
            "inventory: |\n  x",
            "inventory: ~",
            "inventory:hosts",
            "# inventory: x",
            "inventory: 'open",
            "inventory: # none",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(named_by(Path::new("x"), b"\xff\ninventory: a"), None);
    }
}
