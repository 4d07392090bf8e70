//! The bytes of a connection, followed from one request to the next: where heads and bodies begin and end, and what of them
//! the HTTP library gets. No I/O and no time.
//!
//! It gets whole heads alone, and only such as it can read, in the way in which it reads them. A request that is sent before
//! the one before it was answered waits: the library would write the answer as if it were to the later one, without a body
//! where that is `HEAD`.

use super::{
    chunked::ChunkedBody,
    request_head::{self, Body, End, LATE, MALFORMED, MAX_HEAD, TOO_LARGE},
};
use bytes::{Buf, BytesMut};

/// How much of a head that is too large is read before it is refused all the same.
const MAX_OVERLONG: usize = 1024 * 1024;

/// Follows the requests of a connection.
pub struct Framing {
    state: State,
    /// Read, but not looked at to its end: the beginning of a head, or requests that wait.
    raw: BytesMut,
    /// How much of it was searched for the end of a head.
    searched: usize,
    /// Looked at, for the library.
    ready: BytesMut,
    /// Heads that were passed on.
    requests: u64,
    /// The request under way is the last one.
    closes: bool,
    /// Bytes were thrown away, so more may come that nobody reads.
    has_thrown_away: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Head,
    /// A head goes on that is too large; so much of it was thrown away.
    Overlong(usize),
    /// So much of a body is left, and it is not nothing.
    Body(u64),
    Chunked(ChunkedBody),
    Closing,
    Ended,
}

/// What the client is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has come of the next request, or it waits for its turn.
    Idle,
    /// The beginning of a request has come, or the connection's first one is awaited.
    Head,
    /// A body goes on.
    Body,
    /// The last request has come; bytes are thrown away.
    Closing,
    /// The client has no more to say, or is not listened to any more.
    Ended,
}

impl Default for Framing {
    /// At the beginning of a connection.
    fn default() -> Self {
        Self {
            // The first request is awaited no longer than it may take: whoever opens a connection wants something.
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
    /// Where bytes of the client are added.
    pub fn raw(&mut self) -> &mut BytesMut {
        &mut self.raw
    }

    /// What the library gets; it is to be taken out.
    pub fn ready(&mut self) -> &mut BytesMut {
        &mut self.ready
    }

    /// How many heads were passed on.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What the client is about.
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

    /// Passes on what can be, and tells how many bytes of it are content of bodies. The next request may begin if the one
    /// before it was answered; it is to be the last one if the connection is old.
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
                    // The reader of the body gets what is right of it, and learns that it has no end.
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

    /// Whether the client may go on sending what nobody reads: a body that is not wanted, or anything after its last request.
    #[must_use]
    pub fn may_send_on(&self) -> bool {
        match self.state {
            State::Idle | State::Head | State::Overlong(_) => false,
            State::Body(_) | State::Chunked(_) | State::Ended => true,
            State::Closing => self.has_thrown_away,
        }
    }

    /// Throws away what was read and not looked at.
    pub fn throw_away(&mut self) {
        self.raw.clear();
        self.has_thrown_away = true;
    }

    /// Takes nothing from the client any more.
    pub fn end(&mut self) {
        self.raw.clear();
        self.state = State::Ended;
    }

    /// Waits for the client no longer. Who has sent half a head gets an answer; who has sent half a body gets the one to
    /// its request.
    pub fn give_up(&mut self) {
        match self.state {
            State::Head if !self.raw.is_empty() => self.refuse(LATE),
            State::Overlong(_) => self.refuse(TOO_LARGE),
            _ => self.end(),
        }
    }

    /// Takes a head out of `raw`; `false` where it has not ended.
    fn take_head(&mut self, is_old: bool) -> bool {
        // Empty lines may stand before a request (RFC 9112 section 2.2).
        while self.searched == 0 && self.raw.starts_with(b"\r\n") {
            self.raw.advance(2);
        }
        // The line feed of one may be yet to come.
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
            // Read to its end, so that the client is done sending when the answer comes.
            (End::ToCome, State::Overlong(thrown_away)) => {
                // An end may be cut between two reads.
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
            Body::Length(0) => self.end_request(),
            Body::Length(length) => self.state = State::Body(length),
            Body::Chunked => self.state = State::Chunked(ChunkedBody::new()),
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
