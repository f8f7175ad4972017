//! Certificates are checked unless it is written out that they are not.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::bench::{answer, call, read_request};

/// A server with a certificate for `localhost`, and the PEM text of the authority that signed it.
fn server() -> (u16, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust us leaves in the middle of the handshake.
            let _ = read_request(&mut stream);
            let _ = stream.write_all(&answer("200 OK", "", b"private"));
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, authority.pem())
}

#[test]
fn only_a_trusted_certificate_for_the_right_name_is_accepted() {
    let (port, authority) = server();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority).unwrap();
    let ca = ca.to_str().unwrap();
    let url = format!("https://localhost:{port}/");

    let trusted = json!({"url": url, "ca": {"name": "ca.pem"}});
    let ran = call("http", &trusted, &[("ca", ca)]);
    assert_eq!((ran.code, &ran.outputs["body"]), (0, &json!("private")), "{ran:?}");

    // The same authority as the machine's own list.
    let ran = call("http", &json!({"url": url}), &[("SSL_CERT_FILE", ca)]);
    assert_eq!(ran.code, 0, "{ran:?}");

    let ran =
        call("http", &json!({"url": format!("https://127.0.0.1:{port}/"), "ca": {"name": "ca.pem"}}), &[("ca", ca)]);
    assert_eq!(ran.code, 1, "the certificate is for another name: {ran:?}");
    assert!(ran.stderr.to_lowercase().contains("certificate"), "{}", ran.stderr);

    let (_, stranger) = server();
    let other = dir.path().join("other.pem");
    std::fs::write(&other, stranger).unwrap();
    let ran = call("http", &json!({"url": url}), &[("SSL_CERT_FILE", other.to_str().unwrap())]);
    assert_eq!(ran.code, 1, "nobody vouches for it: {ran:?}");
    assert!(ran.stderr.to_lowercase().contains("certificate"), "{}", ran.stderr);

    let ran = call("http", &json!({"url": url, "insecure_tls": true}), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("warning"), "it is said: {}", ran.stderr);
}

#[test]
fn a_file_without_certificates_is_a_clear_failure() {
    let ran = call("http", &json!({"url": "https://localhost:1/"}), &[("SSL_CERT_FILE", "/etc/hostname")]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no PEM certificate in /etc/hostname"), "{}", ran.stderr);
}
