//! Odd scripts and hosts in trouble.

use crate::host::{Host, Seen, Shell, exited, key, script, shells};
use autoexec_process::ask::{self, AskError, Fetched, Pushed, Removed};
use autoexec_process::drive::Notice;
use autoexec_process::ended::{Ended, RefusalKind};
use autoexec_process::execution::{ExtraFile, FileBytes, HostPath, Script};
use autoexec_process::files::Digest;
use autoexec_process::frame::Stream;
use autoexec_process::local;
use autoexec_process::payload::payload;
use autoexec_process::secret::SecretBytes;
use autoexec_process::supervisor::{Offsets, StartOptions, Supervisor};
use bytes::Bytes;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

#[tokio::test]
async fn exit_codes_are_the_scripts_own() {
    for shell in shells() {
        let host = Host::new(shell);
        for code in [0, 1, 2, 97, 126, 127, 128, 137, 255] {
            let (ended, _) = host.start(&script(&format!("c{code}"), &format!("exit {code}"))).await;
            assert_eq!(ended, exited(code), "{shell:?}");
        }
        let (ended, _) = host.start(&script("sig", "kill -KILL $$")).await;
        let Ended::Exited { code, .. } = ended else { panic!("{shell:?} {ended:?}") };
        assert_eq!(autoexec_process::ended::likely_signal(code), Some(9), "{shell:?} {code}");
    }
}

#[tokio::test]
async fn a_script_whose_folder_is_removed_has_not_failed_to_start() {
    for shell in shells() {
        let host = Host::new(shell);
        let (ended, _) = host.start(&script("gone", "rm -rf \"$AUTOEXEC_FILES\"; exit 0")).await;
        assert!(matches!(ended, Ended::Lost { .. }), "{shell:?} {ended:?}");
    }
}

#[tokio::test]
async fn odd_output_is_output() {
    let cases: [(&str, &str, &[u8], &[u8]); 5] = [
        ("none", "exec >&- 2>&-; exit 0", b"", b""),
        ("line", "printf 'no newline'", b"no newline", b""),
        ("null", "printf 'a\\000b\\001\\377'; printf '\\000' >&2", b"a\0b\x01\xff", b"\0"),
        (
            "like frames",
            "echo 'x 3'; echo 'r refused'; echo autoexec-frames-1:",
            b"x 3\nr refused\nautoexec-frames-1:\n",
            b"",
        ),
        ("stdin", "read -r a || echo end-of-file", b"end-of-file\n", b""),
    ];
    for shell in shells() {
        let host = Host::new(shell);
        for (n, (name, text, stdout, stderr)) in cases.into_iter().enumerate() {
            let (ended, seen) = host.start(&script(&format!("o{n}"), text)).await;
            assert_eq!(ended, exited(0), "{shell:?} {name}");
            assert_eq!((seen.stdout.as_slice(), seen.stderr.as_slice()), (stdout, stderr), "{shell:?} {name}");
        }
    }
}

#[tokio::test]
async fn a_script_that_opens_its_streams_again_loses_nothing() {
    for shell in shells() {
        let host = Host::new(shell);
        let text = "echo a >&2; echo b >/dev/stderr; echo c >&2; echo 1; echo 2 >/dev/stdout; head -c 200000 /dev/zero; echo 3 >>/dev/stdout; exit 3";
        let (ended, seen) = host.start(&script("again", text)).await;
        assert_eq!(ended, exited(3), "{shell:?}");
        assert_eq!(seen.stderr, b"a\nb\nc\n", "{shell:?}");
        assert_eq!(seen.stdout, [b"1\n2\n".as_slice(), &vec![0; 200_000], b"3\n"].concat(), "{shell:?}");
        // Something that stays behind with the streams does not keep the step from ending, and is not hurt.
        let text = "echo begun >/dev/stderr; (while [ ! -e \"$HOME/go\" ]; do sleep 0.02; done; echo late; echo ok >\"$HOME/late\") & exit 4";
        let run = script("left", text);
        let (ended, seen) = host.start(&run).await;
        assert_eq!((ended, seen.stderr.as_slice()), (exited(4), &b"begun\n"[..]), "{shell:?}");
        std::fs::write(host.root.path().join("go"), "").unwrap();
        crate::host::until("what stayed has gone on", || host.root.path().join("late").exists()).await;
    }
}

