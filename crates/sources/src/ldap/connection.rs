//! One connection to the server, secured and bound.

use super::{
    refusal,
    settings::{Encryption, LdapSourceSettings},
    trust::trust,
};
use crate::SourceError;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError};
use secrecy::ExposeSecret as _;
use std::{net::Ipv6Addr, time::Duration};
use url::Url;

/// A bound connection. Dropping it closes the connection.
pub(super) struct Session {
    ldap: Ldap,
    /// The host and port, for messages.
    address: String,
    timeout: Duration,
}

impl Session {
    /// Connects and binds.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) async fn open(settings: &LdapSourceSettings) -> Result<Self, SourceError> {
        let url = url(settings)?;
        let address = format!("{}:{}", settings.host, settings.port);
        let mut wanted = LdapConnSettings::new()
            .set_conn_timeout(settings.timeout)
            .set_starttls(settings.encryption == Encryption::StartTls);
        if settings.encryption != Encryption::None {
            wanted = wanted.set_config(trust(settings.ca_file.as_deref())?);
        }
        let connected = LdapConnAsync::from_url_with_settings(wanted, &url).await;
        let (connection, ldap) =
            connected.map_err(|error| unreachable(&address, settings.timeout, &error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "source.connection.broken");
            }
        });
        let mut session = Self { ldap, address, timeout: settings.timeout };
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

    /// The meaning of an error of the connection.
    pub(super) fn broken(&self, error: &LdapError) -> SourceError {
        unreachable(&self.address, self.timeout, error)
    }
}

fn url(settings: &LdapSourceSettings) -> Result<Url, SourceError> {
    let scheme = if settings.encryption == Encryption::Tls { "ldaps" } else { "ldap" };
    let host = match settings.host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => settings.host.clone(),
    };
    let is_host = !host.is_empty() && !host.contains(|c: char| "/?#@\\%".contains(c) || c.is_whitespace());
    Url::parse(&format!("{scheme}://{host}:{}", settings.port))
        .ok()
        .filter(|_| is_host)
        .ok_or_else(|| SourceError::Refused(format!("{:?} is not a host", settings.host)))
}

fn unreachable(address: &str, timeout: Duration, error: &LdapError) -> SourceError {
    let reason = match error {
        LdapError::Timeout { .. } => format!("no answer within {timeout:?}"),
        LdapError::LdapResult { result } => format!("it refused StartTLS: {} ({})", result.text, result.rc),
        LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            "the connection ended before the answer did".to_owned()
        }
        LdapError::Io { source } => source.to_string(),
        other => other.to_string(),
    };
    SourceError::Unreachable { address: address.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::settings::tests::settings;

    #[test]
    fn the_url_is_made_of_the_settings() {
        let of = |host: &str, encryption| {
            let settings = LdapSourceSettings { host: host.into(), encryption, ..settings() };
            url(&settings).map(|url| url.to_string())
        };
        assert_eq!(of("dc", Encryption::Tls).unwrap(), "ldaps://dc:636");
        assert_eq!(of("::1", Encryption::StartTls).unwrap(), "ldap://[::1]:636");
        for host in ["", "a/b", "user@dc", "dc:389:1", "a b"] {
            assert!(of(host, Encryption::None).is_err(), "{host}");
        }
    }
}
