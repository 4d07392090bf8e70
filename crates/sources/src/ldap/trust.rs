//! The authorities that a connection trusts.

use crate::SourceError;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{fmt::Display, path::Path, sync::Arc};

/// The authorities of the system, and those of a PEM file.
///
/// # Errors
/// [`SourceError::Refused`] if the file cannot be used.
pub(super) fn trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SourceError> {
    let mut roots = RootCertStore::empty();
    let (_added, _unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        add_from_file(&mut roots, file)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SourceError::Refused(format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_from_file(roots: &mut RootCertStore, file: &Path) -> Result<(), SourceError> {
    let unusable = |error: &dyn Display| {
        SourceError::Refused(format!("cannot use the certificates (PEM) in {}: {error}", file.display()))
    };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.len() == before { Err(unusable(&"there is none")) } else { Ok(()) }
}
