//! What the requests of a connection and the stream below them, which sees bytes alone, tell each other: whether a request
//! is being answered, whether the rest of a body is of any use, and whether the client has gone away.

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

/// A connection, as its requests and its stream share it. The library has its requests come in the order of their heads,
/// so both count them alike.
#[derive(Clone, Default)]
pub struct Connection(Rc<Counts>);

#[derive(Default)]
struct Counts {
    /// Requests that were begun.
    begun: Cell<u64>,
    /// Requests that are not answered to their end.
    under_way: Cell<u32>,
    /// The last request whose body nobody reads any more.
    unread: Cell<u64>,
    /// Waits for the end of an answer.
    waiting: Cell<Option<Waker>>,
    departure: Departure,
}

/// Tells of the end of what a client sends on a connection. The library answers clients that have closed their half of it, so a
/// handler runs on when nobody is there; one whose work is long and can be given up asks here.
#[derive(Clone, Debug, Default)]
pub struct Departure(CancellationToken);

impl Departure {
    /// Waits until the client has closed its half of the connection, or all of it.
    pub async fn happened(&self) {
        self.0.cancelled().await;
    }
}

impl Connection {
    /// The connection of a request that begins.
    #[must_use]
    pub fn begin(request: &HttpRequest) -> Answering {
        let connection = request.conn_data::<Self>().cloned().unwrap_or_default();
        let Counts { begun, under_way, .. } = &*connection.0;
        begun.set(begun.get() + 1);
        under_way.set(under_way.get() + 1);
        Answering { number: begun.get(), connection }
    }

    /// Whether that many requests were begun, and all of them answered.
    pub(super) fn is_idle(&self, requests: u64) -> bool {
        self.0.begun.get() == requests && self.0.under_way.get() == 0
    }

    /// Has the task woken when a request has been answered.
    pub(super) fn wake_when_idle(&self, cx: &Context<'_>) {
        self.0.waiting.set(Some(cx.waker().clone()));
    }

    /// The client has closed its half of the connection, or all of it.
    pub(super) fn end(&self) {
        self.0.departure.0.cancel();
    }

    /// Tells when the client goes away.
    pub(super) fn departure(&self) -> Departure {
        self.0.departure.clone()
    }

    /// Whether nobody reads the body of a request, by its number from 1.
    pub(super) fn is_unread(&self, request: u64) -> bool {
        self.0.unread.get() >= request
    }
}

#[cfg(test)]
impl Connection {
    /// As many requests have been answered.
    pub(super) fn answer(&self, requests: u64) {
        self.0.begun.set(requests);
    }

    /// Nobody reads the body of a request.
    pub(super) fn leave_unread(&self, request: u64) {
        self.0.unread.set(request);
    }
}

/// A request that is being answered, until this is dropped.
pub struct Answering {
    connection: Connection,
    number: u64,
}

impl Answering {
    /// Its body.
    #[must_use]
    pub fn body(&self, payload: Payload) -> RequestBody {
        RequestBody { payload, connection: self.connection.clone(), number: self.number, has_ended: false }
    }

    /// Has the request go on until its answer has been written, where that is written bit by bit.
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

/// The body of a request, read while it comes. Dropped before its end, it has the connection wait for the rest of it
/// only a short while.
pub struct RequestBody {
    payload: Payload,
    connection: Connection,
    /// The request's, from 1.
    number: u64,
    has_ended: bool,
}

impl RequestBody {
    /// Tells when the client goes away.
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
