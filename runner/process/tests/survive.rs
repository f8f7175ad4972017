//! Connections that break, supervisors and workers that are killed: nothing is lost, nothing runs twice.

use crate::host::{DEADLINE, Host, Seen, exited, key, script, shells, until};
use autoexec_process::channel::{CHANNEL_DEPTH, ChannelEvent};
use autoexec_process::drive::{Sink, drive};
use autoexec_process::ended::{Begun, Ended};
use autoexec_process::frame::Frame;
use autoexec_process::local;
use autoexec_process::parser::FrameParser;
use autoexec_process::payload::payload;
use autoexec_process::supervisor::{MAX_SENT, Offsets, StartOptions, Supervisor};
use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Duration;

fn pid(number: u64) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap())
}

#[tokio::test]
async fn twenty_starters_at_once_run_it_once() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("race", "echo ran >>\"$HOME/count\"; echo done; exit 5");
        let bytes = payload(&run).unwrap();
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let mut starters = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let channel = local::exec(&command, &host.environment).unwrap();
            let bytes = bytes.clone();
            starters.spawn(async move {
                let mut seen = Seen::default();
                let ended = tokio::time::timeout(DEADLINE, drive(channel, bytes, &mut seen)).await.unwrap();
                (ended, seen)
            });
        }
        let all = starters.join_all().await;
        assert_eq!(std::fs::read_to_string(host.root.path().join("count")).unwrap(), "ran\n", "{shell:?}");
        assert_eq!(all.iter().filter(|(_, seen)| !seen.running[0].attached).count(), 1, "{shell:?}");
        for (ended, seen) in all {
            assert_eq!(ended, exited(5), "{shell:?}");
            assert_eq!(seen.stdout, b"done\n", "{shell:?}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_is_unknown_and_starts_nothing() {
    for shell in shells() {
        let host = Host::new(shell);
        let (ended, _) = host.attach(&key("never"), Offsets::default()).await;
        assert_eq!(ended, Ended::Unknown, "{shell:?}");
        assert!(!host.dir(&key("never")).exists());
    }
}

/// Reads until so many bytes of stdout are there, then returns what is known: a connection that is about to break.
async fn watch_a_while(host: &Host, command: &str, bytes: Bytes, seen: &mut Seen, enough: u64) -> u64 {
    let mut channel = local::exec(command, &host.environment).unwrap();
    if !bytes.is_empty() {
        channel.stdin.send(bytes).await.unwrap();
    }
    drop(channel.stdin);
    let mut parser = FrameParser::default();
    let mut worker = 0;
    while seen.offsets().stdout < enough {
        let event = tokio::time::timeout(DEADLINE, channel.events.recv()).await.unwrap();
        let Some(ChannelEvent::Stdout(bytes)) = event else { panic!("{event:?}") };
        parser.feed(&bytes);
        while let Some(frame) = parser.next_frame().unwrap() {
            match frame {
                Frame::Started { pid } | Frame::Attached { pid } => worker = pid,
                Frame::Data { stream, offset, bytes } => seen.output(stream, offset, bytes).await,
                _ => {}
            }
        }
    }
    worker
}

#[tokio::test]
async fn cuts_in_mid_output_lose_and_double_nothing() {
    for shell in shells() {
        let host = Host::new(shell);
        // Goes on only when told, so that every cut is in the middle.
        let text = "i=0; while [ $i -lt 6 ]; do j=0; while [ $j -lt 400 ]; do echo \"line $i $j\"; echo e$i >&2; j=$((j+1)); done\n\
            while [ ! -e \"$HOME/go$i\" ]; do sleep 0.02; done; i=$((i+1)); done; exit 4";
        let run = script("cut", text);
        let want: String = (0..6).flat_map(|i| (0..400).map(move |j| format!("line {i} {j}\n"))).collect();
        let mut seen = Seen::default();
        let mut command = host.supervisor.start(&run.key, StartOptions::default());
        let mut bytes = payload(&run).unwrap();
        let mut worker = 0;
        for i in 0..5u64 {
            // A block is 4,290 bytes; the next one is written only when we have said go.
            let enough = i * 4290 + 2000;
            let now = watch_a_while(&host, &command, bytes.clone(), &mut seen, enough).await;
            assert!(worker == 0 || worker == now, "{shell:?}: still the same worker");
            worker = now;
            std::fs::write(host.root.path().join(format!("go{i}")), "").unwrap();
            command = host.supervisor.attach(&run.key, seen.offsets(), MAX_SENT);
            bytes = Bytes::new();
        }
        std::fs::write(host.root.path().join("go5"), "").unwrap();
        let ended = host.drive(&command, Bytes::new(), &mut seen).await;
        assert_eq!(ended, exited(4), "{shell:?}");
        assert_eq!(String::from_utf8(seen.stdout).unwrap(), want, "{shell:?}");
        assert_eq!(seen.stderr.len(), 6 * 400 * 3, "{shell:?}");
    }
}

#[tokio::test]
async fn a_killed_supervisor_does_not_touch_the_work() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script(
            "s9",
            "echo $PPID >\"$HOME/pids\"; echo one; while [ ! -e \"$HOME/go\" ]; do sleep 0.02; done; echo two; exit 6",
        );
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let mut channel = local::exec(&command, &host.environment).unwrap();
        channel.stdin.send(payload(&run).unwrap()).await.unwrap();
        let mut parser = FrameParser::default();
        let mut seen = Seen::default();
        let worker = loop {
            let Some(ChannelEvent::Stdout(bytes)) = channel.events.recv().await else { panic!() };
            parser.feed(&bytes);
            if let Some(Frame::Started { pid }) = parser.next_frame().unwrap() {
                break pid;
            }
        };
        // The supervisor is the worker's parent.
        let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap();
        let parent = stat.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().parse::<u64>().unwrap();
        kill(pid(parent), Signal::SIGKILL).unwrap();
        until(
            "the channel says that its supervisor was killed",
            || matches!(channel.events.try_recv(), Ok(ChannelEvent::Signal(name)) if name == "KILL"),
        )
        .await;
        assert!(kill(pid(worker), None).is_ok(), "{shell:?}: the worker lives");
        std::fs::write(host.root.path().join("go"), "").unwrap();
        let ended =
            host.drive(&host.supervisor.attach(&run.key, Offsets::default(), MAX_SENT), Bytes::new(), &mut seen).await;
        assert_eq!((ended, seen.stdout.as_slice()), (exited(6), &b"one\ntwo\n"[..]), "{shell:?}");
    }
}

