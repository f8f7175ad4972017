//! Kill means killed: whole trees, those who left them, those who do not listen.

use crate::host::{DEADLINE, Host, Seen, exited, key, script, shells, until};
use autoexec_process::ask::{self, KillOutcome};
use autoexec_process::drive::drive;
use autoexec_process::ended::Ended;
use autoexec_process::execution::Execution;
use autoexec_process::local;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{Offsets, StartOptions};
use std::path::Path;
use std::time::Duration;

async fn kill(host: &Host, name: &str, grace: Duration) -> KillOutcome {
    let channel = local::exec(&host.supervisor.kill(&key(name), grace, None), &host.environment).unwrap();
    tokio::time::timeout(DEADLINE, ask::kill(channel, None)).await.unwrap().unwrap()
}

/// Does anything live that has this word in its environment?
fn alive(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.windows(word.len()).any(|window| window == word.as_bytes()) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

fn complete(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.ends_with('\n'))
}

/// Starts it and waits until it has written the file `ready`.
async fn begin(host: &Host, run: &Execution) -> tokio::task::JoinHandle<(Ended, Seen)> {
    let command = host.supervisor.start(&run.key, StartOptions::default());
    let channel = local::exec(&command, &host.environment).unwrap();
    let bytes = payload(run).unwrap();
    let ready = host.root.path().join("ready");
    let watching = tokio::spawn(async move {
        let mut seen = Seen::default();
        (drive(channel, bytes, &mut seen).await, seen)
    });
    until("the script is ready", || complete(&ready)).await;
    std::fs::remove_file(&ready).unwrap();
    watching
}

#[tokio::test]
async fn trees_that_do_not_listen_are_ended() {
    let cases = [
        ("polite", "echo >\"$HOME/ready\"; sleep 300"),
        (
            "deaf",
            "trap '' TERM; (trap '' TERM; sleep 300; sleep 300) & (sleep 300; sleep 300) & echo >\"$HOME/ready\"; wait; wait; sleep 300",
        ),
        ("gone-away", "setsid sh -c 'trap \"\" TERM; echo >\"$HOME/ready\"; sleep 300; sleep 300' & wait"),
        ("orphan", "(setsid sh -c 'echo >\"$HOME/ready\"; sleep 300' &); sleep 300"),
        ("stopped", "sh -c 'echo >\"$HOME/ready\"; kill -STOP $$; sleep 300'"),
        (
            "bare",
            "env -i PATH=\"$PATH\" HOME=\"$HOME\" MARK=\"$MARK\" setsid sh -c 'echo >\"$HOME/ready\"; sleep 300' & wait",
        ),
    ];
    for shell in shells() {
        let host = Host::new(shell);
        for (name, text) in cases {
            let mut run = script(name, text);
            let mark = format!("kill-{shell:?}-{name}-{}", std::process::id());
            run.env = vec![("MARK".into(), mark.clone().into())];
            let watching = begin(&host, &run).await;
            assert!(!alive(&format!("MARK={mark}")).is_empty());
            let outcome = kill(&host, name, Duration::from_millis(300)).await;
            assert_eq!(outcome, KillOutcome::Killed, "{shell:?} {name}");
            assert_eq!(alive(&format!("MARK={mark}")), Vec::<String>::new(), "{shell:?} {name}");
            let (ended, _) = tokio::time::timeout(DEADLINE, watching).await.unwrap().unwrap();
            assert!(matches!(ended, Ended::Killed { .. }), "{shell:?} {name} {ended:?}");
            let (later, _) = host.attach(&run.key, Offsets::default()).await;
            assert!(matches!(later, Ended::Killed { .. }), "{shell:?} {name} {later:?}");
            assert_eq!(kill(&host, name, Duration::ZERO).await, KillOutcome::Gone, "{shell:?} {name}");
        }
    }
}

#[tokio::test]
async fn a_script_may_clean_up_and_its_last_words_are_kept() {
    for shell in shells() {
        let host = Host::new(shell);
        let run =
            script("clean", "trap 'echo cleaned; exit 12' TERM; echo >\"$HOME/ready\"; while :; do sleep 0.05; done");
        let watching = begin(&host, &run).await;
        assert_eq!(kill(&host, "clean", Duration::from_secs(20)).await, KillOutcome::Killed, "{shell:?}");
        let (ended, seen) = tokio::time::timeout(DEADLINE, watching).await.unwrap().unwrap();
        assert_eq!(ended, Ended::Killed { code: Some(12) }, "{shell:?}");
        assert_eq!(seen.stdout, b"cleaned\n", "{shell:?}");
    }
}

#[tokio::test]
async fn what_ended_or_never_was_is_not_killed() {
    for shell in shells() {
        let host = Host::new(shell);
        assert_eq!(kill(&host, "nobody", Duration::ZERO).await, KillOutcome::Closed, "{shell:?}");
        let (ended, _) = host.start(&script("nobody", "echo ran")).await;
        assert_eq!(ended, Ended::Killed { code: None }, "{shell:?}: a key that was killed before it came never begins");
        let run = script("over", "echo over");
        host.start(&run).await;
        assert_eq!(kill(&host, "over", Duration::ZERO).await, KillOutcome::Gone, "{shell:?}");
        let (ended, _) = host.attach(&run.key, Offsets::default()).await;
        assert_eq!(ended, exited(0), "{shell:?}: an ended execution stays ended");
    }
}

#[tokio::test]
async fn what_has_not_begun_never_will() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("early", "echo ran");
        std::fs::create_dir_all(host.dir(&run.key)).unwrap();
        assert_eq!(kill(&host, "early", Duration::ZERO).await, KillOutcome::Closed, "{shell:?}");
        let (ended, _) = host.start(&run).await;
        assert_eq!(ended, Ended::Killed { code: None }, "{shell:?}");
    }
}
