//! TLS: both ways to reach the server, with the certificate checked.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sandbox::DirectoryServer;
use tempfile::TempDir;

fn search(ca: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("ldapsearch")
        .args(["-x", "-LLL", "-s", "base", "-b", ""])
        .args(arguments)
        .env("LDAPTLS_CACERT", ca)
        .env("LDAPTLS_REQCERT", "demand")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stderr));
    output.status.success()
}

#[test]
fn ldaps_and_starttls_work_with_the_ca_and_not_without() {
    let folder = TempDir::new().unwrap();
    let before = Instant::now();
    let mut server = DirectoryServer::in_folder(folder.path()).tls(true).start().unwrap();
    println!("start with TLS: {:?}", before.elapsed());
    let (ca, ldaps) = (server.ca_file().unwrap(), server.ldaps_url().unwrap());
    assert!(search(&ca, &["-H", &ldaps]));
    assert!(search(&ca, &["-H", &server.url(), "-ZZ"]));
    assert!(!search(Path::new("/etc/ssl/certs/ca-certificates.crt"), &["-H", &ldaps]));
    server.kill();
    server.start_again().unwrap();
    assert!(search(&ca, &["-H", &ldaps]));
}

#[test]
fn tls_can_come_later_and_go() {
    let folder = TempDir::new().unwrap();
    let plain = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert_eq!((plain.ldaps_url(), plain.ca_file()), (None, None));
    drop(plain);
    let with_tls = DirectoryServer::in_folder(folder.path()).tls(true).start().unwrap();
    let (ca, ldaps) = (with_tls.ca_file().unwrap(), with_tls.ldaps_url().unwrap());
    assert!(search(&ca, &["-H", &ldaps]));
    drop(with_tls);
    let plain = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert!(!search(&ca, &["-H", &ldaps]));
    drop(plain);
    let with_tls = DirectoryServer::in_folder(folder.path()).tls(true).start().unwrap();
    assert!(search(&ca, &["-H", &with_tls.ldaps_url().unwrap()]));
}
