//! Reads the certificate and the key of a listener from files.

use rustls::pki_types::pem::PemObject;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The files of a TLS listener.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// Why the files can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {file} (PEM)")]
    File {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The certificate and the key do not belong together, or are of an unsupported kind.
    #[error("the certificate and the key of the listener cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl TlsFiles {
    /// Reads the files and enables TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn read(&self) -> Result<ServerConfig, TlsError> {
        let chain =
            CertificateDer::pem_file_iter(&self.certificate).map_err(unreadable(&self.certificate))?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable(&self.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(TlsError::Unusable)
    }
}

fn unreadable(path: &Path) -> impl Fn(pem::Error) -> TlsError {
    let file = path.display().to_string();
    move |source| TlsError::File { file: file.clone(), source }
}
