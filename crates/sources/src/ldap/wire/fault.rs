//! Why a connection was ended.

use std::{io, time::Duration};

/// What was received is not an answer of an LDAP server, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer is not LDAP: {0}")]
pub struct NotLdap(pub(super) &'static str);

/// Why a connection could not be made, or was ended.
#[derive(Debug, thiserror::Error)]
pub(in crate::ldap) enum Fault {
    /// An answer that the protocol does not allow.
    #[error(transparent)]
    NotLdap(#[from] NotLdap),
    /// An answer that has more bytes than this.
    #[error(
        "the server's answer is larger than {} MiB: leave very large groups or entries out by the filter",
        .0 >> 20
    )]
    TooLarge(usize),
    /// The server refused `StartTLS`, with its text and code.
    #[error("it refused StartTLS: {text} ({code})")]
    NoStartTls {
        /// The server's text.
        text: String,
        /// The result code.
        code: u32,
    },
    /// The server announced that it ends the connection (RFC 4511 section 4.4.1).
    #[error("the server ended the connection: {0}")]
    Disconnected(String),
    /// The connection ended within an answer, or where there should be one.
    #[error("the connection ended before the answer did")]
    Ended,
    /// The server did not answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The host has no address.
    #[error("the host has no address")]
    NoAddress,
    /// The name of the host cannot be checked against a certificate.
    #[error("a certificate cannot be for this name of a host")]
    NoServerName,
    /// Everything else that happens to connections.
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Ended,
            _ => Self::Io(error),
        }
    }
}
