//! Calls a built-in tool the way `tool-exec` does, and small servers to call.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use autoexec_tools::{Catalogue, builtin};
use serde_json::Value;

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: Value,
}

/// Calls a built-in tool with parameters and, beside the contract, these variables.
pub(crate) fn call(name: &str, params: &Value, variables: &[(&str, &str)]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let (params_file, output_file) = (dir.path().join("params.json"), dir.path().join("outputs.json"));
    std::fs::write(&params_file, params.to_string()).unwrap();
    let mut environment: BTreeMap<OsString, OsString> = variables.iter().map(|(n, v)| (n.into(), v.into())).collect();
    environment.insert("AUTOEXEC_PARAMS".into(), params_file.into());
    environment.insert("AUTOEXEC_OUTPUT".into(), output_file.clone().into());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = builtin::main(name, &environment, &mut out, &mut err);
    let outputs = std::fs::read(&output_file).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    if let Value::Object(outputs) = &outputs {
        // What a tool publishes is what its manifest promises.
        let catalogue = Catalogue::shipped();
        let manifest = &catalogue.get(name).unwrap().descriptor.manifest;
        for (output, spec) in manifest.outputs.iter() {
            let value =
                outputs.get(&output.value).unwrap_or_else(|| panic!("{name} does not publish {}", output.value));
            assert!(spec.accepts(value), "{name}: {} is not {}: {value}", output.value, spec.kind);
        }
        assert_eq!(outputs.len(), manifest.outputs.len(), "{name} publishes what it does not declare: {outputs:?}");
    }
    Ran { code, stdout: String::from_utf8(out).unwrap(), stderr: String::from_utf8(err).unwrap(), outputs }
}

/// What a server saw.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A server on loopback that answers each connection once and then closes it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Receiver<Request>,
}

impl Server {
    /// `answer` gets the number of the request, from 0, and what was asked; it gives the whole answer.
    pub(crate) fn start(answer: impl Fn(usize, &Request) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                // A client that left early is its own affair.
                let _ = stream.write_all(&answer(number, &request));
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub(crate) fn read_request(stream: &mut impl Read) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) <= 2 {
            break;
        }
        if let Some((name, value)) = header.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    Request { line: line.trim().to_owned(), headers, body }
}

/// A plain answer.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len())
            .into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// A port where nobody listens.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A listener that accepts and never says a word.
pub(crate) fn silent_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let _held: Vec<TcpStream> = listener.incoming().map(Result::unwrap).collect();
    });
    address
}
