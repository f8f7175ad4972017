//! `check-port`: real sockets, seen through each of the three sources.

use std::net::{TcpListener, UdpSocket};

use serde_json::json;

use crate::bench::{Bench, find, shells};

/// What the script itself needs, without anything that lists sockets.
const PLAIN: [&str; 3] = ["awk", "cat", "printf"];

#[test]
fn an_open_and_a_closed_port_are_told_apart_by_every_source() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port().to_string();
    let closed = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap().port().to_string()
    };
    for shell in shells() {
        for (source, program) in [("ss", Some("ss")), ("netstat", Some("netstat")), ("proc", None)] {
            if program.is_some_and(|program| find(program).is_none()) {
                eprintln!("not tested: this machine has no {source}");
                continue;
            }
            let mut bench = Bench::new();
            bench.only(&PLAIN.into_iter().chain(program).collect::<Vec<_>>());
            let ran = bench.run(shell, "check-port", &[("port", &open)]);
            assert_eq!(ran.code, Some(0), "{shell:?} {source}: {ran:?}");
            assert_eq!(ran.outputs["source"], json!(source), "{shell:?}");
            assert_eq!(ran.outputs["listening"], json!(true), "{shell:?}");
            let addresses = if source == "proc" { json!([]) } else { json!(["127.0.0.1"]) };
            assert_eq!(ran.outputs["addresses"], addresses, "{shell:?} {source}");
            let ran = bench.run(shell, "check-port", &[("port", &closed)]);
            assert_eq!((ran.code, &ran.outputs["listening"]), (Some(1), &json!(false)), "{shell:?} {source}: {ran:?}");
            assert!(ran.stderr.contains("is closed, wanted open"), "{shell:?}: {}", ran.stderr);
            let ran = bench.run(shell, "check-port", &[("port", &closed), ("state", "closed")]);
            assert_eq!(ran.code, Some(0), "{shell:?} {source}: {ran:?}");
            let ran = bench.run(shell, "check-port", &[("port", &open), ("state", "closed")]);
            assert_eq!(ran.code, Some(1), "{shell:?} {source}: {ran:?}");
        }
    }
}

#[test]
fn udp_sockets_and_both_families_are_seen() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = socket.local_addr().unwrap().port().to_string();
    let six = TcpListener::bind("[::1]:0").ok();
    for shell in shells() {
        for program in ["ss", "netstat", "cat"] {
            if find(program).is_none() {
                continue;
            }
            let mut bench = Bench::new();
            let mut programs = PLAIN.to_vec();
            if !programs.contains(&program) {
                programs.push(program);
            }
            bench.only(&programs);
            let ran = bench.run(shell, "check-port", &[("port", &udp), ("proto", "udp")]);
            assert_eq!(ran.code, Some(0), "{shell:?} {program}: {ran:?}");
            if let Some(six) = &six {
                let port = six.local_addr().unwrap().port().to_string();
                let ran = bench.run(shell, "check-port", &[("port", &port)]);
                assert_eq!(ran.code, Some(0), "{shell:?} {program}: {ran:?}");
            }
        }
    }
}

#[test]
fn a_port_that_makes_no_sense_is_refused() {
    for shell in shells() {
        let bench = Bench::new();
        for params in [
            &[][..],
            &[("port", "0")][..],
            &[("port", "65536")][..],
            &[("port", "99999999999999999999")][..],
            &[("port", "80;id")][..],
            &[("port", "80"), ("state", "ajar")][..],
            &[("port", "80"), ("proto", "sctp")][..],
        ] {
            let ran = bench.run(shell, "check-port", params);
            assert_eq!(ran.code, Some(2), "{shell:?} {params:?}: {ran:?}");
            assert!(ran.stderr.starts_with("check-port: "), "{shell:?}: {}", ran.stderr);
        }
    }
}
