//! `wait-tcp` and `wait-http`: they wait as long as needed and no longer.

use std::net::TcpListener;
use std::sync::mpsc::channel;

use serde_json::json;

use crate::bench::{Server, answer, call, closed_port, silent_server};

#[test]
fn an_open_port_is_seen_at_once_and_a_closed_one_when_the_time_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ran = call("wait-tcp", &json!({"host": "127.0.0.1", "port": port, "timeout": "10s"}), &[]);
    assert_eq!((ran.code, &ran.outputs["open"], &ran.outputs["attempts"]), (0, &json!(true), &json!(1)), "{ran:?}");
    assert_eq!(ran.outputs["address"], json!(format!("127.0.0.1:{port}")));

    let ran = call("wait-tcp", &json!({"port": port, "timeout": "10s"}), &[("AUTOEXEC_TARGET_ADDRESS", "127.0.0.1")]);
    assert_eq!(ran.code, 0, "without a host it is the target's address: {ran:?}");

    let params = json!({"host": "127.0.0.1", "port": closed_port(), "timeout": "300ms", "interval": "50ms"});
    let ran = call("wait-tcp", &params, &[]);
    assert_eq!((ran.code, &ran.outputs["open"]), (1, &json!(false)), "{ran:?}");
    assert!(ran.outputs["attempts"].as_u64().unwrap() > 1, "it asks again: {ran:?}");
    assert!(ran.stderr.contains("was not open within 300ms: it is closed"), "{}", ran.stderr);
}

#[test]
fn a_port_that_opens_later_is_waited_for() {
    let port = closed_port();
    let (done, stop) = channel::<()>();
    let opener = std::thread::spawn(move || {
        // Opened only after the waiting has begun: the first try has met a closed port with all but certainty.
        std::thread::park_timeout(std::time::Duration::from_millis(150));
        let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let _ = stop.recv();
    });
    let ran = call("wait-tcp", &json!({"host": "localhost", "port": port, "timeout": "20s", "interval": "50ms"}), &[]);
    drop(done);
    opener.join().unwrap();
    assert_eq!((ran.code, &ran.outputs["open"]), (0, &json!(true)), "{ran:?}");
}

#[test]
fn closed_can_be_waited_for_too() {
    let port = closed_port();
    let params = json!({"host": "127.0.0.1", "port": port, "state": "closed", "timeout": "5s"});
    assert_eq!(call("wait-tcp", &params, &[]).code, 0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let params = json!({"host": "127.0.0.1", "port": listener.local_addr().unwrap().port(), "state": "closed", "timeout": "100ms"});
    let ran = call("wait-tcp", &params, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("it is open"), "{}", ran.stderr);
    let params = json!({"host": "no-such-name.invalid", "port": 1, "state": "closed", "timeout": "100ms"});
    assert_eq!(call("wait-tcp", &params, &[]).code, 1, "a name that nobody knows is not a closed port");
}

#[test]
fn waiting_without_a_host_or_with_nonsense_is_refused() {
    for params in [
        json!({"port": 1}),
        json!({"host": "h"}),
        json!({"host": "h", "port": 0}),
        json!({"host": "h", "port": 65536}),
        json!({"host": "h", "port": 1, "state": "ajar"}),
        json!({"host": "h", "port": 1, "interval": "often"}),
    ] {
        assert_eq!(call("wait-tcp", &params, &[]).code, 2, "{params}");
    }
    for params in [json!({}), json!({"url": "http://h/", "pattern": "("}), json!({"url": "http://h/", "expect": "1"})] {
        assert_eq!(call("wait-http", &params, &[]).code, 2, "{params}");
    }
}

#[test]
fn a_page_is_asked_until_status_and_body_are_right() {
    let server = Server::start(|number, _| match number {
        0 => answer("503 Service Unavailable", "", b"starting"),
        1 => answer("200 OK", "", b"status: warming up"),
        _ => answer("200 OK", "", b"status: ready"),
    });
    let params =
        json!({"url": server.url("/health"), "pattern": "status: *ready$", "timeout": "20s", "interval": "50ms"});
    let ran = call("wait-http", &params, &[]);
    assert_eq!((ran.code, &ran.outputs["attempts"], &ran.outputs["status"]), (0, &json!(3), &json!(200)), "{ran:?}");
}

#[test]
fn a_page_that_never_becomes_right_says_what_was_seen_last() {
    let server = Server::start(|_, _| answer("500 Internal Server Error", "", b""));
    let ran = call("wait-http", &json!({"url": server.url("/"), "timeout": "200ms", "interval": "50ms"}), &[]);
    assert_eq!((ran.code, &ran.outputs["status"]), (1, &json!(500)), "{ran:?}");
    assert!(ran.stderr.contains("did not answer as wanted within 200ms: it answered 500"), "{}", ran.stderr);
    let url = format!("http://{}/", silent_server());
    let ran = call("wait-http", &json!({"url": url, "timeout": "200ms", "interval": "50ms"}), &[]);
    assert_eq!((ran.code, &ran.outputs["status"]), (1, &json!(null)), "{ran:?}");
    assert!(ran.stderr.contains("no answer in time"), "{}", ran.stderr);
}
