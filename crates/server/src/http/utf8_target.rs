//! Raw UTF-8 in the request line. curl sends `?displayName=Иванов` as it is typed, while the HTTP library takes
//! ASCII alone (RFC 3986) and would answer 400 without a word. This stream percent-encodes every byte
//! above 0x7F (and the few ASCII ones that the library refuses) in request lines on their way to the library, and passes on everything else as it came.
//!
//! To find the request lines it follows the framing: heads end with an empty line, bodies are as long as
//! `Content-Length` says. A chunked body ends the following: from there on the connection's bytes pass
//! unchanged. It is no second parser of requests: where it is mistaken, bytes above 0x7F are encoded that
//! should not have been, in a request of the client's own.

use bytes::{Buf, BytesMut};
use memchr::{memchr, memmem};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest head that is waited for in bytes; the library refuses longer ones (its buffer is as large).
const MAX_HEAD: usize = 128 * 1024;
/// How much is read at a time.
const READ_SIZE: usize = 8 * 1024;

/// A client's stream whose request lines are ASCII.
pub(super) struct Utf8Target<S> {
    inner: S,
    state: State,
    /// Read, but not looked at to its end: the beginning of a head.
    raw: BytesMut,
    /// Looked at, for the library.
    ready: BytesMut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body(u64),
    Unfollowed,
}

impl<S> Utf8Target<S> {
    /// Wraps a stream at the beginning of a connection.
    pub(super) fn new(inner: S) -> Self {
        Self { inner, state: State::Head, raw: BytesMut::new(), ready: BytesMut::new() }
    }

    /// Moves what can be passed on from `raw` to `ready`.
    fn advance(&mut self) {
        while !self.raw.is_empty() {
            match self.state {
                State::Unfollowed => self.pass(usize::MAX),
                State::Body(0) => self.state = State::Head,
                State::Body(left) => {
                    let passed = self.raw.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.pass(passed);
                    self.state = State::Body(left - passed as u64);
                }
                State::Head => match head_end(&self.raw) {
                    Some(end) => self.take_head(end),
                    None if self.raw.len() > MAX_HEAD => self.state = State::Unfollowed,
                    None => return,
                },
            }
        }
    }

    fn pass(&mut self, most: usize) {
        let passed = self.raw.split_to(most.min(self.raw.len()));
        self.ready.extend_from_slice(&passed);
    }

    fn take_head(&mut self, end: usize) {
        let head = self.raw.split_to(end);
        let line_end = memchr(b'\n', &head).map_or(head.len(), |at| at + 1);
        let (line, rest) = head.split_at(line_end);
        for byte in line {
            if is_taken_as_it_is(*byte) {
                self.ready.extend_from_slice(&[*byte]);
            } else {
                self.ready.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
        self.ready.extend_from_slice(rest);
        self.state = body_of(rest);
    }
}

/// What the library takes in a request line. `<`, `>` and the backtick are ASCII that it refuses, though browsers
/// and curl send them in queries.
fn is_taken_as_it_is(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'<' | b'>' | b'`')
}

/// Where a head ends, its empty line included. An empty line before a request line is a head of its own.
fn head_end(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    let crlf = memmem::find(bytes, b"\n\r\n").map(|at| at + 3);
    let lf = memmem::find(bytes, b"\n\n").map(|at| at + 2);
    match (crlf, lf) {
        (Some(crlf), Some(lf)) => Some(crlf.min(lf)),
        (crlf, lf) => crlf.or(lf),
    }
}

/// What follows a head.
fn body_of(headers: &[u8]) -> State {
    let mut length = 0;
    for line in headers.split(|byte| *byte == b'\n') {
        let Some(colon) = memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"transfer-encoding") || name.eq_ignore_ascii_case(b"upgrade") {
            return State::Unfollowed;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            match std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                Some(number) => length = number,
                None => return State::Unfollowed,
            }
        }
    }
    State::Body(length)
}

impl<S: AsyncRead + Unpin> AsyncRead for Utf8Target<S> {
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
            let mut space = [0; READ_SIZE];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                // The end: what there is of a head is for the library to judge.
                this.state = State::Unfollowed;
            }
            this.raw.extend_from_slice(read.filled());
            this.advance();
            if this.ready.is_empty() && this.raw.is_empty() && this.state == State::Unfollowed {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Utf8Target<S> {
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
            let mut stream = Utf8Target::new(server);
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
        let sent = "PUT /v2/ж?cn=Я HTTP/1.1\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /я HTTP/1.1\r\n\r\n";
        let expected = "PUT /v2/%D0%B6?cn=%D0%AF HTTP/1.1\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /%D1%8F HTTP/1.1\r\n\r\n";
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
        let sent = "POST /ж HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nж\r\n0\r\n\r\nGET /я HTTP/1.1\r\n\r\n";
        let passed = String::from_utf8(through(sent.as_bytes(), 64)).unwrap();
        assert!(
            passed.starts_with("POST /%D0%B6 ") && passed.ends_with("GET /я HTTP/1.1\r\n\r\n"),
            "{passed}"
        );
    }

    #[test]
    fn a_head_that_never_ends_is_passed_on() {
        let endless = vec![b'a'; MAX_HEAD + 100];
        assert_eq!(through(&endless, 4096), endless);
        assert_eq!(through(b"GET / HT", 3), b"GET / HT");
    }

    proptest! {
        #[test]
        fn plain_bytes_pass_unchanged(bytes in proptest::collection::vec((0_u8..0x80).prop_filter("encoded", |b| is_taken_as_it_is(*b)), 0..400), piece in 1_usize..100) {
            prop_assert_eq!(through(&bytes, piece), bytes);
        }

        #[test]
        fn no_bytes_get_lost(bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1_usize..100) {
            prop_assert!(through(&bytes, piece).len() >= bytes.len());
        }
    }
}
