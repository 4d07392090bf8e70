//! A cheap HTTP/1.1 client (RFC 9112), because it shares the processors with the measured servers: one kept-alive
//! connection, one request in flight, bodies with a `Content-Length` or in chunks without trailers.

use crate::load::Client;
use anyhow::{Context, anyhow, bail, ensure};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::ReadHalf},
};

/// The maximum number of header fields in a response.
const MAX_HEADERS: usize = 32;
/// Large enough for the response about one user, so that it is read at once.
const BUFFER: usize = 16 * 1024;
/// The media type of parameters.
const FORM: &str = "application/x-www-form-urlencoded";
/// The status of a response that never has a body.
pub(crate) const NOT_MODIFIED: u16 = 304;
/// The bytes of a chunk end with this.
const END_OF_CHUNK: usize = "\r\n".len();

/// A connection.
pub(crate) struct HttpClient {
    stream: TcpStream,
    answer: Vec<u8>,
    /// The chunks of a response, joined.
    chunks: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    head: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = std::str::from_utf8(self.head).ok()?.lines();
        let mut fields = lines.filter_map(|line| line.split_once(':'));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// The parsed head of a response.
struct Head {
    status: u16,
    /// `None` for a body in chunks.
    length: Option<usize>,
    body: usize,
}

impl HttpClient {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to pbm")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(BUFFER), chunks: Vec::new() })
    }

    /// Sends a request and reads its response, both at the same time: a server that responds while it reads stops
    /// reading if the client does not take the response.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let (stream, mut out) = self.stream.split();
        self.answer.clear();
        self.chunks.clear();
        let mut incoming = Incoming { stream, bytes: &mut self.answer };
        let sent = async { Ok(out.write_all(request).await?) };
        let ((), head) = tokio::try_join!(sent, incoming.answer(&mut self.chunks))?;
        let (start, rest) = self.answer.split_at_checked(head.body).unwrap_or_default();
        let body = match head.length {
            Some(length) => rest.get(..length).unwrap_or_default(),
            None => &self.chunks,
        };
        Ok(Answer { status: head.status, body, head: start })
    }

    /// Sends a request with a long response, and counts the bytes of its body without keeping them. The response must
    /// be a success, in chunks.
    pub(crate) async fn download(&mut self, request: &[u8]) -> anyhow::Result<usize> {
        self.stream.write_all(request).await?;
        let (stream, _) = self.stream.split();
        self.answer.clear();
        let mut incoming = Incoming { stream, bytes: &mut self.answer };
        let head = incoming.head().await?;
        ensure!(head.status == 200 && head.length.is_none(), "pbm answered {}, not in chunks", head.status);
        let mut length = 0;
        incoming.chunks(head.body, |chunk| length += chunk.len()).await?;
        Ok(length)
    }
}

/// A response in progress.
struct Incoming<'a> {
    stream: ReadHalf<'a>,
    bytes: &'a mut Vec<u8>,
}

impl Incoming<'_> {
    /// Reads the whole response; a body in chunks is joined in `chunks`.
    async fn answer(&mut self, chunks: &mut Vec<u8>) -> anyhow::Result<Head> {
        let head = self.head().await?;
        match head.length {
            Some(length) => self.until(head.body + length).await?,
            None => self.chunks(head.body, |chunk| chunks.extend_from_slice(chunk)).await?,
        }
        Ok(head)
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        loop {
            self.more().await?;
            if let Some(head) = parse_head(self.bytes)? {
                return Ok(head);
            }
        }
    }

    /// Passes on the chunks that begin at an offset, and drops the bytes that were passed on.
    async fn chunks(&mut self, at: usize, mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
        loop {
            let Some((begin, size)) = parse_size(self.bytes, at)? else {
                self.more().await?;
                continue;
            };
            let end = begin + size;
            self.until(end + END_OF_CHUNK).await?;
            take(self.bytes.get(begin..end).unwrap_or_default());
            self.bytes.drain(at..end + END_OF_CHUNK);
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn until(&mut self, end: usize) -> anyhow::Result<()> {
        while self.bytes.len() < end {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        ensure!(self.stream.read_buf(self.bytes).await? > 0, "pbm closed the connection");
        Ok(())
    }
}

/// `None` while the head is incomplete.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(body) = response.parse(bytes)? else { return Ok(None) };
    let field = |name: &str| response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    let status = response.code.unwrap_or_default();
    let length = match (field("content-length"), field("transfer-encoding")) {
        _ if status == NOT_MODIFIED => Some(0),
        (Some(length), _) => Some(std::str::from_utf8(length.value)?.trim().parse()?),
        (None, Some(coding)) if coding.value == b"chunked" => None,
        _ => bail!("an answer of unknown length"),
    };
    Ok(Some(Head { status, length, body }))
}

/// The offset and the length of a chunk's bytes; `None` while its size is incomplete.
fn parse_size(bytes: &[u8], at: usize) -> anyhow::Result<Option<(usize, usize)>> {
    let rest = bytes.get(at..).unwrap_or_default();
    match httparse::parse_chunk_size(rest).map_err(|_| anyhow!("a chunk without a size"))? {
        httparse::Status::Complete((used, size)) => Ok(Some((at + used, usize::try_from(size)?))),
        httparse::Status::Partial => Ok(None),
    }
}

/// A complete request.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, form: &str) -> Vec<u8> {
    request_of(method, path, token, FORM, form)
}

