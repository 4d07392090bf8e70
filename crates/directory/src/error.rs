//! Errors of the directory, and the meaning of each result code of 389-ds (RFC 4511 appendix A.1). These messages are
//! for the log; none of them reaches a client.

use crate::product::{completeness, result_code::said};
use ldap3::{LdapError, LdapResult};

/// The result code of an operation that the access rules do not allow (RFC 4511 appendix A.2).
pub(crate) const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;
/// The result code of the removal of an entry that has others below it (RFC 4511 appendix A.2).
pub(crate) const NOT_ALLOWED_ON_NON_LEAF: u32 = 66;

/// The result code of an operation on a back end that is out of service (RFC 4511 appendix A.2).
const OPERATIONS_ERROR: u32 = 1;

/// The result codes of binds for which [`Unreachable::advice`] has more to say (RFC 4511 appendix A.2).
const CONFIDENTIALITY_REQUIRED: u32 = 13;
const INVALID_CREDENTIALS: u32 = 49;

/// An error of the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No server can be reached, or none answers, or none accepts the account; nothing was done.
    #[error(
        "{}",
        if .0.is_of_account() { "the directory does not let this server in" } else { "the directory is out of reach" }
    )]
    Unreachable(#[source] Unreachable),
    /// The connection broke or fell silent during a write, which may have been made completely, in part, or not at
    /// all.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The entry does not exist.
    #[error("no such entry")]
    NotFound,
    /// An entry of this name exists already.
    #[error("the entry exists already")]
    Exists,
    /// A unique value belongs to another entry already.
    #[error("an address is taken")]
    NotUnique,
    /// The entry has changed since it was read.
    #[error("the entry has changed since it was read")]
    Stale,
    /// The password policy refuses the password.
    #[error("the password policy refuses the password: {0}")]
    PasswordRefused(PasswordRefusal),
    /// A value does not conform to the syntax of its attribute.
    #[error("a value was refused: {0}")]
    InvalidValue(String),
    /// The server returned an entry that can't be written as LDIF.
    #[error("the entry {dn} cannot be read: {reason}")]
    Unreadable {
        /// The DN, as the server spells it.
        dn: String,
        /// The reason.
        reason: String,
    },
    /// The server could not lock an entry that a change needs, in any of several tries, although the entry exists.
    #[error(
        "389-ds could not use an entry that exists ({}): there are too many changes in one folder at once, or an \
         access rule is missing (run pbm check)",
        said(*code, "")
    )]
    Crowded {
        /// The result code of the last try.
        code: u32,
    },
    /// An unexpected refusal: the server is misconfigured, or pbm has a bug.
    #[error("the directory refused an operation: {}", said(*code, diagnostic))]
    Refused {
        /// The result code.
        code: u32,
        /// The server's words.
        diagnostic: String,
    },
    /// The library could not send the operation.
    #[error("an operation could not be sent")]
    Malformed(#[source] LdapError),
}

/// Why no server can be used right now.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Connecting or exchanging messages failed.
    #[error("connection failed")]
    Connection(#[source] LdapError),
    /// The servers accept connections, or at least nothing refuses them, but none answers.
    #[error("the server hangs: it has answered nothing for seconds")]
    Hangs,
    /// A restore of everything was not finished, so the server lacks entries.
    #[error("a restore by --replace-all is under way or was not finished, and the server lacks entries")]
    Incomplete,
    /// Another request found out a moment ago that no server can be used.
    #[error("no server could be used a moment ago")]
    FoundOut,
    /// The server refused the bind of pbm's account.
    #[error("the account is refused: {}", said(*code, diagnostic))]
    Bind {
        /// The result code.
        code: u32,
        /// The server's words.
        diagnostic: String,
    },
    /// The server accepted the bind of pbm's account, but does nothing for it until the password is changed.
    #[error("the server does nothing for the account until its password is changed")]
    PasswordExpired,
    /// All connections have been in use for too long.
    #[error("no connection became free in time")]
    AllBusy,
    /// The server takes no writes, and refuses each one before it begins.
    #[error(
        "the server takes no writes ({0}): wait for the end of its task (cn=tasks,cn=config), set nsslapd-readonly off, or \
         check whether its disk is full; then run this again"
    )]
    ReadOnly(String),
    /// The server said that it is busy, unavailable or shutting down.
    #[error("the server does not process requests: {}", said(*code, diagnostic))]
    Declined {
        /// The result code.
        code: u32,
        /// The server's words.
        diagnostic: String,
    },
}

