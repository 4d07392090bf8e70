//! The stream between a client's socket and the HTTP library. It handles four cases that the library handles badly.
//!
//! Raw UTF-8 in the request line: curl sends `?displayName=Иванов` as it is typed, but the library accepts only ASCII
//! (RFC 3986). The stream percent-encodes such bytes, and the few ASCII characters that the library refuses too.
//!
//! Heads that the library cannot read, or that are too large, too late, or framed in a way on which servers disagree:
//! the library would answer with an empty body, or not at all. The stream replaces such a head by a request for a path
//! that stands for the reason, so the answer is in JSON like every other; it discards the rest of the connection's
//! input.
//!
//! Clients that stop in the middle: the library waits without limit for the rest of a body, and for a client that does
//! not read its answer. Here a body that arrives too slowly ends as if the client had closed its half, and a
//! connection whose answer is not read is closed. Times and rates are those of [`super::pace`].
//!
//! Clients that are still sending when their connection is closed: if it is closed with unread bytes, the system
//! resets it, and a proxy or client that has not read the answer yet loses the answer. So the stream first reads and
//! discards the rest (RFC 9112 section 9.6).
//!
//! To find the heads, the stream follows the framing of requests ([`super::framing`]).

use super::{
    admission::Slot,
    connection::Connection,
    framing::{Framing, Phase},
    pace::{ANSWER_RATE, Alarm, Allowance, BODY_RATE, MAX_AGE, Patience},
};
use bytes::Buf;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_util::io::poll_read_buf;

/// The size of one read.
const READ_SIZE: usize = 8 * 1024;

/// Operations of a stream beyond reading and writing.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Makes the system discard data that the client has not read when the stream is dropped; otherwise the system
    /// keeps it for minutes.
    fn forget_unsent(&self);
}

/// A client's stream whose request heads the library can read.
pub(super) struct CheckedHeads<S> {
    inner: S,
    framing: Framing,
    connection: Connection,
    /// Whether the client has closed its half.
    half_closed: bool,
    /// Whether this side has closed its half.
    shut: bool,
    opened: Instant,
    patience: Patience,
    /// The time left for the client to send what the server waits for, and to read its answers.
    sending: Allowance,
    taking: Allowance,
    /// The deadline for the rest of a body that nobody reads.
    unread_until: Option<Instant>,
    alarm: Alarm,
    /// The slot that counts the connection until it is closed.
    _slot: Option<Slot>,
}

impl<S: Transport> CheckedHeads<S> {
    /// Wraps the stream of a new connection.
    pub(super) fn new(inner: S, patience: Patience, slot: Option<Slot>) -> Self {
        Self {
            inner,
            framing: Framing::default(),
            connection: Connection::default(),
            half_closed: false,
            shut: false,
            opened: Instant::now(),
            sending: Allowance::fixed(patience.head),
            taking: Allowance::earned(patience.stall, patience.stall, ANSWER_RATE),
            patience,
            unread_until: None,
            alarm: Alarm::default(),
            _slot: slot,
        }
    }

    /// The state that the requests of this connection share.
    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Whether all requests were answered.
    fn is_idle(&self) -> bool {
        self.connection.is_idle(self.framing.requests())
    }

    /// Passes on what can be passed on of the bytes that were read.
    fn advance(&mut self) {
        let place = |framing: &Framing| (framing.requests(), framing.phase());
        let before = place(&self.framing);
        let is_old = self.opened.elapsed() > MAX_AGE;
        let content = self.framing.advance(self.is_idle(), is_old);
        if place(&self.framing) != before {
            let Patience { head, idle, stall } = self.patience;
            self.unread_until = None;
            self.sending = match self.framing.phase() {
                Phase::Body => Allowance::earned(head, stall, BODY_RATE),
                Phase::Idle => Allowance::fixed(idle),
                Phase::Head | Phase::Closing | Phase::Ended => Allowance::fixed(head),
            };
        }
        self.sending.earn(content);
    }

    /// Whether the rest of an unread body takes too long. The library reads chunks to their end, however many there
    /// are.
    fn is_unread_for_too_long(&mut self) -> bool {
        if self.framing.phase() != Phase::Body || !self.connection.is_unread(self.framing.requests()) {
            return false;
        }
        let now = Instant::now();
        now >= *self.unread_until.get_or_insert(now + self.patience.head)
    }

