//! What a field of an entry may hold, whichever entry it is of: the kinds of values, how a text of a request
//! becomes one, how an answer shows one, and what is said when it does not fit. A [`FieldValue`] can only
//! be made by parsing, so what reaches a change has been checked.

use crate::{
    address::{AddressError, MailAddress},
    scripts::{MixedWord, mixed_word},
    user::quota::{MAX_QUOTA_MB, Quota},
};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;
use visible_text::{Visible, is_blank, trimmed, trimmed_text};

/// Longest one-line text, in characters. X.520 bounds most of these attributes at 64 to 128
/// (upper bounds ub-name, ub-title); twice the larger leaves room and keeps an entry small.
pub const MAX_TEXT: usize = 256;
/// Longest text of several lines, in characters: about a page.
pub const MAX_DESCRIPTION: usize = 4096;
/// Longest phone number, in characters: 15 digits (E.164) with separators and an extension.
pub const MAX_PHONE: usize = 64;
/// Most aliases of one user; 389-ds checks the uniqueness of each with a search of its own.
pub const MAX_ALIASES: usize = 100;

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line of text.
    Line,
    /// One line of text that names a person: each word of it is in one script.
    Name,
    /// Text of several lines.
    Lines,
    /// A phone number.
    Phone,
    /// One of some numbers.
    Number(&'static [&'static str]),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A quota: megabytes in the API, bytes in the directory.
    Megabytes,
    /// A list of addresses.
    Addresses,
}

impl Kind {
    /// Reads a text that is not empty. What does not show at its ends is cut, but U+0020 of texts.
    ///
    /// # Errors
    /// [`FieldError`] says what the kind may hold.
    pub fn parse(self, text: &str) -> Result<FieldValue, FieldError> {
        let (whole, text) = (trimmed_text(text), trimmed(text));
        match self {
            Self::Line => check_text(whole, MAX_TEXT, char::is_control).map(FieldValue::text),
            Self::Name => {
                let text = check_text(whole, MAX_TEXT, char::is_control)?;
                mixed_word(text).map_or(Ok(FieldValue::text(text)), |mixed| Err(FieldError::Mixed(mixed)))
            }
            Self::Lines => {
                let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
                check_text(whole, MAX_DESCRIPTION, forbidden).map(FieldValue::text)
            }
            Self::Phone => check_phone(text).map(FieldValue::one).map_err(|error| error.about(text)),
            Self::Number(allowed) | Self::Choice(allowed) => {
                check_choice(text, allowed).map(FieldValue::one).map_err(|error| error.about(text))
            }
            Self::Megabytes => Quota::from_mb_text(text)
                .map(|quota| FieldValue::one(&quota.bytes_text()))
                .map_err(|error| error.about(text)),
            Self::Addresses => Err(FieldError::List),
        }
    }

    /// Reads an empty text, which clears an optional field.
    ///
    /// # Errors
    /// [`FieldError`] where the field cannot be cleared.
    pub fn parse_empty(self, is_required: bool) -> Result<FieldValue, FieldError> {
        match self {
            _ if is_required => Err(FieldError::Required),
            Self::Number(allowed) | Self::Choice(allowed) => Err(FieldError::Choice(allowed)),
            _ => Ok(FieldValue::cleared()),
        }
    }

    /// What an answer shows for an attribute's values; nothing where they make no sense, as after an
    /// edit behind our back.
    #[must_use]
    pub fn shown(self, values: &[String]) -> Option<FieldShown<'_>> {
        let first = values.first()?;
        match self {
            Self::Line | Self::Name | Self::Lines | Self::Phone | Self::Choice(_) => {
                Some(FieldShown::Text(first))
            }
            Self::Number(_) => first.parse().ok().map(FieldShown::Number),
            Self::Megabytes => {
                Quota::from_bytes_text(first).map(|quota| FieldShown::Number(quota.megabytes()))
            }
            Self::Addresses => Some(FieldShown::List(values)),
        }
    }
}

/// A field's value as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldShown<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// Several texts.
    List(&'a [String]),
}

/// A checked value of a field, in the directory's form; empty clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue(Vec<String>);

impl FieldValue {
    /// A checked text.
    pub(crate) fn one(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }

    /// A checked text that people wrote, composed (NFC): 389-ds compares octets, so one text is stored in one form.
    fn text(text: &str) -> Self {
        Self(vec![text.nfc().collect()])
    }

    /// The value that clears a field.
    #[must_use]
    pub const fn cleared() -> Self {
        Self(Vec::new())
    }

    /// A list of checked addresses.
    #[must_use]
    pub fn addresses<'a>(addresses: impl IntoIterator<Item = &'a MailAddress>) -> Self {
        Self(addresses.into_iter().map(|a| a.as_str().to_owned()).collect())
    }

    /// The attribute's values.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.0
    }

    /// The attribute's first value.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

/// What is wrong with a request, parameter by parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<&'static str, String>);

impl FieldErrors {
    /// Notes what is wrong with a parameter; the first reason stays.
    pub fn add(&mut self, parameter: &'static str, reason: &impl std::fmt::Display) {
        self.0.entry(parameter).or_insert_with(|| format!("{parameter} {reason}"));
    }

    /// Takes a result apart: notes the error, returns the value.
    pub fn keep<T>(&mut self, parameter: &'static str, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.add(parameter, &error)).ok()
    }

