//! How to reach 389-ds: URLs, TLS, the service account, time limits.

use crate::liveness::Liveness;
use ldap_text::dn::Dn;
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use secrecy::SecretString;
use std::{path::Path, sync::Arc, time::Duration};
use url::Url;

/// One address of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapUrl(Url);

/// Why a text is not a valid URL of a directory.
#[derive(Debug, thiserror::Error)]
pub enum LdapUrlError {
    /// Not a URL at all.
    #[error("is not a URL: expected ldap://host:389, ldaps://host:636 or ldapi://%2Frun%2Fslapd.socket")]
    NoUrl(#[source] url::ParseError),
    /// A URL of another kind, or one without a host.
    #[error(
        "must begin with ldap://, ldaps:// or ldapi:// and name a host (of ldapi: the socket's path, / as %2F)"
    )]
    Kind,
}

impl LdapUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`LdapUrlError`], which says what is expected.
    pub fn parse(text: &str) -> Result<Self, LdapUrlError> {
        let url = Url::parse(text).map_err(LdapUrlError::NoUrl)?;
        let known = matches!(url.scheme(), "ldap" | "ldaps" | "ldapi");
        if known && url.host_str().is_some_and(|host| !host.is_empty()) {
            Ok(Self(url))
        } else {
            Err(LdapUrlError::Kind)
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "ldap"
    }
}

impl std::fmt::Display for LdapUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The account of a bind, with its password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account's entry.
    pub dn: Dn,
    /// Its password.
    pub password: SecretString,
}

/// What to do if no server answers (see [`crate::liveness`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHang {
    /// For requests, which people wait for: fail at once, and close the connections.
    Fail,
    /// For long work such as a restore, which may itself keep the server busy: give operations in progress their full
    /// time limit, and wait as long before the next one.
    Wait,
}

/// How entries of the class `referral` (RFC 3296) are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referrals {
    /// As references that other clients follow; a search does not return them.
    Followed,
    /// As ordinary entries that can be read and written, by the control `ManageDsaIT`.
    Managed,
}

/// Everything that a connection needs.
#[derive(Clone, Debug)]
pub struct LdapSettings {
    /// Server addresses; if one does not answer, the next is tried.
    pub urls: Vec<LdapUrl>,
    /// Whether `ldap://` connections are secured by `StartTLS` (RFC 4511 section 4.14).
    pub start_tls: bool,
    /// TLS settings with the trusted CAs.
    pub tls: Arc<ClientConfig>,
    /// The account to bind as.
    pub credentials: Credentials,
    /// The maximum number of connections of one [`crate::Directory`].
    pub connections: usize,
    /// The maximum number of connections that check passwords: each keeps a CPU of the server busy.
    pub password_connections: usize,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the server may be silent within an operation.
    pub operation_timeout: Duration,
    /// How long a request waits for a free connection.
    pub checkout_timeout: Duration,
    /// Which servers hang, as far as this process knows.
    pub liveness: Liveness,
    /// What to do if all of them hang.
    pub on_hang: OnHang,
    /// How entries that refer to other servers are treated.
    pub referrals: Referrals,
}

impl LdapSettings {
    /// The same settings for one of the servers alone, given by its URL.
    #[must_use]
    pub fn only(&self, server: &str) -> Self {
        let urls = self.urls.iter().filter(|url| url.to_string() == server).cloned().collect();
        Self { urls, ..self.clone() }
    }
}

/// Why the trusted CAs could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The CA file cannot be read or parsed.
    #[error("cannot read certificates (PEM) from {file}")]
    File {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The CA file has no certificate in it.
    #[error("{0} has no certificate in it")]
    Empty(String),
    /// A certificate in the file is not a CA.
    #[error("a certificate cannot be used as a trust anchor")]
    Certificate(#[source] rustls::Error),
}

/// The trusted CAs: those of a PEM file, or those of the operating system if none is given.
///
/// # Errors
/// [`TrustError`] if the file cannot be used.
pub fn trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => add_from_file(&mut roots, path)?,
        None => {
            let (_added, _unusable) =
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Certificate)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_from_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let file = path.display().to_string();
    let unreadable = |source| TrustError::File { file: file.clone(), source };
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?).map_err(TrustError::Certificate)?;
    }
    if roots.is_empty() { Err(TrustError::Empty(file)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_address_are_known() {
        for right in ["ldap://127.0.0.1:389", "ldaps://ds.example.com", "ldapi://%2Frun%2Fslapd.socket"] {
            assert!(LdapUrl::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "ds.example.com", "http://ds.example.com", "ldap://", "ldapi:///run/slapd.socket"] {
            assert!(LdapUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