#[tokio::test]
async fn a_storm_of_signals_loses_no_output() {
    for shell in shells() {
        let host = Host::new(shell);
        let text = "n=0; while [ $n -lt 300 ]; do n=$((n+1)); echo line $n; echo err $n >&2; sleep 0.002; done";
        let run = script("storm", text);
        let record = host.dir(&run.key).join("run");
        // The supervisor is the parent of the worker that the record names.
        let storm = tokio::spawn(async move {
            let worker = || std::fs::read_to_string(&record).ok()?.split(' ').nth(1).map(str::to_owned);
            crate::host::until("it has begun", || worker().is_some()).await;
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", worker().unwrap())).unwrap();
            let parent = stat.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let text = "n=0; while [ $n -lt 60000 ] && kill -USR1 $1 2>/dev/null; do n=$((n+1)); done; echo $n";
            let output =
                tokio::process::Command::new("sh").args(["-c", text, "storm", &parent]).output().await.unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().unwrap()
        });
        let (ended, seen) = host.start(&run).await;
        let sent = storm.await.unwrap();
        assert!(sent > 100, "{shell:?}: {sent}");
        assert_eq!(ended, exited(0), "{shell:?}");
        let lines = |word: &str| (1..=300).map(|n| format!("{word} {n}\n")).collect::<String>();
        assert_eq!(String::from_utf8_lossy(&seen.stdout), lines("line"), "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&seen.stderr), lines("err"), "{shell:?}");
    }
}

#[tokio::test]
async fn a_script_that_cuts_its_own_output_is_told_of() {
    for shell in shells() {
        let host = Host::new(shell);
        let mut run =
            script("shrink", "echo 123456789; while [ ! -e \"$HOME/go\" ]; do sleep 0.02; done; echo x >/dev/stdout");
        run.pipes = false;
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let channel = local::exec(&command, &host.environment).unwrap();
        let bytes = payload(&run).unwrap();
        let watching =
            tokio::spawn(async move { autoexec_process::drive::drive(channel, bytes, &mut Cut::default()).await });
        let out = host.dir(&run.key).join("out");
        crate::host::until("it has written", || std::fs::read(&out).is_ok_and(|bytes| bytes.len() == 10)).await;
        std::fs::write(host.root.path().join("go"), "").unwrap();
        let _ = watching.await;
        let mut seen = Cut::default();
        let ended = host
            .drive(&host.supervisor.attach(&run.key, Offsets { stdout: 10, stderr: 0 }, 1000), Bytes::new(), &mut seen)
            .await;
        assert_eq!(ended, exited(0), "{shell:?}");
        assert_eq!(seen.0, [Notice::Truncated { stream: Stream::Stdout, from: 10, to: 2 }], "{shell:?}");
    }
}

/// Takes notices only.
#[derive(Default)]
struct Cut(Vec<Notice>);

impl autoexec_process::drive::Sink for Cut {
    async fn running(&mut self, _: autoexec_process::drive::Running) {}
    async fn output(&mut self, _: Stream, _: u64, _: Bytes) {}
    async fn notice(&mut self, notice: Notice) {
        self.0.push(notice);
    }
}

#[tokio::test]
async fn fifty_mebibytes_come_whole() {
    for shell in [Shell::Dash, Shell::Bash, Shell::Busybox] {
        let host = Host::new(shell);
        let run = script(
            "big",
            "i=0; while [ $i -lt 50 ]; do head -c 1048576 /dev/zero | tr '\\000' \"$((i%10))\"; i=$((i+1)); done; exit 7",
        );
        let (ended, seen) = host.start(&run).await;
        assert_eq!(ended, exited(7), "{shell:?}");
        assert_eq!(seen.stdout.len(), 50 << 20, "{shell:?}");
        for (n, part) in seen.stdout.chunks(1 << 20).enumerate() {
            let digit = b'0' + u8::try_from(n % 10).unwrap();
            assert!(part.iter().all(|&b| b == digit), "{shell:?} part {n}");
        }
    }
}

#[tokio::test]
async fn output_beyond_the_cap_is_dropped_and_counted() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("cap", "head -c 300000 /dev/zero; echo end >&2");
        let options = StartOptions { cap: 100_000, ..StartOptions::default() };
        let (ended, seen) = host.command(&host.supervisor.start(&run.key, options), payload(&run).unwrap()).await;
        assert_eq!(ended, exited(0), "{shell:?}");
        assert_eq!((seen.stdout.len(), seen.stderr.as_slice()), (100_000, &b"end\n"[..]), "{shell:?}");
        assert_eq!(seen.notices.last(), Some(&Notice::Dropped { stream: Stream::Stdout, total: 200_000 }), "{shell:?}");
    }
}

