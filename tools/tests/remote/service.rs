//! `service`: each manager as a small imitation that keeps its state in a file, and the real one where the machine has one.

use std::fs;

use serde_json::json;

use crate::bench::{Bench, Shell, find, shells};

/// systemctl: one service `web`, its state in `$STATE`, its link at boot in `$BOOT`.
const SYSTEMCTL: &str = r#"#!/bin/sh
verb=$1; for unit; do :; done
echo "$*" >> "$LOG"
case $verb in
show) if [ "$unit" = web ]; then echo LoadState=loaded; else echo LoadState=not-found; fi ;;
is-active) cat "$STATE"; [ "$(cat "$STATE")" = active ] ;;
is-enabled) cat "$BOOT"; [ "$(cat "$BOOT")" = enabled ] ;;
start|restart|reload) if [ -n "${BROKEN:-}" ]; then echo failed > "$STATE"; else echo active > "$STATE"; fi ;;
stop) echo inactive > "$STATE" ;;
enable) echo enabled > "$BOOT" ;;
disable) echo disabled > "$BOOT" ;;
esac
"#;

/// The `service` command of System V: exit codes of the LSB.
const SERVICE: &str = r#"#!/bin/sh
echo "$*" >> "$LOG"
case $2 in
status) [ "$(cat "$STATE")" = active ] || exit 3 ;;
start|restart|reload) echo active > "$STATE" ;;
stop) echo inactive > "$STATE" ;;
*) exit 2 ;;
esac
"#;

/// OpenRC: `rc-service --exists NAME` and `rc-service NAME VERB`.
const RC_SERVICE: &str = r#"#!/bin/sh
echo "$*" >> "$LOG"
if [ "$1" = --exists ]; then [ "$2" = web ]; exit; fi
case $2 in
status) [ "$(cat "$STATE")" = active ] || exit 3 ;;
start|restart|reload) echo active > "$STATE" ;;
stop) echo inactive > "$STATE" ;;
esac
"#;

const RC_UPDATE: &str = r#"#!/bin/sh
case $1 in
show) if [ "$(cat "$BOOT")" = enabled ]; then echo ' web | default'; fi ;;
add) echo enabled > "$BOOT" ;;
del) echo disabled > "$BOOT" ;;
esac
"#;

struct Fleet {
    bench: Bench,
    shell: Shell,
    manager: &'static str,
    state: String,
    boot: String,
    log: String,
}

impl Fleet {
    fn new(shell: Shell, manager: &'static str) -> Self {
        let mut bench = Bench::new();
        bench.program("systemctl", SYSTEMCTL);
        bench.program("service", SERVICE);
        bench.program("rc-service", RC_SERVICE);
        bench.program("rc-update", RC_UPDATE);
        fs::write(bench.at("state"), "inactive\n").unwrap();
        fs::write(bench.at("boot"), "disabled\n").unwrap();
        let (state, boot, log) = (bench.text_at("state"), bench.text_at("boot"), bench.text_at("log"));
        Self { bench, shell, manager, state, boot, log }
    }

    fn run(&self, name: &str, action: &str, more: &[(&str, &str)]) -> crate::bench::Ran {
        let mut params = vec![
            ("name", name),
            ("action", action),
            ("manager", self.manager),
            ("STATE", &self.state),
            ("BOOT", &self.boot),
            ("LOG", &self.log),
        ];
        params.extend_from_slice(more);
        self.bench.run(self.shell, "service", &params)
    }
}

#[test]
fn actions_are_done_once_and_reported() {
    for shell in shells() {
        for manager in ["systemd", "service", "openrc"] {
            let fleet = Fleet::new(shell, manager);
            for (action, changed, state) in [
                ("status", false, "stopped"),
                ("start", true, "running"),
                ("start", false, "running"),
                ("reload", true, "running"),
                ("restart", true, "running"),
                ("stop", true, "stopped"),
                ("stop", false, "stopped"),
            ] {
                let ran = fleet.run("web", action, &[]);
                assert_eq!(ran.code, Some(0), "{shell:?} {manager} {action}: {ran:?}");
                let seen = (&ran.outputs["changed"], &ran.outputs["state"], &ran.outputs["manager"]);
                assert_eq!(seen, (&json!(changed), &json!(state), &json!(manager)), "{shell:?} {action}");
            }
            let ran = fleet.run("web", "reload", &[]);
            assert_eq!(ran.code, Some(1), "{shell:?} {manager}: nothing to reload: {ran:?}");
        }
    }
}

#[test]
fn enabling_is_done_once_where_the_manager_can() {
    for shell in shells() {
        for manager in ["systemd", "openrc"] {
            let fleet = Fleet::new(shell, manager);
            for (action, changed, enabled) in
                [("enable", true, true), ("enable", false, true), ("disable", true, false), ("disable", false, false)]
            {
                let ran = fleet.run("web", action, &[]);
                assert_eq!(ran.code, Some(0), "{shell:?} {manager} {action}: {ran:?}");
                assert_eq!((&ran.outputs["changed"], &ran.outputs["enabled"]), (&json!(changed), &json!(enabled)));
            }
        }
    }
}

#[test]
fn a_service_that_does_not_come_up_and_an_unknown_one_are_failures() {
    for shell in shells() {
        let fleet = Fleet::new(shell, "systemd");
        let ran = fleet.run("web", "start", &[("BROKEN", "yes")]);
        assert_eq!(ran.code, Some(1), "{shell:?}: {ran:?}");
        assert!(ran.stderr.contains("it is stopped now"), "{shell:?}: {}", ran.stderr);
        assert_eq!(ran.outputs["state"], json!("stopped"), "{shell:?}");
        for manager in ["systemd", "openrc"] {
            let ran = Fleet::new(shell, manager).run("nothing", "start", &[]);
            assert_eq!(ran.code, Some(1), "{shell:?} {manager}: {ran:?}");
            assert!(ran.stderr.contains("knows no service nothing"), "{shell:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn names_that_could_be_options_or_commands_are_refused() {
    for shell in shells() {
        let fleet = Fleet::new(shell, "systemd");
        for (name, action) in [
            ("", "start"),
            ("-web", "start"),
            ("web;id", "start"),
            ("a b", "start"),
            ("../x", "start"),
            ("web", "explode"),
        ] {
            let ran = fleet.run(name, action, &[]);
            assert_eq!(ran.code, Some(2), "{shell:?} {name} {action}: {ran:?}");
        }
        assert!(!fleet.bench.at("log").exists(), "{shell:?}: the manager was not asked");
        let ran = fleet.bench.run(shell, "service", &[("name", "web"), ("action", "status"), ("manager", "upstart")]);
        assert_eq!(ran.code, Some(2), "{shell:?}: {ran:?}");
    }
}

#[test]
fn the_real_manager_answers_for_a_service_that_is_not_there() {
    let systemd = std::path::Path::new("/run/systemd/system").exists() && find("systemctl").is_some();
    let managers = [("systemd", systemd), ("service", find("service").is_some()), ("rc", true)];
    for (manager, there) in managers {
        if !there {
            eprintln!("not tested: this machine is not run by {manager}");
            continue;
        }
        for shell in shells() {
            for action in ["status", "stop"] {
                let params = [("name", "no-such-service-here"), ("action", action), ("manager", manager)];
                let ran = Bench::new().run(shell, "service", &params);
                assert_eq!(ran.code, Some(1), "{shell:?} {manager} {action}: {ran:?}");
                assert_eq!(ran.outputs["manager"], json!(manager), "{shell:?}");
                assert_eq!(ran.outputs["changed"], json!(false), "{shell:?}");
            }
        }
    }
}
