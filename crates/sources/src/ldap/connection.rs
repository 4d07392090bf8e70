//! One connection to the server, secured and bound.

use super::{
    limits::{Budget, Limits},
    refusal,
    settings::{Encryption, LdapSourceSettings},
    trust::trust,
    wire::{self, Fault},
};
use crate::SourceError;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use secrecy::ExposeSecret as _;
use std::{net::Ipv6Addr, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// A bound connection. Dropping it closes the connection.
pub(super) struct Session {
    ldap: Ldap,
    /// The host and port, for messages.
    address: String,
    timeout: Duration,
    /// What is still allowed to be read.
    pub(super) budget: Budget,
    relay: Arc<wire::Shared>,
    /// The relay and the library, which end with the session.
    _tasks: JoinSet<()>,
}

impl Session {
    /// Connects and binds.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) async fn open(settings: &LdapSourceSettings, limits: &Limits) -> Result<Self, SourceError> {
        check_host(&settings.host)?;
        let address = format!("{}:{}", settings.host, settings.port);
        let trust = match settings.encryption {
            Encryption::None => None,
            Encryption::Tls | Encryption::StartTls => Some(trust(settings.ca_file.as_deref())?),
        };
        let mut tasks = JoinSet::new();
        let opened = wire::open(settings, trust, &mut tasks).await;
        let (stream, relay) = opened.map_err(|fault| of_fault(&address, &fault))?;
        let wanted = LdapConnSettings::new().set_std_stream(StdStream::Unix(stream));
        let connected = LdapConnAsync::with_settings(wanted, "ldapi:///").await;
        let timeout = settings.timeout;
        let (connection, ldap) = connected.map_err(|error| unreachable(&address, timeout, &error))?;
        tasks.spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "source.connection.broken");
            }
        });
        let budget = Budget::new(limits);
        let mut session = Self { ldap, address, timeout, budget, relay, _tasks: tasks };
        session.bind(settings).await?;
        Ok(session)
    }

    async fn bind(&mut self, settings: &LdapSourceSettings) -> Result<(), SourceError> {
        let password = settings.password.expose_secret();
        let bound = self.next_operation().simple_bind(settings.login.trim(), password).await;
        let result = bound.map_err(|error| self.broken(&error))?;
        if result.rc == 0 { Ok(()) } else { Err(refusal::of_bind(&result)) }
    }

    /// The connection, for one operation with the time limit.
    pub(super) fn next_operation(&mut self) -> &mut Ldap {
        self.ldap.with_timeout(self.timeout)
    }

    /// Tells the relay that an answer of a search was read, so that others can follow.
    pub(super) fn read_one(&self) {
        self.relay.read_one();
    }

    /// The meaning of an error of the connection.
    pub(super) fn broken(&self, error: &LdapError) -> SourceError {
        match self.relay.fault() {
            Some(fault) => of_fault(&self.address, fault),
            None => unreachable(&self.address, self.timeout, error),
        }
    }
}

fn check_host(host: &str) -> Result<(), SourceError> {
    let is_unusual = |c: char| "/?#@\\%:[]".contains(c) || c.is_whitespace() || c.is_control();
    if host.parse::<Ipv6Addr>().is_ok() || !(host.is_empty() || host.contains(is_unusual)) {
        return Ok(());
    }
    Err(SourceError::Refused(format!("{host:?} is not a host")))
}

fn of_fault(address: &str, fault: &Fault) -> SourceError {
    match fault {
        Fault::NotLdap(_) | Fault::TooLarge(_) => SourceError::Refused(format!("{address}: {fault}")),
        other => SourceError::Unreachable { address: address.to_owned(), reason: other.to_string() },
    }
}

fn unreachable(address: &str, timeout: Duration, error: &LdapError) -> SourceError {
    let reason = match error {
        LdapError::Timeout { .. } => Fault::Late(timeout).to_string(),
        LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            Fault::Ended.to_string()
        }
        LdapError::Io { source } => source.to_string(),
        other => other.to_string(),
    };
    SourceError::Unreachable { address: address.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in ["dc", "dc.example.test", "10.0.0.1", "::1"] {
            assert!(check_host(host).is_ok(), "{host}");
        }
        for host in ["", "a/b", "user@dc", "dc:389:1", "a b", "[::1]"] {
            assert!(check_host(host).is_err(), "{host}");
        }
    }
}