    /// Reads an address, or notes why it is none; it is repeated where people would not see why.
    pub fn address(&mut self, parameter: &'static str, text: &str) -> Option<MailAddress> {
        let noted = |source| {
            if Visible(text).hides_something() {
                self.add(parameter, &FieldError::address(text, source));
            } else {
                self.add(parameter, &source);
            }
        };
        MailAddress::parse(text).map_err(noted).ok()
    }

    /// Takes in the errors of a part.
    pub fn absorb(&mut self, others: Self) {
        for (parameter, reason) in others.0 {
            self.0.entry(parameter).or_insert(reason);
        }
    }

    /// The errors, if any.
    ///
    /// # Errors
    /// Itself, when there is an error in it.
    pub fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Reason by parameter.
    #[must_use]
    pub fn by_parameter(&self) -> &BTreeMap<&'static str, String> {
        &self.0
    }
}

/// Why a value does not fit its field. The message says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A required field is missing or empty.
    #[error("is a required value")]
    Required,
    /// Longer than the field takes.
    #[error("is too long: at most {0} characters")]
    TooLong(usize),
    /// Longer than the field takes, where bytes count.
    #[error("is too long: at most {0} bytes of UTF-8")]
    TooManyBytes(usize),
    /// Nothing but blanks and other characters that do not show.
    #[error("is blank")]
    Blank,
    /// A control character, such as a NUL or a line break where none can be.
    #[error("has a control character")]
    Control,
    /// A word of a name that is in two scripts.
    #[error(
        "has Latin and Cyrillic letters in one word, {} ({}: {}): it was read in the wrong encoding, or typed on two \
         keyboards", Visible(&.0.word), .0.script, Visible(&.0.letters)
    )]
    Mixed(MixedWord),
    /// A hash in the place of a password, with its storage scheme.
    #[error(
        "begins with the storage scheme {{{0}}}: hashes of passwords are not taken, only passwords in clear text"
    )]
    Hash(&'static str),
    /// No phone number.
    #[error("is no phone number: digits, blanks and + - ( ) . , / : only, with at least one digit")]
    Phone,
    /// A value that shows nothing of what is wrong with it.
    #[error("{shown} {reason}")]
    Hidden {
        /// The value, with escapes for what does not show.
        shown: String,
        /// What is wrong.
        reason: Box<FieldError>,
    },
    /// Not one of the values that the field has.
    #[error("must be one of {}", .0.join(", "))]
    Choice(&'static [&'static str]),
    /// No quota.
    #[error("must be a whole number of megabytes from 0 to {MAX_QUOTA_MB}")]
    Quota,
    /// A list field that was given as one text.
    #[error("must be a list")]
    List,
    /// Too many aliases.
    #[error("has too many addresses: at most {MAX_ALIASES}")]
    TooManyAliases,
    /// One of the addresses is none.
    #[error("{address} {source}")]
    Address {
        /// What was given.
        address: String,
        /// Why it is none.
        source: AddressError,
    },
    /// An address whose domain the tenant does not serve.
    #[error("{address} is of a domain that the tenant does not serve; it serves {}", .served.join(", "))]
    ForeignDomain {
        /// What was given.
        address: String,
        /// What would be allowed.
        served: Vec<String>,
    },
    /// An alias that repeats the user's own address.
    #[error("{0} is the user's own address")]
    OwnAddress(String),
    /// The role of super administrator where it cannot be.
    #[error("3 is possible in the tenant default only")]
    SuperOutsideDefault,
}

impl FieldError {
    /// An address that is none; enough of it is told to recognise it.
    #[must_use]
    pub fn address(text: &str, source: AddressError) -> Self {
        Self::Address { address: Visible(text).to_string(), source }
    }

    /// The same, with the value where that has characters that do not show.
    fn about(self, text: &str) -> Self {
        let text = Visible(text);
        if text.hides_something() {
            Self::Hidden { shown: text.to_string(), reason: Box::new(self) }
        } else {
            self
        }
    }
}

fn check_text(text: &str, max: usize, forbidden: impl Fn(char) -> bool) -> Result<&str, FieldError> {
    if text.nfc().count() > max {
        Err(FieldError::TooLong(max))
    } else if text.chars().any(forbidden) {
        Err(FieldError::Control)
    } else if is_blank(text) {
        Err(FieldError::Blank)
    } else {
        Ok(text)
    }
}

/// What a `telephoneNumber` of 389-ds can hold (its syntax is `PrintableString`, RFC 4517 section 3.3.31), letters
/// left out, as the guide says.
fn check_phone(text: &str) -> Result<&str, FieldError> {
    let allowed = |b: u8| b.is_ascii_digit() || b" +-().,/:".contains(&b);
    if text.chars().count() > MAX_PHONE {
        Err(FieldError::TooLong(MAX_PHONE))
    } else if text.bytes().all(allowed) && text.bytes().any(|b| b.is_ascii_digit()) {
        Ok(text)
    } else {
        Err(FieldError::Phone)
    }
}

fn check_choice(text: &str, allowed: &'static [&'static str]) -> Result<&'static str, FieldError> {
    allowed.iter().copied().find(|a| a.eq_ignore_ascii_case(text)).ok_or(FieldError::Choice(allowed))
}
