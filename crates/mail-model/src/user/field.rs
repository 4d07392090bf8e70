//! The fields of a user (tables 1 and 2 of the guide): their names in the API and in the directory,
//! and what each may hold. A [`FieldValue`] can only be made by parsing, so what reaches a change
//! has been checked.

use super::{
    language::Language,
    quota::{MAX_QUOTA_MB, Quota},
};
use crate::{address::AddressError, names};
use ldap_text::attribute::AttributeName;

/// Longest one-line text, in characters. X.520 bounds most of these attributes at 64 to 128
/// (upper bounds ub-name, ub-title); twice the larger leaves room and keeps an entry small.
pub const MAX_TEXT: usize = 256;
/// Longest `description`, in characters: about a page.
pub const MAX_DESCRIPTION: usize = 4096;
/// Longest phone number, in characters: 15 digits (E.164) with separators and an extension.
pub const MAX_PHONE: usize = 64;
/// Most aliases of one user; 389-ds checks the uniqueness of each with a search of its own.
pub const MAX_ALIASES: usize = 100;

/// A field of a user besides its address and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserField {
    /// `cn`
    FirstName,
    /// `sn`
    LastName,
    /// `displayName`
    DisplayName,
    /// `employeeNumber`
    Role,
    /// `employeeType`
    Visibility,
    /// `inetUserStatus`
    Status,
    /// `initials`
    MiddleName,
    /// `ou`
    Department,
    /// `title`
    Title,
    /// `alias`
    Aliases,
    /// `description`
    Description,
    /// `homePhone`
    HomePhone,
    /// `telephoneNumber`
    WorkPhone,
    /// `l`
    City,
    /// `telegram`
    Telegram,
    /// `skype`
    Skype,
    /// `quota`
    Quota,
    /// `lang`
    Language,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Line,
    Lines,
    Phone,
    Number(&'static [&'static str]),
    Choice(&'static [&'static str]),
    Megabytes,
    Addresses,
}

impl UserField {
    /// Every field, in the order in which answers show them.
    pub const ALL: [Self; 18] = [
        Self::FirstName,
        Self::LastName,
        Self::DisplayName,
        Self::Role,
        Self::Visibility,
        Self::Status,
        Self::MiddleName,
        Self::Department,
        Self::Title,
        Self::Aliases,
        Self::Description,
        Self::HomePhone,
        Self::WorkPhone,
        Self::City,
        Self::Telegram,
        Self::Skype,
        Self::Quota,
        Self::Language,
    ];

    /// Name in the API, attribute in the directory, and what it may hold: one row a field.
    fn row(self) -> (&'static str, AttributeName, Kind) {
        match self {
            Self::FirstName => ("cn", names::CN, Kind::Line),
            Self::LastName => ("sn", names::SN, Kind::Line),
            Self::DisplayName => ("displayName", names::DISPLAY_NAME, Kind::Line),
            Self::Role => ("employeeNumber", names::EMPLOYEE_NUMBER, Kind::Number(&["1", "2", "3"])),
            Self::Visibility => ("employeeType", names::EMPLOYEE_TYPE, Kind::Number(&["0", "1", "2", "3"])),
            Self::Status => ("inetUserStatus", names::INET_USER_STATUS, Kind::Number(&["0", "1", "2"])),
            Self::MiddleName => ("initials", names::INITIALS, Kind::Line),
            Self::Department => ("ou", names::OU, Kind::Line),
            Self::Title => ("title", names::TITLE, Kind::Line),
            Self::Aliases => ("alias", names::MAIL_ALTERNATE_ADDRESS, Kind::Addresses),
            Self::Description => ("description", names::DESCRIPTION, Kind::Lines),
            Self::HomePhone => ("homePhone", names::HOME_PHONE, Kind::Phone),
            Self::WorkPhone => ("telephoneNumber", names::TELEPHONE_NUMBER, Kind::Phone),
            Self::City => ("l", names::L, Kind::Line),
            Self::Telegram => ("telegram", names::TELEGRAM, Kind::Line),
            Self::Skype => ("skype", names::SKYPE, Kind::Line),
            Self::Quota => ("quota", names::MAIL_QUOTA, Kind::Megabytes),
            Self::Language => ("lang", names::PREFERRED_LANGUAGE, Kind::Choice(Language::ALL)),
        }
    }

