//! The command line is consistent, and every help text is a snapshot in `help/`.

use clap::{Command, CommandFactory, Parser};
use expect_test::expect_file;

use super::*;

/// Wide enough for the examples.
const COLUMNS: usize = 100;

fn command() -> Command {
    let mut command = Cli::command().term_width(COLUMNS);
    command.build();
    command
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_has_its_help_and_an_example() {
    let mut command = command();
    check("autoexec", &mut command);
    assert!(command.get_subcommands().count() > 20, "the loop below would pass on no verbs");
}

fn check(name: &str, command: &mut Command) {
    let text = command.render_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    expect_file![format!("help/{name}.txt")].assert_eq(&format!("{}\n", lines.join("\n")));
    let is_leaf = command.get_subcommands().next().is_none();
    assert!(!is_leaf || text.contains("Example"), "`{name}` has no example");
    for verb in command.get_subcommands_mut().filter(|verb| !verb.is_hide_set()) {
        check(&format!("{name}-{}", verb.get_name()), verb);
    }
}

fn parsed(words: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("autoexec").chain(words.iter().copied()))
}

#[test]
fn a_run_is_a_file_a_command_or_a_plan() {
    let run = |words: &[&str]| match parsed(words).expect("parsed").verb {
        Verb::Run(args) => args,
        other => panic!("{other:?}"),
    };
    let args = run(&["run", "roll.yaml", "-p", "a=1", "-p", "b=@f", "--secret", "db", "--tools", "x", "--tools", "y"]);
    assert_eq!((args.work.params.len(), args.work.secrets.len(), args.work.tools.len()), (2, 1, 2));
    let args = run(&["run", "-t", "web[1-3]", "--", "echo", "-n", "--plan"]);
    assert_eq!(args.work.command, ["echo", "-n", "--plan"]);
    assert_eq!(run(&["run", "--plan", "3f9a", "--secret", "db=env:X"]).plan.as_deref(), Some("3f9a"));
    for words in [
        &["run", "roll.yaml", "--", "uptime"][..],
        &["run", "--plan", "3f", "-t", "x"],
        &["run", "--plan", "3f", "a.yaml"],
    ] {
        assert!(parsed(words).is_err(), "{words:?}");
    }
}

#[test]
fn global_options_stand_anywhere() {
    for words in [&["--format", "json", "jobs"][..], &["jobs", "--format", "json"]] {
        assert_eq!(parsed(words).expect("parsed").global.format, Some(Format::Json));
    }
    assert!(parsed(&["jobs", "--demo"]).expect("parsed").global.demo);
}

#[test]
fn a_prune_says_what_may_go() {
    assert!(parsed(&["store", "prune"]).is_err());
    assert!(parsed(&["store", "prune", "--older-than", "90d"]).is_ok());
}
