//! Every example runs as its head says: the command in its `# Run:` line ends with the code in its `# Exit:` line.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{Ran, Sandbox};

/// Examples are for people who try them: none may take long.
const DEADLINE: Duration = Duration::from_secs(60);

struct Example {
    file: String,
    command: String,
    code: i32,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// The examples that have a command, in order.
fn examples() -> Vec<Example> {
    let entries = fs::read_dir(folder()).expect("the examples").flatten();
    let mut files: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    files.sort();
    let example = |file: String| {
        let text = fs::read_to_string(folder().join(&file)).expect("text");
        let head = |word: &str| {
            text.lines().find_map(|line| line.strip_prefix(&format!("# {word}:"))).map(|rest| rest.trim().to_owned())
        };
        let command = head("Run")?;
        let code =
            head("Exit").unwrap_or_else(|| panic!("{file} says `Run:` but not `Exit:`")).parse().expect("a number");
        Some(Example { file, command, code })
    };
    files.into_iter().filter_map(example).collect()
}

/// A sandbox that looks like the root of the repository to them.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for entry in fs::read_dir(folder()).expect("the examples").flatten() {
        sandbox.write(
            &format!("examples/{}", entry.file_name().to_string_lossy()),
            fs::read(entry.path()).expect("its content"),
        );
    }
    sandbox
}

fn typed(sandbox: &Sandbox, line: &str) -> Ran {
    let mut command = sandbox.other("/bin/sh");
    command.args(["-c", line]);
    sandbox.spawn(command, line).finish(DEADLINE)
}

#[track_caller]
fn run(name: &str) -> (Sandbox, Ran) {
    let examples = examples();
    let example =
        examples.iter().find(|example| example.file.starts_with(name)).unwrap_or_else(|| panic!("no example {name}"));
    let sandbox = sandbox();
    let ran = typed(&sandbox, &example.command);
    ran.check(example.code);
    (sandbox, ran)
}

#[test]
fn each_of_them_ends_as_it_says() {
    let examples = examples();
    assert!(examples.len() >= 8, "the loop below would pass on no examples");
    let readme = fs::read_to_string(folder().join("README.md")).expect("the list");
    for example in examples {
        let listed = readme.lines().find(|line| line.starts_with(&format!("| [{}]", example.file)));
        assert!(
            listed.is_some_and(|line| line.contains(&format!("`{}`", example.command))),
            "{}: the list has another command: {listed:?}",
            example.file
        );
        let sandbox = sandbox();
        let ran = typed(&sandbox, &example.command);
        assert_eq!(ran.code, Some(example.code), "{}: {ran}", example.file);
        // What it would do can be looked at first.
        let plan = typed(&sandbox, &example.command.replace("autoexec run", "autoexec plan"));
        assert_eq!(plan.code, Some(0), "{}: {plan}", example.file);
    }
}

#[test]
fn hello_is_said_once_for_all() {
    let (_sandbox, ran) = run("01");
    assert!(ran.out().contains("lab[1-3]"), "{ran}");
}

#[test]
fn the_job_file_of_the_ad_hoc_command_does_the_same() {
    let sandbox = sandbox();
    typed(&sandbox, "autoexec run examples/02-ad-hoc.yaml").check(0);
}

#[test]
fn the_parameters_are_checked_and_the_secret_is_masked() {
    let (sandbox, ran) = run("03");
    assert!(!ran.out().contains("not-a-real-one"), "{ran}");
    let command = examples().into_iter().find(|example| example.file.starts_with("03")).expect("there").command;
    for wrong in ["-p workers=0", "-p zonee=a"] {
        let refused = typed(&sandbox, &format!("{command} {wrong}"));
        refused.check(2);
        assert!(refused.err().contains("hint") || refused.err().contains("workers"), "{refused}");
    }
}

#[test]
fn the_rollout_stops_itself_and_can_go_on() {
    let (sandbox, ran) = run("04");
    assert!(ran.out().contains("aborted"), "{ran}");
    let view = sandbox.show("last");
    assert!(view["counts"]["aborted"].as_u64() > Some(0), "{view:#}");
    typed(&sandbox, "autoexec run examples/04-rolling-budget.yaml --budget failed=20%,unreachable=20%").check(1);
    assert_eq!(sandbox.show("last")["counts"]["aborted"], 0);
}

#[test]
fn the_canary_waits_for_a_person_and_goes_on() {
    let (sandbox, _) = run("05");
    assert!(!sandbox.expect(0, &["explain", "last"]).out().is_empty());
    let mut code = Some(5);
    for _ in 0..10 {
        sandbox.expect(0, &["confirm", "last"]);
        code = sandbox.run(&["watch", "last"]).code;
        if code != Some(5) {
            break;
        }
    }
    assert_eq!(code, Some(0));
}

#[test]
fn the_second_run_of_the_files_changes_nothing() {
    let (sandbox, first) = run("07");
    let command = examples().into_iter().find(|example| example.file.starts_with("07")).expect("there").command;
    let second = typed(&sandbox, &command);
    second.check(0);
    assert!(second.out().contains("changed false"), "{first}{second}");
}

#[test]
fn the_demonstration_shows_a_rollout_and_what_to_try_next() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["demo", "--targets", "30", "--seed", "7"]);
    assert!(ran.code == Some(0) && ran.out().contains("batch 1 of"), "{ran}");
    let said = ran.err();
    let next: Vec<&str> =
        said.lines().filter_map(|line| line.trim().split_once(" --demo ")).map(|(_, rest)| rest).collect();
    assert_eq!(next.len(), 4, "four commands to try next: {ran}");
    for command in next.iter().filter(|command| !command.starts_with("run")) {
        typed(&sandbox, &format!("autoexec --demo {command}")).check(0);
    }
    sandbox.expect(0, &["--demo", "show", "last"]);
}
