//! `ping`: loopback answers, by whichever way this machine permits.

use serde_json::json;

use crate::bench::call;

/// Neither way exists: no ICMP socket for this user, and no `ping` program that works.
fn cannot_ping(stderr: &str) -> bool {
    stderr.contains("cannot be started") || stderr.contains("gave no result")
}

/// Whether the kernel lets this group open an ICMP socket.
fn may_open_a_socket() -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    let Ok(range) = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range") else {
        return false;
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    // `Gid:` lists the real and then the effective group.
    let group = status.lines().find_map(|line| number(line.strip_prefix("Gid:")?.split_whitespace().nth(1)?)).unwrap();
    let bounds: Vec<u64> = range.split_whitespace().filter_map(number).collect();
    matches!(bounds[..], [from, to] if (from..=to).contains(&group))
}

#[test]
fn loopback_answers_and_the_way_is_named() {
    let ran = call("ping", &json!({"host": "127.0.0.1", "count": 2, "timeout": "2s"}), &[]);
    if ran.code != 0 && cannot_ping(&ran.stderr) {
        eprintln!("not tested: {}", ran.stderr);
        return;
    }
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((&ran.outputs["sent"], &ran.outputs["received"]), (&json!(2), &json!(2)));
    assert_eq!(ran.outputs["loss_percent"], json!(0));
    assert!(["icmp", "ping"].contains(&ran.outputs["method"].as_str().unwrap()), "{ran:?}");
    if may_open_a_socket() {
        assert_eq!(ran.outputs["method"], json!("icmp"), "{ran:?}");
    }
    let by_target = call("ping", &json!({"count": 1, "max_loss": 0}), &[("AUTOEXEC_TARGET_ADDRESS", "127.0.0.1")]);
    assert_eq!(by_target.code, 0, "{by_target:?}");
}

#[test]
fn a_silent_address_is_a_failure_with_the_count() {
    // 192.0.2.0/24 is set aside for documentation: nobody is there.
    let ran = call("ping", &json!({"host": "192.0.2.201", "count": 1, "timeout": "100ms"}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    if !cannot_ping(&ran.stderr) && ran.outputs["received"].is_u64() {
        assert!(ran.stderr.contains("0 of 1 answered"), "{}", ran.stderr);
    }
}

#[test]
fn nonsense_is_refused() {
    for params in [
        json!({}),
        json!({"host": "127.0.0.1", "count": 0}),
        json!({"host": "224.0.0.1"}),
        json!({"host": "h", "max_loss": 101}),
    ] {
        assert_eq!(call("ping", &params, &[]).code, 2, "{params}");
    }
}
