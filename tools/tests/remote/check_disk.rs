//! `check-disk`: limits are compared with what `df` says, real and invented.

use serde_json::json;

use crate::bench::{Bench, shells};

/// A `df` that knows one nearly full disk, with blanks in its names.
const FAKE_DF: &str = "#!/bin/sh\nfor last; do :; done\n\
    echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n\
    case $last in\n\
    /) echo '/dev/root 5000000000 1000 4999999000 1% /' ;;\n\
    *) echo 'my server:/ex port 1000000 950000 50000 95% /mnt/a \"b\" c' ;;\n\
    esac\n";

#[test]
fn the_real_disk_passes_a_generous_limit_and_fails_a_mean_one() {
    for shell in shells() {
        let bench = Bench::new();
        let ran = bench.run(shell, "check-disk", &[("paths", "/"), ("max_used", "100")]);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        let disk = &ran.outputs["disks"][0];
        assert_eq!(disk["path"], json!("/"));
        assert!(disk["size"].as_u64().unwrap() > disk["free"].as_u64().unwrap(), "{shell:?}: {disk}");

        let ran = bench.run(shell, "check-disk", &[("paths", "/"), ("min_free", "900T")]);
        assert_eq!(ran.code, Some(1), "{shell:?}: {ran:?}");
        assert_eq!(ran.outputs["ok"], json!(false), "{shell:?}: outputs are published on failure too");
        assert!(ran.stderr.contains("less than 900T free"), "{shell:?}: {}", ran.stderr);
    }
}

#[test]
fn the_worst_disk_is_named_and_the_limit_is_exact() {
    for shell in shells() {
        let mut bench = Bench::new();
        bench.program("df", FAKE_DF);
        let paths = "/:/tmp\n/usr";
        for (limit, code) in [("94", 1), ("95", 0)] {
            let ran = bench.run(shell, "check-disk", &[("paths", paths), ("max_used", limit)]);
            assert_eq!(ran.code, Some(code), "{shell:?} {limit}: {ran:?}");
            assert_eq!((&ran.outputs["worst"], &ran.outputs["worst_used_percent"]), (&json!("/tmp"), &json!(95)));
            assert_eq!(ran.outputs["disks"].as_array().unwrap().len(), 3, "{shell:?}");
        }
        let ran = bench.run(shell, "check-disk", &[("paths", "/:/tmp")]);
        assert_eq!(ran.code, Some(1), "{shell:?}: 90 percent is the limit when none is given");
        let expected = json!({
            "path": "/tmp", "mount": "/mnt/a \"b\" c", "filesystem": "my server:/ex port",
            "size": 1_024_000_000_u64, "free": 51_200_000, "used_percent": 95,
        });
        assert_eq!(ran.outputs["disks"][1], expected, "{shell:?}");
        assert_eq!(ran.outputs["disks"][0]["size"], json!(5_120_000_000_000_u64), "{shell:?}: beyond 32 bits");
        for (free, code) in [("50000K", 0), ("50001K", 1), ("51200000", 0), ("51200001B", 1), ("1GiB", 1)] {
            let ran = bench.run(shell, "check-disk", &[("paths", "/tmp"), ("min_free", free)]);
            assert_eq!(ran.code, Some(code), "{shell:?} {free}: {ran:?}");
        }
    }
}

#[test]
fn a_path_that_is_not_there_fails_and_nonsense_is_refused() {
    for shell in shells() {
        let bench = Bench::new();
        let ran = bench.run(shell, "check-disk", &[("paths", "/no/such:/")]);
        assert_eq!(ran.code, Some(1), "{shell:?}: {ran:?}");
        assert!(ran.stderr.contains("/no/such does not exist"), "{shell:?}: {}", ran.stderr);
        assert_eq!(ran.outputs["disks"].as_array().unwrap().len(), 1, "{shell:?}: the others are still measured");
        for params in [
            &[("paths", "relative")][..],
            &[("paths", ":\n:")][..],
            &[("max_used", "101")][..],
            &[("max_used", "many")][..],
            &[("max_used", "-1")][..],
            &[("min_free", "2 apples")][..],
            &[("min_free", "G")][..],
            &[("min_free", "$(id)")][..],
        ] {
            let ran = bench.run(shell, "check-disk", params);
            assert_eq!(ran.code, Some(2), "{shell:?} {params:?}: {ran:?}");
        }
    }
}
