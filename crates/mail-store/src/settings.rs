//! The settings of the connection to doveadm.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::SecretString;
use std::{fmt, path::Path, str::FromStr, time::Duration};
use url::Url;

/// The path of the HTTP API.
const PATH: &str = "/doveadm/v1";
/// The only user name that the HTTP API accepts.
pub const LOGIN: &str = "doveadm";
/// The default time limit of a command. A first search reads the headers of every message in a box.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The default number of boxes at a time.
pub const CONCURRENCY: usize = 8;

/// Settings of the connection to doveadm.
#[derive(Clone, Debug)]
pub struct DoveadmSettings {
    /// The URL of the HTTP API.
    pub url: DoveadmUrl,
    /// The user name.
    pub login: String,
    /// Dovecot's `doveadm_password`.
    pub password: SecretString,
    /// CAs that may sign the server's certificate; `None` trusts those of the operating system.
    pub trusted: Option<TrustedCas>,
    /// The time limit of a command, from the connection to the end of the answer.
    pub timeout: Duration,
    /// The largest number of boxes that this process works on at a time.
    pub concurrency: usize,
    /// The mailboxes that belong to a box.
    pub mailboxes: Vec<MailboxPattern>,
}

/// The URL of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoveadmUrl(Url);

/// Why a text is not the URL of an HTTP API of doveadm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL of HTTP with a host and without a query.
    #[error("must be a URL such as http://dovecot.example.com:2222/doveadm/v1")]
    Shape,
    /// A login in the URL, which would end up in logs.
    #[error("contains a login: move it to doveadm.login and doveadm.password_file")]
    Login,
}

impl DoveadmUrl {
    /// Whether the connection is secured by TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for DoveadmUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| UrlError::Shape)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Login);
        }
        let is_http = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        if !is_http || url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Shape);
        }
        if url.path() == "/" {
            url.set_path(PATH);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for DoveadmUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a mailbox, or a mask of names: `*` and `%` as in IMAP, within one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxPattern(String);

/// A text that is not a name of mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a mailbox or a mask of names, such as INBOX/*")]
pub struct NoPattern;

impl MailboxPattern {
    /// The patterns that cover the private namespace of usual configurations: one without a prefix, and one with the
    /// prefix `INBOX/` or `INBOX.`.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        ["*", "INBOX", "INBOX/*", "INBOX.*"].map(|text| Self(text.to_owned())).into()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailboxPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
        is_plain.then(|| Self(text.to_owned())).ok_or(NoPattern)
    }
}

/// Certificates of CAs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedCas(pub(crate) Vec<CertificateDer<'static>>);

/// Why a file of CA certificates is not usable.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// It cannot be read as PEM.
    #[error("cannot read certificates")]
    Unreadable(#[source] rustls::pki_types::pem::Error),
    /// It has none.
    #[error("has no certificate in it")]
    Empty,
    /// A certificate cannot be trusted as an authority.
    #[error("has a certificate in it that cannot be trusted as an authority")]
    NoAuthority(#[source] rustls::Error),
}

impl TrustedCas {
    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// [`CaFileError`].
    pub fn read(file: &Path) -> Result<Self, CaFileError> {
        let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        let certificates: Vec<_> = certificates.map_err(CaFileError::Unreadable)?;
        let mut roots = rustls::RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(CaFileError::NoAuthority)?;
        }
        if certificates.is_empty() { Err(CaFileError::Empty) } else { Ok(Self(certificates)) }
    }

    pub(crate) fn of_system() -> Self {
        Self(rustls_native_certs::load_native_certs().certs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_url_may_be_left_out() {
        let url = |text: &str| text.parse::<DoveadmUrl>().unwrap();
        assert_eq!(url("http://dovecot:2222").as_str(), "http://dovecot:2222/doveadm/v1");
        assert_eq!(url("https://[::1]/mail/doveadm/v1").as_str(), "https://[::1]/mail/doveadm/v1");
        assert!(url("https://dovecot").is_tls());
    }

    #[test]
    fn other_urls_are_refused() {
        for text in
            ["", "dovecot:2222", "ftp://dovecot", "http://", "http://x/?a=b", "http://x/#a", "/doveadm/v1"]
        {
            assert_eq!(text.parse::<DoveadmUrl>(), Err(UrlError::Shape), "{text}");
        }
        assert_eq!("http://doveadm:x@dovecot".parse::<DoveadmUrl>(), Err(UrlError::Login));
    }
}
