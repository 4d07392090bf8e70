//! Why an entry of a file is not restored.

use ldap_text::{attribute::AttributeName, dn::Dn};
use mail_model::user::hash::Flaw;

/// Why an entry is not restored. The messages are for the owner of the file, and mention nothing that is not in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It can't be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is in a wrong place.
    #[error("it is not below {0}")]
    Outside(Dn),
    /// The file has another entry of the same name.
    #[error("the file has an entry of this name already, at line {0}; the first one counts")]
    Doubled(u64),
    /// Its parent was refused.
    #[error("{0} was refused, and it stands below that")]
    ParentRefused(Dn),
    /// Its parent is neither in the file nor in the directory.
    #[error("there is no {0}, neither in the file nor in the directory")]
    NoParent(Dn),
    /// Its parent is not in the file, and the directory is emptied.
    #[error("there is no {0} in the file")]
    NoParentInFile(Dn),
    /// The schema lacks an attribute.
    #[error("the server knows no attribute {0}; extend its schema first")]
    UnknownAttribute(AttributeName),
    /// The schema lacks a class.
    #[error("the server knows no object class {0}; extend its schema first")]
    UnknownClass(String),
    /// A password that must not be stored.
    #[error("its password {0}")]
    Password(Flaw),
    /// Other entries have its addresses or domains; the list is empty if they were given up in this moment.
    #[error("another entry has {}", if .0.is_empty() { "a value that must be unique".to_owned() } else { .0.join(", ") })]
    Taken(Vec<String>),
    /// Another entry of the file has one of its addresses or domains.
    #[error("the entry at line {line} has {value} already; the first one counts")]
    TakenInFile {
        /// The address or domain.
        value: String,
        /// The line at which the other entry begins.
        line: u64,
    },
    /// The schema does not allow the entry.
    #[error("the server's schema does not allow it: {0}")]
    Schema(String),
    /// A value does not conform to the syntax of its attribute.
    #[error("a value does not fit: {0}")]
    Value(String),
    /// The caller may not restore this entry.
    #[error("{0}")]
    Forbidden(String),
    /// It has other entries below it.
    #[error("other entries stand below it")]
    NotEmpty,
    /// Any other reason.
    #[error("the server refused it: {0}")]
    Other(String),
}
