//! Owns the import of a directory server's certificate and its CA into the server's NSS database.

use std::fs;
use std::path::Path;

use crate::certificates::certificates;
use crate::child::Server;
use crate::error::{SandboxError, at};
use crate::folder::{create_private, remove, write_private};
use crate::programs::{CERTUTIL, OPENSSL, PK12UTIL, Program, Programs};

/// The password of the PKCS #12 file, which exists for some milliseconds in a folder that only its owner can read.
const PASSING_PASSWORD: &str = "pass";

/// Makes and imports the certificates, unless `ca_file` shows that an earlier run has done so.
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
    // Written last, because it tells the next start that the set-up is complete.
    fs::rename(workspace.join("ca.pem"), ca_file).map_err(at("write", ca_file))?;
    remove(workspace)
}

/// NSS accepts a private key only inside a PKCS #12 file.
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
