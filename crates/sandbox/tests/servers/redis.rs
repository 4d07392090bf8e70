//! The Redis server.

use sandbox::{RedisServer, SandboxError};
use tempfile::TempDir;

use crate::commands::{processes_in, redis};

#[test]
fn starts_answers_and_stops() {
    let folder = TempDir::new().unwrap();
    let before = std::time::Instant::now();
    let mut server = RedisServer::in_folder(folder.path()).start().unwrap();
    println!("start: {:?}", before.elapsed());
    assert_eq!(redis(&server, &["PING"]), "PONG");
    assert_eq!(processes_in(folder.path()), [server.pid().unwrap()]);
    server.stop();
    assert_eq!(processes_in(folder.path()), []);
}

#[test]
fn a_password_is_demanded_whatever_it_contains() {
    let folder = TempDir::new().unwrap();
    let server = RedisServer::in_folder(folder.path()).password("a \"b\"\\ \n#é/@:".into()).start().unwrap();
    assert_eq!(redis(&server, &["PING"]), "PONG");
    let anonymous =
        std::process::Command::new("redis-cli").args(["-u", &server.url(), "PING"]).output().unwrap();
    assert!(String::from_utf8_lossy(&anonymous.stdout).contains("NOAUTH"));
}

#[test]
fn commands_are_answered_or_refused() {
    let folder = TempDir::new().unwrap();
    let server = RedisServer::in_folder(folder.path()).password("a \"b\" é".into()).start().unwrap();
    server.command(&["SET", "key", "two words"]).unwrap();
    assert_eq!(server.command(&["GET", "key"]).unwrap(), "two words");
    assert!(server.command(&["INFO", "memory"]).unwrap().contains("used_memory:"));
    let error = server.command(&["INCR", "key"]).unwrap_err().to_string();
    assert!(error.starts_with("redis-cli INCR: ERR value is not an integer"), "{error}");
}

#[test]
fn tls_is_spoken_with_the_ca_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let mut server =
        RedisServer::in_folder(folder.path()).tls(true).password("secret".into()).start().unwrap();
    assert!(server.url().starts_with("rediss://"));
    assert_eq!(redis(&server, &["PING"]), "PONG");
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
    let without = |arguments: &[&str]| {
        let port = server.port().to_string();
        let output = std::process::Command::new("redis-cli")
            .args(["-a", "secret", "-p", &port])
            .args(arguments)
            .arg("PING")
            .output();
        String::from_utf8_lossy(&output.unwrap().stdout).trim() != "PONG"
    };
    assert!(without(&[]));
    assert!(without(&["--tls", "--cacert", "/etc/ssl/certs/ca-certificates.crt"]));
    let ca = std::fs::read(server.ca_file().unwrap()).unwrap();
    server.kill();
    server.start_again().unwrap();
    assert_eq!(redis(&server, &["PING"]), "PONG");
    let url = server.url();
    drop(server);
    let server = RedisServer::in_folder(folder.path()).tls(true).start().unwrap();
    assert_eq!((server.url(), std::fs::read(server.ca_file().unwrap()).unwrap()), (url, ca));
    drop(server);
    let server = RedisServer::in_folder(folder.path()).start().unwrap();
    assert_eq!(server.ca_file(), None);
    assert_eq!(redis(&server, &["PING"]), "PONG");
}

#[test]
fn a_restart_is_on_the_same_port_and_empty() {
    let folder = TempDir::new().unwrap();
    let mut server = RedisServer::in_folder(folder.path()).start().unwrap();
    let url = server.url();
    redis(&server, &["SET", "key", "value"]);
    server.kill();
    server.start_again().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(redis(&server, &["DBSIZE"]), "0");
    drop(server);
    assert_eq!(RedisServer::in_folder(folder.path()).start().unwrap().url(), url);
}

#[test]
fn data_outlives_a_kill_where_asked_for() {
    let folder = TempDir::new().unwrap();
    let mut server = RedisServer::in_folder(folder.path()).persistent(true).start().unwrap();
    redis(&server, &["SET", "key", "value"]);
    server.kill();
    server.start_again().unwrap();
    assert_eq!(redis(&server, &["GET", "key"]), "value");
}

#[test]
fn a_missing_program_names_its_package() {
    let folder = TempDir::new().unwrap();
    let error = RedisServer::in_folder(folder.path()).programs_in(folder.path()).start().unwrap_err();
    assert_eq!(error.to_string(), "redis-server not found: apt-get install redis-server");
}

#[test]
fn a_directory_folder_is_not_taken_for_redis() {
    let folder = TempDir::new().unwrap();
    drop(RedisServer::in_folder(folder.path()).start().unwrap());
    let error = sandbox::DirectoryServer::in_folder(folder.path()).start().unwrap_err();
    assert!(matches!(error, SandboxError::ForeignFolder { .. }), "{error}");
}
