//! How to reach etcd.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::SecretString;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use url::Url;

/// How to reach etcd.
#[derive(Clone, Debug)]
pub struct EtcdSettings {
    /// The members, which are tried in turn.
    pub endpoints: Vec<Endpoint>,
    /// The file with trusted certificate authorities, PEM; if unset, those of the system are used.
    pub ca_file: Option<PathBuf>,
    /// The certificate that pbm shows.
    pub client: Option<ClientCertificate>,
    /// The account, if etcd has authentication turned on.
    pub login: Option<Login>,
    /// The timeout of a connection and of an answer.
    pub timeout: Duration,
    /// How long a process that needs etcd waits for it at its start.
    pub start_timeout: Duration,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The file with the certificate, followed by those between it and the authority.
    pub certificate: PathBuf,
    /// The file with the private key.
    pub key: PathBuf,
}

/// An account in etcd.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: SecretString,
}

/// The URL of a member, such as `https://etcd1.example.com:2379`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is expected. The message does not repeat the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "must be http:// or https:// with a host and a port, such as https://etcd1:2379".to_owned();
        let url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.path() == "/";
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a login: use etcd.username and etcd.password_file".to_owned());
        }
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !is_plain {
            return Err(wrong());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Whether it uses TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Whether requests leave the machine without TLS.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let url = Url::parse(&self.0).ok();
        let is_loopback = url.as_ref().is_some_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        });
        !self.is_tls() && !is_loopback
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a certificate or a key is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The trusted authorities.
    #[error("cannot read certificates from {}", .0.display())]
    Authorities(PathBuf, #[source] PemError),
    /// The client's certificate.
    #[error("cannot read certificates from {}", .0.display())]
    Client(PathBuf, #[source] PemError),
    /// The client's key.
    #[error("cannot read a private key from {}", .0.display())]
    Key(PathBuf, #[source] PemError),
}

impl CertificateError {
    /// The setting that names the file.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Authorities(..) => "etcd.ca_file",
            Self::Client(..) => "etcd.client_certificate",
            Self::Key(..) => "etcd.client_key",
        }
    }
}

/// What is wrong with a PEM file.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// It cannot be read, or is not PEM.
    #[error(transparent)]
    Unreadable(#[from] rustls::pki_types::pem::Error),
    /// It cannot be read.
    #[error(transparent)]
    File(std::io::Error),
    /// It has no private key.
    #[error(transparent)]
    NoKey(Box<ureq::Error>),
    /// It has no certificate.
    #[error("there is no certificate in it")]
    Empty,
}

impl EtcdSettings {
    /// The TLS settings of a client.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn tls(&self) -> Result<TlsConfig, CertificateError> {
        let roots = match &self.ca_file {
            Some(file) => {
                certificates(file).map_err(|error| CertificateError::Authorities(file.clone(), error))?
            }
            None => rustls_native_certs::load_native_certs().certs.iter().map(owned).collect(),
        };
        let client = self.client.as_ref().map(ClientCertificate::read).transpose()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(client)
            .build())
    }
}

impl ClientCertificate {
    fn read(&self) -> Result<ClientCert, CertificateError> {
        let wrong = |error| CertificateError::Client(self.certificate.clone(), error);
        let chain = certificates(&self.certificate).map_err(wrong)?;
        let wrong = |error| CertificateError::Key(self.key.clone(), error);
        let pem = std::fs::read(&self.key).map_err(|error| wrong(PemError::File(error)))?;
        let key = PrivateKey::from_pem(&pem).map_err(|error| wrong(PemError::NoKey(Box::new(error))))?;
        Ok(ClientCert::new_with_certs(&chain, key))
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, PemError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    if found.is_empty() { Err(PemError::Empty) } else { Ok(found.iter().map(owned).collect()) }
}

fn owned(certificate: &CertificateDer<'_>) -> Certificate<'static> {
    Certificate::from_der(certificate).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_a_login() {
        assert_eq!(Endpoint::parse("https://etcd1:2379/").unwrap().as_str(), "https://etcd1:2379");
        assert!(Endpoint::parse("http://[::1]:2379").is_ok_and(|endpoint| !endpoint.is_exposed()));
        assert!(Endpoint::parse("http://etcd1:2379").unwrap().is_exposed());
        for text in ["etcd1:2379", "", "ldap://x", "http://x/v3", "http://x/?a", "http://root:secret@x"] {
            let reason = Endpoint::parse(text).unwrap_err();
            assert!(!reason.contains("secret"), "{text}");
        }
    }
}
