//! Dovecot.

use sandbox::DovecotServer;
use std::time::{Duration, Instant};
use tempfile::TempDir;

use crate::commands::processes_in;

const SAVE: &str =
    r#"[["save",{"user":"ivan@a.test","mailbox":"INBOX","file":"Message-ID: <1@x>\r\n\r\ntext\r\n"},"t"]]"#;
const FETCH: &str = r#"[["fetch",{"user":"ivan@a.test","field":["hdr.message-id"],"query":["all"]},"t"]]"#;
const FOUND: &str = r#"[["doveadmResponse",[{"hdr.message-id":"<1@x>"}],"t"]]"#;

#[test]
fn mail_survives_a_kill_and_nothing_is_left_behind() {
    let folder = TempDir::new().unwrap();
    let mut server = DovecotServer::in_folder(folder.path()).start().unwrap();
    server.set_users(&[("ivan@a.test", "secret")]).unwrap();
    server.doveadm(SAVE).unwrap();
    assert_eq!(server.doveadm(FETCH).unwrap(), FOUND);
    let (imap, url) = (server.imap_port(), server.doveadm_url());
    server.kill();
    let since = Instant::now();
    while server.start_again().is_err() {
        assert!(since.elapsed() < Duration::from_secs(10), "the ports are not free again");
    }
    assert_eq!((server.imap_port(), server.doveadm_url()), (imap, url));
    assert_eq!(server.doveadm(FETCH).unwrap(), FOUND);
    assert!(processes_in(folder.path()).contains(&server.pid().unwrap()));
    server.stop();
    // The processes of services notice the end of their master a moment later.
    let since = Instant::now();
    while !processes_in(folder.path()).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", processes_in(folder.path()));
    }
    assert!(server.doveadm(FETCH).is_err());
}

#[test]
fn a_folder_continues() {
    let folder = TempDir::new().unwrap();
    let first = DovecotServer::in_folder(folder.path()).start().unwrap();
    first.set_users(&[("ivan@a.test", "secret")]).unwrap();
    first.doveadm(SAVE).unwrap();
    drop(first);
    let second = DovecotServer::in_folder(folder.path()).start().unwrap();
    assert_eq!(second.doveadm(FETCH).unwrap(), FOUND);
}
