//! Commands that move something on: only those that are legal now, written so that a shell takes them as they stand.

use autoexec_model::api::{Operation, RetryWhat};

use crate::decide::is_legal;
use crate::state::Job;

/// The commands for these operations, those left out that are not legal now.
pub(super) fn commands(job: &Job, operations: &[Operation]) -> Vec<String> {
    operations.iter().filter(|operation| is_legal(job, operation)).map(|operation| command(job, operation)).collect()
}

fn command(job: &Job, operation: &Operation) -> String {
    let id = job.id;
    match operation {
        Operation::Pause => format!("autoexec pause {id}"),
        Operation::Resume => format!("autoexec resume {id}"),
        Operation::Cancel { .. } => format!("autoexec cancel {id}"),
        Operation::Confirm => format!("autoexec confirm {id}"),
        Operation::Reject => format!("autoexec reject {id}"),
        Operation::Parallel { parallel } => format!("autoexec amend {id} --parallel {parallel}"),
        Operation::Retry { what: RetryWhat::Failed } => format!("autoexec retry {id}"),
        Operation::Retry { what: RetryWhat::All } => format!("autoexec retry {id} --all"),
        Operation::Retry { what: RetryWhat::Targets(targets) } => format!("autoexec retry {id} -t {}", quoted(targets)),
        Operation::Skip { targets } => format!("autoexec skip {id} {}", quoted(targets)),
        Operation::Ignore { targets } => format!("autoexec ignore {id} {}", quoted(targets)),
        Operation::Resolve { targets, succeeded } => {
            let verdict = if *succeeded { "succeeded" } else { "failed" };
            format!("autoexec resolve {id} {} --as {verdict}", quoted(targets))
        }
    }
}

pub(super) fn cancel() -> Operation {
    Operation::Cancel { reason: String::new() }
}

pub(super) fn retry_failed() -> Operation {
    Operation::Retry { what: RetryWhat::Failed }
}

pub(super) fn retry(targets: &str) -> Operation {
    Operation::Retry { what: RetryWhat::Targets(targets.to_owned()) }
}

pub(super) fn ignore(targets: &str) -> Operation {
    Operation::Ignore { targets: targets.to_owned() }
}

pub(super) fn resolve(targets: &str, succeeded: bool) -> Operation {
    Operation::Resolve { targets: targets.to_owned(), succeeded }
}

/// The selector that means exactly this name.
pub(super) fn selector(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if plain && name != "all" { name.to_owned() } else { format!("\"{name}\"") }
}

/// A word that a POSIX shell takes as it stands.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ',' | ':' | '/' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_shell_whole() {
        assert_eq!(quoted("web07"), "web07");
        assert_eq!(quoted("web[01-04],db1"), "'web[01-04],db1'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn names_that_mean_something_else_are_quoted_in_the_selector() {
        assert_eq!(selector("web-7.example"), "web-7.example");
        assert_eq!(selector("all"), "\"all\"");
        assert_eq!(selector("a b"), "\"a b\"");
    }
}