/// A complete request with a body of a media type.
pub(crate) fn request_of(
    method: &str,
    path: &str,
    token: Option<&str>,
    media_type: &str,
    body: &str,
) -> Vec<u8> {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let about_body = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: {media_type}\r\nContent-Length: {length}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\nHost: pbm\r\n{token}{about_body}\r\n{body}").into_bytes()
}

/// The same request with one more header field.
pub(crate) fn with_field(request: &[u8], name: &str, value: &str) -> anyhow::Result<Vec<u8>> {
    let text = std::str::from_utf8(request)?;
    let (line, rest) = text.split_once("\r\n").context("a request without lines")?;
    Ok(format!("{line}\r\n{name}: {value}\r\n{rest}").into_bytes())
}

/// A request with paths that differ in one place; only that place is rewritten.
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

/// A client that repeats one request and expects success.
pub(crate) async fn repeating(
    address: SocketAddr,
    request: Vec<u8>,
) -> anyhow::Result<Asking<impl FnMut(&mut Vec<u8>) + Send + 'static>> {
    Asking::connect(address, move |bytes: &mut Vec<u8>| bytes.extend_from_slice(&request)).await
}

/// A client that sends the requests of `next`, and expects success or another status.
pub(crate) struct Asking<F> {
    http: HttpClient,
    request: Vec<u8>,
    next: F,
    expected: u16,
}

impl<F> Asking<F> {
    pub(crate) async fn connect(address: SocketAddr, next: F) -> anyhow::Result<Self> {
        Ok(Self { http: HttpClient::connect(address).await?, request: Vec::new(), next, expected: 200 })
    }

    /// Sets the expected status.
    pub(crate) fn expecting(self, expected: u16) -> Self {
        Self { expected, ..self }
    }
}

impl<F: FnMut(&mut Vec<u8>) + Send + 'static> Client for Asking<F> {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.request.clear();
        (self.next)(&mut self.request);
        let answer = self.http.send(&self.request).await?;
        if answer.status == self.expected {
            return Ok(());
        }
        bail!("pbm answered {}: {}", answer.status, String::from_utf8_lossy(answer.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::net::TcpListener;

    #[test]
    fn the_head_of_an_answer_is_read_when_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let head = parse_head(whole).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.body), (200, Some(2), whole.len() - 2));
        assert!(parse_head(&whole[..20]).unwrap().is_none());
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn chunks_are_put_together_however_they_come() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            for piece in [head, "3\r\nab", "c\r", "\n1", "0\r\n0123456789abcdef\r\n0\r\n\r\n"] {
                stream.write_all(piece.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let mut client = HttpClient::connect(address).await.unwrap();
        assert_eq!(client.send(b"x").await.unwrap().body, b"abc0123456789abcdef");
        server.await.unwrap();
    }

    #[test]
    fn a_template_gives_the_request_with_the_place_filled() {
        let mut filled = Vec::new();
        Template::new("PUT", "/a/{}", "t", "b=c").unwrap().fill(&mut filled, "x");
        assert_eq!(filled, request("PUT", "/a/x", Some("t"), "b=c"));
    }
}
