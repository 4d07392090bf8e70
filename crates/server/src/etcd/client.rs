//! Requests to etcd. One endpoint is used until it fails.
//!
//! A range is read at one revision, and the watch continues at the next one, so no change falls in between. The watch
//! only tells that something has changed: whoever watches reads everything again, as one whole.

use super::{
    error::EtcdError,
    gateway::{self, MAX_KEYS, Range, Told},
    settings::{CertificateError, Endpoint, EtcdSettings},
    snapshot::Snapshot,
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, ErrorKind, Read},
    time::Duration,
};
use ureq::{
    Agent, Body,
    http::{HeaderValue, Response, header},
};

/// The largest answer, in bytes: a thousand keys of 8 KiB in Base64. etcd itself stores no value above 1.5 MiB.
const MAX_BODY: u64 = 16 << 20;
/// The largest line of a watch, in bytes: one transaction may change all keys.
const MAX_LINE: u64 = MAX_BODY;
/// Asks a member that has lost its leader to end a watch instead of being silent.
const NEEDS_LEADER: (&str, &str) = ("Grpc-Metadata-hasleader", "true");

/// What a watch has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Something has changed, or may have: the revision has been compacted.
    Change,
    /// Nothing has changed within the time.
    Nothing,
}

/// A client of a cluster of etcd.
pub struct Client {
    settings: EtcdSettings,
    agent: Agent,
    prefixes: Vec<String>,
    /// The prefixes that the account has been allowed to read.
    readable: BTreeSet<String>,
    current: usize,
    token: Option<SecretString>,
}

