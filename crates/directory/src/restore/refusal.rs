//! Why an entry of a file is not restored.

use ldap_text::{attribute::AttributeName, dn::Dn};

/// Why an entry is not restored. The texts are for whoever has the file: they speak of nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It stands elsewhere.
    #[error("it is not below {0}")]
    Outside(Dn),
    /// The file has another one of its name.
    #[error("the file has an entry of this name already, at line {0}; the first one counts")]
    Doubled(u64),
    /// What it stands below was refused.
    #[error("{0} was refused, and it stands below that")]
    ParentRefused(Dn),
    /// What it would stand below is neither in the file nor in the directory.
    #[error("there is no {0}, neither in the file nor in the directory")]
    NoParent(Dn),
    /// The schema lacks an attribute.
    #[error("the server knows no attribute {0}; extend its schema first")]
    UnknownAttribute(AttributeName),
    /// The schema lacks a class.
    #[error("the server knows no object class {0}; extend its schema first")]
    UnknownClass(String),
    /// The server would take the hash of a password for a password.
    #[error(
        "its password is hashed by {0}, which 389 Directory Server does not know: it would take the hash for the password"
    )]
    PasswordScheme(String),
    /// Addresses or domains that others have; none where it was given up just now.
    #[error("somebody else has {}", if .0.is_empty() { "what must be unique".to_owned() } else { .0.join(", ") })]
    Taken(Vec<String>),
    /// The schema does not allow it.
    #[error("the server's schema does not allow it: {0}")]
    Schema(String),
    /// A value does not fit its attribute.
    #[error("a value does not fit: {0}")]
    Value(String),
    /// Who restores may not restore this.
    #[error("{0}")]
    Forbidden(String),
    /// It has others below it.
    #[error("other entries stand below it")]
    NotEmpty,
    /// Anything else.
    #[error("the server refused it: {0}")]
    Other(String),
}

impl Refusal {
    /// The same without the server's own words: those are for administrators of the server.
    #[must_use]
    pub fn without_diagnostic(&self) -> String {
        match self {
            Self::Schema(_) => "the schema does not allow it".to_owned(),
            Self::Value(_) => "a value does not fit its attribute".to_owned(),
            Self::Other(_) => "the server refused it".to_owned(),
            other => other.to_string(),
        }
    }
}
