//! The values of fields, for all kinds of entries: parsing the text of a request, and showing a value in an answer. A
//! [`FieldValue`] can only be created by parsing, so every value in a change has been checked.

mod errors;
mod names;

pub use errors::{FieldError, FieldErrors};
pub use names::{Field, ListField};

use crate::{address::MailAddress, scripts::mixed_word, user::quota::Quota};
use unicode_normalization::UnicodeNormalization as _;
use visible_text::{is_blank, trimmed, trimmed_text};

/// Longest one-line text, in characters. X.520 bounds most of these attributes at 64 to 128
/// (upper bounds ub-name, ub-title); twice the larger leaves room and keeps an entry small.
pub const MAX_TEXT: usize = 256;
/// Longest text of several lines, in characters: about a page.
pub const MAX_DESCRIPTION: usize = 4096;
/// Longest phone number, in characters: 15 digits (E.164) with separators and an extension.
pub const MAX_PHONE: usize = 64;
/// Most aliases of one user; 389-ds checks the uniqueness of each with a search of its own.
pub const MAX_ALIASES: usize = 100;

/// The kind of a field's value.
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
    /// Parses a text that is not empty. Invisible characters at its ends are removed, except U+0020 in texts.
    ///
    /// # Errors
    /// [`FieldError`] says what the kind allows.
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

    /// Parses an empty text, which clears an optional field.
    ///
    /// # Errors
    /// [`FieldError`] if the field cannot be cleared.
    pub fn parse_empty(self, is_required: bool) -> Result<FieldValue, FieldError> {
        match self {
            _ if is_required => Err(FieldError::Required),
            Self::Number(allowed) | Self::Choice(allowed) => Err(FieldError::Choice(allowed)),
            _ => Ok(FieldValue::cleared()),
        }
    }

    /// The value for answers; `None` if the attribute's values are not valid, for instance after a change by another
    /// program.
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

/// A field's value in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldShown<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// Several texts.
    List(&'a [String]),
}

/// A checked value of a field, in the directory's form; an empty one clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue(Vec<String>);

impl FieldValue {
    /// A checked text.
    pub(crate) fn one(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }

    /// A checked text that was written by a person, composed (NFC): 389-ds compares octets, so a text is stored in one
    /// form only.
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

/// The characters of a `telephoneNumber` in 389-ds (the syntax is `PrintableString`, RFC 4517 section 3.3.31) without
/// the letters, as in the guide.
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
