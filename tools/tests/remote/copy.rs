//! `copy`: the content arrives byte for byte, once; nothing else is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use autoexec_tools::Catalogue;
use autoexec_tools::invocation::{Secret, StagedContent, invocation};
use serde_json::json;

use crate::bench::{Bench, awkward_bytes, shells};

fn mode_of(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn content_arrives_byte_for_byte_and_a_second_run_changes_nothing() {
    for shell in shells() {
        let bench = Bench::new();
        let dest = bench.text_at("it's a \"file\" $(id)");
        let content = awkward_bytes();
        let params: [(&str, &[u8]); 2] = [("dest", dest.as_bytes()), ("content", &content)];

        let first = bench.run_bytes(shell, "copy", &params);
        assert_eq!(first.code, Some(0), "{shell:?}: {first:?}");
        assert_eq!(fs::read(&dest).unwrap(), content, "{shell:?}");
        assert_eq!(first.outputs["changed"], json!(true));
        assert_eq!(first.outputs["path"], json!(dest));
        assert_eq!(first.outputs["size"], json!(content.len()));
        assert_eq!(mode_of(dest.as_ref()), 0o644, "{shell:?}");

        let inode = fs::metadata(&dest).unwrap().ino();
        let second = bench.run_bytes(shell, "copy", &params);
        assert_eq!(second.outputs["changed"], json!(false), "{shell:?}: {second:?}");
        assert_eq!(fs::metadata(&dest).unwrap().ino(), inode, "{shell:?}: a file that is right is not replaced");
    }
}

#[test]
fn a_parameter_of_the_job_arrives_byte_for_byte_by_every_road() {
    let catalogue = Catalogue::shipped();
    let specs = &catalogue.get("copy").unwrap().descriptor.manifest.params;
    let every: String = "$(id);'\"\n".chars().chain((1..0x800).filter_map(char::from_u32)).collect();
    let contents = [every.clone(), format!("{every}\0{every}\n\n"), every.repeat(60)];
    for shell in shells() {
        for content in &contents {
            let bench = Bench::new();
            let values = json!({"dest": bench.text_at("f"), "content": content});
            let call = invocation(specs, values.as_object().unwrap()).unwrap();
            let mut variables: Vec<(String, Vec<u8>)> = call.env;
            for file in call.files {
                let StagedContent::Value(Secret(bytes)) = file.content else { panic!("no file was given") };
                fs::write(bench.at(&file.name), bytes).unwrap();
                variables.push((file.variable, bench.text_at(&file.name).into_bytes()));
            }
            let params: Vec<(&str, &[u8])> = variables.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
            let ran = bench.run_bytes(shell, "copy", &params);
            assert_eq!(ran.code, Some(0), "{shell:?}: {}", ran.stderr);
            assert!(
                fs::read(bench.at("f")).unwrap() == content.as_bytes(),
                "{shell:?}: {} bytes differ",
                content.len()
            );
        }
    }
}

#[test]
fn a_staged_file_is_copied_with_every_byte_and_the_folder_is_left_clean() {
    for shell in shells() {
        let bench = Bench::new();
        let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        fs::write(bench.at("staged"), &content).unwrap();
        let dest = bench.text_at("new/deep/file");
        let (staged, dest_str) = (bench.text_at("staged"), dest.as_str());

        let refused = bench.run(shell, "copy", &[("dest", dest_str), ("src", &staged)]);
        assert_eq!(refused.code, Some(1), "{shell:?}: the folder is not there: {refused:?}");
        assert!(refused.stderr.contains("parents"), "{}", refused.stderr);

        let ran =
            bench.run(shell, "copy", &[("dest", dest_str), ("src", &staged), ("parents", "true"), ("mode", "4750")]);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        assert_eq!(fs::read(&dest).unwrap(), content, "{shell:?}");
        assert_eq!(mode_of(dest.as_ref()), 0o4750, "{shell:?}");
        assert_eq!(fs::read_dir(bench.at("new/deep")).unwrap().count(), 1, "{shell:?}: work files are gone");
    }
}

#[test]
fn content_that_was_too_large_for_the_environment_comes_as_a_file() {
    for shell in shells() {
        let bench = Bench::new();
        fs::write(bench.at("spilled"), "large").unwrap();
        let ran = bench.run(
            shell,
            "copy",
            &[("dest", &bench.text_at("f")), ("AUTOEXEC_FILE_content", &bench.text_at("spilled"))],
        );
        assert_eq!((ran.code, fs::read_to_string(bench.at("f")).unwrap().as_str()), (Some(0), "large"), "{shell:?}");
    }
}

#[test]
fn mode_and_owner_are_put_right_without_rewriting_the_file() {
    for shell in shells() {
        let bench = Bench::new();
        let dest = bench.text_at("f");
        fs::write(&dest, "x").unwrap();
        fs::set_permissions(&dest, fs::Permissions::from_mode(0o600)).unwrap();
        let inode = fs::metadata(&dest).unwrap().ino();
        let run = |mode| bench.run(shell, "copy", &[("dest", &dest), ("content", "x"), ("mode", mode)]);
        let ran = run("1640");
        assert_eq!((ran.code, &ran.outputs["changed"]), (Some(0), &json!(true)), "{shell:?}: {ran:?}");
        assert_eq!((mode_of(dest.as_ref()), fs::metadata(&dest).unwrap().ino()), (0o1640, inode), "{shell:?}");
        assert_eq!(run("1640").outputs["changed"], json!(false), "{shell:?}");

        // Changed content without a mode keeps the mode that the file has.
        let ran = bench.run(shell, "copy", &[("dest", &dest), ("content", "y")]);
        assert_eq!((ran.code, mode_of(dest.as_ref())), (Some(0), 0o1640), "{shell:?}: {ran:?}");

        if fs::metadata(&dest).unwrap().uid() == 0 {
            let owned = |owner, group| {
                bench.run(shell, "copy", &[("dest", &dest), ("content", "y"), ("owner", owner), ("group", group)])
            };
            let ran = owned("12345", "54321");
            assert_eq!((ran.code, &ran.outputs["changed"]), (Some(0), &json!(true)), "{shell:?}: {ran:?}");
            let seen = fs::metadata(&dest).unwrap();
            assert_eq!((seen.uid(), seen.gid()), (12345, 54321), "{shell:?}");
            assert_eq!(owned("12345", "54321").outputs["changed"], json!(false), "{shell:?}");
            let ran = bench.run(shell, "copy", &[("dest", &dest), ("content", "z")]);
            assert_eq!(
                (ran.code, fs::metadata(&dest).unwrap().uid()),
                (Some(0), 12345),
                "{shell:?}: the owner is kept"
            );
        }
    }
}

#[test]
fn a_backup_keeps_what_was_there_and_links_are_followed() {
    for shell in shells() {
        let bench = Bench::new();
        fs::write(bench.at("real"), "old").unwrap();
        std::os::unix::fs::symlink("real", bench.at("link")).unwrap();
        let params = [("dest", bench.text_at("link")), ("content", "new".to_owned()), ("backup", "true".to_owned())];
        let params: Vec<(&str, &str)> = params.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let ran = bench.run(shell, "copy", &params);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        assert_eq!(fs::read_to_string(bench.at("real")).unwrap(), "new", "{shell:?}");
        assert!(fs::symlink_metadata(bench.at("link")).unwrap().is_symlink(), "{shell:?}: the link stays a link");
        let backup = ran.outputs["backup"].as_str().unwrap();
        assert_eq!(fs::read_to_string(backup).unwrap(), "old", "{shell:?}");

        let again = bench.run(shell, "copy", &params);
        assert_eq!(again.outputs["backup"], json!(null), "{shell:?}: nothing changed, nothing to keep");
    }
}

#[test]
fn parameters_that_make_no_sense_are_refused_before_anything_changes() {
    for shell in shells() {
        let bench = Bench::new();
        fs::create_dir(bench.at("folder")).unwrap();
        let (dest, folder) = (bench.text_at("f"), bench.text_at("folder"));
        let cases: [&[(&str, &str)]; 9] = [
            &[("content", "x")],
            &[("dest", "f"), ("content", "x")],
            &[("dest", "-f"), ("content", "x")],
            &[("dest", &folder), ("content", "x")],
            &[("dest", &dest)],
            &[("dest", &dest), ("content", "x"), ("src", "/etc/hosts")],
            &[("dest", &dest), ("content", "x"), ("mode", "u+x")],
            &[("dest", &dest), ("content", "x"), ("owner", "-R root /")],
            &[("dest", &dest), ("src", "/does/not/exist")],
        ];
        for params in cases {
            let ran = bench.run(shell, "copy", params);
            assert_eq!(ran.code, Some(2), "{shell:?} {params:?}: {ran:?}");
            assert!(ran.stderr.starts_with("copy: "), "{shell:?}: {}", ran.stderr);
            assert!(!bench.at("f").exists(), "{shell:?} {params:?}");
        }
    }
}

#[test]
fn a_full_disk_is_a_clear_failure_and_the_old_file_stays() {
    // A `cat` that stops half way with the words of the kernel stands for the full disk.
    for shell in shells() {
        let mut bench = Bench::new();
        let dest = bench.text_at("f");
        fs::write(&dest, "old").unwrap();
        bench.program("cat", "#!/bin/sh\nhead -c 10\necho 'cat: write error: No space left on device' >&2\nexit 1\n");
        let ran = bench.run(shell, "copy", &[("dest", &dest), ("content", "a good deal of new content")]);
        // ksh has its own cat and then simply succeeds; every other shell meets the failing one.
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{shell:?}: {ran:?}");
            assert!(ran.stderr.contains("is the disk full?"), "{shell:?}: {}", ran.stderr);
            assert_eq!(fs::read_to_string(&dest).unwrap(), "old", "{shell:?}");
            assert_eq!(
                fs::read_dir(bench.dir.path())
                    .unwrap()
                    .filter(|e| e.as_ref().unwrap().file_name().to_str().unwrap().starts_with('.'))
                    .count(),
                0
            );
        } else {
            assert_eq!(shell, &["ksh"], "{ran:?}");
        }
    }
}
