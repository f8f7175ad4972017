//! `script`: the text runs as it is, with its own exit code and its own standard input.

use std::fs;

use crate::bench::{Bench, find, shells};

#[test]
fn the_text_runs_and_its_exit_code_is_the_result() {
    for shell in shells() {
        let bench = Bench::new();
        let text = "printf '%s|' \"$WHO\" \"${script-none}\"\nread -r line || printf 'no input'\nexit 7";
        let ran = bench.run(shell, "script", &[("script", text), ("WHO", "it's $(me)")]);
        assert_eq!(ran.code, Some(7), "{shell:?}: {ran:?}");
        assert_eq!(ran.stdout, "it's $(me)|none|no input", "{shell:?}");
        let ran = bench.run(shell, "script", &[("script", "printf '{\"a\":1}' > \"$AUTOEXEC_OUTPUT\"")]);
        assert_eq!((ran.code, &ran.outputs["a"]), (Some(0), &serde_json::json!(1)), "{shell:?}: {ran:?}");
    }
}

#[test]
fn a_file_runs_with_any_interpreter_in_any_folder() {
    for shell in shells() {
        let bench = Bench::new();
        fs::create_dir(bench.at("-work here")).unwrap();
        fs::write(bench.at("staged"), "BEGIN { print \"from awk\"; system(\"pwd\") }").unwrap();
        let ran = bench.run(
            shell,
            "script",
            &[("file", &bench.text_at("staged")), ("interpreter", "awk  -f"), ("directory", "-work here")],
        );
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        let folder = fs::canonicalize(bench.at("-work here")).unwrap();
        assert_eq!(ran.stdout, format!("from awk\n{}\n", folder.display()), "{shell:?}");
    }
}

#[test]
fn a_large_script_comes_as_a_file() {
    for shell in shells() {
        let bench = Bench::new();
        fs::write(bench.at("spilled"), "printf large").unwrap();
        let ran = bench.run(shell, "script", &[("AUTOEXEC_FILE_script", &bench.text_at("spilled"))]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "large"), "{shell:?}: {}", ran.stderr);
    }
}

#[test]
fn nothing_to_run_and_no_interpreter_are_told_apart() {
    for shell in shells() {
        let bench = Bench::new();
        let both: &[(&str, &str)] = &[("script", "true"), ("file", "/etc/hosts")];
        for (params, code) in [
            (&[][..], 2),
            (both, 2),
            (&[("script", "true"), ("interpreter", "no-such-program -x")][..], 127),
            (&[("script", "true"), ("interpreter", "   ")][..], 2),
            (&[("script", "true"), ("interpreter", "$(touch evil)")][..], 127),
            (&[("script", "true"), ("directory", "/no/such/folder")][..], 1),
        ] {
            let ran = bench.run(shell, "script", params);
            assert_eq!(ran.code, Some(code), "{shell:?} {params:?}: {ran:?}");
            assert!(ran.stderr.starts_with("script: "), "{shell:?}: {}", ran.stderr);
        }
        assert!(!bench.at("evil").exists(), "{shell:?}: a parameter was evaluated");
    }
}

#[test]
fn the_text_is_never_on_a_command_line() {
    if find("ps").is_none() {
        eprintln!("not tested: this machine has no ps");
        return;
    }
    for shell in shells() {
        let bench = Bench::new();
        let ran = bench.run(shell, "script", &[("script", "ps -e -o args\n: zq-marker-zq")]);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        assert!(ran.stdout.contains("ps -e -o args"), "{shell:?}: ps lists something: {}", ran.stdout);
        assert!(!ran.stdout.contains("zq-marker-zq"), "{shell:?}: {}", ran.stdout);
    }
}
