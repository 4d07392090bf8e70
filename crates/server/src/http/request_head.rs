//! The heads of requests, looked at before the HTTP library gets them, for two things that it does badly.
//!
//! Raw UTF-8 in the request line: curl sends `?displayName=Иванов` as it is typed, while the library takes ASCII
//! alone (RFC 3986). Such bytes (and the few ASCII ones that it refuses as well) are percent-encoded on their way.
//!
//! Heads that it cannot read, or that are too large: it would answer with an empty body. They are replaced by a
//! request for a path that stands for the reason, so that they are answered like everything else, in JSON;
//! what comes after them on the connection is thrown away.
//!
//! To find the heads the stream follows the framing: bodies are as long as `Content-Length` says. A chunked body
//! ends the following: from there on the connection's bytes pass unchanged.

use actix_web::http::Uri;
use bytes::{Buf, BytesMut};
use memchr::{memchr, memmem};
use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

/// The path that a head is replaced by which is no HTTP/1.
pub(super) const MALFORMED: &str = "/.malformed-request";
/// The path that a head is replaced by which is over [`MAX_HEAD`] or has over [`MAX_HEADERS`] headers.
pub(super) const TOO_LARGE: &str = "/.request-head-too-large";

/// Longest head in bytes; a URL of 64 KiB is the most that the library can hold.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// How much of a larger head is read before it is refused all the same.
const MAX_OVERLONG: usize = 1024 * 1024;
/// Most headers; the library's own limit.
pub(super) const MAX_HEADERS: usize = 96;
/// How much is read at a time.
const READ_SIZE: usize = 8 * 1024;

/// A client's stream whose request heads the library can read.
pub(super) struct CheckedHeads<S> {
    inner: S,
    state: State,
    /// Read, but not looked at to its end: the beginning of a head.
    raw: BytesMut,
    /// Looked at, for the library.
    ready: BytesMut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A head comes next.
    Head,
    /// A head goes on that is too large; so much of it was thrown away.
    Overlong(usize),
    /// So much of a body is left.
    Body(u64),
    /// Bytes pass as they come.
    Unfollowed,
    /// Bytes are thrown away.
    Refused,
}

impl<S> CheckedHeads<S> {
    /// Wraps a stream at the beginning of a connection.
    pub(super) fn new(inner: S) -> Self {
        Self { inner, state: State::Head, raw: BytesMut::new(), ready: BytesMut::new() }
    }

    /// Moves what can be passed on from `raw` to `ready`.
    fn advance(&mut self) {
        while !self.raw.is_empty() {
            match self.state {
                State::Refused => self.raw.clear(),
                State::Unfollowed => self.pass(usize::MAX),
                State::Body(0) => self.state = State::Head,
                State::Body(left) => {
                    let passed = self.raw.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.pass(passed);
                    self.state = State::Body(left - passed as u64);
                }
                // An empty line may stand before a request (RFC 9112 section 2.2).
                State::Head if self.raw.starts_with(b"\r\n") => self.pass(2),
                State::Head => match head_end(&self.raw) {
                    Some(end) if end <= MAX_HEAD => self.take_head(end),
                    None if self.raw.len() <= MAX_HEAD => return,
                    Some(_) => self.refuse(TOO_LARGE),
                    None => self.state = State::Overlong(0),
                },
                // Read to its end, so that the client is done sending when the answer comes.
                State::Overlong(thrown_away) => {
                    if head_end(&self.raw).is_some() || thrown_away > MAX_OVERLONG {
                        self.refuse(TOO_LARGE);
                    } else {
                        // An end may be cut between two reads.
                        let thrown = self.raw.len().saturating_sub(3);
                        self.raw.advance(thrown);
                        self.state = State::Overlong(thrown_away + thrown);
                        return;
                    }
                }
            }
        }
    }

    fn pass(&mut self, most: usize) {
        let passed = self.raw.split_to(most.min(self.raw.len()));
        self.ready.extend_from_slice(&passed);
    }

