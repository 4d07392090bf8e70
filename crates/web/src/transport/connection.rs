//! The state that a connection's requests share with its stream, which sees only bytes: whether a request is being
//! answered, whether the rest of a body is still needed, and whether the client has disconnected.

use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    error::PayloadError,
    web::{Bytes, Payload},
};
use futures_util::Stream;
use std::{
    cell::Cell,
    error::Error,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use tokio_util::sync::CancellationToken;

/// The shared state of a connection. The library starts requests in the order of their heads, so requests and stream
/// have the same numbering.
#[derive(Clone, Default)]
pub struct Connection(Rc<Counts>);

#[derive(Default)]
struct Counts {
    /// Requests that were begun.
    begun: Cell<u64>,
    /// Requests whose answer is not complete.
    under_way: Cell<u32>,
    /// The number of the last request whose body nobody reads any more.
    unread: Cell<u64>,
    /// The task that waits for the end of an answer.
    waiting: Cell<Option<Waker>>,
    departure: Departure,
}

/// Signals that the client has closed its half of the connection. The library still answers such clients, so a handler
/// continues when nobody is there; a handler whose work is long and can be aborted should watch this.
#[derive(Clone, Debug, Default)]
pub struct Departure(CancellationToken);

impl Departure {
    /// Waits until the client has closed its half of the connection, or the whole connection.
    pub async fn happened(&self) {
        self.0.cancelled().await;
    }
}

impl Connection {
    /// Begins a request and returns its guard.
    #[must_use]
    pub fn begin(request: &HttpRequest) -> Answering {
        let connection = request.conn_data::<Self>().cloned().unwrap_or_default();
        let Counts { begun, under_way, .. } = &*connection.0;
        begun.set(begun.get() + 1);
        under_way.set(under_way.get() + 1);
        Answering { number: begun.get(), connection }
    }

    /// Whether this number of requests were begun, and all of them were answered.
    pub(super) fn is_idle(&self, requests: u64) -> bool {
        self.0.begun.get() == requests && self.0.under_way.get() == 0
    }

    /// Wakes the task when a request has been answered.
    pub(super) fn wake_when_idle(&self, cx: &Context<'_>) {
        self.0.waiting.set(Some(cx.waker().clone()));
    }

    /// Records that the client has closed its half of the connection, or the whole connection.
    pub(super) fn end(&self) {
        self.0.departure.0.cancel();
    }

    /// The signal that the client disconnects.
    pub(super) fn departure(&self) -> Departure {
        self.0.departure.clone()
    }

    /// Whether nobody reads the body of a request; requests are numbered from 1.
    pub(super) fn is_unread(&self, request: u64) -> bool {
        self.0.unread.get() >= request
    }
}

#[cfg(test)]
impl Connection {
    /// Records that this number of requests have been answered.
    pub(super) fn answer(&self, requests: u64) {
        self.0.begun.set(requests);
    }

    /// Records that nobody reads the body of a request.
    pub(super) fn leave_unread(&self, request: u64) {
        self.0.unread.set(request);
    }
}

/// A request that is being answered; it counts until this is dropped.
pub struct Answering {
    connection: Connection,
    number: u64,
}

impl Answering {
    /// The body of the request.
    #[must_use]
    pub fn body(&self, payload: Payload) -> RequestBody {
        RequestBody { payload, connection: self.connection.clone(), number: self.number, has_ended: false }
    }

    /// Keeps the request in progress until its answer has been written, for streamed answers too.
    #[must_use]
    pub fn until_the_end_of(self, answer: BoxBody) -> BoxBody {
        match answer.size() {
            BodySize::Stream => BoxBody::new(AnswerBody { body: answer, _answering: self }),
            BodySize::None | BodySize::Sized(_) => answer,
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Counts { under_way, waiting, .. } = &*self.connection.0;
        under_way.set(under_way.get().saturating_sub(1));
        if let Some(waiting) = waiting.take() {
            waiting.wake();
        }
    }
}

struct AnswerBody {
    body: BoxBody,
    _answering: Answering,
}

impl MessageBody for AnswerBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

/// The body of a request, read while it arrives. If it is dropped before its end, the connection waits only a short
/// while for the rest.
pub struct RequestBody {
    payload: Payload,
    connection: Connection,
    /// The number of the request, from 1.
    number: u64,
    has_ended: bool,
}

impl RequestBody {
    /// The signal that the client disconnects.
    #[must_use]
    pub fn departure(&self) -> Departure {
        self.connection.departure()
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.payload).poll_next(cx);
        if matches!(next, Poll::Ready(None)) {
            self.has_ended = true;
        }
        next
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.has_ended {
            let unread = &self.connection.0.unread;
            unread.set(unread.get().max(self.number));
        }
    }
}
