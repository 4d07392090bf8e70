//! Parses the bytes of a connection from one request to the next: where heads and bodies begin and end, and which
//! bytes the HTTP library gets. No I/O and no clock.
//!
//! The library gets only complete heads, and only those that it reads in the same way as this module. A request that
//! arrives before the previous one was answered waits: the library would write the previous answer as if it belonged
//! to the later request, and without a body if that is `HEAD`.

use super::{
    chunked::ChunkedBody,
    request_head::{self, BodyFraming, End, LATE, MALFORMED, MAX_HEAD, TOO_LARGE},
};
use bytes::{Buf, BytesMut};

/// The number of bytes of an oversized head that are read before it is refused in any case.
const MAX_OVERLONG: usize = 1024 * 1024;

/// Parses the requests of a connection.
pub struct Framing {
    state: State,
    /// Bytes that were read but not completely parsed: the beginning of a head, or requests that wait.
    raw: BytesMut,
    /// The number of bytes of `raw` that were searched for the end of a head.
    searched: usize,
    /// Parsed bytes for the library.
    ready: BytesMut,
    /// Heads that were passed on.
    requests: u64,
    /// Whether the current request is the last one.
    closes: bool,
    /// Whether bytes were discarded, so more unread bytes may follow.
    has_thrown_away: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Head,
    /// In an oversized head; this number of its bytes were discarded.
    Overlong(usize),
    /// In a body; this number of bytes is left, at least one.
    Body(u64),
    Chunked(ChunkedBody),
    Closing,
    Ended,
}

/// What the client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of the next request has arrived, or it waits for its turn.
    Idle,
    /// The beginning of a request has arrived, or the connection's first request is awaited.
    Head,
    /// A body is being received.
    Body,
    /// The last request has been received; further bytes are discarded.
    Closing,
    /// The client has ended its input, or its input is no longer read.
    Ended,
}

impl Default for Framing {
    /// The state at the beginning of a connection.
    fn default() -> Self {
        Self {
            // The first request has the time limit of a head: a client that opens a connection should send something.
            state: State::Head,
            raw: BytesMut::new(),
            searched: 0,
            ready: BytesMut::new(),
            requests: 0,
            closes: false,
            has_thrown_away: false,
        }
    }
}

impl Framing {
    /// The buffer to which the client's bytes are added.
    pub fn raw(&mut self) -> &mut BytesMut {
        &mut self.raw
    }

    /// The buffer for the library, to be taken out.
    pub fn ready(&mut self) -> &mut BytesMut {
        &mut self.ready
    }

