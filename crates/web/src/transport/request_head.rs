//! The heads of requests: where they end, whether the HTTP library can read them, what they say about the bytes that
//! follow, and how they are modified for the library.
//!
//! A head that the library would refuse without a body, or would read differently from this module, is refused here:
//! the stream replaces it by a request whose path stands for the reason, and the surface answers with an explanation
//! ([`UnreadHead`]).

use actix_web::http::{Method, Uri};
use bytes::BytesMut;
use memchr::memchr;
use std::{mem::MaybeUninit, ops::Range};

/// The path that replaces a head that is not HTTP/1.
pub(super) const MALFORMED: &str = "/.malformed-request";
/// The path that replaces a head that is larger than [`MAX_HEAD`] or has more than [`MAX_HEADERS`] headers.
pub(super) const TOO_LARGE: &str = "/.request-head-too-large";
/// The path that replaces a head that was not complete in time.
pub(super) const LATE: &str = "/.request-head-late";

/// A head that was replaced, so the library never saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadHead {
    /// It is not HTTP/1.1.
    Malformed,
    /// It is larger than [`MAX_HEAD`] or has more than [`MAX_HEADERS`] headers.
    TooLarge,
    /// It was not complete in time.
    Late,
}

impl UnreadHead {
    /// The reason for which a path stands; `None` for a path that a client requested.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        match path {
            MALFORMED => Some(Self::Malformed),
            TOO_LARGE => Some(Self::TooLarge),
            LATE => Some(Self::Late),
            _ => None,
        }
    }
}

/// The longest head, in bytes; the library can hold a URL of at most 64 KiB.
pub const MAX_HEAD: usize = 64 * 1024;
/// The largest number of headers: the library takes 96, and one may be added (`Connection: close`).
pub const MAX_HEADERS: usize = 95;

/// The result of searching for the end of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The end has not arrived yet.
    ToCome,
    /// The head ends at this position, after its empty line.
    At(usize),
    /// A line ends in LF without CR. Servers disagree on its meaning, which lets requests be smuggled past a proxy;
    /// RFC 9112 section 2.2 allows to refuse it.
    BareLineFeed,
}

/// Searches for the end of a head. The bytes before `from` were searched before.
pub(super) fn find_end(bytes: &[u8], from: usize) -> End {
    let mut line = from;
    while let Some(found) = bytes.get(line..).and_then(|rest| memchr(b'\n', rest)) {
        let (before, _) = bytes.split_at(line + found);
        let Some(text) = before.strip_suffix(b"\r") else { return End::BareLineFeed };
        line += found + 1;
        if text.ends_with(b"\n") {
            return End::At(line);
        }
    }
    End::ToCome
}

/// Appends a head, and percent-encodes what the library does not accept in a request line.
pub(super) fn append_encoded(out: &mut BytesMut, head: &[u8]) {
    let line_end = memchr(b'\n', head).map_or(head.len(), |at| at + 1);
    let (mut line, rest) = head.split_at(line_end);
    while let Some(at) = line.iter().position(|byte| !is_taken_as_it_is(*byte)) {
        let (plain, other) = line.split_at(at);
        let (byte, after) = other.split_at(1);
        out.extend_from_slice(plain);
        out.extend_from_slice(format!("%{:02X}", byte.first().unwrap_or(&0)).as_bytes());
        line = after;
    }
    out.extend_from_slice(line);
    out.extend_from_slice(rest);
}

/// What the library accepts in a request line. It refuses the ASCII characters `<`, `>`, `"` and the backtick, though
/// browsers and curl send them in queries.
fn is_taken_as_it_is(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'<' | b'>' | b'"' | b'`')
}

/// Makes the connection end with this request.
pub(super) fn add_close(head: &mut BytesMut) {
    head.truncate(head.len().saturating_sub(2));
    head.extend_from_slice(b"connection: close\r\n\r\n");
}

/// The framing of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// A body of this number of bytes.
    Length(u64),
    /// A chunked body.
    Chunked,
}

/// What the stream has to know about a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) body: BodyFraming,
    /// Whether no other request follows on the connection.
    pub(super) closes: bool,
    /// The positions where it requests another protocol.
    pub(super) upgrades: Vec<Range<usize>>,
}

/// Checks a head; an error is the path that stands for the reason.
pub(super) fn judge(head: &[u8]) -> Result<Judgement, &'static str> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut headers) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(TOO_LARGE),
        Ok(httparse::Status::Partial) | Err(_) => return Err(MALFORMED),
    }
    let is_wrong_method = request.method.is_none_or(|method| Method::from_bytes(method.as_bytes()).is_err());
    if is_wrong_method || request.path.is_none_or(|path| Uri::try_from(path).is_err()) {
        return Err(MALFORMED);
    }
    let mut said = Said { start: head.as_ptr().addr(), ..Said::default() };
    for header in request.headers.iter() {
        said.add(header);
    }
    said.judgement(request.version == Some(0), request.method.unwrap_or_default()).ok_or(MALFORMED)
}