#[tokio::test]
async fn hosts_that_cannot_take_it_say_why_and_start_nothing() {
    for shell in shells() {
        let mut host = Host::new(shell);
        let run = script("nowhere", "echo ran");
        let usual = std::mem::replace(&mut host.supervisor, Supervisor::in_directory("/proc/no-such-place").unwrap());
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Directory), "{shell:?} {ended:?}");
        // /proc/sys is a directory in which not even root may make one.
        host.supervisor = Supervisor::in_directory("/proc/sys").unwrap();
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Directory), "{shell:?} {ended:?}");
        host.supervisor = usual;
        let mut run = script("no-interpreter", "echo ran");
        run.interpreter = vec!["no-such-interpreter".into()];
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Interpreter), "{shell:?} {ended:?}");
        let mut run = script("no-workdir", "echo ran");
        run.workdir = Some("/no/such".into());
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Workdir), "{shell:?} {ended:?}");
        let (again, _) = host.attach(&run.key, Offsets::default()).await;
        assert_eq!(again, ended, "{shell:?}: it is remembered");
        let mut run = script("workdir", "pwd");
        run.workdir = Some("/usr/bin/..".into());
        let (_, seen) = host.start(&run).await;
        assert!(seen.stdout.starts_with(b"/usr"), "{shell:?}");
    }
}

#[tokio::test]
async fn a_base_that_another_user_has_taken_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: making a directory of another user needs root");
        return;
    }
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("squat", "echo ran");
        let taken = host.dir(&run.key).parent().unwrap().to_path_buf();
        std::fs::create_dir(&taken).unwrap();
        std::os::unix::fs::chown(&taken, Some(65534), None).unwrap();
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Directory), "{shell:?} {ended:?}");
        std::fs::remove_dir(&taken).unwrap();
        std::os::unix::fs::symlink(host.root.path(), &taken).unwrap();
        let (ended, _) = host.start(&run).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::Directory), "{shell:?} {ended:?}");
    }
}

/// A small file system over the base directory; unmounted when dropped.
struct Small(std::path::PathBuf);

