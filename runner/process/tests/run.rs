//! Starting, watching, attaching.

use crate::host::{Host, Shell, exited, script, shells};

use autoexec_process::ended::{Ended, ToolResult};
use autoexec_process::supervisor::Offsets;

#[tokio::test]
async fn true_is_quick() {
    for shell in [Shell::Dash, Shell::Bash] {
        let host = Host::new(shell);
        let mut times = Vec::new();
        for n in 0..30 {
            let begin = tokio::time::Instant::now();
            let (ended, _) = host.start(&script(&format!("t{n}"), "true")).await;
            assert_eq!(ended, exited(0));
            times.push(begin.elapsed());
        }
        times.sort();
        eprintln!("{shell:?} true: median {:?} best {:?} worst {:?}", times[15], times[0], times[29]);
    }
}

#[tokio::test]
async fn a_script_runs_and_its_streams_and_result_come_back() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("a.1", "echo out; echo err >&2; printf '{\"a\":1}' >\"$AUTOEXEC_OUTPUT\"; exit 3");
        let (ended, seen) = host.start(&run).await;
        let result = Some(ToolResult { bytes: "{\"a\":1}".into(), total: 7 });
        assert_eq!(ended, Ended::Exited { code: 3, result }, "{shell:?} {seen:?}");
        assert_eq!((seen.stdout.as_slice(), seen.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]), "{shell:?}");
        assert_eq!(seen.running.len(), 1);
        assert!(!seen.running[0].attached);
        // Again with the same key: nothing runs, the same is told.
        let (again, second) = host.start(&run).await;
        assert_eq!(again, ended, "{shell:?}");
        assert!(second.running[0].attached);
        assert_eq!(second.stdout, seen.stdout);
        let (part, third) = host.attach(&run.key, Offsets { stdout: 2, stderr: 4 }).await;
        assert_eq!(part, ended);
        assert_eq!((third.stdout.as_slice(), third.stderr.as_slice()), (&b"t\n"[..], &b""[..]), "{shell:?}");
    }
}
