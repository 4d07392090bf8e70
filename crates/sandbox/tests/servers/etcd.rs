//! The etcd server.

use sandbox::EtcdServer;
use tempfile::TempDir;

use crate::commands::processes_in;

#[test]
fn keeps_its_data_over_a_kill_and_a_new_start() {
    let folder = TempDir::new().unwrap();
    let mut server = EtcdServer::in_folder(folder.path()).start().unwrap();
    server.command(&["put", "key", "two words"]).unwrap();
    let url = server.url();
    server.kill();
    assert!(server.command(&["get", "key", "--command-timeout=200ms"]).is_err());
    server.start_again().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(server.command(&["get", "key", "--print-value-only"]).unwrap(), "two words");
    drop(server);
    assert_eq!(processes_in(folder.path()), []);
    let server = EtcdServer::in_folder(folder.path()).start().unwrap();
    assert_eq!(server.command(&["get", "key", "--print-value-only"]).unwrap(), "two words");
}

#[test]
fn tls_and_the_certificate_of_a_client_are_required() {
    let folder = TempDir::new().unwrap();
    let server = EtcdServer::in_folder(folder.path()).tls(true).client_certificates(true).start().unwrap();
    assert!(server.url().starts_with("https://"));
    server.command(&["put", "key", "value"]).unwrap();
    let ca = server.ca_file().unwrap();
    let without = std::process::Command::new("etcdctl")
        .env("ETCDCTL_API", "3")
        .args(["--endpoints", &server.url(), "--cacert", ca.to_str().unwrap(), "get", "key"])
        .output()
        .unwrap();
    assert!(!without.status.success());
}