#[tokio::test]
async fn a_killed_worker_is_lost_for_its_supervisor_and_for_others() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("w9", "echo begun; touch \"$HOME/begun\"; sleep 300 & echo $! >\"$HOME/child\"; wait");
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let watching = {
            let channel = local::exec(&command, &host.environment).unwrap();
            let bytes = payload(&run).unwrap();
            tokio::spawn(async move { drive(channel, bytes, &mut Seen::default()).await })
        };
        let record = host.dir(&run.key).join("run");
        until("it has begun", || {
            host.root.path().join("child").exists()
                && std::fs::read_to_string(host.root.path().join("child")).unwrap().ends_with('\n')
        })
        .await;
        let text = std::fs::read_to_string(&record).unwrap();
        let worker: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
        kill(pid(worker), Signal::SIGKILL).unwrap();
        let ended = tokio::time::timeout(DEADLINE, watching).await.unwrap().unwrap();
        assert!(matches!(ended, Ended::Lost { .. }), "{shell:?} {ended:?}");
        let (again, seen) = host.attach(&run.key, Offsets::default()).await;
        assert!(matches!(again, Ended::Lost { .. }), "{shell:?} {again:?}");
        assert_eq!(seen.stdout, b"begun\n");
        let child = std::fs::read_to_string(host.root.path().join("child")).unwrap();
        kill(pid(child.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
    }
}

#[tokio::test]
async fn a_host_that_was_restarted_since_the_first_try_starts_nothing() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("reboot", "echo ran");
        let options =
            StartOptions { first_try: Some(Duration::from_secs(3600 * 24 * 3650)), ..StartOptions::default() };
        let (ended, _) = host.command(&host.supervisor.start(&run.key, options), payload(&run).unwrap()).await;
        assert!(matches!(ended, Ended::Lost { .. }), "{shell:?} {ended:?}");
        assert!(!host.dir(&run.key).exists(), "{shell:?}");
        let options = StartOptions { first_try: Some(Duration::from_millis(10)), ..options };
        let (ended, _) = host.command(&host.supervisor.start(&run.key, options), payload(&run).unwrap()).await;
        assert_eq!(ended, exited(0), "{shell:?}");
    }
}

#[tokio::test]
async fn another_boot_is_lost() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = key("boot");
        let dir = host.dir(&run);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("run"), "w 1 1 another-boot\n").unwrap();
        std::fs::write(dir.join("out"), "part").unwrap();
        std::fs::write(dir.join("err"), "").unwrap();
        let (ended, seen) = host.attach(&run, Offsets::default()).await;
        assert!(matches!(ended, Ended::Lost { .. }), "{shell:?} {ended:?}");
        assert_eq!(seen.stdout, b"part");
    }
}

