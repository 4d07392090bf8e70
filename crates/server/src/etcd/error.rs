//! What can go wrong with etcd.

/// What can go wrong with etcd. No message contains a value of a key.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// No connection, no TLS, or no answer in time.
    #[error("no answer")]
    Unreachable(#[source] Box<ureq::Error>),
    /// The answer ended early.
    #[error("the answer ended early")]
    Interrupted(#[source] std::io::Error),
    /// The name or the password is wrong.
    #[error("it refuses the name or the password: check etcd.username and etcd.password_file")]
    LogIn,
    /// It wants a login, and none is configured.
    #[error("it wants a login: set etcd.username and etcd.password_file")]
    NeedsLogIn,
    /// Authentication is turned off, so there are no tokens.
    #[error("authentication is turned off")]
    NoAuthentication,
    /// The token is not, or no longer, valid.
    #[error("it refuses the token")]
    Token,
    /// The account may read nothing.
    #[error("the account may not read pbm/, psn/… and services/…: grant it a role that may")]
    Denied,
    /// The wanted revision has been compacted.
    #[error("the revision has been compacted")]
    Compacted,
    /// A range has more keys than pbm reads.
    #[error("there are more than {most} keys below {prefix}")]
    TooMany {
        /// The largest number.
        most: usize,
        /// The range.
        prefix: String,
    },
    /// Another error that etcd reports, such as a lost leader.
    #[error("it answers {message:?}")]
    Refused {
        /// Its message.
        message: String,
    },
    /// Not an answer of etcd.
    #[error("the answer is not one of etcd's JSON gateway (3.4 or newer)")]
    Malformed(#[source] Option<serde_json::Error>),
}

impl EtcdError {
    /// The error for a message of etcd. The gateway of 3.4 answers 400 to nearly everything, so only the text tells the
    /// errors apart.
    pub(super) fn of_message(message: &str) -> Self {
        let has = |part: &str| message.contains(part);
        if has("invalid auth token") || has("auth store is old") {
            Self::Token
        } else if has("user name is empty") {
            Self::NeedsLogIn
        } else if has("authentication is not enabled") {
            Self::NoAuthentication
        } else if has("authentication failed") {
            Self::LogIn
        } else if has("permission denied") {
            Self::Denied
        } else if has("has been compacted") {
            Self::Compacted
        } else {
            Self::Refused { message: message.chars().take(200).collect() }
        }
    }

    /// Whether waiting does not help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::LogIn | Self::NeedsLogIn | Self::Denied | Self::TooMany { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_etcd_are_told_apart() {
        type Check = fn(&EtcdError) -> bool;
        let cases: [(&str, Check); 6] = [
            ("etcdserver: invalid auth token", |error| matches!(error, EtcdError::Token)),
            ("rpc error: code = PermissionDenied desc = etcdserver: permission denied", |error| {
                matches!(error, EtcdError::Denied)
            }),
            ("etcdserver: user name is empty", |error| matches!(error, EtcdError::NeedsLogIn)),
            ("etcdserver: authentication failed, invalid user ID or password", |error| {
                matches!(error, EtcdError::LogIn)
            }),
            ("etcdserver: mvcc: required revision has been compacted", |error| {
                matches!(error, EtcdError::Compacted)
            }),
            ("etcdserver: no leader", |error| matches!(error, EtcdError::Refused { .. })),
        ];
        for (message, is_right) in cases {
            assert!(is_right(&EtcdError::of_message(message)), "{message}");
        }
    }
}
