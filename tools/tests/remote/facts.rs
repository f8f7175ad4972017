//! `facts`: what it says agrees with what the machine says elsewhere, and a bare machine is no failure.

use std::fs;

use crate::bench::{Bench, shells};

#[test]
fn the_facts_agree_with_the_machine() {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let memory = fs::read_to_string("/proc/meminfo").unwrap();
    let total: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    for shell in shells() {
        let ran = Bench::new().run(shell, "facts", &[]);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        let facts = &ran.outputs;
        assert_eq!(facts["boot_id"], boot_id.trim(), "{shell:?}");
        assert_eq!(facts["kernel"]["release"], release.trim(), "{shell:?}");
        assert_eq!(facts["hostname"], host.trim(), "{shell:?}");
        assert_eq!(facts["memory"]["total"], total * 1024, "{shell:?}");
        let cpus = std::thread::available_parallelism().unwrap().get() as u64;
        assert!(facts["cpus"].as_u64().unwrap() >= cpus, "{shell:?}: {facts}");
        assert!(facts["uptime"].as_u64().unwrap() > 0, "{shell:?}");
        assert_eq!(facts["arch"], std::env::consts::ARCH, "{shell:?}");
        assert!(facts["disks"].as_array().unwrap().iter().all(|disk| disk["size"].as_u64().unwrap() > 0), "{facts}");
        let printed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(&printed, facts, "{shell:?}: what is printed is what is published");
    }
}

#[test]
fn a_machine_without_the_usual_commands_still_answers() {
    for shell in shells() {
        let mut bench = Bench::new();
        bench.only(&["awk", "sed", "cat", "head", "uname", "id", "printf"]);
        let ran = bench.run(shell, "facts", &[]);
        assert_eq!(ran.code, Some(0), "{shell:?}: {ran:?}");
        assert_eq!(ran.outputs["package_manager"], serde_json::Value::Null, "{shell:?}");
        assert_eq!(ran.outputs["disks"], serde_json::json!([]), "{shell:?}");
        assert!(ran.outputs["memory"]["total"].as_u64().unwrap() > 0, "{shell:?}");
    }
}

#[test]
fn addresses_are_read_from_both_known_commands_without_loopback() {
    let ip = "#!/bin/sh\ncat <<'E'\n1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0@if3    inet 10.0.0.5/24 brd 10.0.0.255\n\
              2: eth0    inet6 fe80::1/64 scope link\nE\n";
    let ifconfig = "#!/bin/sh\ncat <<'E'\neth0: flags=4163<UP>  mtu 1500\n        inet 10.0.0.5  netmask 255.255.255.0\n\
              \x20       inet6 fe80::1%eth0  prefixlen 64\nlo: flags=73<UP>\n        inet 127.0.0.1\nE\n";
    let expected = serde_json::json!([
        {"interface": "eth0", "address": "10.0.0.5", "family": "inet"},
        {"interface": "eth0", "address": "fe80::1", "family": "inet6"},
    ]);
    for shell in shells() {
        for (program, text) in [("ip", ip), ("ifconfig", ifconfig)] {
            let mut bench = Bench::new();
            bench.only(&["awk", "sed", "cat", "head", "uname", "id", "printf", "sh"]);
            bench.program(program, text);
            let ran = bench.run(shell, "facts", &[]);
            assert_eq!(ran.outputs["addresses"], expected, "{shell:?} {program}: {ran:?}");
        }
    }
}