#[tokio::test]
async fn a_payload_that_is_cut_anywhere_starts_nothing_and_leaves_the_key_free() {
    for shell in shells() {
        let host = Host::new(shell);
        for (name, stdin) in [("small", None), ("large", Some(Bytes::from(vec![b'x'; 30_000])))] {
            let mut run = script(name, "cat; echo ran");
            run.stdin = stdin.clone();
            let whole = payload(&run).unwrap();
            for cut in [0, 3, 20, whole.len() / 2, whole.len() - 1] {
                let command = host.supervisor.start(&run.key, StartOptions::default());
                let (ended, _) = host.command(&command, whole.slice(..cut)).await;
                let fine = matches!(&ended, Ended::Refused(_) | Ended::ChannelLost { begun: Begun::Maybe, .. });
                assert!(fine, "{shell:?} {name} {cut}: {ended:?}");
                assert!(!host.dir(&run.key).exists(), "{shell:?} {name} {cut}");
            }
            let (ended, seen) = host.start(&run).await;
            assert_eq!(ended, exited(0), "{shell:?}");
            assert_eq!(seen.stdout.len(), stdin.map_or(0, |stdin| stdin.len()) + 4);
        }
        let left: Vec<_> = std::fs::read_dir(host.dir(&key("small")).parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 2, "{shell:?}: no staged payload is left: {left:?}");
    }
}

#[tokio::test]
async fn a_start_that_never_got_to_its_worker_is_closed_for_good() {
    // One shell is enough: it takes seconds until nobody is believed to be about to begin.
    let host = Host::new(crate::host::Shell::Dash);
    let run = script("door", "echo ran");
    std::fs::create_dir_all(host.dir(&run.key)).unwrap();
    let (ended, _) = host.attach(&run.key, Offsets::default()).await;
    assert!(matches!(&ended, Ended::Refused(why) if why.text.contains("lost before it began")), "{ended:?}");
    let (again, _) = host.start(&run).await;
    assert_eq!(again, ended);
}

#[tokio::test]
async fn who_does_not_read_does_not_hold_up_the_work() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("unread", "head -c 20000000 /dev/zero; exit 2");
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let channel = local::exec(&command, &host.environment).unwrap();
        channel.stdin.send(payload(&run).unwrap()).await.unwrap();
        let record = host.dir(&run.key).join("run");
        until("the script has ended", || std::fs::read_to_string(&record).is_ok_and(|text| text.ends_with("x 2\n")))
            .await;
        assert!(channel.events.len() <= CHANNEL_DEPTH, "{shell:?}: the queue is bounded");
        drop(channel);
        let (ended, seen) = host.attach(&run.key, Offsets::default()).await;
        assert_eq!((ended, seen.stdout.len()), (exited(2), 20_000_000), "{shell:?}");
    }
}

/// Not a test by itself: the runner that [`a_runner_that_is_killed_does_not_touch_the_work`] kills.
#[tokio::test]
#[ignore = "it is started by another test"]
async fn runner_to_be_killed() {
    let Some(base) = std::env::var_os("AX_TEST_BASE") else {
        return;
    };
    let supervisor = Supervisor::in_directory(base.to_str().unwrap()).unwrap();
    let run = script("runner", RUNNER);
    let command = supervisor.start(&run.key, StartOptions::default());
    let channel = local::exec(&command, &std::env::vars_os().collect::<Vec<_>>()).unwrap();
    drive(channel, payload(&run).unwrap(), &mut Seen::default()).await;
}

const RUNNER: &str = "echo one; while [ ! -e \"$HOME/go\" ]; do sleep 0.02; done; echo two; exit 6";

#[tokio::test]
async fn a_runner_that_is_killed_does_not_touch_the_work() {
    for shell in shells() {
        let host = Host::new(shell);
        let mut runner = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "survive::runner_to_be_killed", "--ignored"])
            .env_clear()
            .envs(host.environment.iter().cloned())
            .env("AX_TEST_BASE", host.base())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let out = host.dir(&key("runner")).join("out");
        until("it runs", || std::fs::read(&out).is_ok_and(|out| out == b"one\n")).await;
        runner.kill().unwrap();
        runner.wait().unwrap();
        std::fs::write(host.root.path().join("go"), "").unwrap();
        let (ended, seen) = host.attach(&key("runner"), Offsets::default()).await;
        assert_eq!((ended, seen.stdout.as_slice()), (exited(6), &b"one\ntwo\n"[..]), "{shell:?}");
    }
}