    /// The number of heads that were passed on.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What the client is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Idle => Phase::Idle,
            State::Head | State::Overlong(_) => Phase::Head,
            State::Body(_) | State::Chunked(_) => Phase::Body,
            State::Closing => Phase::Closing,
            State::Ended => Phase::Ended,
        }
    }

    /// Passes on what can be passed on, and returns how many bytes of it are content of bodies. `may_begin` says that
    /// the previous request was answered, so the next one may begin; `is_old` makes it the last one of the connection.
    pub fn advance(&mut self, may_begin: bool, is_old: bool) -> usize {
        let (mut content, requests) = (0, self.requests);
        while !self.raw.is_empty() {
            match &mut self.state {
                State::Closing | State::Ended => self.throw_away(),
                State::Idle if !may_begin || self.requests > requests => break,
                State::Idle => self.state = State::Head,
                State::Head | State::Overlong(_) => {
                    if !self.take_head(is_old) {
                        break;
                    }
                }
                State::Body(left) => {
                    let passed = self.raw.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= passed as u64;
                    let has_ended = *left == 0;
                    content += passed;
                    self.pass(passed, has_ended);
                }
                State::Chunked(body) => match body.follow(&self.raw) {
                    Ok(followed) => {
                        content += followed.content;
                        self.pass(followed.used, followed.ended);
                    }
                    // The reader of the body gets the valid part, and an error for the missing end.
                    Err(bad) => {
                        content += bad.content;
                        self.pass(bad.used, false);
                        self.end();
                    }
                },
            }
        }
        content
    }

    fn pass(&mut self, bytes: usize, has_ended: bool) {
        let passed = self.raw.split_to(bytes.min(self.raw.len()));
        self.ready.extend_from_slice(&passed);
        if has_ended {
            self.end_request();
        }
    }

    fn end_request(&mut self) {
        self.state = if self.closes { State::Closing } else { State::Idle };
    }

    /// Whether the client may continue to send bytes that nobody reads: a body that is not needed, or anything after
    /// its last request.
    #[must_use]
    pub fn may_send_on(&self) -> bool {
        match self.state {
            State::Idle | State::Head | State::Overlong(_) => false,
            State::Body(_) | State::Chunked(_) | State::Ended => true,
            State::Closing => self.has_thrown_away,
        }
    }

    /// Discards bytes that were read and not parsed.
    pub fn throw_away(&mut self) {
        self.raw.clear();
        self.has_thrown_away = true;
    }

    /// Accepts no more input from the client.
    pub fn end(&mut self) {
        self.raw.clear();
        self.state = State::Ended;
    }

    /// Stops waiting for the client. An incomplete head gets an answer of its own; a request with an incomplete body
    /// gets its answer.
    pub fn give_up(&mut self) {
        match self.state {
            State::Head if !self.raw.is_empty() => self.refuse(LATE),
            State::Overlong(_) => self.refuse(TOO_LARGE),
            _ => self.end(),
        }
    }

    /// Takes a head out of `raw`; `false` if it is not complete.
    fn take_head(&mut self, is_old: bool) -> bool {
        // Empty lines may precede a request (RFC 9112 section 2.2).
        while self.searched == 0 && self.raw.starts_with(b"\r\n") {
            self.raw.advance(2);
        }
        // The line feed of such a line may still arrive.
        if self.searched == 0 && *self.raw == *b"\r" {
            return false;
        }
        match (request_head::find_end(&self.raw, self.searched), self.state) {
            (End::BareLineFeed, _) => self.refuse(MALFORMED),
            (End::At(end), State::Head) if end <= MAX_HEAD => self.take(end, is_old),
            (End::At(_), _) => self.refuse(TOO_LARGE),
            (End::ToCome, State::Overlong(thrown_away)) if thrown_away > MAX_OVERLONG => {
                self.refuse(TOO_LARGE);
            }
            // Read to its end, so that the client has finished sending when the answer arrives.
            (End::ToCome, State::Overlong(thrown_away)) => {
                // The end of a head may be split between two reads.
                let thrown = self.raw.len().saturating_sub(3);
                self.raw.advance(thrown);
                self.searched = self.raw.len();
                self.state = State::Overlong(thrown_away + thrown);
                return false;
            }
            (End::ToCome, _) => {
                self.searched = self.raw.len();
                if self.raw.len() <= MAX_HEAD {
                    return false;
                }
                self.state = State::Overlong(0);
            }
        }
        true
    }

    fn take(&mut self, end: usize, is_old: bool) {
        let head = self.raw.split_to(end);
        self.searched = 0;
        let start = self.ready.len();
        request_head::append_encoded(&mut self.ready, &head);
        let out = self.ready.get_mut(start..).unwrap_or_default();
        let judgement = match request_head::judge(out) {
            Ok(judgement) => judgement,
            Err(path) => {
                self.ready.truncate(start);
                return self.refuse(path);
            }
        };
        request_head::ignore_upgrade(out, &judgement.upgrades);
        self.closes = judgement.closes;
        if is_old && !self.closes {
            request_head::add_close(&mut self.ready);
            self.closes = true;
        }
        self.requests += 1;
        match judgement.body {
            BodyFraming::Length(0) => self.end_request(),
            BodyFraming::Length(length) => self.state = State::Body(length),
            BodyFraming::Chunked => self.state = State::Chunked(ChunkedBody::new()),
        }
    }

    fn refuse(&mut self, path: &str) {
        self.ready.extend_from_slice(
            format!("GET {path} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n").as_bytes(),
        );
        self.requests += 1;
        self.throw_away();
        self.state = State::Closing;
    }
}

#[cfg(test)]
mod tests;
