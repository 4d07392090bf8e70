//! How to reach etcd.

use rustls::{
    Error, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
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
    /// The client's key is that of another certificate.
    #[error("does not belong to etcd.client_certificate")]
    Mismatch,
    /// The client's certificate and key, which TLS does not accept.
    #[error("cannot be used with etcd.client_certificate")]
    Unusable(#[source] Error),
}

impl CertificateError {
    /// The setting that names the file.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Authorities(..) => "etcd.ca_file",
            Self::Client(..) => "etcd.client_certificate",
            Self::Key(..) | Self::Mismatch | Self::Unusable(_) => "etcd.client_key",
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
    /// A certificate cannot be trusted as an authority.
    #[error("a certificate in it cannot be trusted as an authority")]
    NoAuthority(#[source] Error),
}

impl EtcdSettings {
    /// The TLS settings of a client.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn tls(&self) -> Result<TlsConfig, CertificateError> {
        let roots = match &self.ca_file {
            Some(file) => {
                authorities(file).map_err(|error| CertificateError::Authorities(file.clone(), error))?
            }
            None => rustls_native_certs::load_native_certs().certs.iter().map(owned).collect(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = self.client.as_ref().map(|client| client.read(&provider)).transpose()?;
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(client)
            .build())
    }
}

impl ClientCertificate {
    fn read(&self, provider: &CryptoProvider) -> Result<ClientCert, CertificateError> {
        let wrong = |error| CertificateError::Client(self.certificate.clone(), error);
        let chain = certificates(&self.certificate).map_err(wrong)?;
        let wrong = |error| CertificateError::Key(self.key.clone(), error);
        let pem = std::fs::read(&self.key).map_err(|error| wrong(PemError::File(error)))?;
        let key = PrivateKey::from_pem(&pem).map_err(|error| wrong(PemError::NoKey(Box::new(error))))?;
        // ureq panics at the first connection if these do not fit.
        let checked = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong(error.into()))?;
        match CertifiedKey::from_der(chain.clone(), checked, provider) {
            Ok(_) => {}
            Err(Error::InconsistentKeys(_)) => return Err(CertificateError::Mismatch),
            Err(error) => return Err(CertificateError::Unusable(error)),
        }
        Ok(ClientCert::new_with_certs(&chain.iter().map(owned).collect::<Vec<_>>(), key))
    }
}

/// The certificates that are trusted as authorities. ureq would leave out one that cannot be.
fn authorities(file: &Path) -> Result<Vec<Certificate<'static>>, PemError> {
    let (found, mut roots) = (certificates(file)?, RootCertStore::empty());
    for certificate in &found {
        roots.add(certificate.clone()).map_err(PemError::NoAuthority)?;
    }
    Ok(found.iter().map(owned).collect())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    if found.is_empty() { Err(PemError::Empty) } else { Ok(found) }
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

    /// Certificates that sign themselves, and their keys, in files.
    fn files(folder: &Path) -> [ClientCertificate; 2] {
        ["a", "b"].map(|name| {
            let made = rcgen::generate_simple_self_signed([format!("{name}.example.com")]).unwrap();
            let [certificate, key] = ["pem", "key"].map(|end| folder.join(format!("{name}.{end}")));
            std::fs::write(&certificate, made.cert.pem()).unwrap();
            std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
            ClientCertificate { certificate, key }
        })
    }

    #[test]
    fn files_that_tls_does_not_accept_are_mistakes_and_no_panics() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = files(folder.path());
        let junk = folder.path().join("junk.pem");
        std::fs::write(&junk, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let wrong = |ca_file: Option<&Path>, certificate: &Path, key: &Path| {
            let client = ClientCertificate { certificate: certificate.to_owned(), key: key.to_owned() };
            let settings = EtcdSettings {
                endpoints: Vec::new(),
                ca_file: ca_file.map(Path::to_owned),
                client: Some(client),
                login: None,
                timeout: Duration::ZERO,
                start_timeout: Duration::ZERO,
            };
            let error = settings.tls().err()?;
            Some(format!("{}: {}", error.setting(), visible_text::chain(&error)))
        };
        assert_eq!(wrong(Some(&b.certificate), &a.certificate, &a.key), None);
        let mismatch = "etcd.client_key: does not belong to etcd.client_certificate";
        assert_eq!(wrong(None, &a.certificate, &b.key).as_deref(), Some(mismatch));
        for (error, expected) in [
            (wrong(None, &junk, &a.key), "etcd.client_key: cannot be used with etcd.client_certificate"),
            (wrong(Some(&junk), &a.certificate, &a.key), "etcd.ca_file: cannot read certificates from"),
            (wrong(None, &a.key, &a.key), "etcd.client_certificate: cannot read certificates from"),
            (wrong(None, &a.certificate, &a.certificate), "etcd.client_key: cannot read a private key"),
        ] {
            assert!(error.as_ref().is_some_and(|error| error.starts_with(expected)), "{expected}: {error:?}");
        }
    }
}
