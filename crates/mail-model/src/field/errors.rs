//! The errors of a command's fields.

use super::{Field, MAX_ALIASES};
use crate::{
    address::{AddressError, DomainError, MailAddress},
    maillist::{command::MAX_MEMBERS, conditions::ConditionError},
    scripts::MixedWord,
    user::quota::MAX_QUOTA_MB,
};
use std::{collections::BTreeMap, fmt};
use visible_text::Visible;

/// The errors of a command, one reason a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<Field, FieldError>);

impl FieldErrors {
    /// Records the error of a field. The first reason for a field is kept.
    pub fn add(&mut self, field: Field, error: FieldError) {
        self.0.entry(field).or_insert(error);
    }

    /// Returns the value of a result, or records its error.
    pub fn keep<T, E: Into<FieldError>>(&mut self, field: Field, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error.into())).ok()
    }

    /// Parses an address, or records its error. The message repeats a text with invisible characters, because otherwise
    /// the error could not be seen.
    pub fn address(&mut self, field: Field, text: &str) -> Option<MailAddress> {
        let error = |source| {
            if Visible(text).hides_something() {
                FieldError::address(text, source)
            } else {
                FieldError::Mail(source)
            }
        };
        self.keep(field, MailAddress::parse(text).map_err(error))
    }

    /// Whether there is no error.
    ///
    /// # Errors
    /// The errors, if there are any.
    pub fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The errors, by field.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &FieldError)> {
        self.0.iter().map(|(field, error)| (*field, error))
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<_> = self.iter().map(|(field, error)| format!("{field} {error}")).collect();
        f.write_str(&reasons.join("; "))
    }
}

impl std::error::Error for FieldErrors {}

/// The error of a value. The message says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A required field is missing or empty.
    #[error("is a required value")]
    Required,
    /// Longer than the field takes.
    #[error("is too long: at most {0} characters")]
    TooLong(usize),
    /// Longer than the field takes, counted in bytes.
    #[error("is too long: at most {0} bytes of UTF-8")]
    TooManyBytes(usize),
    /// Only blanks and other invisible characters.
    #[error("is blank")]
    Blank,
    /// A control character, such as NUL, or a line break in a field of one line.
    #[error("has a control character")]
    Control,
    /// A word of a name with letters of two scripts.
    #[error(
        "has Latin and Cyrillic letters in one word, {} ({}: {}): it was read in the wrong encoding, or typed on two \
         keyboards", Visible(&.0.word), .0.script, Visible(&.0.letters)
    )]
    Mixed(MixedWord),
    /// A hash in the place of a password, with its storage scheme.
    #[error(
        "begins with the storage scheme {{{0}}}: hashes of passwords are not accepted, only passwords in clear text"
    )]
    Hash(&'static str),
    /// Not a phone number.
    #[error("is not a phone number: digits, blanks and + - ( ) . , / : only, with at least one digit")]
    Phone,
    /// Another error, of a value with invisible characters.
    #[error("{shown} {reason}")]
    Hidden {
        /// The value, with invisible characters escaped.
        shown: String,
        /// The error.
        reason: Box<FieldError>,
    },
    /// Not one of the values that the field has.
    #[error("must be one of {}", .0.join(", "))]
    Choice(&'static [&'static str]),
    /// Not a quota.
    #[error("must be a whole number of megabytes from 0 to {MAX_QUOTA_MB}")]
    Quota,
    /// A list field that was given as a single text.
    #[error("must be a list")]
    List,
    /// Too many aliases.
    #[error("has too many addresses: at most {MAX_ALIASES}")]
    TooManyAliases,
    /// Not an address.
    #[error("{0}")]
    Mail(#[from] AddressError),
    /// Not a domain.
    #[error("{0}")]
    Domain(#[from] DomainError),
    /// One of several addresses is not valid.
    #[error("{address} {source}")]
    Address {
        /// The given text.
        address: String,
        /// The error.
        source: AddressError,
    },
    /// An address whose domain the tenant does not serve.
    #[error("{address} is of a domain that the tenant does not serve; it serves {}", .served.join(", "))]
    ForeignDomain {
        /// The given address.
        address: String,
        /// The domains of the tenant.
        served: Vec<String>,
    },
    /// An alias that repeats the user's own address.
    #[error("{0} is the user's own address")]
    OwnAddress(String),
    /// The role of super administrator in another tenant than `default`.
    #[error("3 is possible in the tenant default only")]
    SuperOutsideDefault,
    /// The conditions of a new list that has members.
    #[error("cannot be given with members: a list has members or conditions")]
    ConditionsBesideMembers,
    /// The conditions of a list whose members are changed in the same command.
    #[error("make a dynamic list and cannot be given with members to add, to remove or to set")]
    ConditionsBesideChanges,
    /// All members of a list whose members are also added or removed in the same command.
    #[error("is the whole list and cannot be given with members to add or to remove")]
    WholeListBesideChanges,
    /// An address is both added and removed.
    #[error("names {0}, which is also added")]
    AddedAndRemoved(MailAddress),
    /// A list among its own members.
    #[error("names {0}: a list cannot be its own member")]
    OwnMember(MailAddress),
    /// Too many members in one command.
    #[error("has too many members for one request: at most {MAX_MEMBERS}")]
    TooManyMembers,
    /// A condition of a dynamic list.
    #[error("{0}")]
    Condition(#[from] ConditionError),
}

impl FieldError {
    /// The error of an address, with the text, shortened if it is long.
    #[must_use]
    pub fn address(text: &str, source: AddressError) -> Self {
        Self::Address { address: Visible(text).to_string(), source }
    }

    /// The same error, with the value if that has invisible characters.
    pub(super) fn about(self, text: &str) -> Self {
        let text = Visible(text);
        if text.hides_something() {
            Self::Hidden { shown: text.to_string(), reason: Box::new(self) }
        } else {
            self
        }
    }
}
