//! The connection to the HTTP API: one request for each command, since Dovecot closes the connection after each.

use crate::{
    answer::{Row, TAG, rows},
    error::{DoveadmError, MAX_ANSWER},
    mail_user::MailUser,
    settings::{DoveadmSettings, MailboxPattern, TrustedCas},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use ureq::{
    Agent, Body, Error,
    http::{HeaderValue, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

/// The commands that pbm needs.
const COMMANDS: [&str; 3] = ["fetch", "expunge", "save"];

/// A command that the server has.
#[derive(serde::Deserialize)]
struct Listed {
    command: String,
}

/// Runs commands of doveadm. Every call blocks the thread.
pub struct Doveadm {
    agent: Agent,
    url: String,
    login: String,
    password: SecretString,
    pub(crate) timeout: Duration,
    pub(crate) mailboxes: Vec<MailboxPattern>,
}

impl Doveadm {
    /// Prepares a connection; none is made yet.
    #[must_use]
    pub fn new(settings: &DoveadmSettings) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The password is not sent to the target of a redirect.
            .max_redirects(0)
            .proxy(None)
            .user_agent("pbm")
            .max_idle_connections(0);
        let config =
            if settings.url.is_tls() { config.tls_config(tls(settings.trusted.as_ref())) } else { config };
        Self {
            agent: config.build().new_agent(),
            url: settings.url.as_str().to_owned(),
            login: settings.login.clone(),
            password: settings.password.clone(),
            timeout: settings.timeout,
            mailboxes: settings.mailboxes.clone(),
        }
    }

    /// Runs a command for a user, within a time limit.
    pub(crate) fn run(
        &self,
        command: &str,
        user: &MailUser,
        parameters: Value,
        limit: Duration,
    ) -> Result<Vec<Row>, DoveadmError> {
        let mut parameters = parameters;
        if let Some(object) = parameters.as_object_mut() {
            object.insert("user".to_owned(), user.as_str().into());
        }
        let body = json!([[command, parameters, TAG]]).to_string();
        let request = self.agent.post(&self.url).config().timeout_global(Some(limit)).build();
        let request = request.header(header::AUTHORIZATION, self.authorization()?);
        let answer = request.header(header::CONTENT_TYPE, "application/json").send(body);
        rows(read(answer, limit)?)
    }

    /// Puts a message into the INBOX of a user.
    ///
    /// # Errors
    /// [`DoveadmError`].
    pub fn save(&self, user: &MailUser, message: &str) -> Result<(), DoveadmError> {
        let parameters = json!({"mailbox": "INBOX", "file": message});
        self.run("save", user, parameters, self.timeout).map(|_| ())
    }

    /// The commands of those that pbm needs which the server does not have; asks without running a command.
    ///
    /// # Errors
    /// [`DoveadmError`].
    pub fn missing_commands(&self) -> Result<Vec<&'static str>, DoveadmError> {
        let request = self.agent.get(&self.url).config().timeout_global(Some(self.timeout)).build();
        let body = read(request.header(header::AUTHORIZATION, self.authorization()?).call(), self.timeout)?;
        let listed: Vec<Listed> = serde_json::from_slice(&body).map_err(|_| DoveadmError::Foreign)?;
        let has = |name: &str| listed.iter().any(|listed| listed.command == name);
        if listed.is_empty() {
            return Err(DoveadmError::Foreign);
        }
        Ok(COMMANDS.into_iter().filter(|name| !has(name)).collect())
    }

    fn authorization(&self) -> Result<HeaderValue, DoveadmError> {
        let pair = format!("{}:{}", self.login, self.password.expose_secret());
        let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)));
        let mut value = value.map_err(|_| DoveadmError::LogIn)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn tls(trusted: Option<&TrustedCas>) -> TlsConfig {
    let roots = trusted.cloned().unwrap_or_else(TrustedCas::of_system);
    let roots: Vec<_> = roots.0.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::new_with_certs(&roots))
        .build()
}

/// Reads an answer to its end.
fn read(answer: Result<Response<Body>, Error>, limit: Duration) -> Result<Vec<u8>, DoveadmError> {
    let (head, mut body) = answer.map_err(|error| unanswered(error, limit))?.into_parts();
    match head.status.as_u16() {
        200 => {}
        401 | 403 => return Err(DoveadmError::LogIn),
        status => return Err(DoveadmError::Status(status)),
    }
    let body = body.with_config().limit(MAX_ANSWER).read_to_vec();
    body.map_err(|error| match error {
        Error::BodyExceedsLimit(_) => DoveadmError::TooLarge,
        error => unanswered(error, limit),
    })
}

fn unanswered(error: Error, limit: Duration) -> DoveadmError {
    match error {
        Error::Timeout(_) => DoveadmError::Slow(limit),
        Error::HostNotFound | Error::ConnectionFailed | Error::Tls(_) | Error::Rustls(_) => {
            DoveadmError::Unreachable(error.into())
        }
        Error::Io(ref reason) if reason.kind() == std::io::ErrorKind::ConnectionRefused => {
            DoveadmError::Unreachable(error.into())
        }
        error => DoveadmError::Cut(error.into()),
    }
}
