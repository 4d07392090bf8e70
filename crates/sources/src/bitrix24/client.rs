//! One request to a portal and its reply: no redirects, no other host, no endless body.

use super::{address::Address, settings::Bitrix24Settings};
use crate::SourceError;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::ExposeSecret;
use std::{io::ErrorKind, path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent, Body, Error,
    http::{HeaderMap, HeaderName, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes: a page has 50 people, with some kilobytes each.
const MAX_BODY: u64 = 8 << 20;

/// A reply of a portal, whatever it says.
pub(super) struct Reply {
    /// The status code.
    pub(super) status: u16,
    /// The time at the portal, in seconds since 1970.
    pub(super) now: Option<i64>,
    /// The origin (scheme, host and port) to which it redirects.
    pub(super) other_origin: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) struct NoReply {
    /// In words, without the URL.
    pub(super) reason: String,
    /// Whether the same request can succeed later.
    pub(super) is_passing: bool,
}

/// A client for one portal.
pub(super) struct Client {
    agent: Agent,
    /// How long an answer may take.
    timeout: Duration,
    address: Address,
}

impl Client {
    /// A client for the portal that settings name.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if a setting is not usable.
    pub(super) fn new(settings: &Bitrix24Settings) -> Result<Self, SourceError> {
        let address = Address::new(settings)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .https_only(address.is_encrypted())
            .user_agent(concat!("pbm/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(settings.timeout)))
            .timeout_global(Some(settings.timeout))
            .tls_config(trust(settings.ca_file.as_deref())?);
        Ok(Self { agent: config.build().new_agent(), timeout: settings.timeout, address })
    }

    /// The address of the portal.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Calls a method with parameters in JSON.
    pub(super) fn post(&self, method: &str, parameters: &[u8]) -> Result<Reply, NoReply> {
        let url = self.address.method(method);
        let request = self.agent.post(url.expose_secret());
        let request = request.header(header::CONTENT_TYPE, "application/json");
        read(request.header(header::ACCEPT, "application/json").send(parameters), MAX_BODY)
    }

    /// Gets a file of the portal within a time limit.
    pub(super) fn get(&self, url: &Url, max_body: u64, limit: Duration) -> Result<Reply, NoReply> {
        let limit = limit.min(self.timeout);
        let request = self.agent.get(url.as_str()).config().timeout_global(Some(limit)).build();
        read(request.call(), max_body)
    }
}

/// Trusts the authorities of a PEM file, or those of the operating system if there is none.
fn trust(ca_file: Option<&Path>) -> Result<TlsConfig, SourceError> {
    let roots = match ca_file {
        Some(file) => read_roots(file)
            .map_err(|reason| SourceError::Refused(format!("the CA file {}: {reason}", file.display())))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::new_with_certs(&roots))
        .build())
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    let roots: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if roots.is_empty() { Err("has no certificate in it".to_owned()) } else { Ok(roots) }
}

fn read(answer: Result<Response<Body>, Error>, max_body: u64) -> Result<Reply, NoReply> {
    let (head, mut body) = answer.map_err(|error| no_reply(&error))?.into_parts();
    let body = body.with_config().limit(max_body).read_to_vec().map_err(|error| no_reply(&error))?;
    let now = text(&head.headers, &header::DATE).and_then(seconds);
    let other_origin = text(&head.headers, &header::LOCATION).and_then(origin);
    Ok(Reply { status: head.status.as_u16(), now, other_origin, body })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The time of a `Date`, in seconds since 1970.
fn seconds(date: &str) -> Option<i64> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(parsed.as_second())
}

/// The scheme, host and port of a URL of HTTP. The rest may be a secret.
fn origin(location: &str) -> Option<String> {
    let url = Url::parse(location).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// The reason in words. The library's own texts can hold the URL, so only a few of them are passed on.
fn no_reply(error: &Error) -> NoReply {
    let (reason, is_passing) = match error {
        Error::HostNotFound => ("the host name is unknown".to_owned(), true),
        Error::Timeout(_) => ("no answer in time".to_owned(), true),
        Error::Io(error) if is_certificate(error) => (format!("no trust in its certificate: {error}"), false),
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            ("the connection ended before the answer was complete".to_owned(), true)
        }
        Error::Io(error) => (error.to_string(), true),
        Error::Rustls(error) => (format!("encryption: {error}"), false),
        Error::Tls(reason) => (format!("encryption: {reason}"), false),
        Error::BodyExceedsLimit(limit) => (format!("its answer is larger than {} MiB", limit >> 20), false),
        Error::LargeResponseHeader(..) => ("the head of its answer is too large".to_owned(), false),
        Error::ConnectionFailed | Error::BodyStalled => ("the connection failed".to_owned(), true),
        _ => ("its answer is not HTTP".to_owned(), true),
    };
    NoReply { reason, is_passing }
}

/// Whether an error of a connection is that of a certificate, which waiting does not mend.
fn is_certificate(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_at_the_portal_is_read() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("yesterday"), None);
    }

    #[test]
    fn of_a_redirect_only_the_origin_is_kept() {
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(origin("https://new.example/rest/1/s3cretC0de/"), is("https://new.example"));
        assert_eq!(origin("http://s3cretC0de@127.0.0.1:8080/rest/1/"), is("http://127.0.0.1:8080"));
        assert_eq!(origin("/rest/1/s3cretC0de/"), None);
        assert_eq!(origin("data:s3cretC0de"), None);
    }

    #[test]
    fn a_bad_url_is_not_repeated_in_the_reason() {
        let error = Error::BadUri("https://portal.example/rest/1/s3cretC0de".to_owned());
        assert!(!no_reply(&error).reason.contains("s3cretC0de"));
    }
}
