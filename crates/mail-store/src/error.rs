//! What Dovecot did instead of a command.

use crate::message_id::MAX_MESSAGE_ID;
use std::{error::Error, time::Duration};

/// The largest answer, in bytes: some 10,000 messages whose Message-ID contains the searched one. More are refused.
/// Several answers are in memory at a time, and each is read whole before it is parsed.
pub const MAX_ANSWER: u64 = 2 << 20;

// A row of an answer has an identifier, a folder and some thirty characters more.
const _: () = assert!(MAX_ANSWER > 1000 * (MAX_MESSAGE_ID as u64 + 1000));

/// Why a command was not done, or is not known to be done. No message contains a password or a part of the answer.
#[derive(Debug, thiserror::Error)]
pub enum DoveadmError {
    /// No connection to the server; nothing was done.
    #[error("the mail server cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// No complete answer in time. The command may or may not have been done.
    #[error("the mail server did not answer within {} s", .0.as_secs_f32())]
    Slow(Duration),
    /// The connection ended before the answer was complete. The command may or may not have been done.
    #[error("the mail server ended the connection before its answer was complete")]
    Cut(#[source] Box<dyn Error + Send + Sync>),
    /// The server does not accept pbm's login.
    #[error("the mail server refuses pbm's login (doveadm.login, doveadm.password)")]
    LogIn,
    /// An HTTP status that doveadm does not give to a valid command.
    #[error("the mail server answered with the HTTP status {0}")]
    Status(u16),
    /// A body that no doveadm sends.
    #[error("the mail server sent something else than an answer of doveadm; is doveadm.url right?")]
    Foreign,
    /// More bytes than [`MAX_ANSWER`], or too many rows.
    #[error("the answer of the mail server is too large: too many messages resemble this one")]
    TooLarge,
    /// The mail server does not know the user.
    #[error("the mail server does not know this user")]
    NoUser,
    /// The command ended with another exit code than 0.
    #[error("doveadm failed with the exit code {code}: {}", meaning(*code))]
    Exit {
        /// The exit code.
        code: i64,
    },
    /// The HTTP API refused the command before it ran.
    #[error("doveadm does not run the command: {0}")]
    Refused(&'static str),
    /// The message is still there after every attempt.
    #[error("the message is still there although the mail server reported its removal")]
    StillThere,
}

impl DoveadmError {
    /// Whether other users would get the same error: the server is away, slow or wrongly configured.
    #[must_use]
    pub fn is_of_server(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Slow(_)
            | Self::LogIn
            | Self::Status(_)
            | Self::Foreign
            | Self::Refused(_) => true,
            Self::Cut(_) | Self::TooLarge | Self::NoUser | Self::Exit { .. } | Self::StillThere => false,
        }
    }
}

/// The exit codes of `sysexits.h` and of doveadm (`doveadm.h`).
fn meaning(code: i64) -> &'static str {
    match code {
        2 => "the mailbox changed meanwhile",
        64 => "wrong usage",
        65 => "wrong data, or a mailbox that cannot be read",
        68 => "no such mailbox",
        73 => "the box is full, or the file cannot be created",
        75 => "a temporary failure",
        77 => "no permission",
        78 => "Dovecot is configured wrongly",
        _ => "see the log of Dovecot",
    }
}
