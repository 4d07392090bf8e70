//! A plain HTTP/1.1 client with one connection per request. It sends its input byte by byte: paths unchanged, bodies
//! with any method, and no header of its own except those that HTTP requires.

use crate::answer::Answer;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than any response takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends requests to one server, with the same headers each time.
#[derive(Clone, Debug)]
pub struct Client {
    server: SocketAddr,
    headers: Vec<(String, String)>,
    patience: Duration,
}

impl Client {
    /// A client without a token.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, headers: Vec::new(), patience: PATIENCE }
    }

    /// The same client for another server.
    pub fn at(&self, other: &Self) -> Self {
        Self { server: other.server, ..self.clone() }
    }

    /// The same client with another limit on the silence of the server.
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// The server's address.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// The same client with one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client with an access token.
    pub fn with_token(&self, token: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// One of its headers; empty if it does not send it.
    pub fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The same client, with the version that it read as a condition.
    pub fn if_match(&self, tag: &str) -> Self {
        self.with_header("If-Match", tag)
    }

    /// The same client, with an idempotency key.
    pub fn with_key(&self, key: &str) -> Self {
        self.with_header("Idempotency-Key", key)
    }

    /// Its access token.
    pub fn token(&self) -> &str {
        self.header("Authorization").strip_prefix("Bearer ").unwrap_or_default()
    }

    /// The same client, as if it used this address behind a trusted proxy.
    pub fn behind(&self, address: &str) -> Self {
        self.with_header("X-Forwarded-For", address)
    }

    /// Reads.
    pub fn get(&self, path: impl AsRef<str>) -> Answer {
        self.send("GET", path.as_ref(), "")
    }

    /// Creates.
    pub fn put(&self, path: impl AsRef<str>, body: &str) -> Answer {
        self.send("PUT", path.as_ref(), body)
    }

    /// Changes.
    pub fn patch(&self, path: impl AsRef<str>, body: &str) -> Answer {
        self.send("PATCH", path.as_ref(), body)
    }

    /// Posts.
    pub fn post(&self, path: impl AsRef<str>, body: &str) -> Answer {
        self.send("POST", path.as_ref(), body)
    }

    /// Deletes.
    pub fn delete(&self, path: impl AsRef<str>) -> Answer {
        self.send("DELETE", path.as_ref(), "")
    }

    /// Undoes a deletion.
    pub fn restore(&self, user: impl AsRef<str>) -> Answer {
        self.post(format!("{}/restore", user.as_ref()), "")
    }

    /// Logs in.
    pub fn log_in(&self, login: &str, password: &str) -> Answer {
        self.post("/v2/auth", &crate::form(&[("login", login), ("password", password)]))
    }

    /// Sends a request; it must be answered.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let shown: String = path.chars().take(100).collect();
        self.try_send(method, path, body.as_bytes())
            .unwrap_or_else(|error| panic!("{method} {shown} was not answered: {error}"))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When no response arrives.
    pub fn try_send(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.server);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let has_kind = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !body.is_empty() {
            if !has_kind {
                head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            }
            head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        exchange_within(self.patience, self.server, &[head.as_bytes(), body].concat())
    }
}

/// Sends bytes and reads the response up to the end of the connection.
///
/// # Errors
/// When the connection fails before a complete head of a response has arrived.
pub fn exchange(server: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    exchange_within(PATIENCE, server, request)
}

fn exchange_within(patience: Duration, server: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    // A server may refuse a request before it has read all of it.
    let sent = stream.write_all(request);
    let mut bytes = Vec::new();
    let received = stream.read_to_end(&mut bytes);
    parse(&bytes, request.starts_with(b"HEAD ")).ok_or_else(|| {
        sent.and(received.map(drop)).err().unwrap_or_else(|| io::Error::other("no answer of HTTP"))
    })
}

/// Parses a response; one to HEAD consists of a head, whatever it says about a body.
fn parse(bytes: &[u8], is_head: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(&bytes[end + 4..], is_head);
    }
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    match answer.header("transfer-encoding") {
        Some(encoding) if !is_head && encoding.eq_ignore_ascii_case("chunked") => {
            Some(Answer { body: unchunked(&answer.body)?, ..answer })
        }
        _ => Some(answer),
    }
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(line + 2..line + 2 + length)?);
        bytes = bytes.get(line + 4 + length..)?;
    }
}
