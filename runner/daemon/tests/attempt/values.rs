//! Values on their way into a step and out of it: bytes that no shell evaluates, and secrets that nobody sees.

use autoexec_model::grant::{ToolFile, ToolPackage};
use autoexec_model::id::Digest;

use super::{Lab, request, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_reach_a_step_byte_for_byte() {
    let lab = Lab::new().await;
    let job = r#"
name: bytes
params: { odd: { type: string, default: "a'b\"c $HOME `id` $(id) \\ * ü\nsecond line" } }
steps:
  - id: s
    args: ["{{ params.odd }}", "", "two words", "-n"]
    stdin: "in: {{ params.odd }}"
    env: { ODD: "{{ params.odd }}", NAME: "{{ target.name }}" }
    run: |
      printf '%s of %s\n' "$#" "$NAME"
      for arg; do printf '<%s>\n' "$arg"; done
      printf '[%s]\n' "$ODD"
      cat
"#;
    let id = lab.run(job, "succeeded").await;
    let odd = "a'b\"c $HOME `id` $(id) \\ * ü\nsecond line";
    assert_eq!(lab.stdout(id).await, format!("4 of t1\n<{odd}>\n<>\n<two words>\n<-n>\n[{odd}]\nin: {odd}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_runs_in_the_folder_that_it_names_with_the_interpreter_that_it_names() {
    let lab = Lab::new().await;
    let folder = lab.path("with space");
    std::fs::create_dir(&folder).unwrap();
    let job = format!(
        "name: d\nparams: {{ dir: {{ type: string, default: '{}' }} }}\nsteps:\n  - {{ id: s, run: pwd, workdir: '{{{{ params.dir }}}}' }}\n  - {{ id: p, run: 'BEGIN {{ print \"by awk\" }}', interpreter: [awk, -f] }}\n",
        folder.display()
    );
    let id = lab.run(&job, "succeeded").await;
    assert_eq!(lab.stdout(id).await, format!("{}\nby awk\n", folder.display()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_publishes_is_read_by_later_steps_phases_and_over_all_targets() {
    let lab = Lab::new().await;
    let job = r#"
name: outputs
phases:
  - name: find
    steps:
      - id: a
        run: |
          echo "said by $N"
          printf '{"n": "%s", "list": [1, 2]}' "$N" > "$AUTOEXEC_OUTPUT"
        env: { N: "{{ target.name }}" }
      - { id: b, run: 'echo "$X"', env: { X: "{{ steps.a.n }} {{ steps.a.list[1] }} {{ steps.a.stdout }} {{ steps.a.exit_code }}" } }
  - name: use
    steps: [{ id: c, run: 'echo "$X"', env: { X: "{{ phases.find.steps.a.n }} {{ phases.find.steps.b.stdout }}" } }]
  - name: sum
    on: runner
    steps: [{ id: d, run: 'echo "$X"', env: { X: "{{ all('phases.find.steps.a.n') | tojson }}" } }]
"#;
    let id = lab.submit(job, 2).await;
    lab.end(id, "succeeded").await;
    let text = lab.stdout(id).await;
    for n in ["t1", "t2"] {
        assert!(text.contains(&format!("said by {n}\n{n} 2 said by {n} 0\n{n} {n} 2 said by {n} 0\n")), "{text}");
    }
    assert!(text.contains(r#"{"t1":"t1","t2":"t2"}"#), "{text}");
}

/// Command lines of all processes, and everything below a folder.
fn seen_in(folder: &std::path::Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(needle) {
            found.push(format!("command line of {}", entry.path().display()));
        }
    }
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if std::fs::metadata(&path).is_ok_and(|meta| meta.is_file())
                && std::fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(needle))
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_on_no_command_line_in_no_file_and_in_no_output() {
    let lab = Lab::new().await;
    let (begun, go) = (lab.path("begun"), lab.path("go"));
    let manifest = "name: hush\nsummary: Says what it was given.\nversion: '1.0'\nplaces: [target]\nrisk: low\nentry: { script: run.sh }\nparams:\n  token: { type: secret, required: true, help: A token. }\n  mark: { type: string, required: true, help: A file. }\n";
    let script = "#!/bin/sh\n: > \"$mark.begun\"\nwhile [ ! -e \"$mark.go\" ]; do sleep 0.05; done\nenv\ncat \"$AUTOEXEC_PARAMS\"\necho \"bad token $token\" >&2\nprintf '{\"got\": \"%s\"}' \"$token\" > \"$AUTOEXEC_OUTPUT\"\nexit 4\n";
    let files = vec![ToolFile { name: "run.sh".into(), mode: 0o755, bytes: script.into() }];
    let mut tool = ToolPackage { name: "hush".into(), digest: Digest(String::new()), manifest: manifest.into(), files };
    tool.digest = autoexec_tools::package::digest(&tool);
    let mark = lab.path("m").display().to_string();
    let job = format!(
        "name: s\nparams: {{ pw: {{ type: secret, required: true }} }}\nsteps:\n  - {{ id: s, tool: hush, with: {{ token: '{{{{ params.pw }}}}', mark: '{mark}' }}, retries: {{ max: 1, delay: 1ms }} }}\n"
    );
    let mut request = request(&job, 1);
    request.secrets.push(("pw".into(), "hunter2-and-more".into()));
    request.tools.push(tool);
    let id = lab.submit_as(request).await;
    let (begun, go) = (begun.with_file_name("m.begun"), go.with_file_name("m.go"));
    until("the tool", || begun.exists()).await;
    assert_eq!(seen_in(lab.dir.path(), "hunter2-and-more"), Vec::<String>::new());
    std::fs::write(&go, "").unwrap();
    let view = lab.end(id, "failed").await;
    let (stdout, stderr) = (lab.stdout(id).await, lab.stderr(id).await);
    assert!(stdout.contains("token=******\n"), "the tool had it: {stdout}");
    let rows = lab.targets(id).await;
    assert_eq!(rows[0].message, "exit 4: bad token ******");
    assert!(stderr.contains("try 1 of step `s` failed: exit 4: bad token ******"), "{stderr}");
    let everything = format!("{stdout}{stderr}{view:?}{rows:?}");
    assert!(!everything.contains("hunter2"), "{everything}");
    // What the tool itself wrote stays in its attempt's folder, on its host; it goes no further.
    assert_eq!(seen_in(&lab.path("state"), "hunter2-and-more"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_not_put_where_others_could_see_it() {
    let lab = Lab::new().await;
    for (field, ok) in [
        ("args: ['{{ params.pw }}']", false),
        ("stdin: 'x{{ params.pw }}'", false),
        ("env: { P: '{{ params.pw }}' }", true),
    ] {
        let job = format!(
            "name: s\nparams: {{ pw: {{ type: secret, required: true }} }}\nsteps:\n  - {{ id: s, run: 'echo \"[$P]\"', {field} }}\n"
        );
        let mut request = request(&job, 1);
        request.secrets.push(("pw".into(), "hunter2".into()));
        let id = lab.submit_as(request).await;
        lab.end(id, if ok { "succeeded" } else { "failed" }).await;
        if ok {
            assert_eq!(lab.stdout(id).await, "[******]\n");
        } else {
            let row = &lab.targets(id).await[0];
            assert_eq!(row.outcome.as_deref(), Some("failed_to_start"));
            assert!(row.message.contains("it holds a secret"), "{}", row.message);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_not_to_be_logged_is_not_quoted_either() {
    let lab = Lab::new().await;
    let job = "name: q\nsteps:\n  - { id: s, run: echo private; echo privately >&2; exit 3, no_log: true, on_failure: ignore }\n  - { id: n, run: 'echo \"${#X} letters\"', env: { X: '{{ steps.s.stdout }}' } }\n";
    let id = lab.run(job, "succeeded").await;
    assert_eq!(lab.stdout(id).await, "7 letters\n", "later steps read it");
    let row = &lab.targets(id).await[0];
    assert_eq!(row.message, "exit 3");
    assert_eq!(lab.stderr(id).await, "");
}
