//! Owns the private CA and the server certificate of a sandbox, and loading both into its NSS database.
//!
//! The CA's key is dropped once it has signed: nothing else can ever be signed by it.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::child::Server;
use crate::error::{SandboxError, at};
use crate::folder::{create_private, remove, write_private};
use crate::programs::{CERTUTIL, OPENSSL, PK12UTIL, Program, Programs};

/// The names clients reach the server by.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// Of the PKCS #12 file, which lives for some milliseconds in a folder of its owner's alone.
const PASSING_PASSWORD: &str = "pass";

/// Makes the certificates and loads them, unless `ca_file` says that an earlier run has done it.
pub(crate) fn prepare(
    programs: &Programs,
    database: &Path,
    ca_file: &Path,
    workspace: &Path,
    log: &Path,
) -> Result<(), SandboxError> {
    if ca_file.exists() {
        return Ok(());
    }
    remove(workspace)?;
    create_private(workspace)?;
    let name = database.file_name().unwrap_or_default().to_string_lossy();
    let pems = certificates(&name)?;
    write_private(&workspace.join("ca.pem"), pems.ca.as_bytes())?;
    write_private(&workspace.join("server.pem"), pems.server.as_bytes())?;
    write_private(&workspace.join("server.key"), pems.key.as_bytes())?;
    load(workspace, database, |program, arguments| {
        Server::spawn(programs, program, arguments, log)?.finish()
    })?;
    // Last, since it tells the next start that everything is in place.
    fs::rename(workspace.join("ca.pem"), ca_file).map_err(at("write", ca_file))?;
    remove(workspace)
}

struct Pems {
    ca: String,
    server: String,
    key: String,
}

fn certificates(name: &str) -> Result<Pems, SandboxError> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.distinguished_name.push(DnType::CommonName, format!("sandbox CA of {name}"));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate()?;
    let ca_pem = ca.self_signed(&ca_key)?.pem();

    let mut server = CertificateParams::new(NAMES.map(String::from).to_vec())?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let server_pem = server.signed_by(&key, &Issuer::new(ca, ca_key))?.pem();
    Ok(Pems { ca: ca_pem, server: server_pem, key: key.serialize_pem() })
}

/// NSS takes a private key only inside a PKCS #12 file.
fn load(
    workspace: &Path,
    database: &Path,
    run: impl Fn(Program, &[&str]) -> Result<(), SandboxError>,
) -> Result<(), SandboxError> {
    let file = |name: &str| workspace.join(name).display().to_string();
    let (ca, certificate, key, bundle) =
        (file("ca.pem"), file("server.pem"), file("server.key"), file("server.p12"));
    let export_password = format!("pass:{PASSING_PASSWORD}");
    #[rustfmt::skip]
    run(OPENSSL, &[
        "pkcs12", "-export", "-name", "Server-Cert", "-in", &certificate, "-inkey", &key,
        "-out", &bundle, "-passout", &export_password,
    ])?;
    let database_path = database.display().to_string();
    if !database.join("cert9.db").exists() {
        run(CERTUTIL, &["-N", "-d", &database_path, "--empty-password"])?;
    }
    run(CERTUTIL, &["-A", "-d", &database_path, "-n", "sandbox-ca", "-t", "CT,,", "-a", "-i", &ca])?;
    run(PK12UTIL, &["-i", &bundle, "-d", &database_path, "-K", "", "-W", PASSING_PASSWORD])
}
