//! Servers that want to harm: each ends the read with an error, and nothing else.

use crate::fixture::gathered;
use sources::{
    Reader, SourceError, Sweep,
    ldap::{self, Encryption, LdapSourceSettings, Limits},
    mapping::{self, Mapping},
};
use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use tokio::sync::mpsc;

const RESULT: &[u8] = &[0x0a, 1, 0, 4, 0, 4, 0];
const BOUND: u8 = 0x61;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED: u8 = 0x78;

/// A server for one connection.
struct Server {
    settings: LdapSourceSettings,
    /// How many bytes were sent when the connection ended.
    sent: Receiver<usize>,
}

/// The server's side of a connection.
struct Client {
    stream: TcpStream,
    sent: usize,
}

impl Server {
    /// A server that answers as a function says.
    fn start(answer: impl FnOnce(&mut Client) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, sent) = channel();
        std::thread::spawn(move || {
            let mut client = Client { stream: listener.accept().unwrap().0, sent: 0 };
            answer(&mut client);
            while client.stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
            let _ = tell.send(client.sent);
        });
        Self { settings: settings(port), sent }
    }

    /// A server that answers as it should up to the search for people, which is request 3.
    fn at_people(answer: impl FnOnce(&mut Client) + Send + 'static) -> Self {
        Self::start(|client| {
            client.begin();
            client.request();
            answer(client);
        })
    }

    async fn people(self, limits: &Limits) -> SourceError {
        let (out, found) = mpsc::channel(8);
        let read = ldap::people(&self.settings, limits, &Sweep::Whole, out);
        let (_, ended) = tokio::join!(gathered(found), read);
        self.ends().await;
        ended.unwrap_err()
    }

    /// The connection ends with the read. Returns how much was sent.
    async fn ends(self) -> usize {
        let ended = move || self.sent.recv_timeout(Duration::from_secs(20)).unwrap();
        tokio::task::spawn_blocking(ended).await.unwrap()
    }
}

impl Client {
    fn request(&mut self) {
        assert!(self.stream.read(&mut [0; 4096]).unwrap() > 0);
    }

    /// Sends, and returns whether the connection still exists.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.sent += bytes.len();
        self.stream.write_all(bytes).is_ok()
    }

    /// Answers the bind and the search for the root.
    fn begin(&mut self) {
        self.request();
        self.send(&message(1, BOUND, RESULT));
        self.request();
        self.send(&message(2, ENTRY, &entry("", &[])));
        self.send(&message(2, DONE, RESULT));
    }
}

fn settings(port: u16) -> LdapSourceSettings {
    LdapSourceSettings {
        host: "127.0.0.1".into(),
        port,
        encryption: Encryption::None,
        ca_file: None,
        login: "cn=reader".into(),
        password: "secret".into(),
        base_dn: "dc=example".into(),
        groups_dn: Some("ou=groups,dc=example".into()),
        users_filter: "(mail=*)".into(),
        groups_filter: "(mail=*)".into(),
        mapping: Mapping::new(mapping::LDAP, &BTreeMap::new()),
        timeout: Duration::from_secs(5),
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

fn message(id: u8, tag: u8, content: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id], &element(tag, content)[..]].concat())
}

fn entry(dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &str)| {
        let values = element(0x31, &element(4, value.as_bytes()));
        element(0x30, &[element(4, name.as_bytes()), values].concat())
    };
    let attributes: Vec<_> = attributes.iter().flat_map(attribute).collect();
    [element(4, dn.as_bytes()), element(0x30, &attributes)].concat()
}

/// Sequences within each other, each of six bytes.
fn nested() -> Vec<u8> {
    let levels = 100_000_u32;
    (0..levels).rev().flat_map(|inner| [&[0x30, 0x84], &(inner * 6).to_be_bytes()[..]].concat()).collect()
}

fn is_refused(error: &SourceError, word: &str) {
    assert!(matches!(error, SourceError::Refused(text) if text.contains(word)), "{word}: {error}");
}

