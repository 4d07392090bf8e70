//! Owns the private CA and the server certificate of a sandbox, as PEM texts.
//!
//! The CA's key is dropped once it has signed: nothing else can ever be signed by it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::error::SandboxError;

/// The names by which clients reach the server.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

pub(crate) struct Pems {
    pub(crate) ca: String,
    pub(crate) server: String,
    pub(crate) key: String,
}

/// New certificates; `name` distinguishes the CAs of different sandboxes.
pub(crate) fn certificates(name: &str) -> Result<Pems, SandboxError> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.distinguished_name.push(DnType::CommonName, format!("sandbox CA of {name}"));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate()?;
    let ca_pem = ca.self_signed(&ca_key)?.pem();

    let mut server = CertificateParams::new(NAMES.map(String::from).to_vec())?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // The JSON gateway of etcd is a client of its own server, and shows the server's certificate.
    server.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let server_pem = server.signed_by(&key, &Issuer::new(ca, ca_key))?.pem();
    Ok(Pems { ca: ca_pem, server: server_pem, key: key.serialize_pem() })
}