    /// Its name in requests and answers.
    #[must_use]
    pub fn api_name(self) -> &'static str {
        self.row().0
    }

    /// Its attribute.
    #[must_use]
    pub fn attribute(self) -> AttributeName {
        self.row().1
    }

    /// Whether every user has it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::FirstName | Self::LastName | Self::Role)
    }

    /// Whether it holds a list, given in one of the list forms of the API.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self.row().2, Kind::Addresses)
    }

    /// Reads a value of a request. An empty one clears an optional text, phone, quota or list.
    ///
    /// # Errors
    /// [`FieldError`] says what the field may hold.
    pub fn parse(self, text: &str) -> Result<FieldValue, FieldError> {
        if text.is_empty() {
            return self.parse_empty();
        }
        match self.row().2 {
            Kind::Line => check_text(text, MAX_TEXT, char::is_control).map(FieldValue::one),
            Kind::Lines => {
                let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
                check_text(text, MAX_DESCRIPTION, forbidden).map(FieldValue::one)
            }
            Kind::Phone => check_phone(text).map(FieldValue::one),
            Kind::Number(allowed) | Kind::Choice(allowed) => check_choice(text, allowed).map(FieldValue::one),
            Kind::Megabytes => Quota::from_mb_text(text).map(|quota| FieldValue::one(&quota.bytes_text())),
            Kind::Addresses => Err(FieldError::List),
        }
    }

    fn parse_empty(self) -> Result<FieldValue, FieldError> {
        match self.row().2 {
            _ if self.is_required() => Err(FieldError::Required),
            Kind::Number(allowed) | Kind::Choice(allowed) => Err(FieldError::Choice(allowed)),
            _ => Ok(FieldValue::cleared()),
        }
    }

    /// What an answer shows for the attribute's values; nothing where they make no sense, as after an
    /// edit behind our back.
    #[must_use]
    pub fn shown(self, values: &[String]) -> Option<Shown<'_>> {
        let first = values.first()?;
        match self.row().2 {
            Kind::Line | Kind::Lines | Kind::Phone | Kind::Choice(_) => Some(Shown::Text(first)),
            Kind::Number(_) => first.parse().ok().map(Shown::Number),
            Kind::Megabytes => Quota::from_bytes_text(first).map(|quota| Shown::Number(quota.megabytes())),
            Kind::Addresses => Some(Shown::List(values)),
        }
    }
}

/// A field's value as answers show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Shown<'a> {
    /// A JSON string.
    Text(&'a str),
    /// A JSON number.
    Number(u64),
    /// A JSON array of strings.
    List(&'a [String]),
}

/// A checked value of a field, in the directory's form; empty clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue(Vec<String>);

impl FieldValue {
    fn one(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }

    /// The value that clears a field.
    #[must_use]
    pub const fn cleared() -> Self {
        Self(Vec::new())
    }

    /// A list of checked addresses.
    #[must_use]
    pub fn addresses<'a>(addresses: impl IntoIterator<Item = &'a crate::address::MailAddress>) -> Self {
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

/// Why a value does not fit its field. The message says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A required field is missing or empty.
    #[error("is a required value")]
    Required,
    /// Longer than the field takes.
    #[error("is too long: at most {0} characters")]
    TooLong(usize),
    /// Nothing but blanks.
    #[error("is blank")]
    Blank,
    /// A control character, such as a NUL or a line break where none can be.
    #[error("has a control character")]
    Control,
    /// No phone number.
    #[error("is no phone number: digits, blanks and + - ( ) . , / : only, with at least one digit")]
    Phone,
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

fn check_text(text: &str, max: usize, forbidden: impl Fn(char) -> bool) -> Result<&str, FieldError> {
    if text.chars().count() > max {
        Err(FieldError::TooLong(max))
    } else if text.chars().any(forbidden) {
        Err(FieldError::Control)
    } else if text.trim().is_empty() {
        Err(FieldError::Blank)
    } else {
        Ok(text)
    }
}

/// What a `telephoneNumber` of 389-ds can hold (its syntax is `PrintableString`, RFC 4517 section 3.3.31), letters
/// left out, as the guide says.
fn check_phone(text: &str) -> Result<&str, FieldError> {
    let allowed = |b: u8| b.is_ascii_digit() || b" +-().,/:".contains(&b);
    if text.len() > MAX_PHONE {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_names_and_attributes_are_unique() {
        for (i, field) in UserField::ALL.iter().enumerate() {
            for other in &UserField::ALL[i + 1..] {
                assert_ne!(field.api_name(), other.api_name());
                assert_ne!(field.attribute(), other.attribute());
            }
        }
    }

    #[test]
    fn a_phone_has_digits_and_separators_but_no_letters() {
        for right in ["+7 (495) 123-45-67", "112", "1.2/3:4", "8,5"] {
            assert!(UserField::WorkPhone.parse(right).is_ok(), "{right}");
        }
        for wrong in ["abc", "+7x", "+", "()", "٣", "+7\n", "1;2", "*100#"] {
            assert_eq!(UserField::HomePhone.parse(wrong), Err(FieldError::Phone), "{wrong}");
        }
    }

    #[test]
    fn an_empty_value_clears_a_text_but_not_a_choice_or_a_required_field() {
        assert_eq!(UserField::Title.parse(""), Ok(FieldValue::cleared()));
        assert_eq!(UserField::FirstName.parse(""), Err(FieldError::Required));
        assert!(matches!(UserField::Status.parse(""), Err(FieldError::Choice(_))));
    }

    #[test]
    fn a_choice_names_what_is_allowed() {
        let error = UserField::Status.parse("3").unwrap_err();
        assert_eq!(error.to_string(), "must be one of 0, 1, 2");
        assert_eq!(UserField::Language.parse("RU-ru").unwrap().first(), Some("ru-RU"));
        assert!(UserField::Language.parse("de-DE").is_err());
    }

    #[test]
    fn names_keep_their_special_characters_and_blanks() {
        for name in [" Иван", "a,+\"\\<>;=#*()b", "O'Neil", "#1"] {
            assert_eq!(UserField::FirstName.parse(name).unwrap().first(), Some(name));
        }
        assert_eq!(UserField::FirstName.parse("a\0b"), Err(FieldError::Control));
        assert_eq!(UserField::FirstName.parse("a\nb"), Err(FieldError::Control));
        assert_eq!(UserField::FirstName.parse("   "), Err(FieldError::Blank));
        assert_eq!(UserField::FirstName.parse(&"я".repeat(257)), Err(FieldError::TooLong(256)));
        assert!(UserField::Description.parse("одна\nдве").is_ok());
    }
}
