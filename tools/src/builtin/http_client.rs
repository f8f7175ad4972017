//! The HTTP client of the built-in tools: bounded in time, size and redirects; certificates are verified against the machine's own
//! authorities, and against one more that the caller names.
//!
//! Fails when the machine has no list of authorities and https is asked for, when a certificate file cannot be read, and in all the
//! ways a request can fail; the sentence says which. Proxies are those of the usual environment variables.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::call::{Call, Stop, read_bounded};

/// The part of an answer's body that is kept: enough for any status page, small enough for an output.
pub(super) const MAX_BODY: u64 = 64 * 1024;

/// More redirects than any honest site needs.
const MOST_REDIRECTS: u64 = 20;

/// A list of authorities is about 250 KiB on current systems.
const MAX_PEM: u64 = 8 * 1024 * 1024;

/// Where systems keep their list of authorities; the first that exists is used.
const AUTHORITIES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
];

/// How requests of one call are made.
pub(super) struct Client {
    agent: Agent,
}

/// What to ask.
pub(super) struct Ask {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The body was longer than [`MAX_BODY`].
    pub(super) truncated: bool,
    /// The address that answered, after redirects.
    pub(super) url: String,
}

impl Client {
    /// Built from the parameters that the HTTP tools share: `redirects`, `insecure_tls`, `ca`.
    pub(super) fn new(call: &mut Call<'_>, url: &str) -> Result<Self, Stop> {
        let redirects = call.number("redirects", 0..=MOST_REDIRECTS)?.unwrap_or(5);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(u32::try_from(redirects).unwrap_or(0))
            // With none allowed the redirect itself is the answer; with some, one too many is an error.
            .max_redirects_will_error(redirects > 0)
            .user_agent(concat!("autoexec/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls(call, url)?)
            .build();
        Ok(Self { agent: config.into() })
    }

    /// One request, all of it within `limit`.
    pub(super) fn ask(&self, ask: &Ask, limit: Duration) -> Result<Answer, AskError> {
        let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.url);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let response = match &ask.body {
            Some(body) => self.run(request.body(body.as_str()).map_err(AskError::of_http)?, limit)?,
            None => self.run(request.body(()).map_err(AskError::of_http)?, limit)?,
        };
        read_answer(response)
    }

    fn run(&self, request: Request<impl ureq::AsSendBody>, limit: Duration) -> Result<Response<Body>, AskError> {
        let request = self.agent.configure_request(request).timeout_global(Some(limit)).build();
        self.agent.run(request).map_err(AskError::of)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The request itself makes no sense; asking again will not help.
    #[error("{0}")]
    Request(String),
    /// Nobody answered, or not in time.
    #[error("{0}")]
    NoAnswer(String),
}

impl AskError {
    fn of(error: ureq::Error) -> Self {
        use ureq::Error as E;
        match error {
            E::Http(error) => Self::of_http(error),
            E::BadUri(what) => Self::Request(format!("url makes no sense: {what}")),
            E::Timeout(_) => Self::NoAnswer("no answer in time".to_owned()),
            E::HostNotFound => Self::NoAnswer("cannot resolve the name of the host".to_owned()),
            E::TooManyRedirects => Self::NoAnswer("too many redirects".to_owned()),
            other => Self::NoAnswer(other.to_string()),
        }
    }

    fn of_http(error: ureq::http::Error) -> Self {
        Self::Request(format!("the request makes no sense: {error}"))
    }
}

impl From<AskError> for Stop {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Request(why) => Self::Parameter(why),
            AskError::NoAnswer(why) => Self::Failed(why),
        }
    }
}

fn read_answer(response: Response<Body>) -> Result<Answer, AskError> {
    use ureq::ResponseExt;
    let status = response.status().as_u16();
    let url = plain_url(&response.get_uri().to_string());
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = Vec::new();
    response
        .into_body()
        .into_reader()
        .take(MAX_BODY + 1)
        .read_to_end(&mut body)
        .map_err(|error| AskError::NoAnswer(format!("the answer broke off: {error}")))?;
    let truncated = body.len() as u64 > MAX_BODY;
    body.truncate(usize::try_from(MAX_BODY).unwrap_or(usize::MAX));
    Ok(Answer { status, headers, body, truncated, url })
}

/// The address without user, password and query: those may hold secrets and do not belong into output.
pub(super) fn plain_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// What is trusted. Nothing is read for plain http without a redirect to https in sight: a machine without authorities can still ask.
fn tls(call: &mut Call<'_>, url: &str) -> Result<TlsConfig, Stop> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    if call.flag("insecure_tls")? {
        call.warn("warning: the certificate is not checked (insecure_tls)");
        return Ok(builder.disable_verification(true).build());
    }
    let mut trusted = Vec::new();
    if let Some(path) = authorities(call) {
        read_certificates(&path, &mut trusted)?;
    }
    if let Some(path) = call.file("ca") {
        read_certificates(&path, &mut trusted)?;
    }
    if trusted.is_empty() && url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
        return Err(Stop::Failed(
            "this machine has no list of certificate authorities: install ca-certificates, or give ca".to_owned(),
        ));
    }
    Ok(builder.root_certs(RootCerts::new_with_certs(&trusted)).build())
}

/// The machine's list of authorities; `SSL_CERT_FILE` names another.
fn authorities(call: &Call<'_>) -> Option<PathBuf> {
    if let Some(path) = call.variable("SSL_CERT_FILE") {
        return Some(PathBuf::from(path));
    }
    AUTHORITIES.iter().map(PathBuf::from).find(|path| path.exists())
}

fn read_certificates(path: &Path, into: &mut Vec<Certificate<'static>>) -> Result<(), Stop> {
    let pem = read_bounded(path, MAX_PEM)
        .map_err(|error| Stop::Failed(format!("cannot read the certificates in {}: {error}", path.display())))?;
    let before = into.len();
    for item in parse_pem(&pem) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            into.push(certificate);
        }
    }
    if into.len() == before {
        return Err(Stop::Failed(format!("there is no PEM certificate in {}", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::plain_url;

    #[test]
    fn an_address_in_output_holds_no_password_and_no_query() {
        for (url, shown) in [
            ("https://me:pw@lb/api?token=x#y", "https://lb/api"),
            ("http://h:8080", "http://h:8080"),
            ("http://a@b@c/x@y", "http://c/x@y"),
            ("http://h?x=/@", "http://h"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(plain_url(url), shown);
        }
    }
}
