//! Every byte arrives as it was given, on every path into a script.

use crate::host::{Host, exited, script, shells};
use autoexec_process::execution::{ExtraFile, FileBytes};
use autoexec_process::secret::SecretBytes;
use bytes::Bytes;

/// Bytes that look random, without zero.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next().max(1)).collect()
}

fn values() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("every byte", (1..=255).collect()),
        ("shell words", b"$(id);'\"`id`\\ !! * ~ {a,b} $HOME \\n \t".to_vec()),
        ("newlines", b"\n\na\n\r\n'\n".to_vec()),
        ("empty", Vec::new()),
        ("a dash", b"-n".to_vec()),
        ("random", noise(4096)),
        ("larger", noise(20_000)),
    ]
}

const COPY: &str = "printf %s \"$PLAIN\" >\"$HOME/plain\"\nprintf %s \"$HIDDEN\" >\"$HOME/hidden\"\n\
    printf %s \"$1\" >\"$HOME/argument\"\n[ $# = 1 ] || exit 9\ncat >\"$HOME/stdin\"\ncat \"$AUTOEXEC_FILES/f.bin\" >\"$HOME/file\"\n\
    cat \"$AUTOEXEC_SECRETS/s.bin\" >\"$HOME/secret\"\ncat \"$AUTOEXEC_PARAMS\" >\"$HOME/params\"";

#[tokio::test]
async fn parameters_arrive_byte_for_byte() {
    for shell in shells() {
        for locale in ["C", "C.UTF-8"] {
            let mut host = Host::new(shell);
            host.environment.push(("LC_ALL".into(), locale.into()));
            for (n, (name, value)) in values().into_iter().enumerate() {
                let mut run = script(&format!("b{n}"), COPY);
                let bytes = Bytes::from(value.clone());
                run.env = vec![("PLAIN".into(), bytes.clone())];
                run.secret_env = vec![("HIDDEN".into(), SecretBytes::new(value.clone()))];
                run.args = vec![bytes.clone()];
                run.stdin = Some(bytes.clone());
                run.params = Some(FileBytes::Plain(bytes.clone()));
                let plain = ExtraFile { name: "f.bin".into(), bytes: FileBytes::Plain(bytes), mode: 0o640 };
                let secret = FileBytes::Secret(SecretBytes::new(value.clone()));
                run.files = vec![plain, ExtraFile { name: "s.bin".into(), bytes: secret, mode: 0o600 }];
                let (ended, seen) = host.start(&run).await;
                assert_eq!(ended, exited(0), "{shell:?} {locale} {name}: {}", String::from_utf8_lossy(&seen.stderr));
                for copy in ["plain", "hidden", "argument", "stdin", "file", "secret", "params"] {
                    let got = std::fs::read(host.root.path().join(copy)).unwrap();
                    assert!(
                        got == value,
                        "{shell:?} {locale} {name}: {copy} differs: {} of {} bytes",
                        got.len(),
                        value.len()
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn nul_bytes_go_into_files_and_stdin_and_come_out() {
    for shell in shells() {
        let host = Host::new(shell);
        let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let mut run = script("nul", "cat; cat \"$AUTOEXEC_FILES/f.bin\" >&2");
        run.stdin = Some(all.clone().into());
        run.files = vec![ExtraFile { name: "f.bin".into(), bytes: FileBytes::Plain(all.clone().into()), mode: 0o600 }];
        let (ended, seen) = host.start(&run).await;
        assert_eq!(ended, exited(0), "{shell:?}");
        assert!(seen.stdout == all && seen.stderr == all, "{shell:?}: {} {}", seen.stdout.len(), seen.stderr.len());
    }
}

#[tokio::test]
async fn secrets_are_on_no_disk_and_no_command_line() {
    for shell in shells() {
        let host = Host::new(shell);
        let secret = "s3cr3t-marker-in-no-file";
        // The script looks for its own secret the way another user could.
        let text = "cat /proc/[0-9]*/cmdline >\"$HOME/lines\" 2>/dev/null\ngrep -c \"$HIDDEN\" \"$HOME/lines\" >&2\n\
            grep -rlF \"$HIDDEN\" \"$HOME\" >&2; ls -d \"$AUTOEXEC_SECRETS\"; exit 0";
        let mut run = script("sec", text);
        run.secret_env = vec![("HIDDEN".into(), SecretBytes::new(secret.as_bytes()))];
        let file = FileBytes::Secret(SecretBytes::new(secret.as_bytes()));
        run.files = vec![ExtraFile { name: "s.bin".into(), bytes: file, mode: 0o600 }];
        let (ended, seen) = host.start(&run).await;
        assert_eq!(ended, exited(0), "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&seen.stderr), "0\n", "{shell:?}");
        let place = String::from_utf8(seen.stdout).unwrap();
        assert!(place.starts_with("/dev/shm/"), "{shell:?} {place}");
        assert!(!std::path::Path::new(place.trim()).exists(), "{shell:?}: the secret file is removed");
        assert!(!format!("{run:?}").contains("s3cr3t"));
    }
}

#[tokio::test]
async fn the_script_sees_the_login_and_nothing_of_ours() {
    for shell in shells() {
        let mut host = Host::new(shell);
        for (name, value) in [("base", "kept"), ("LC_ALL", "C.UTF-8"), ("D", "kept"), ("n", "kept")] {
            host.environment.push((name.into(), value.into()));
        }
        let (ended, seen) = host.start(&script("env", "env; umask; pwd; ls /proc/$$/fd")).await;
        assert_eq!(ended, exited(0), "{shell:?}");
        let text = String::from_utf8(seen.stdout).unwrap();
        for line in ["base=kept", "LC_ALL=C.UTF-8", "D=kept", "n=kept"] {
            assert!(text.lines().any(|have| have == line), "{shell:?} {line} in {text}");
        }
        assert!(
            !text.contains("ax_") && !text.contains("AXP") && !text.contains("AXW") && !text.contains("AXU"),
            "{shell:?} {text}"
        );
        assert!(text.lines().any(|line| line == "0022" || line == "022"), "{shell:?} umask {text}");
        assert!(text.lines().any(|line| line == host.root.path().to_str().unwrap()), "{shell:?} {text}");
    }
}
