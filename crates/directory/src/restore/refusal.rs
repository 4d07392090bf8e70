//! Why an entry of a file is not restored.

use ldap_text::{attribute::AttributeName, dn::Dn};
use mail_model::user::hash::Flaw;

/// Why an entry is not restored. The texts are for whoever has the file: they speak of nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It can't be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
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
    /// A password that must not be stored.
    #[error("its password {0}")]
    Password(Flaw),
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
