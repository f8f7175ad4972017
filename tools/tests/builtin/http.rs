//! `http`: what is sent is what was asked for; what comes back is told truly.

use serde_json::json;

use crate::bench::{Server, answer, call, closed_port, silent_server};

#[test]
fn a_request_arrives_as_it_was_written_and_the_answer_is_published() {
    let server = Server::start(|_, _| {
        answer("201 Created", "content-type: application/json\r\nx-a: 1\r\nx-a: 2\r\n", b"{\"id\": 7}")
    });
    let body = "a \"quoted\" $(id)\nline\u{1f600}";
    let ran = call(
        "http",
        &json!({
            "method": "POST", "url": server.url("/api?secret=1"), "body": body, "timeout": "10s",
            "headers": {"content-type": "text/plain", "x-number": 5}, "bearer": "t0ken", "expect": "200,201",
        }),
        &[],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let request = server.seen.recv().unwrap();
    assert_eq!(request.line, "POST /api?secret=1 HTTP/1.1");
    assert_eq!(request.body, body.as_bytes());
    assert_eq!(request.headers["content-type"], "text/plain");
    assert_eq!(request.headers["x-number"], "5");
    assert_eq!(request.headers["authorization"], "Bearer t0ken");
    assert_eq!(ran.outputs["status"], 201);
    assert_eq!(ran.outputs["body"], "{\"id\": 7}");
    assert_eq!(ran.outputs["json"]["id"], 7);
    assert_eq!(ran.outputs["headers"]["x-a"], "1, 2");
    assert_eq!(ran.stdout, format!("POST {} -> 201\n", server.url("/api")), "neither query nor token is printed");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_body_goes_with_any_method_and_an_own_method_is_sent() {
    let server = Server::start(|_, _| answer("200 OK", "", b""));
    for method in ["GET", "DELETE", "PURGE"] {
        let ran = call("http", &json!({"method": method, "url": server.url("/"), "body": "x"}), &[]);
        assert_eq!(ran.code, 0, "{method}: {ran:?}");
        let request = server.seen.recv().unwrap();
        assert_eq!((request.line, request.body), (format!("{method} / HTTP/1.1"), b"x".to_vec()));
    }
}

#[test]
fn an_unexpected_status_fails_shows_the_answer_and_still_publishes_it() {
    let server = Server::start(|_, _| answer("503 Service Unavailable", "", b"try later"));
    let ran = call("http", &json!({"url": server.url("/")}), &[]);
    assert_eq!((ran.code, &ran.outputs["status"]), (1, &json!(503)), "{ran:?}");
    assert!(ran.stderr.contains("try later") && ran.stderr.contains("answered 503"), "{}", ran.stderr);
    let ran = call("http", &json!({"url": server.url("/"), "expect": "5xx"}), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_large_or_binary_body_is_bounded_and_never_an_error() {
    let server = Server::start(|number, _| match number {
        0 => answer("200 OK", "", &vec![b'x'; 200_000]),
        1 => answer("200 OK", "", &[0xff, 0xfe, 0x00, b'a']),
        _ => answer("200 OK", "", &[1; 60_000]),
    });
    let ran = call("http", &json!({"url": server.url("/")}), &[]);
    assert_eq!((ran.code, &ran.outputs["body_truncated"]), (0, &json!(true)), "{}", ran.stderr);
    assert_eq!(ran.outputs["body"].as_str().unwrap().len(), 65_536);
    let ran = call("http", &json!({"url": server.url("/")}), &[]);
    assert_eq!((ran.code, &ran.outputs["body"]), (0, &json!("\u{fffd}\u{fffd}\0a")));
    // 60,000 control characters take six times as much room in JSON: more than a step may publish.
    let ran = call("http", &json!({"url": server.url("/")}), &[]);
    assert_eq!((ran.code, &ran.outputs["body"], &ran.outputs["body_truncated"]), (0, &json!(""), &json!(true)));
}

#[test]
fn redirects_are_followed_up_to_the_bound_without_the_token() {
    let server = Server::start(|_, request| match request.line.split(' ').nth(1).unwrap() {
        "/end" => answer("200 OK", "", b"here"),
        "/loop" => answer("302 Found", "location: /loop\r\n", b""),
        _ => answer("302 Found", "location: /end\r\n", b""),
    });
    let ran = call("http", &json!({"url": server.url("/"), "bearer": "t"}), &[]);
    assert_eq!(
        (ran.code, &ran.outputs["body"], &ran.outputs["url"]),
        (0, &json!("here"), &json!(server.url("/end"))),
        "{ran:?}"
    );
    assert!(server.seen.recv().unwrap().headers.contains_key("authorization"));
    assert!(!server.seen.recv().unwrap().headers.contains_key("authorization"), "the token stays with the first host");

    let ran = call("http", &json!({"url": server.url("/loop"), "redirects": 3}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("too many redirects"), "{}", ran.stderr);
    let ran = call("http", &json!({"url": server.url("/"), "redirects": 0, "expect": "302"}), &[]);
    assert_eq!((ran.code, &ran.outputs["status"]), (0, &json!(302)), "{ran:?}");
}

#[test]
fn nobody_there_silence_and_a_broken_answer_are_told_apart() {
    let ran = call("http", &json!({"url": format!("http://127.0.0.1:{}/", closed_port())}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.to_lowercase().contains("refused"), "{}", ran.stderr);
    let ran = call("http", &json!({"url": format!("http://{}/", silent_server()), "timeout": "200ms"}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no answer in time"), "{}", ran.stderr);
    let ran = call("http", &json!({"url": "http://no-such-name.invalid/", "timeout": "20s"}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let server = Server::start(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".to_vec());
    let ran = call("http", &json!({"url": server.url("/")}), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("broke off"), "{}", ran.stderr);
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    for params in [
        json!({}),
        json!({"url": "not a url"}),
        json!({"url": "http://127.0.0.1:1/", "method": "GET IT"}),
        json!({"url": "http://127.0.0.1:1/", "expect": "fine"}),
        json!({"url": "http://127.0.0.1:1/", "timeout": "0s"}),
        json!({"url": "http://127.0.0.1:1/", "timeout": 5}),
        json!({"url": "http://127.0.0.1:1/", "redirects": 1000}),
        json!({"url": "http://127.0.0.1:1/", "headers": ["a"]}),
        json!({"url": "http://127.0.0.1:1/", "headers": {"a": {"b": 1}}}),
        json!({"url": "http://127.0.0.1:1/", "headers": {"bad name": "x"}}),
        json!({"url": "http://127.0.0.1:1/", "headers": {"x": "one\r\nInjected: two"}}),
    ] {
        let ran = call("http", &params, &[]);
        assert_eq!(ran.code, 2, "{params}: {ran:?}");
        assert!(ran.stderr.starts_with("http: "), "{}", ran.stderr);
    }
}

#[test]
fn a_broken_contract_is_told_apart_from_a_failed_tool() {
    assert_eq!(call("no-such-tool", &json!({}), &[]).code, 70);
    let nothing = autoexec_tools::builtin::Environment::new();
    let mut err = Vec::new();
    assert_eq!(autoexec_tools::builtin::main("http", &nothing, &mut Vec::new(), &mut err), 70);
    assert!(String::from_utf8(err).unwrap().contains("AUTOEXEC_PARAMS"));
}