/// Which rule of the password policy a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Too short.
    #[error("is too short")]
    TooShort,
    /// Used before.
    #[error("was used before")]
    InHistory,
    /// Changed too recently.
    #[error("was changed too recently")]
    TooYoung,
    /// Anything else: too few kinds of characters, a word of the entry, a scheme prefix.
    #[error("is too simple for the password policy")]
    Syntax,
}

impl Unreachable {
    /// Whether the cause is the account that pbm binds as; waiting does not change that.
    #[must_use]
    pub const fn is_of_account(&self) -> bool {
        matches!(self, Self::Bind { .. } | Self::PasswordExpired)
    }

    /// What an operator can do, if that is more than the error itself says.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Bind { code: CONFIDENTIALITY_REQUIRED, .. } => {
                Some("the server wants a secure connection: use ldaps:// or ldap.start_tls = true")
            }
            Self::Bind { code: INVALID_CREDENTIALS, .. } => Some(
                "there may be no such account yet, its DN or password is wrong, or a password policy has let the password expire: check \
                 tree.root, and the DN and the password of the account in the configuration, or run pbm init, which makes the account, sets \
                 the password and gives the account a policy without expiry",
            ),
            Self::Bind { .. } => Some(
                "the account is locked, or a password policy keeps it out: remove nsAccountLock where it is set, and run pbm init, \
                 which sets the password and gives the account a policy of its own",
            ),
            Self::PasswordExpired => Some(
                "a password policy wants it changed (passwordMustChange, passwordExp): run pbm init, which sets it and gives the \
                 account a policy without expiry",
            ),
            Self::Hangs => Some("see OPERATIONS.md, A directory that hangs"),
            Self::Incomplete => Some(completeness::ADVICE),
            Self::Connection(_) => Some(
                "is the server running, are host and port right, and does ldap.ca_file sign its certificate?",
            ),
            Self::FoundOut | Self::AllBusy | Self::ReadOnly(_) | Self::Declined { .. } => None,
        }
    }
}

impl DirectoryError {
    /// Whether the server was found to hang.
    #[must_use]
    pub fn is_hang(&self) -> bool {
        matches!(self, Self::Unreachable(Unreachable::Hangs))
    }

    /// Whether the back end is out of service, as during an import or after one that was interrupted.
    #[must_use]
    pub const fn is_of_back_end(&self) -> bool {
        matches!(self, Self::Unreachable(Unreachable::Declined { code: OPERATIONS_ERROR, .. }))
    }

    /// Whether the connection turned out to be closed, as after a restart of the server. A time limit does not count,
    /// since the next server would be just as silent.
    pub(crate) fn is_broken_connection(&self) -> bool {
        let Self::Unreachable(Unreachable::Connection(error)) = self else { return false };
        matches!(
            error,
            LdapError::EndOfStream
                | LdapError::OpSend { .. }
                | LdapError::ResultRecv { .. }
                | LdapError::IdScrubSend { .. }
        )
    }

    /// The error of a later one of several writes; the writes before it are done.
    pub(crate) fn after_a_write(self) -> Self {
        match self {
            Self::Unreachable(error) => Self::OutcomeUnknown(Box::new(error)),
            error @ Self::Crowded { .. } => Self::OutcomeUnknown(Box::new(error)),
            other => other,
        }
    }
}

/// The subject of an operation, if the meaning of a result code depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write,
}

/// Turns a result into an error unless it is a success.
pub(crate) fn check(result: LdapResult) -> Result<(), DirectoryError> {
    match result.rc {
        0 => Ok(()),
        code => Err(meaning(code, trimmed(result.text))),
    }
}

/// The server's message as it is shown: 389-ds ends some messages with a line break.
pub(crate) fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text
}

/// The meaning of a result code other than success.
fn meaning(code: u32, diagnostic: String) -> DirectoryError {
    match code {
        // noSuchObject
        32 => DirectoryError::NotFound,
        // entryAlreadyExists
        68 => DirectoryError::Exists,
        // noSuchAttribute: a modify deletes a value that does not exist; attributeOrValueExists: it adds one that
        // does. Both mean that the entry has changed since it was read.
        16 | 20 => DirectoryError::Stale,
        // constraintViolation: by the uniqueness plug-in or the password policy; their messages tell which.
        19 => constraint(diagnostic),
        // invalidAttributeSyntax
        21 => DirectoryError::InvalidValue(diagnostic),
        // unwillingToPerform: "database is read-only", "Server is read-only".
        53 if diagnostic.to_ascii_lowercase().contains("read-only") => {
            DirectoryError::Unreachable(Unreachable::ReadOnly(diagnostic))
        }
        // timeLimitExceeded, adminLimitExceeded, busy, unavailable, unwillingToPerform (a server that is
        // shutting down), operationsError (a back end that is being imported),
        // referral (a read-only consumer points to its supplier)
        3 | 11 | 51 | 52 | 53 | 1 | 10 => {
            DirectoryError::Unreachable(Unreachable::Declined { code, diagnostic })
        }
        _ => DirectoryError::Refused { code, diagnostic },
    }
}

