//! Requests to etcd. One endpoint is used until it fails.
//!
//! A range is read at one revision, and the watch continues at the next one, so no change falls in between. The watch
//! only tells that something has changed: whoever watches reads everything again, as one whole.

use super::{
    error::EtcdError,
    gateway::{self, MAX_KEYS, Range},
    settings::{CertificateError, Endpoint, EtcdSettings},
    snapshot::Snapshot,
    watch::{self, Watched},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeSet, time::Duration};
use ureq::{
    Agent, Body, RequestBuilder,
    http::{HeaderValue, Response, header},
    typestate::WithBody,
};

/// The largest answer, in bytes: a thousand keys of 8 KiB in Base64. etcd itself stores no value above 1.5 MiB.
pub(super) const MAX_BODY: u64 = 16 << 20;
/// Asks a member that has lost its leader to end a watch instead of being silent.
const NEEDS_LEADER: (&str, &str) = ("Grpc-Metadata-hasleader", "true");

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
        let (mut snapshot, mut denied) = (None::<Snapshot>, Vec::new());
        for prefix in self.prefixes.clone() {
            let revision = snapshot.as_ref().map(|snapshot| snapshot.revision);
            let range = match self.range(&prefix, revision) {
                // Keys that could be read before have not gone: the account has lost a right.
                Err(EtcdError::Denied(_)) if !self.readable.contains(&prefix) => {
                    denied.push(prefix);
                    continue;
                }
                Err(EtcdError::Denied(_)) => return Err(EtcdError::Denied(vec![prefix])),
                range => range?,
            };
            self.readable.insert(prefix);
            let whole =
                snapshot.get_or_insert_with(|| Snapshot { revision: range.revision, ..Snapshot::default() });
            whole.values.extend(range.values);
        }
        match snapshot {
            Some(snapshot) => Ok(Snapshot { denied: named(&self.prefixes, denied), ..snapshot }),
            None => Err(EtcdError::Denied(named(&self.prefixes, denied))),
        }
    }

    fn range(&mut self, prefix: &str, revision: Option<i64>) -> Result<Range, EtcdError> {
        let request = self.request("/v3/kv/range")?;
        let answer = self.sent(request, &gateway::range(prefix, revision), self.settings.timeout)?;
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
        let body = gateway::watch(&self.prefixes, after.saturating_add(1));
        // Without this header, Go's HTTP server drops the requests that it has not passed on when the first answer is
        // ready, since the connection would be used again. Those ranges would not be watched.
        let request = self.request("/v3/watch")?.header(header::CONNECTION, "close");
        let answer = self.sent(request, &body, longest)?;
        let found = watch::first_change(answer.into_body().into_reader(), self.prefixes.len(), longest);
        if matches!(found, Err(EtcdError::Token)) {
            self.token = None;
        }
        found
    }

    /// A request to the endpoint in use, with a token if there is an account.
    fn request(&mut self, path: &str) -> Result<RequestBuilder<WithBody>, EtcdError> {
        let token = self.token()?;
        let url = format!("{}{path}", self.settings.endpoints.get(self.current).map_or("", Endpoint::as_str));
        let request = self.agent.post(url).header(NEEDS_LEADER.0, NEEDS_LEADER.1);
        Ok(match token {
            Some(token) => request.header(header::AUTHORIZATION, token),
            None => request,
        })
    }

    fn token(&mut self) -> Result<Option<HeaderValue>, EtcdError> {
        let Some(login) = &self.settings.login else { return Ok(None) };
        if self.token.is_none() {
            let endpoint = self.settings.endpoints.get(self.current).map_or("", Endpoint::as_str);
            let body = gateway::authenticate(&login.name, login.password.expose_secret());
            let request = self.agent.post(format!("{endpoint}/v3/auth/authenticate"));
            match self.sent(request, &body, self.settings.timeout) {
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

    /// Sends a request; returns an answer with the status 200. Its body may take a time.
    fn sent(
        &self,
        request: RequestBuilder<WithBody>,
        body: &str,
        longest: Duration,
    ) -> Result<Response<Body>, EtcdError> {
        let answer = request.config().timeout_recv_body(Some(longest)).build().send(body);
        let answer = answer.map_err(|error| EtcdError::of_connection(error, self.lacks_certificate()))?;
        if answer.status().is_success() { Ok(answer) } else { Err(gateway::read_error(&whole(answer)?)) }
    }

    /// Whether the endpoint in use gets no certificate of pbm, but could.
    fn lacks_certificate(&self) -> bool {
        let endpoint = self.settings.endpoints.get(self.current);
        endpoint.is_some_and(Endpoint::is_tls) && self.settings.client.is_none()
    }
}

/// Denied prefixes in words. Most installations have no keys with a leading slash, so those prefixes are only named if
/// some of them may be read.
fn named(all: &[String], denied: Vec<String>) -> Vec<String> {
    let is_slashed = |prefix: &String| prefix.starts_with('/');
    if all.iter().filter(|prefix| is_slashed(prefix)).all(|prefix| denied.contains(prefix)) {
        let plain = denied.into_iter().filter(|prefix| !is_slashed(prefix));
        return plain.chain(["keys with a leading slash".to_owned()]).collect();
    }
    denied
}

fn whole(answer: Response<Body>) -> Result<Vec<u8>, EtcdError> {
    let body = answer.into_body().into_with_config().limit(MAX_BODY).read_to_vec();
    body.map_err(|error| EtcdError::Unreachable(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_named_each_but_for_all_with_a_slash() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = texts(&["pbm/", "/pbm/", "psn/ldap/", "/psn/ldap/"]);
        let words = |denied: &[&str]| named(&all, texts(denied)).join(", ");
        assert_eq!(words(&[]), "");
        assert_eq!(words(&["pbm/", "/psn/ldap/"]), "pbm/, /psn/ldap/");
        assert_eq!(words(&["/pbm/", "psn/ldap/", "/psn/ldap/"]), "psn/ldap/, keys with a leading slash");
    }
}