/// What the headers say about the end of the request and about the connection.
#[derive(Default)]
struct Said<'a> {
    /// The address of the head's first byte.
    start: usize,
    hosts: usize,
    lengths: usize,
    codings: usize,
    /// The last value of each header.
    length: &'a [u8],
    coding: &'a [u8],
    close: bool,
    keep_alive: bool,
    upgrades: Vec<Range<usize>>,
}

impl<'a> Said<'a> {
    fn add(&mut self, header: &httparse::Header<'a>) {
        // Most headers have names of other lengths.
        match header.name.len() {
            4 if header.name.eq_ignore_ascii_case("host") => self.hosts += 1,
            7 if header.name.eq_ignore_ascii_case("upgrade") => self.note_upgrade(header.name.as_bytes()),
            10 if header.name.eq_ignore_ascii_case("connection") => self.add_options(header.value),
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

    fn add_options(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            if option.eq_ignore_ascii_case(b"upgrade") {
                self.note_upgrade(option);
            }
        }
    }

    fn note_upgrade(&mut self, word: &[u8]) {
        let start = word.as_ptr().addr().saturating_sub(self.start);
        self.upgrades.push(start..start + word.len());
    }

    /// `None` if the head could be used for request smuggling, or the library would refuse it.
    fn judgement(self, is_old: bool, method: &str) -> Option<Judgement> {
        // HTTP/1.1 requires exactly one `Host` header (RFC 9112 section 3.2).
        if self.hosts > 1 || (!is_old && self.hosts == 0) {
            return None;
        }
        let body = match (self.lengths, self.codings) {
            // HTTP/1.0 had no other way to say that there is no body (RFC 1945 section 7.2.2).
            (0, 0) if is_old && method == "POST" => return None,
            (0, 0) => BodyFraming::Length(0),
            (1, 0) => BodyFraming::Length(content_length(self.length)?),
            (0, 1) if !is_old && self.coding.eq_ignore_ascii_case(b"chunked") => BodyFraming::Chunked,
            // Two lengths, a length and a coding (RFC 9112 section 6.1), or a coding that HTTP/1.0 does not have.
            _ => return None,
        };
        // Bytes after CONNECT are not HTTP, and pbm does not support it.
        let closes = self.close || (is_old && !self.keep_alive) || method == "CONNECT";
        Some(Judgement { body, closes, upgrades: self.upgrades })
    }
}

fn content_length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Makes the library ignore a request for another protocol, as a server may (RFC 9110 section 7.8): otherwise it would
/// treat everything after the head as a body without an end. The words are replaced by others of the same length.
pub(super) fn ignore_upgrade(head: &mut [u8], upgrades: &[Range<usize>]) {
    const IGNORED: &[u8; 7] = b"ignored";
    for place in upgrades {
        if let Some(word) = head.get_mut(place.clone()).filter(|word| word.len() == IGNORED.len()) {
            word.copy_from_slice(IGNORED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_at_its_empty_line() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore\n";
        assert_eq!(find_end(head, 0), End::At(head.len() - 5));
        for from in 0..head.len() - 6 {
            let end = find_end(&head[..from], 0);
            assert_eq!((end, find_end(head, from)), (End::ToCome, End::At(head.len() - 5)));
        }
    }

    #[test]
    fn a_line_feed_alone_ends_nothing() {
        for head in
            ["GET / HTTP/1.1\nHost: a\n\n", "\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\n\n"]
        {
            assert_eq!(find_end(head.as_bytes(), 0), End::BareLineFeed, "{head:?}");
        }
    }

    fn judged(head: &str) -> Judgement {
        judge(format!("{head}\r\n\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn the_connection_ends_where_its_head_says_so() {
        for (head, closes) in [
            ("GET / HTTP/1.1\r\nHost: a", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close", true),
            ("GET / HTTP/1.0", true),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive", false),
            ("CONNECT a:80 HTTP/1.1\r\nHost: a", true),
        ] {
            assert_eq!(judged(head).closes, closes, "{head}");
        }
    }

    #[test]
    fn an_upgrade_is_passed_over() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nX-Upgrade: upgrade";
        let mut bytes = format!("{head}\r\n\r\n").into_bytes();
        ignore_upgrade(&mut bytes, &judged(head).upgrades);
        let expected = "GET / HTTP/1.1\r\nHost: a\r\nignored: websocket\r\nConnection: keep-alive, ignored\r\nX-Upgrade: upgrade\r\n\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