    /// Whether the server has waited too long for a client that has sent nothing more.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let waits = match self.framing.phase() {
            Phase::Closing | Phase::Ended => false,
            // The library has a timer for this, but every wake-up resets it.
            Phase::Idle => self.is_idle(),
            Phase::Head | Phase::Body => true,
        };
        if !waits {
            return false;
        }
        let now = Instant::now();
        let deadline = self.sending.wait(now);
        let deadline = self.unread_until.map_or(deadline, |until| deadline.min(until));
        self.alarm.has_passed(deadline, now, cx)
    }

    /// Reads and discards the rest of the client's input until the client closes its half, for a bounded time. Does
    /// not wait for a client that has sent its last request completely.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.half_closed || matches!(self.framing.phase(), Phase::Idle | Phase::Head) {
            return Poll::Ready(());
        }
        loop {
            let now = Instant::now();
            let until = *self.unread_until.get_or_insert(now + self.patience.head);
            if self.alarm.has_passed(until, now, cx) {
                return Poll::Ready(());
            }
            let raw = self.framing.raw();
            raw.reserve(READ_SIZE);
            match poll_read_buf(Pin::new(&mut self.inner), cx, raw) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => self.framing.throw_away(),
                Poll::Pending if self.framing.may_send_on() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(()),
            }
        }
    }

    /// Counts the bytes of an answer that the client has read.
    fn counted<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Ok(done)) => {
                if self.taking.is_waiting() {
                    self.taking.resume(Instant::now());
                }
                self.taking.earn(bytes(&done));
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let now = Instant::now();
                let deadline = self.taking.wait(now);
                if !self.alarm.has_passed(deadline, now, cx) {
                    return Poll::Pending;
                }
                self.inner.forget_unsent();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S> Drop for CheckedHeads<S> {
    fn drop(&mut self) {
        self.connection.end();
    }
}

impl<S: Transport> AsyncRead for CheckedHeads<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let ready = this.framing.ready();
            if !ready.is_empty() {
                let passed = ready.len().min(buf.remaining());
                buf.put_slice(ready.get(..passed).unwrap_or_default());
                ready.advance(passed);
                return Poll::Ready(Ok(()));
            }
            if this.is_unread_for_too_long() {
                this.framing.end();
            }
            let waiting = this.framing.raw().len();
            match this.framing.phase() {
                Phase::Ended => return Poll::Ready(Ok(())),
                Phase::Idle if waiting > 0 && this.is_idle() => {
                    this.advance();
                    continue;
                }
                Phase::Idle if waiting > 0 => {
                    this.connection.wake_when_idle(cx);
                    // Continue to read, to notice that the client disconnects, but buffer no more than this.
                    if this.half_closed || waiting >= READ_SIZE {
                        return Poll::Pending;
                    }
                }
                // An incomplete head is not a request.
                _ if this.half_closed => this.framing.end(),
                _ => {}
            }
            if this.framing.phase() == Phase::Ended {
                continue;
            }
            let raw = this.framing.raw();
            raw.reserve(READ_SIZE);
            match poll_read_buf(Pin::new(&mut this.inner), cx, raw) {
                Poll::Ready(Ok(0)) => {
                    this.half_closed = true;
                    this.connection.end();
                }
                Poll::Ready(Ok(_)) => {
                    if this.sending.is_waiting() {
                        this.sending.resume(Instant::now());
                    }
                    this.advance();
                }
                Poll::Ready(Err(error)) => {
                    this.connection.end();
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if this.is_late(cx) => {
                    this.framing.give_up();
                    this.unread_until = Some(Instant::now());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S: Transport> AsyncWrite for CheckedHeads<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.counted(written, |bytes| *bytes, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        let flushed = this.counted(flushed, |()| 0, cx);
        if flushed.is_ready() && this.framing.phase() == Phase::Idle && this.is_idle() {
            // The wait for the next request begins here, whatever wakes the task up before it arrives.
            this.sending.wait(Instant::now());
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
            ready!(this.counted(shut, |()| 0, cx))?;
            this.shut = true;
        }
        this.poll_rest(cx).map(Ok)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.counted(written, |bytes| *bytes, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
