//! The `OpenLDAP` server.

use sandbox::{SandboxError, SlapdServer};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::commands::processes_in;

const SUFFIX: &str =
    "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n";

fn search(server: &SlapdServer, arguments: &[&str]) -> String {
    let password = server.password().unwrap();
    let output = std::process::Command::new("ldapsearch")
        .args([
            "-x",
            "-LLL",
            "-D",
            &server.root_dn(),
            "-w",
            password.expose_secret(),
            "-b",
            "dc=example,dc=test",
        ])
        .args(arguments)
        .env("LDAPTLS_CACERT", server.ca_file().unwrap_or_default())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_starts_with_entries_and_takes_changes() {
    let folder = TempDir::new().unwrap();
    let mut server = SlapdServer::in_folder(folder.path()).ldif(SUFFIX).start().unwrap();
    let url = format!("ldap://127.0.0.1:{}", server.port());
    assert!(search(&server, &["-H", &url]).contains("o: Example"));
    server.change("dn: dc=example,dc=test\nchangetype: modify\nreplace: o\no: Changed\n").unwrap();
    let error = server.change("dn: dc=example,dc=test\nchangetype: modify\nadd: x\nx: y\n").unwrap_err();
    assert!(matches!(&error, SandboxError::ChangeRefused { lines } if lines.contains("ndefined")), "{error}");
    server.stop();
    assert_eq!(processes_in(folder.path()), []);
    server.start_again().unwrap();
    assert!(search(&server, &["-H", &url]).contains("o: Changed"));
}

#[test]
fn it_speaks_tls_on_both_ports() {
    let folder = TempDir::new().unwrap();
    let server = SlapdServer::in_folder(folder.path()).ldif(SUFFIX).tls(true).start().unwrap();
    let plain = format!("ldap://127.0.0.1:{}", server.port());
    let tls = format!("ldaps://127.0.0.1:{}", server.tls_port().unwrap());
    assert!(search(&server, &["-H", &plain, "-ZZ"]).contains("o: Example"));
    assert!(search(&server, &["-H", &tls]).contains("o: Example"));
}