    fn take_head(&mut self, end: usize) {
        let head = self.raw.split_to(end);
        let start = self.ready.len();
        let line_end = memchr(b'\n', &head).map_or(head.len(), |at| at + 1);
        let (mut line, rest) = head.split_at(line_end);
        while let Some(at) = line.iter().position(|byte| !is_taken_as_it_is(*byte)) {
            let (plain, other) = line.split_at(at);
            let (byte, after) = other.split_at(1);
            self.ready.extend_from_slice(plain);
            self.ready.extend_from_slice(format!("%{:02X}", byte.first().unwrap_or(&0)).as_bytes());
            line = after;
        }
        self.ready.extend_from_slice(line);
        self.ready.extend_from_slice(rest);
        match judge(self.ready.get(start..).unwrap_or_default()) {
            Ok(next) => self.state = next,
            Err(path) => {
                self.ready.truncate(start);
                self.refuse(path);
            }
        }
    }

    fn refuse(&mut self, path: &str) {
        self.ready.extend_from_slice(
            format!("GET {path} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n").as_bytes(),
        );
        self.raw.clear();
        self.state = State::Refused;
    }
}

/// What the library takes in a request line. `<`, `>`, `"` and the backtick are ASCII that it refuses, though browsers
/// and curl send them in queries.
fn is_taken_as_it_is(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'<' | b'>' | b'"' | b'`')
}

/// Where a head ends, its empty line included.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let crlf = memmem::find(bytes, b"\n\r\n").map(|at| at + 3);
    let lf = memmem::find(bytes, b"\n\n").map(|at| at + 2);
    match (crlf, lf) {
        (Some(crlf), Some(lf)) => Some(crlf.min(lf)),
        (crlf, lf) => crlf.or(lf),
    }
}

/// What follows a head, or the path that stands for what is wrong with it.
fn judge(head: &[u8]) -> Result<State, &'static str> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut headers) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(TOO_LARGE),
        Ok(httparse::Status::Partial) | Err(_) => return Err(MALFORMED),
    }
    if request.path.is_none_or(|path| Uri::try_from(path).is_err()) {
        return Err(MALFORMED);
    }
    let mut framing = Framing::default();
    for header in request.headers.iter() {
        framing.add(header);
    }
    // HTTP/1.1 needs the one header (RFC 9112 section 3.2), and the library insists.
    if request.version == Some(1) && framing.hosts != 1 {
        return Err(MALFORMED);
    }
    framing.next_state().ok_or(MALFORMED)
}

/// What the headers of a request say of where it ends.
#[derive(Default)]
struct Framing<'a> {
    hosts: usize,
    lengths: usize,
    codings: usize,
    /// The last of each.
    length: &'a [u8],
    coding: &'a [u8],
}

impl<'a> Framing<'a> {
    fn add(&mut self, header: &httparse::Header<'a>) {
        // Most headers have names of other lengths.
        match header.name.len() {
            4 if header.name.eq_ignore_ascii_case("host") => self.hosts += 1,
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                self.lengths += 1;
                self.length = header.value;
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                self.codings += 1;
                self.coding = header.value;
            }
            _ => {}
        }
    }

    fn next_state(&self) -> Option<State> {
        match (self.lengths, self.codings) {
            (0, 0) => Some(State::Body(0)),
            (1, 0) => content_length(self.length).map(State::Body),
            (0, 1) => self.coding.eq_ignore_ascii_case(b"chunked").then_some(State::Unfollowed),
            // Two lengths, or a length and a coding, are how requests are smuggled (RFC 9112 section 6.1).
            _ => None,
        }
    }
}

