//! What passes between the server and the library: every answer is read whole and checked, and passed on only if it
//! belongs to the request in progress. There is one request at a time.

use super::{
    fault::{Fault, NotLdap},
    frame,
    message::{self, Message, Operation},
    window::Window,
};
use crate::ldap::shown::shown;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

/// The tag of a bind.
const BIND: u8 = 0x60;
/// The tag of a search.
const SEARCH: u8 = 0x63;

/// What a relay and those who read its answers know of each other.
#[derive(Debug)]
pub(in crate::ldap) struct Shared {
    /// The number and the tag of the request that has not been answered to its end.
    request: Mutex<Option<(u32, u8)>>,
    window: Window,
    fault: OnceLock<Fault>,
}

impl Shared {
    /// Of a relay that has not begun.
    pub(super) fn new() -> Self {
        Self { request: Mutex::default(), window: Window::new(), fault: OnceLock::new() }
    }

    /// Tells that an answer of a search was read, so that others can follow.
    pub(in crate::ldap) fn read_one(&self) {
        self.window.read_one();
    }

    /// Why the connection has ended.
    pub(in crate::ldap) fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    fn request(&self) -> MutexGuard<'_, Option<(u32, u8)>> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins; what waits of the one before is not wanted.
    fn begin(&self, request: Option<(u32, u8)>) {
        *self.request() = request;
        self.window.clear();
    }

    /// Whether a message answers the request in progress. Others, such as the rest of a search that was given up, are not
    /// passed on.
    fn is_wanted(&self, message: &Message<'_>) -> Result<bool, NotLdap> {
        let mut request = self.request();
        let Some((_, tag)) = request.filter(|(id, _)| *id == message.id) else { return Ok(false) };
        let is_last = match (tag, message.operation) {
            (BIND, Operation::BindResponse) | (SEARCH, Operation::SearchDone) => true,
            (SEARCH, Operation::SearchEntry | Operation::SearchReference | Operation::Intermediate) => false,
            _ => return Err(NotLdap("it answers a request of another kind")),
        };
        if is_last {
            *request = None;
        }
        Ok(true)
    }
}

/// Passes messages on in both directions, until one of both sides ends. The library sees the end of the connection only
/// after the reason is known.
pub(super) async fn relay(server: impl AsyncRead + AsyncWrite, mut library: UnixStream, shared: &Shared) {
    let (from_server, mut to_server) = tokio::io::split(server);
    let (mut from_library, mut to_library) = library.split();
    let mut from_server = BufReader::new(from_server);
    let ended = tokio::select! {
        ended = answers(&mut from_server, &mut to_library, shared) => ended,
        ended = requests(&mut from_library, &mut to_server, shared) => ended,
    };
    if let Err(fault) = ended {
        tracing::debug!(error = &fault as &dyn std::error::Error, "source.connection.ended");
        // It is set once, here.
        let _ = shared.fault.set(fault);
    }
}

async fn answers(
    server: &mut (impl AsyncRead + Unpin),
    library: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> Result<(), Fault> {
    loop {
        let bytes = frame::read(server).await?;
        let message = Message::parse(&bytes)?;
        check_notice(&message)?;
        let Some(room) = shared.window.room(bytes.len(), message.elements).await else { return Ok(()) };
        if shared.is_wanted(&message)? {
            shared.window.keep(room);
            library.write_all(&bytes).await?;
        }
    }
}

/// A notice of disconnection (RFC 4511 section 4.4.1) is the only message that answers nothing.
pub(super) fn check_notice(message: &Message<'_>) -> Result<(), Fault> {
    if message.id != 0 || message.operation != Operation::ExtendedResponse {
        return Ok(());
    }
    let (code, text) = message.result();
    Err(Fault::Disconnected(format!("{} ({code})", shown(&text))))
}

async fn requests(
    library: &mut (impl AsyncRead + Unpin),
    server: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> Result<(), Fault> {
    loop {
        let bytes = frame::read(library).await?;
        // The answer cannot come before the request is known.
        shared.begin(message::request(&bytes));
        server.write_all(&bytes).await?;
        server.flush().await?;
    }
}
