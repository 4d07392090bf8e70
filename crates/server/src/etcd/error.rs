//! What can go wrong with etcd.

use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
use visible_text::Visible;

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
    /// The account may not read these prefixes.
    #[error("the account may not read {}: grant it a role that may", named(.0))]
    Denied(Vec<String>),
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
    /// Not JSON: the answer of a proxy, or of another server.
    #[error("the answer is not one of etcd's JSON gateway (3.4 or newer); it begins: {beginning}")]
    NotJson {
        /// Its first line, made visible and shortened.
        beginning: String,
    },
    /// The gateway takes no requests with authentication from clients whose certificate has a CN.
    #[error(
        "with authentication, etcd's gateway refuses a client certificate that has a CN: set etcd.client_certificate to one \
         without a CN"
    )]
    CommonName,
    /// It wants a certificate, and none is configured.
    #[error("etcd asks for a client certificate: set etcd.client_certificate and etcd.client_key")]
    NeedsCertificate(#[source] Box<ureq::Error>),
    /// The connection was closed during or after the TLS handshake, and no certificate is configured.
    #[error(
        "the connection was closed; if etcd asks for a client certificate, set etcd.client_certificate and etcd.client_key"
    )]
    MayNeedCertificate(#[source] Box<ureq::Error>),
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
            Self::Denied(Vec::new())
        } else if has("has been compacted") {
            Self::Compacted
        } else {
            Self::Refused { message: message.chars().take(200).collect() }
        }
    }

    /// The error for an answer that is no JSON object. Only JSON holds values, so its first line may be repeated.
    pub(super) fn of_other_text(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        if text.contains("CommonName of client") {
            return Self::CommonName;
        }
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Self::NotJson { beginning: Visible(line).to_string() }
    }

    /// The error for a request without an answer. `lacks_certificate`: by TLS, and without a certificate of pbm.
    pub(super) fn of_connection(error: ureq::Error, lacks_certificate: bool) -> Self {
        let error = Box::new(error);
        match asks_for_certificate(&error) {
            Asks::Yes if lacks_certificate => Self::NeedsCertificate(error),
            Asks::Perhaps if lacks_certificate => Self::MayNeedCertificate(error),
            _ => Self::Unreachable(error),
        }
    }

    /// Whether waiting does not help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::LogIn
                | Self::NeedsLogIn
                | Self::Denied(_)
                | Self::TooMany { .. }
                | Self::CommonName
                | Self::NeedsCertificate(_)
        )
    }
}

/// Whether a server wants a certificate of the client.
enum Asks {
    Yes,
    /// With TLS 1.3, a server refuses a client after the handshake, and the client may only see that the connection is
    /// closed.
    Perhaps,
    No,
}

fn asks_for_certificate(error: &ureq::Error) -> Asks {
    use rustls::AlertDescription::{BadCertificate, CertificateRequired};
    let is_alert = |error: &rustls::Error| {
        matches!(error, rustls::Error::AlertReceived(BadCertificate | CertificateRequired))
    };
    let of_io = |error: &std::io::Error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match error.kind() {
            _ if inner.is_some_and(is_alert) => Asks::Yes,
            BrokenPipe | ConnectionReset | ConnectionAborted | UnexpectedEof => Asks::Perhaps,
            _ => Asks::No,
        }
    };
    match error {
        ureq::Error::Rustls(error) if is_alert(error) => Asks::Yes,
        ureq::Error::Io(error) => of_io(error),
        _ => Asks::No,
    }
}

fn named(prefixes: &[String]) -> String {
    if prefixes.is_empty() { "what pbm watches".to_owned() } else { prefixes.join(", ") }
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
                matches!(error, EtcdError::Denied(_))
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

    #[test]
    fn an_answer_that_is_not_json_is_quoted() {
        let message = |body: &[u8]| EtcdError::of_other_text(body).to_string();
        let html = message(b"\n <html>\x1b[1m\n<title>secret</title>");
        assert!(html.contains("(3.4 or newer); it begins: ") && html.contains("<html>"), "{html}");
        assert!(!html.contains('\u{1b}') && !html.contains("secret"), "{html}");
        assert!(message(&[b'x'; 9999]).chars().count() < 250);
        let common_name = b"CommonName of client sending a request against gateway will be ignored and not used as expected\n";
        assert!(matches!(EtcdError::of_other_text(common_name), EtcdError::CommonName));
    }

    #[test]
    fn a_server_that_wants_a_certificate_is_recognised() {
        use rustls::AlertDescription::{BadCertificate, CertificateRequired, HandshakeFailure};
        let io = |kind: std::io::ErrorKind| ureq::Error::Io(kind.into());
        let alert = |alert| {
            let error = rustls::Error::AlertReceived(alert);
            ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error))
        };
        for wanted in [alert(BadCertificate), alert(CertificateRequired)] {
            assert!(matches!(EtcdError::of_connection(wanted, true), EtcdError::NeedsCertificate(_)));
        }
        let closed = EtcdError::of_connection(io(BrokenPipe), true);
        assert!(matches!(closed, EtcdError::MayNeedCertificate(_)));
        for other in [io(std::io::ErrorKind::ConnectionRefused), alert(HandshakeFailure)] {
            assert!(matches!(EtcdError::of_connection(other, true), EtcdError::Unreachable(_)));
        }
        for error in [alert(BadCertificate), io(BrokenPipe)] {
            assert!(matches!(EtcdError::of_connection(error, false), EtcdError::Unreachable(_)));
        }
    }
}
