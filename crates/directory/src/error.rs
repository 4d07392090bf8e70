//! What can go wrong with the directory, and what each result code of 389-ds means to us
//! (RFC 4511 appendix A.1). Messages here are for the log; nothing of them reaches a client.

use ldap3::{LdapError, LdapResult};

/// What went wrong with the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No server can be reached, or it does not answer; nothing was done.
    #[error("the directory is out of reach")]
    Unreachable(#[source] Unreachable),
    /// The connection broke or fell silent while a write was under way: it may have been done or not,
    /// or in part.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no such entry.
    #[error("no such entry")]
    NotFound,
    /// There is an entry of this name already.
    #[error("the entry exists already")]
    Exists,
    /// A unique value belongs to another entry already.
    #[error("an address is taken")]
    NotUnique,
    /// The entry was written since it was read.
    #[error("the entry has changed meanwhile")]
    Stale,
    /// The password policy refuses the password.
    #[error("the password policy refuses the password: {0}")]
    PasswordRefused(PasswordRefusal),
    /// A value does not fit its attribute's syntax.
    #[error("a value was refused: {0}")]
    InvalidValue(String),
    /// A refusal that we do not expect: a server that is set up wrongly, or a mistake of ours.
    #[error("the directory refused an operation: result {code}, {diagnostic}")]
    Refused {
        /// The result code.
        code: u32,
        /// The server's words.
        diagnostic: String,
    },
    /// The library could not send an operation that we made.
    #[error("an operation could not be made")]
    Malformed(#[source] LdapError),
}

/// Why no server can be used right now.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Connecting or talking failed.
    #[error("connection failed")]
    Connection(#[source] LdapError),
    /// Connecting timed out a moment ago and is not tried again yet.
    #[error("the servers did not answer a moment ago")]
    Resting,
    /// The service account could not bind.
    #[error("the bind of the service account was refused: result {code}, {diagnostic}")]
    Bind {
        /// The result code.
        code: u32,
        /// The server's words.
        diagnostic: String,
    },
    /// All connections are in use for too long.
    #[error("no connection became free in time")]
    AllBusy,
    /// The server said that it is busy, unavailable, read-only or shutting down.
    #[error("the server does not serve: result {code}, {diagnostic}")]
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

impl DirectoryError {
    /// Whether the connection turned out to be closed, as after a restart of the server; not so after a
    /// time limit, since the next server would be as silent.
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

    /// The error of a later one of several writes: the ones before it are done.
    pub(crate) fn after_a_write(self) -> Self {
        match self {
            Self::Unreachable(error) => Self::OutcomeUnknown(Box::new(error)),
            other => other,
        }
    }
}

/// What an operation was about, where the meaning of a code depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write,
}

/// Turns a result into an error unless it is a success.
pub(crate) fn check(result: LdapResult) -> Result<(), DirectoryError> {
    match result.rc {
        0 => Ok(()),
        code => Err(meaning(code, result.text)),
    }
}

/// The meaning of a result code other than success.
fn meaning(code: u32, diagnostic: String) -> DirectoryError {
    match code {
        // noSuchObject
        32 => DirectoryError::NotFound,
        // entryAlreadyExists
        68 => DirectoryError::Exists,
        // noSuchAttribute: a modify deletes a value that is not there; attributeOrValueExists: it adds
        // one that is. Both say that the entry is not as it was read.
        16 | 20 => DirectoryError::Stale,
        // constraintViolation: uniqueness plug-in or password policy, told apart by their words.
        19 => constraint(diagnostic),
        // invalidAttributeSyntax
        21 => DirectoryError::InvalidValue(diagnostic),
        // timeLimitExceeded, adminLimitExceeded, busy, unavailable, unwillingToPerform (a server in
        // read-only mode or shutting down), operationsError (a back end that is being imported),
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
        LdapError::LdapResult { result } => meaning(result.rc, result.text),
        LdapError::FilterParsing | LdapError::AddNoValues | LdapError::UnknownScheme(_) => {
            DirectoryError::Malformed(error)
        }
        // The channel to the connection was closed already: nothing was sent.
        LdapError::OpSend { .. } => DirectoryError::Unreachable(Unreachable::Connection(error)),
        _ if operation == Operation::Write => DirectoryError::OutcomeUnknown(Box::new(error)),
        _ => DirectoryError::Unreachable(Unreachable::Connection(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