fn content_length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedHeads<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                let passed = this.ready.len().min(buf.remaining());
                buf.put_slice(this.ready.get(..passed).unwrap_or_default());
                this.ready.advance(passed);
                return Poll::Ready(Ok(()));
            }
            if this.state == State::Unfollowed && this.raw.is_empty() {
                return Pin::new(&mut this.inner).poll_read(cx, buf);
            }
            this.raw.reserve(READ_SIZE);
            if ready!(poll_read_buf(Pin::new(&mut this.inner), cx, &mut this.raw))? == 0 {
                // The end; half a head is no request.
                return Poll::Ready(Ok(()));
            }
            this.advance();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedHeads<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Sends bytes in pieces of a size through the stream.
    fn through(bytes: &[u8], piece: usize) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(piece);
            let bytes = bytes.to_vec();
            let mut stream = CheckedHeads::new(server);
            let mut out = Vec::new();
            let send = async move {
                client.write_all(&bytes).await.unwrap();
                drop(client);
            };
            let ((), read) = tokio::join!(send, stream.read_to_end(&mut out));
            read.unwrap();
            out
        })
    }

    #[test]
    fn a_request_line_is_encoded_and_its_headers_and_body_are_not() {
        let sent = "PUT /v2/ж?cn=Я&a=[\"b\"] HTTP/1.1\r\nHost: a\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /я HTTP/1.1\r\nHost: a\r\n\r\n";
        let expected = "PUT /v2/%D0%B6?cn=%D0%AF&a=[%22b%22] HTTP/1.1\r\nHost: a\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /%D1%8F HTTP/1.1\r\nHost: a\r\n\r\n";
        for piece in [1, 7, 4096] {
            assert_eq!(
                String::from_utf8(through(sent.as_bytes(), piece)).unwrap(),
                expected,
                "in pieces of {piece}"
            );
        }
    }

    #[test]
    fn after_a_chunked_body_everything_passes_unchanged() {
        let sent = "POST /ж HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nж\r\n0\r\n\r\nGET /я HTTP/1.1\r\n\r\n";
        let passed = String::from_utf8(through(sent.as_bytes(), 64)).unwrap();
        assert!(
            passed.starts_with("POST /%D0%B6 ") && passed.ends_with("GET /я HTTP/1.1\r\n\r\n"),
            "{passed}"
        );
    }

    #[test]
    fn what_is_no_request_is_replaced_by_one_for_its_reason() {
        for malformed in [
            "GARBAGE\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "GET /a b HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\nGET /next HTTP/1.1\r\n\r\n",
        ] {
            let expected = format!("GET {MALFORMED} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n");
            assert_eq!(
                String::from_utf8(through(malformed.as_bytes(), 64)).unwrap(),
                expected,
                "{malformed}"
            );
        }
    }

    #[test]
    fn a_head_that_is_too_large_is_replaced_by_a_request_that_says_so() {
        let expected = format!("GET {TOO_LARGE} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n");
        let endless = vec![b'a'; MAX_HEAD + MAX_OVERLONG + 20_000];
        let ended = [&endless[..MAX_HEAD + 100], b"\r\n\r\n"].concat();
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_HEAD));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
        for too_large in [&endless, &ended, long.as_bytes(), many.as_bytes()] {
            assert_eq!(String::from_utf8(through(too_large, 4096)).unwrap(), expected);
        }
    }

    #[test]
    fn half_a_head_is_no_request() {
        assert_eq!(through(b"GET / HT", 3), b"");
    }

    proptest! {
        #[test]
        fn whatever_comes_only_heads_that_read_are_passed_on(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            piece in 1_usize..100,
        ) {
            let passed = through(&bytes, piece);
            let head = passed.strip_prefix(b"\r\n").unwrap_or(&passed);
            if let Some(end) = head_end(head) {
                prop_assert!(judge(&head[..end]).is_ok());
            }
        }

        #[test]
        fn a_plain_request_passes_unchanged(path in "/[a-z0-9/]{0,40}", body in "[ -~]{0,100}", piece in 1_usize..100) {
            let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            prop_assert_eq!(through(request.as_bytes(), piece), request.as_bytes());
        }
    }
}