impl Small {
    fn over(host: &Host, size: &str) -> Option<Self> {
        let place = host.base();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&place)
            .status();
        if !mount.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: cannot mount a small tmpfs, nothing is known about full disks");
            return None;
        }
        Some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_before_anything_starts() {
    for shell in shells() {
        let host = Host::new(shell);
        let Some(small) = Small::over(&host, "256k") else {
            return;
        };
        // Too large for the disk: the payload.
        let mut run = script("p", "echo ran >\"$HOME/ran\"");
        run.stdin = Some(vec![b'x'; 400_000].into());
        let (ended, _) = host.start(&run).await;
        assert!(
            matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::DiskFull),
            "{shell:?} payload {ended:?}"
        );
        // No room for the script.
        let filler = small.0.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        let block = [b'f'; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        for n in 0..3 {
            let run = script(&format!("s{n}"), "echo ran >\"$HOME/ran\"");
            let (ended, _) = host.start(&run).await;
            assert!(
                matches!(&ended, Ended::Refused(why) if why.kind == RefusalKind::DiskFull),
                "{shell:?} script {ended:?}"
            );
        }
        assert!(!host.root.path().join("ran").exists(), "{shell:?}");
        std::fs::remove_file(&filler).unwrap();
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_during_the_run_keeps_the_scripts_own_end() {
    for shell in shells() {
        let host = Host::new(shell);
        let Some(_small) = Small::over(&host, "512k") else {
            return;
        };
        let run = script("fill", "head -c 2000000 /dev/zero || { echo full >\"$HOME/full\"; exit 42; }");
        let (ended, seen) = host.start(&run).await;
        assert_eq!(ended, exited(42), "{shell:?}");
        assert!(seen.stdout.len() > 100_000 && seen.stdout.iter().all(|&b| b == 0), "{shell:?} {}", seen.stdout.len());
        let (again, _) = host.attach(&run.key, Offsets { stdout: seen.stdout.len() as u64, stderr: 0 }).await;
        assert_eq!(again, exited(42), "{shell:?}");
    }
}

#[tokio::test]
async fn what_a_login_prints_is_not_ours() {
    for shell in shells() {
        let host = Host::new(shell);
        let run = script("noise", "echo out");
        let command = host.supervisor.start(&run.key, StartOptions::default());
        let noisy = format!("echo Welcome; printf 'autoexec-frames no newline'; echo talk >&2; {command}");
        let (ended, seen) = host.command(&noisy, payload(&run).unwrap()).await;
        assert_eq!((ended, seen.stdout.as_slice()), (exited(0), &b"out\n"[..]), "{shell:?}");
        let (ended, _) = host.command("echo This account is not available.; exit 1", payload(&run).unwrap()).await;
        let Ended::NotSupervised { said, code, .. } = ended else { panic!("{shell:?} {ended:?}") };
        assert_eq!((said.as_str(), code), ("This account is not available.", Some(1)), "{shell:?}");
    }
}

#[tokio::test]
async fn files_are_pushed_once_and_run_and_fetched() {
    for shell in shells() {
        let host = Host::new(shell);
        let tool: Vec<u8> = [b"#!/bin/sh\necho tool \"$1\"; exit 8\n#".as_slice(), &[0, 255].repeat(200_000)].concat();
        let tool = Bytes::from(tool);
        let digest = Digest::of(&tool);
        let command = host.supervisor.push(&digest, tool.len() as u64, 0o755);
        let channel = || local::exec(&command, &host.environment).unwrap();
        let cut = ask::push(channel(), tool.slice(..1000)).await;
        assert!(matches!(&cut, Err(AskError::Refused { reason }) if reason == "cut"), "{shell:?} {cut:?}");
        let wrong = ask::push(channel(), vec![1; tool.len()].into()).await;
        assert!(
            matches!(&wrong, Err(AskError::Refused { reason }) if reason.starts_with("digest is")),
            "{shell:?} {wrong:?}"
        );
        assert_eq!(ask::push(channel(), tool.clone()).await.unwrap(), Pushed::Stored, "{shell:?}");
        assert_eq!(ask::push(channel(), tool.clone()).await.unwrap(), Pushed::Same, "{shell:?}");
        let mut run = script("tool", "");
        run.interpreter.clear();
        run.script = Script::Pushed(digest);
        run.args = vec!["an argument".into()];
        let (ended, seen) = host.start(&run).await;
        assert_eq!(
            (ended, seen.stdout.as_slice()),
            (exited(8), &b"tool an argument\n"[..]),
            "{shell:?} {}",
            String::from_utf8_lossy(&seen.stderr)
        );
        let mut missing = script("missing", "");
        missing.script = Script::Pushed(Digest::of(b"other"));
        let (ended, _) = host.start(&missing).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.text.contains("is not here")), "{shell:?} {ended:?}");

        // Other pushed and sent files are named by variables.
        let text = "cmp \"$TOOL\" \"$COPY\" && cat \"$SECRET\"";
        let mut paths = script("paths", text);
        let secret = FileBytes::Secret(SecretBytes::new("hidden"));
        paths.files = vec![
            ExtraFile { name: "copy".into(), bytes: FileBytes::Plain(tool.clone()), mode: 0o600 },
            ExtraFile { name: "key".into(), bytes: secret, mode: 0o600 },
        ];
        paths.path_env = vec![
            ("TOOL".into(), HostPath::Pushed(digest)),
            ("COPY".into(), HostPath::Beside("copy".into())),
            ("SECRET".into(), HostPath::Secret("key".into())),
        ];
        let (ended, seen) = host.start(&paths).await;
        assert_eq!((ended, seen.stdout.as_slice()), (exited(0), &b"hidden"[..]), "{shell:?}");
        let mut missing = script("missing-path", "echo ran");
        missing.path_env = vec![("TOOL".into(), HostPath::Pushed(Digest::of(b"other")))];
        let (ended, _) = host.start(&missing).await;
        assert!(matches!(&ended, Ended::Refused(why) if why.text.contains("is not here")), "{shell:?} {ended:?}");

        let path = host.root.path().join("it's\na \"file\"");
        std::fs::write(&path, &tool).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let fetch = |limit| local::exec(&host.supervisor.fetch(limit), &host.environment).unwrap();
        let mut got = Vec::new();
        let about = ask::fetch(fetch(1 << 30), path.as_os_str().as_encoded_bytes(), &mut got).await.unwrap();
        assert_eq!(about, Fetched { size: tool.len() as u64, mode: 0o640, checked: true }, "{shell:?}");
        assert!(got == tool, "{shell:?}");
        let large = ask::fetch(fetch(10), path.as_os_str().as_encoded_bytes(), &mut got).await;
        assert!(matches!(large, Err(AskError::Refused { .. })), "{shell:?}");
        let none = ask::fetch(fetch(10), b"/no/such/file", &mut got).await;
        assert!(matches!(&none, Err(AskError::Refused { reason }) if reason == "no such file"), "{shell:?} {none:?}");
    }
}

