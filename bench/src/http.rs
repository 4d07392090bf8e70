//! A client of HTTP/1.1 (RFC 9112) that costs little, since it shares the processors with what it measures:
//! one connection kept alive, one request in flight, bodies with a `Content-Length` only.

use crate::load::Client;
use anyhow::{Context, bail, ensure};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Most header fields of an answer.
const MAX_HEADERS: usize = 32;
/// Enough for an answer of one user, so that it is read at once.
const BUFFER: usize = 16 * 1024;

/// A connection.
pub(crate) struct HttpClient {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: usize,
    body: usize,
}

impl HttpClient {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to pbm")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(BUFFER) })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let head = loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "pbm closed the connection");
            if let Some(head) = parse_head(&self.answer)? {
                break head;
            }
        };
        let end = head.body + head.length;
        while self.answer.len() < end {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "pbm closed the connection");
        }
        let body = self.answer.get(head.body..end).unwrap_or_default();
        Ok(Answer { status: head.status, body })
    }
}

/// `None` while it is not there as a whole.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(body) = response.parse(bytes)? else { return Ok(None) };
    let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let Some(field) = field else { bail!("an answer without Content-Length") };
    let length = std::str::from_utf8(field.value)?.trim().parse()?;
    Ok(Some(Head { status: response.code.unwrap_or_default(), length, body }))
}

/// A request, whole.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, form: &str) -> Vec<u8> {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = match form.len() {
        0 => String::new(),
        length => {
            format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n")
        }
    };
    format!("{method} {path} HTTP/1.1\r\nHost: pbm\r\n{token}{body}\r\n{form}").into_bytes()
}

/// A request to paths that differ in one place; only that place is written anew.
#[derive(Clone)]
pub(crate) struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Template {
    /// `path` has the place marked by `{}`.
    pub(crate) fn new(method: &str, path: &str, token: &str, form: &str) -> anyhow::Result<Self> {
        let whole = String::from_utf8(request(method, path, Some(token), form))?;
        let (before, after) = whole.split_once("{}").context("a path without {}")?;
        Ok(Self { before: before.into(), after: after.into() })
    }

    pub(crate) fn fill(&self, request: &mut Vec<u8>, place: &str) {
        request.extend_from_slice(&self.before);
        request.extend_from_slice(place.as_bytes());
        request.extend_from_slice(&self.after);
    }
}

/// A client that sends what `next` writes, and expects success.
pub(crate) struct Asking<F> {
    http: HttpClient,
    request: Vec<u8>,
    next: F,
}

impl<F> Asking<F> {
    pub(crate) async fn connect(address: SocketAddr, next: F) -> anyhow::Result<Self> {
        Ok(Self { http: HttpClient::connect(address).await?, request: Vec::new(), next })
    }
}

impl<F: FnMut(&mut Vec<u8>) + Send + 'static> Client for Asking<F> {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.request.clear();
        (self.next)(&mut self.request);
        let answer = self.http.send(&self.request).await?;
        if answer.status == 200 {
            return Ok(());
        }
        bail!("pbm answered {}: {}", answer.status, String::from_utf8_lossy(answer.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read_when_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let head = parse_head(whole).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.body), (200, 2, whole.len() - 2));
        assert!(parse_head(&whole[..20]).unwrap().is_none());
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn a_template_gives_the_request_with_the_place_filled() {
        let mut filled = Vec::new();
        Template::new("PUT", "/a/{}", "t", "b=c").unwrap().fill(&mut filled, "x");
        assert_eq!(filled, request("PUT", "/a/x", Some("t"), "b=c"));
    }
}