impl Client {
    /// A client that reads ranges of keys by their prefixes. Makes no connection.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn new(settings: &EtcdSettings, prefixes: &[&str]) -> Result<Self, CertificateError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_resolve(Some(settings.timeout))
            .timeout_connect(Some(settings.timeout))
            .timeout_send_request(Some(settings.timeout))
            .timeout_recv_response(Some(settings.timeout))
            .timeout_recv_body(Some(settings.timeout));
        let is_tls = settings.endpoints.iter().any(Endpoint::is_tls);
        let config = if is_tls { config.tls_config(settings.tls()?) } else { config };
        Ok(Self {
            settings: settings.clone(),
            agent: config.build().new_agent(),
            // A key may begin with a slash.
            prefixes: prefixes
                .iter()
                .flat_map(|prefix| [(*prefix).to_owned(), format!("/{prefix}")])
                .collect(),
            readable: BTreeSet::new(),
            current: 0,
            token: None,
        })
    }

    /// The endpoint in use.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.settings.endpoints.get(self.current).map(ToString::to_string).unwrap_or_default()
    }

    /// The settings of this client.
    #[must_use]
    pub fn settings(&self) -> &EtcdSettings {
        &self.settings
    }

    /// Uses the next endpoint from now on.
    pub fn turn(&mut self) {
        self.current = (self.current + 1) % self.settings.endpoints.len().max(1);
        // The next member may have lost it, and another one is cheap.
        self.token = None;
    }

    /// Reads all keys, from the endpoint in use or else from the next ones, each once.
    ///
    /// # Errors
    /// The error of the last endpoint, and the endpoint.
    pub fn read_from_any(&mut self) -> Result<Snapshot, (String, EtcdError)> {
        let mut last = None;
        for _ in &self.settings.endpoints.clone() {
            match self.read() {
                Ok(snapshot) => return Ok(snapshot),
                Err(error) => {
                    last = Some((self.endpoint(), error));
                    self.turn();
                }
            }
        }
        Err(last.unwrap_or_else(|| (String::new(), EtcdError::Malformed(None))))
    }

    /// Reads all keys at one revision. Ranges that the account has never been allowed to read have none.
    ///
    /// # Errors
    /// [`EtcdError`]
    pub fn read(&mut self) -> Result<Snapshot, EtcdError> {
        match self.read_at_once() {
            // A compaction, or the end of a token, between two ranges.
            Err(EtcdError::Compacted | EtcdError::Token) => {
                self.token = None;
                self.read_at_once()
            }
            read => read,
        }
    }

    fn read_at_once(&mut self) -> Result<Snapshot, EtcdError> {
        let mut snapshot: Option<Snapshot> = None;
        for prefix in self.prefixes.clone() {
            let revision = snapshot.as_ref().map(|snapshot| snapshot.revision);
            let range = match self.range(&prefix, revision) {
                // Keys that could be read before have not gone: the account has lost a right.
                Err(EtcdError::Denied) if !self.readable.contains(&prefix) => continue,
                range => range?,
            };
            self.readable.insert(prefix);
            let whole =
                snapshot.get_or_insert_with(|| Snapshot { revision: range.revision, ..Snapshot::default() });
            whole.values.extend(range.values);
        }
        snapshot.ok_or(EtcdError::Denied)
    }

    fn range(&mut self, prefix: &str, revision: Option<i64>) -> Result<Range, EtcdError> {
        let answer = self.post("/v3/kv/range", &gateway::range(prefix, revision), self.settings.timeout)?;
        let range = gateway::read_range(&whole(answer)?)?;
        if range.has_more {
            return Err(EtcdError::TooMany { most: MAX_KEYS, prefix: prefix.to_owned() });
        }
        Ok(range)
    }

    /// Waits until a key has another value than at a revision, but no longer than a time.
    ///
    /// # Errors
    /// [`EtcdError`]; then another endpoint may work.
    pub fn watch(&mut self, after: i64, longest: Duration) -> Result<Watched, EtcdError> {
        let request = gateway::watch(&self.prefixes, after.saturating_add(1));
        let answer = self.post("/v3/watch", &request, longest)?;
        let mut lines = BufReader::new(answer.into_body().into_reader());
        let mut denied = 0;
        loop {
            match told(&mut lines) {
                Ok(Told::Nothing) => {}
                Ok(Told::Change) | Err(EtcdError::Compacted) => return Ok(Watched::Change),
                Err(EtcdError::Denied) if denied + 1 < self.prefixes.len() => denied += 1,
                Err(EtcdError::Interrupted(error)) if is_timeout(&error) => return Ok(Watched::Nothing),
                Err(EtcdError::Token) => {
                    self.token = None;
                    return Err(EtcdError::Token);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a request, with a token if there is an account. The body of the answer may take a time.
    fn post(&mut self, path: &str, body: &str, longest: Duration) -> Result<Response<Body>, EtcdError> {
        let token = self.token()?;
        let url = format!("{}{path}", self.settings.endpoints.get(self.current).map_or("", Endpoint::as_str));
        let mut request = self.agent.post(url).header(NEEDS_LEADER.0, NEEDS_LEADER.1);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let answer = request.config().timeout_recv_body(Some(longest)).build().send(body);
        accepted(answer.map_err(|error| EtcdError::Unreachable(Box::new(error)))?)
    }

    fn token(&mut self) -> Result<Option<HeaderValue>, EtcdError> {
        let Some(login) = &self.settings.login else { return Ok(None) };
        if self.token.is_none() {
            let endpoint = self.settings.endpoints.get(self.current).map_or("", Endpoint::as_str);
            let body = gateway::authenticate(&login.name, login.password.expose_secret());
            let answer = self.agent.post(format!("{endpoint}/v3/auth/authenticate")).send(&body);
            match accepted(answer.map_err(|error| EtcdError::Unreachable(Box::new(error)))?) {
                Ok(answer) => self.token = Some(gateway::read_token(&whole(answer)?)?),
                Err(EtcdError::NoAuthentication) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        // Without "Bearer".
        let value = self.token.as_ref().map(|token| HeaderValue::try_from(token.expose_secret()));
        let mut value = value.transpose().map_err(|_| EtcdError::Malformed(None))?;
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Ok(value)
    }
}

/// An answer with the status 200.
fn accepted(answer: Response<Body>) -> Result<Response<Body>, EtcdError> {
    if answer.status().is_success() { Ok(answer) } else { Err(gateway::read_error(&whole(answer)?)) }
}

fn whole(answer: Response<Body>) -> Result<Vec<u8>, EtcdError> {
    let body = answer.into_body().into_with_config().limit(MAX_BODY).read_to_vec();
    body.map_err(|error| EtcdError::Unreachable(Box::new(error)))
}

/// The next line of a watch.
fn told(lines: &mut impl BufRead) -> Result<Told, EtcdError> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(EtcdError::Interrupted)?;
    if line.last() != Some(&b'\n') {
        return Err(EtcdError::Interrupted(ErrorKind::UnexpectedEof.into()));
    }
    gateway::read_watch_line(&line)
}

fn is_timeout(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    error.kind() == ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)))
}