#[tokio::test]
async fn answers_that_are_not_ldap_end_the_log_in() {
    let cases = [
        nested(),
        message(1, BOUND, &nested()),
        message(1, BOUND, b""),
        message(1, DONE, RESULT),
        vec![0x30, 0],
        vec![0x30, 0x80, 0, 0],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for answer in cases {
        let begins = answer.get(..16.min(answer.len())).unwrap().to_vec();
        let server = Server::start(move |client| {
            client.request();
            client.send(&answer);
        });
        let error = Reader::Ldap(server.settings.clone()).probe().await.unwrap_err();
        server.ends().await;
        assert!(error.to_string().contains("the server's answer is not LDAP"), "{begins:x?}: {error}");
    }
}

#[tokio::test]
async fn answers_to_starttls_are_checked_before_there_is_tls() {
    let refusal = [&[0x0a, 1, 52][..], &element(4, b""), &element(4, b"no\nTLS")].concat();
    for (answer, word) in [
        (message(1, EXTENDED, &nested()), "nested too deeply"),
        (message(1, EXTENDED, b""), "lacks a part"),
        (message(2, EXTENDED, RESULT), "another kind"),
        (message(1, EXTENDED, &refusal), "it refused StartTLS: no TLS (52)"),
        (message(0, EXTENDED, &refusal), "the server ended the connection: no TLS (52)"),
        (vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], "larger than 32 MiB"),
    ] {
        let server = Server::start(move |client| {
            client.request();
            client.send(&answer);
        });
        let settings = LdapSourceSettings { encryption: Encryption::StartTls, ..server.settings.clone() };
        let error = Reader::Ldap(settings).probe().await.unwrap_err();
        server.ends().await;
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn answers_that_are_not_ldap_end_a_search() {
    for (answer, word) in [
        (message(3, ENTRY, &nested()), "nested too deeply"),
        (message(3, DONE, b""), "lacks a part"),
        (message(3, BOUND, RESULT), "another kind"),
        (message(3, EXTENDED, RESULT), "another kind"),
        (vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], "larger than 32 MiB"),
        (message(3, ENTRY, &[element(4, b""), element(0x30, b"\x04\0")].concat()), "malformed"),
    ] {
        let server = Server::at_people(move |client| {
            client.send(&answer);
        });
        is_refused(&server.people(&Limits::default()).await, word);
    }
}

#[tokio::test]
async fn a_notice_of_disconnection_is_reported() {
    let result = [&[0x0a, 1, 51][..], &element(4, b""), &element(4, b"idle for too long")].concat();
    let server = Server::at_people(move |client| {
        client.send(&message(0, EXTENDED, &result));
    });
    let error = server.people(&Limits::default()).await.to_string();
    assert!(error.contains("the server ended the connection: idle for too long (51)"), "{error}");
}

#[tokio::test]
async fn references_without_an_end_are_ended() {
    let endless =
        |client: &mut Client| while client.send(&message(3, REFERENCE, &element(4, b"ldap://x"))) {};
    let limits = Limits { deadline: Duration::from_millis(700), ..Limits::default() };
    is_refused(&Server::at_people(endless).people(&limits).await, "took longer than 700ms");
    let limits = Limits { items: 1_000, ..Limits::default() };
    is_refused(&Server::at_people(endless).people(&limits).await, "more than 1000 entries, references");
}

#[tokio::test]
async fn entries_without_an_end_are_ended() {
    let endless = |client: &mut Client| while client.send(&message(3, ENTRY, &entry("cn=a", &[]))) {};
    let limits = Limits { entries: 1_000, ..Limits::default() };
    is_refused(&Server::at_people(endless).people(&limits).await, "more than 1000 entries for one search");
}

#[tokio::test]
async fn answers_to_nothing_are_not_kept() {
    let endless = |client: &mut Client| while client.send(&message(9, ENTRY, &entry("cn=a", &[]))) {};
    let mut server = Server::at_people(endless);
    server.settings.timeout = Duration::from_millis(500);
    let error = server.people(&Limits::default()).await.to_string();
    assert!(error.contains("no answer within 500ms"), "{error}");
}

#[tokio::test]
async fn one_entry_is_not_followed_by_others() {
    let server = Server::start(move |client| {
        client.request();
        client.send(&message(1, BOUND, RESULT));
        client.request();
        while client.send(&message(2, ENTRY, &entry("", &[]))) {}
    });
    is_refused(&server.people(&Limits::default()).await, "several entries");
}

#[tokio::test]
async fn entries_wait_at_the_server_while_others_are_stored() {
    let photo = "x".repeat(1 << 20);
    let attributes = [("mail", "a@example.test"), ("description", &photo)];
    let entry = message(3, ENTRY, &entry("cn=a", &attributes));
    let server = Server::at_people(move |client| while client.send(&entry) {});
    // Nobody takes what is found.
    let (out, _found) = mpsc::channel(1);
    let limits = Limits { deadline: Duration::from_secs(3), ..Limits::default() };
    let ended = ldap::people(&server.settings, &limits, &Sweep::Whole, out).await;
    is_refused(&ended.unwrap_err(), "took longer than 3s");
    let sent = server.ends().await;
    assert!(sent < 100 << 20, "{} MiB", sent >> 20);
}

#[tokio::test]
async fn pieces_of_members_without_an_end_are_ended() {
    let server = Server::start(move |client| {
        client.begin();
        // The people, and then the groups.
        client.request();
        client.send(&message(3, DONE, RESULT));
        client.request();
        let members = [("member;range=0-0", "cn=a")];
        client.send(&message(4, ENTRY, &entry("cn=g", &members)));
        client.send(&message(4, DONE, RESULT));
        client.request();
        client.send(&message(5, DONE, RESULT));
        for piece in 1..100_u8 {
            client.request();
            let name = format!("member;range={piece}-{piece}");
            client.send(&message(5 + piece, ENTRY, &entry("cn=g", &[(&name, "cn=a")])));
            if !client.send(&message(5 + piece, DONE, RESULT)) {
                break;
            }
        }
    });
    let (out, found) = mpsc::channel(8);
    let limits = Limits { pieces: 20, ..Limits::default() };
    let (_, ended) = tokio::join!(gathered(found), ldap::groups(&server.settings, &limits, out));
    is_refused(&ended.unwrap_err(), "more than 20 pieces of the members");
}
