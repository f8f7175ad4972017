//! A secret is in no file, no log, no command line and no answer, wherever a job prints it.

use std::fs;
use std::path::Path;

use crate::harness::{Fleet, Sandbox, Sshd, command_lines};

const SECRET: &str = "s3cr3t-Kq9_vYw2-umbrella";

/// The step prints its secret in every way: whole, in two writes, on both streams, as an output, in a message of failure.
const JOB: &str = r#"
name: secret
targets: "@web"
params:
  password: { type: secret, required: true }
phases:
  - name: once
    on: runner
    steps:
      - { id: a, run: 'echo "once $S"', env: { S: "{{ params.password }}" } }
  - name: there
    steps:
      - id: b
        env: { S: "{{ params.password }}" }
        run: |
          echo "whole $S and again $S"
          printf 'halves %s' "${S%????????????}"; sleep 0.2; printf '%s\n' "${S#????????????}"
          echo "error $S" >&2
          cat "$AUTOEXEC_PARAMS"
          printf '{"got": "%s"}' "$S" > "$AUTOEXEC_OUTPUT"
          sleep 0.3
      - id: c
        on_failure: ignore
        env: { S: "{{ params.password }}", G: "{{ steps.b.got }}", O: "{{ steps.b.stdout }}" }
        run: 'echo "$G $O"; echo "failed with $S" >&2; exit 9'
"#;

fn files_with(folder: &Path, wanted: &[u8], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("its kind");
        if kind.is_dir() {
            files_with(&path, wanted, found);
        } else if kind.is_file()
            && fs::read(&path).unwrap_or_default().windows(wanted.len()).any(|window| window == wanted)
        {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_secret_is_nowhere() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    let hosts = hosts(&sandbox, &sshd);
    let job = sandbox.write("job.yaml", JOB).display().to_string();
    let mut command =
        sandbox.command(&["run", &job, "-i", &hosts, "--secret", "password=env:THE_PASSWORD", "--format", "json"]);
    command.env("THE_PASSWORD", SECRET);
    let mut run = sandbox.spawn(command, "run with a secret");
    let (mut samples, mut seen) = (0, String::new());
    while run.is_running() {
        let lines = command_lines();
        samples += 1;
        seen.extend(lines.lines().filter(|line| line.contains(SECRET)).map(|line| format!("{line}\n")));
    }
    let ran = run.finish(std::time::Duration::from_secs(60));
    ran.check(3);
    assert!(samples > 5, "the processes were looked at {samples} times");
    assert_eq!(seen, "", "the secret was on a command line");

    let mut answers = format!("{}{}", ran.out(), ran.err());
    for args in [
        &["show", "last", "--targets", "--outputs", "--format", "json"][..],
        &["output", "last", "--prefix"],
        &["output", "last", "runner"],
        &["explain", "last", "far"],
        &["watch", "last"],
        &["plan", &job, "-i", &hosts, "--secret", &format!("password=file:{}", sandbox.write("pw", SECRET).display())],
    ] {
        let answer = sandbox.run(args);
        answers += &format!("{}{}", answer.out(), answer.err());
    }
    assert!(!answers.contains(SECRET), "{answers}");
    // It was printed, and masked.
    let output = String::from_utf8_lossy(&sandbox.output("last", "far")).into_owned();
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with("whole ") && lines[0].contains(" and again ") && lines[0].contains("***"), "{output}");
    assert!(lines[1].starts_with("halves ") && lines[1].contains("***"), "a secret in two writes: {output}");

    let found = files_after(&sandbox);
    let found: Vec<&String> = found.iter().filter(|path| !is_attempt(path)).collect();
    assert_eq!(found, Vec::<&String>::new(), "files that hold the secret");
}

fn hosts(sandbox: &Sandbox, sshd: &Sshd) -> String {
    Fleet::ssh(sandbox, sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(sandbox, "hosts.yaml")
}

/// The files of the sandbox that hold the secret after the daemon has ended.
fn files_after(sandbox: &Sandbox) -> Vec<String> {
    sandbox.expect(0, &["up", "--stop"]);
    fs::remove_file(sandbox.path("pw")).expect("removed");
    let mut found = Vec::new();
    files_with(&sandbox.path("."), SECRET.as_bytes(), &mut found);
    found
}

/// Whether the file belongs to an attempt, on the target or on the runner.
fn is_attempt(path: &str) -> bool {
    path.contains("work/autoexec-") || path.contains("/attempts/autoexec-")
}

#[test]
fn a_secret_is_refused_where_others_could_see_it() {
    let sandbox = Sandbox::new();
    let password = sandbox.write("pw", SECRET).display().to_string();
    let witness = sandbox.path("ran");
    for place in [
        "args: [\"{{ params.password }}\"]",
        "stdin: \"{{ params.password }}\"",
        "workdir: \"/tmp/{{ params.password }}\"",
    ] {
        let job = format!(
            "name: seen\ntargets: here\nparams: {{ password: {{ type: secret, required: true }} }}\nsteps:\n  - run: touch {}\n    {place}\n",
            witness.display()
        );
        let job = sandbox.write("seen.yaml", job).display().to_string();
        let ran = sandbox.run(&[
            "run",
            &job,
            "-t",
            "here",
            "--transport",
            "local",
            "--secret",
            &format!("password=file:{password}"),
        ]);
        assert!([Some(1), Some(2)].contains(&ran.code), "{place}: {ran}");
        assert!(!format!("{}{}", ran.out(), ran.err()).contains(SECRET), "{place}: {ran}");
        assert!(!witness.exists(), "{place}: it ran all the same: {ran}");
    }
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    sandbox.write("job.yaml", JOB);
    // Another value than above: that test looks at all command lines of the machine.
    let typed = "hunter2-on-the-command-line";
    let ran = sandbox.expect(2, &["run", "job.yaml", "--secret", &format!("password={typed}")]);
    assert!(!ran.err().contains(typed), "{ran}");
    assert!(ran.err().contains("env:"), "{ran}");
}
