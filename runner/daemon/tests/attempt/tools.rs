//! Tools of the catalogue: files to a target and back, tools of the runner itself, compiled-in ones.

use std::os::unix::fs::PermissionsExt as _;

use super::{Lab, param_file, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_parameter_is_copied_and_fetched_back_as_it_is() {
    let lab = Lab::new().await;
    let content: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
    let (on_target, collected) = (lab.path("on"), lab.path("collected"));
    let job = format!(
        "name: f\nparams: {{ motd: {{ type: file, required: true, max: 1000000 }} }}\nsteps:\n  - id: send\n    tool: copy\n    with: {{ src: '{{{{ params.motd }}}}', dest: '{0}/{{{{ target.name }}}}/motd', parents: true, mode: '0640' }}\n  - {{ id: say, run: 'echo \"$C $S\"', env: {{ C: '{{{{ steps.send.changed }}}}', S: '{{{{ steps.send.size }}}}' }} }}\n  - id: back\n    tool: fetch\n    with: {{ src: '{0}/{{{{ target.name }}}}/motd', dest: '{1}', max_size: 1000000 }}\n",
        on_target.display(),
        collected.display()
    );
    for changed in ["true", "false"] {
        let mut both = request(&job, 2);
        both.files.push(param_file("motd", &content));
        let id = lab.submit_as(both).await;
        lab.end(id, "succeeded").await;
        assert_eq!(lab.stdout(id).await.matches(&format!("{changed} 600000\n")).count(), 2, "{}", lab.stdout(id).await);
        let rows = lab.targets(id).await;
        let path = rows[1].outputs.pointer("/main/steps/back/path").and_then(|path| path.as_str()).unwrap().to_owned();
        assert!(path.starts_with(&format!("{}/t2/", collected.display())), "{path}");
        assert!(std::fs::read(&path).unwrap() == content, "what came back is what was sent");
    }
    let sent = on_target.join("t1/motd");
    assert_eq!(std::fs::metadata(&sent).unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_there_or_too_large_is_not_fetched_and_leaves_nothing() {
    let lab = Lab::new().await;
    std::fs::write(lab.path("big"), vec![b'x'; 5_000]).unwrap();
    for src in ["none", "big"] {
        let job = format!(
            "name: f\nsteps:\n  - {{ id: back, tool: fetch, with: {{ src: '{}', dest: '{}', flat: true, max_size: 1000 }} }}\n",
            lab.path(src).display(),
            lab.path("got").display()
        );
        let id = lab.run(&job, "failed").await;
        assert!(lab.targets(id).await[0].message.contains(src), "{:?}", lab.targets(id).await[0]);
        assert!(!lab.path("got").join(src).exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_that_the_runner_evaluates_itself() {
    let lab = Lab::new().await;
    let job = "name: f\nsteps:\n  - { id: v, tool: set-var, with: { vars: { a: 'x-{{ target.name }}' } } }\n  - { id: ok, tool: assert, with: { that: steps.v.a == 'x-t1' } }\n  - { id: wait, tool: sleep, with: { duration: 10ms } }\n  - { id: no, tool: assert, with: { that: 1 > 2, message: 'one is {{ steps.v.a }}' } }\n";
    let id = lab.submit(job, 1).await;
    lab.end(id, "failed").await;
    let row = &lab.targets(id).await[0];
    assert!(row.message.contains("one is x-t1"), "{row:?}");
    let id = lab.run("name: f\nsteps:\n  - { tool: sleep, with: { duration: 1h }, timeout: 200ms }\n", "failed").await;
    assert_eq!(lab.targets(id).await[0].outcome.as_deref(), Some("timed_out"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compiled_in_tool_is_run_with_the_program() {
    let lab = Lab::new().await;
    let program = lab.path("program");
    std::fs::write(&program, "#!/bin/sh\necho \"$1 $2 $port\"\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let job = "name: b\nphases: [{ name: p, on: runner-target, steps: [{ tool: wait-tcp, with: { host: '{{ target.address }}', port: 22 } }] }]\n";
    let id = lab.run(job, "succeeded").await;
    assert_eq!(lab.stdout(id).await, "tool-exec wait-tcp 22\n");
}
