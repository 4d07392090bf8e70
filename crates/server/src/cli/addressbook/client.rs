//! Requests changes and tokens from the API.

use super::changes::{Feed, Reply, Trouble, read_feed, read_token, retry_after};
use anyhow::{Context, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use std::{path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent, Body,
    http::{HeaderValue, Response, Uri, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time until a response begins; a server that is building its address book may need a while.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The time until a response is complete.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// The maximum size of a response, in bytes: a thousand contacts, each with a description of 4,096 characters of four
/// bytes, and as much again for all other fields.
const MAX_BODY: u64 = 32 << 20;

/// The account of the follower.
pub(super) struct Login {
    pub(super) address: String,
    pub(super) password: SecretString,
}

/// A client for one server and one tenant.
pub(super) struct Client {
    agent: Agent,
    base: String,
    tenant: String,
    login: Option<Login>,
    token: Option<SecretString>,
}

impl Client {
    pub(super) fn new(
        url: &str,
        ca_file: Option<&Path>,
        tenant: String,
        login: Option<Login>,
    ) -> anyhow::Result<Self> {
        let is_tls = check(url).context("--url")?;
        ensure!(is_tls || ca_file.is_none(), "--ca-file is for a --url with https");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_recv_body(Some(BODY_TIMEOUT));
        let config = if is_tls { config.tls_config(trust(ca_file)?) } else { config };
        let base = url.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.build().new_agent(), base, tenant, login, token: None })
    }

    /// The changes after a token; an empty token means from the beginning. With a login, a missing or expired access
    /// token is replaced first.
    pub(super) fn changes(&mut self, since: &str, limit: u16) -> Result<Feed, Trouble> {
        let had_token = self.token.is_some();
        match self.ask(since, limit) {
            Err(Trouble::Unauthorized(_)) if had_token => {
                self.token = None;
                self.ask(since, limit)
            }
            answer => answer,
        }
        .map_err(|trouble| self.without_login(trouble))
    }

    fn ask(&mut self, since: &str, limit: u16) -> Result<Feed, Trouble> {
        if self.token.is_none() {
            self.token = self.login.as_ref().map(|login| self.log_in(login)).transpose()?;
        }
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let Self { base, tenant, .. } = self;
        let url = format!(
            "{base}/v2/addressbook/{}/changes?since={}&limit={limit}",
            encoded(tenant),
            encoded(since)
        );
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, bearer(token)?);
        }
        read_feed(&read(request.call())?)
    }

    fn log_in(&self, login: &Login) -> Result<SecretString, Trouble> {
        let form = [("login", login.address.as_str()), ("password", login.password.expose_secret())];
        read_token(&read(self.agent.post(format!("{}/v2/auth", self.base)).send_form(form))?)
    }

    /// Adds advice to a 401.
    fn without_login(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Unauthorized(reason) if self.login.is_none() => Trouble::Lasting(format!(
                "{reason}; use --login, or put this machine's address into auth.allowed_subnets"
            )),
            Trouble::Unauthorized(reason) => Trouble::passing(format!("{reason}, although the token is new")),
            other => other,
        }
    }
}

/// Whether a URL uses https; an error if it is not usable.
fn check(url: &str) -> anyhow::Result<bool> {
    let uri: Uri = url.parse().context("is not a URL")?;
    let authority = uri.authority().context("has no host")?;
    ensure!(!authority.as_str().contains('@'), "holds a login: use --login and --password-file");
    ensure!(uri.query().is_none(), "has a query");
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") => Ok(false),
        _ => bail!("must begin with http:// or https://"),
    }
}

/// Trusts the CAs of a PEM file, or those of the operating system if there is none.
fn trust(ca_file: Option<&Path>) -> anyhow::Result<TlsConfig> {
    let roots = match ca_file {
        Some(file) => read_roots(file).with_context(|| format!("--ca-file {}", file.display()))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::new_with_certs(&roots))
        .build())
}

fn read_roots(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let roots: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    ensure!(!roots.is_empty(), "has no certificate in it");
    Ok(roots)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Trouble> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        .map_err(|_| Trouble::passing("the log-in returned an invalid token"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(answer: Result<Response<Body>, ureq::Error>) -> Result<Reply, Trouble> {
    let unanswered = |error: ureq::Error| Trouble::passing(format!("no answer: {error}"));
    let (head, mut body) = answer.map_err(unanswered)?.into_parts();
    let header = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Ok(Reply {
        status: head.status.as_u16(),
        retry_after: header.and_then(retry_after),
        body: body.with_config().limit(MAX_BODY).read_to_vec().map_err(unanswered)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_of_no_use_are_refused() {
        assert!(!check("http://127.0.0.1:8080").unwrap());
        assert!(check("https://[::1]:8443/prefix/").unwrap());
        for url in
            ["", "pbm.example", "/v2", "ldap://x", "http://", "http://a:b@x", "http://x/?q=1", "https://я"]
        {
            assert!(check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn tokens_are_no_header_lines() {
        assert!(bearer(&"a.b-c_d".into()).unwrap().is_sensitive());
        assert!(matches!(bearer(&"a\r\nHost: x".into()), Err(Trouble::Passing { .. })));
    }
}