fn constraint(diagnostic: String) -> DirectoryError {
    let words = diagnostic.to_ascii_lowercase();
    if words.contains("already exists") {
        return DirectoryError::NotUnique;
    }
    let refusal = if words.contains("history") {
        PasswordRefusal::InHistory
    } else if words.contains("within password minimum age") {
        PasswordRefusal::TooYoung
    } else if words.contains("at least") && words.contains("characters long") {
        PasswordRefusal::TooShort
    } else if words.contains("password") {
        PasswordRefusal::Syntax
    } else {
        return DirectoryError::Refused { code: 19, diagnostic };
    };
    DirectoryError::PasswordRefused(refusal)
}

/// The meaning of an error of the library.
pub(crate) fn broken(operation: Operation, error: LdapError) -> DirectoryError {
    match error {
        LdapError::LdapResult { result } => meaning(result.rc, trimmed(result.text)),
        LdapError::FilterParsing | LdapError::AddNoValues | LdapError::UnknownScheme(_) => {
            DirectoryError::Malformed(error)
        }
        // The channel to the connection was already closed, so nothing was sent.
        LdapError::OpSend { .. } => DirectoryError::Unreachable(Unreachable::Connection(error)),
        _ if operation == Operation::Write => DirectoryError::OutcomeUnknown(Box::new(error)),
        _ => DirectoryError::Unreachable(Unreachable::Connection(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn a_uniqueness_clash_and_a_password_policy_are_told_apart() {
        let uniqueness = "Another entry with the same attribute value already exists (attribute: \"mail\")";
        assert!(matches!(meaning(19, uniqueness.into()), DirectoryError::NotUnique));
        for (words, refusal) in [
            (
                "invalid password syntax - password must be at least 8 characters long",
                PasswordRefusal::TooShort,
            ),
            ("password in history", PasswordRefusal::InHistory),
            ("within password minimum age", PasswordRefusal::TooYoung),
            ("invalid password syntax - password based off of user entry", PasswordRefusal::Syntax),
        ] {
            let error = meaning(19, words.into());
            assert!(matches!(error, DirectoryError::PasswordRefused(r) if r == refusal), "{words}: {error}");
        }
        assert!(matches!(meaning(19, "else".into()), DirectoryError::Refused { code: 19, .. }));
    }

    #[test]
    fn a_server_that_does_not_serve_is_out_of_reach() {
        for code in [1, 3, 10, 11, 51, 52, 53] {
            assert!(matches!(meaning(code, String::new()), DirectoryError::Unreachable(_)), "{code}");
        }
    }

    #[test]
    fn a_server_that_takes_no_writes_is_told_from_one_that_refuses() {
        for words in ["database is read-only", "Server is read-only"] {
            let error = meaning(53, words.into());
            assert!(
                matches!(&error, DirectoryError::Unreachable(Unreachable::ReadOnly(told)) if told == words),
                "{error:?}"
            );
        }
        for (code, words) in [(53, "shutting down"), (51, "database is read-only")] {
            let error = meaning(code, words.into());
            assert!(matches!(&error, DirectoryError::Unreachable(Unreachable::Declined { .. })), "{error:?}");
        }
    }

    #[test]
    fn what_an_account_is_refused_for_is_said_with_what_to_do() {
        for code in [13, 19, 48, 49, 53] {
            let refused = Unreachable::Bind { code, diagnostic: String::new() };
            assert!(refused.is_of_account() && refused.advice().is_some(), "{code}");
            assert!(refused.to_string().ends_with(&format!("({code})")), "{refused}");
        }
        assert!(Unreachable::PasswordExpired.is_of_account() && !Unreachable::AllBusy.is_of_account());
        assert_eq!(
            meaning(53, String::new()).source().map(ToString::to_string).as_deref(),
            Some("the server does not process requests: unwillingToPerform (53)")
        );
        assert!(meaning(50, String::new()).to_string().ends_with("insufficientAccessRights (50)"));
    }

    #[test]
    fn no_code_is_taken_for_success() {
        for code in 1..=123 {
            let result = LdapResult {
                rc: code,
                matched: String::new(),
                text: String::new(),
                refs: vec![],
                ctrls: vec![],
            };
            assert!(check(result).is_err(), "{code}");
        }
    }
}
