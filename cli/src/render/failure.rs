//! How a failure is told: heading, `Caused by`, the end of a log, hints. Everything that goes wrong is printed by this.

use std::error::Error;

use super::style;
use super::text;
use crate::error::Failure;

/// For people, on standard error.
pub(crate) fn told(failure: &Failure) -> String {
    let mut shown = format!("{} {}\n", style::bad("error:"), text::harmless(&failure.to_string()));
    let mut cause = failure.source();
    while let Some(source) = cause {
        shown.push_str(&format!("  {} {}\n", style::faint("Caused by:"), text::harmless(&source.to_string())));
        cause = source.source();
    }
    for line in failure.log_tail() {
        shown.push_str(&format!("  {}\n", style::faint(&format!("| {}", text::harmless(line)))));
    }
    for hint in failure.hints() {
        shown.push_str(&format!("{} {}\n", style::hint("hint:"), text::harmless(&hint)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use autoexec_model::refusal::{Code, Refusal};
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured};

    #[test]
    fn a_refusal_has_its_hints() {
        let refusal = Refusal::new(Code::NotFound, "there is no job 18")
            .hint("autoexec jobs lists them")
            .hint("the last one is 17");
        let failure = Failure::from(refusal);
        expect![[r#"
            error: there is no job 18
            hint: autoexec jobs lists them
            hint: the last one is 17
        "#]]
        .assert_eq(&bare(&told(&failure)));
        expect![[r#"
            ^[31merror:^[39m there is no job 18
            ^[36mhint:^[39m autoexec jobs lists them
            ^[36mhint:^[39m the last one is 17
        "#]]
        .assert_eq(&coloured(&told(&failure)));
        assert_eq!(failure.exit().code(), 2);
    }

    #[test]
    fn a_cause_and_a_log_are_told() {
        let path = PathBuf::from("roll.yaml");
        let source = io::Error::from(io::ErrorKind::NotFound);
        expect![[r#"
            error: cannot read roll.yaml
              Caused by: entity not found
        "#]]
        .assert_eq(&bare(&told(&Failure::Read { path, source })));
        let ended = Failure::DaemonEnded {
            status: "exit status: 1".to_owned(),
            tail: vec!["store: locked\u{1b}[2J".to_owned()],
            log: PathBuf::from("/var/lib/ada/daemon.log"),
        };
        expect![[r#"
            error: the local scheduler ended at once (exit status: 1)
              | store: locked
            hint: its log is /var/lib/ada/daemon.log
        "#]]
        .assert_eq(&bare(&told(&ended)));
        assert_eq!(ended.exit().code(), 4);
    }
}