#[tokio::test]
async fn only_what_ended_is_removed() {
    for shell in shells() {
        let host = Host::new(shell);
        host.start(&script("old", "true")).await;
        let running = script("runs", "while [ ! -e \"$HOME/go\" ]; do sleep 0.02; done");
        let command = host.supervisor.start(&running.key, StartOptions::default());
        let channel = local::exec(&command, &host.environment).unwrap();
        let bytes = payload(&running).unwrap();
        let watching =
            tokio::spawn(async move { autoexec_process::drive::drive(channel, bytes, &mut Seen::default()).await });
        crate::host::until("it runs", || host.dir(&running.key).join("run").exists()).await;
        let ask = |line: String| ask::remove(local::exec(&line, &host.environment).unwrap());
        assert_eq!(
            ask(host.supervisor.sweep(Duration::from_secs(3600))).await.unwrap(),
            Removed { removed: 0, kept: 0 },
            "{shell:?}"
        );
        let keys = [key("old"), key("runs"), key("never")];
        assert_eq!(ask(host.supervisor.remove(&keys)).await.unwrap(), Removed { removed: 1, kept: 1 }, "{shell:?}");
        std::fs::write(host.root.path().join("go"), "").unwrap();
        assert_eq!(watching.await.unwrap(), exited(0));
        let dir = host.dir(&running.key);
        let past = dir.metadata().unwrap().modified().unwrap() - Duration::from_secs(7200);
        std::fs::File::open(&dir).unwrap().set_modified(past).unwrap();
        assert_eq!(
            ask(host.supervisor.sweep(Duration::from_secs(3600))).await.unwrap(),
            Removed { removed: 1, kept: 0 },
            "{shell:?}"
        );
        assert!(!dir.exists());
    }
}
