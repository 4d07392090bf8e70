//! The fields of a user (tables 1 and 2 of the guide): their attributes in the directory, and their kinds of values.

use super::language::Language;
use crate::{
    field::{FieldError, FieldShown, FieldValue, Kind},
    names,
};
use ldap_text::attribute::AttributeName;

/// A field of a user besides its address and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(strum::EnumCount))]
pub enum UserField {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The name in address books.
    DisplayName,
    /// The role of the account.
    Role,
    /// Which views of the address book show the user.
    Visibility,
    /// Active or blocked.
    Status,
    /// The middle name.
    MiddleName,
    /// The department.
    Department,
    /// The job title.
    Title,
    /// Further addresses.
    Aliases,
    /// A text about the user.
    Description,
    /// The private phone number.
    HomePhone,
    /// The phone number at work.
    WorkPhone,
    /// The mobile phone number.
    MobilePhone,
    /// The city.
    City,
    /// The name in Telegram.
    Telegram,
    /// The name in Skype.
    Skype,
    /// The size of the mailbox.
    Quota,
    /// The language of the user interface.
    Language,
}

impl UserField {
    /// Every field, in the order in which answers show them.
    pub const ALL: [Self; 19] = [
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
        Self::MobilePhone,
        Self::City,
        Self::Telegram,
        Self::Skype,
        Self::Quota,
        Self::Language,
    ];

    /// The attribute in the directory and the kind of values, one row per field.
    fn row(self) -> (AttributeName, Kind) {
        match self {
            Self::FirstName => (names::CN, Kind::Name),
            Self::LastName => (names::SN, Kind::Name),
            Self::DisplayName => (names::DISPLAY_NAME, Kind::Name),
            Self::Role => (names::EMPLOYEE_NUMBER, Kind::Number(&["1", "2", "3"])),
            Self::Visibility => (names::EMPLOYEE_TYPE, Kind::Number(&["0", "1", "2", "3"])),
            Self::Status => (names::INET_USER_STATUS, Kind::Number(&["0", "1", "2"])),
            Self::MiddleName => (names::INITIALS, Kind::Name),
            Self::Department => (names::OU, Kind::Line),
            Self::Title => (names::TITLE, Kind::Line),
            Self::Aliases => (names::MAIL_ALTERNATE_ADDRESS, Kind::Addresses),
            Self::Description => (names::DESCRIPTION, Kind::Lines),
            Self::HomePhone => (names::HOME_PHONE, Kind::Phone),
            Self::WorkPhone => (names::TELEPHONE_NUMBER, Kind::Phone),
            Self::MobilePhone => (names::MOBILE, Kind::Phone),
            Self::City => (names::L, Kind::Line),
            Self::Telegram => (names::TELEGRAM, Kind::Line),
            Self::Skype => (names::SKYPE, Kind::Line),
            Self::Quota => (names::MAIL_QUOTA, Kind::Megabytes),
            Self::Language => (names::PREFERRED_LANGUAGE, Kind::Choice(Language::ALL)),
        }
    }

    /// Its attribute.
    #[must_use]
    pub fn attribute(self) -> AttributeName {
        self.row().0
    }

    /// Whether every user has it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::FirstName | Self::LastName | Self::Role)
    }

    /// The kind of its values.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().1
    }

    /// Whether it holds a list, and not a single value.
    #[must_use]
    pub fn is_list(self) -> bool {
        self.kind() == Kind::Addresses
    }

    /// Parses a value of a request. An empty one clears an optional text, phone number, quota or list.
    ///
    /// # Errors
    /// [`FieldError`] says what the field allows.
    pub fn parse(self, text: &str) -> Result<FieldValue, FieldError> {
        if text.is_empty() { self.kind().parse_empty(self.is_required()) } else { self.kind().parse(text) }
    }

    /// The value for answers.
    #[must_use]
    pub fn shown(self, values: &[String]) -> Option<FieldShown<'_>> {
        self.kind().shown(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::EnumCount;

    #[test]
    fn no_field_is_left_out() {
        assert_eq!(UserField::ALL.len(), UserField::COUNT);
    }

    #[test]
    fn attributes_are_unique() {
        for (i, field) in UserField::ALL.iter().enumerate() {
            for other in &UserField::ALL[i + 1..] {
                assert_ne!(field.attribute(), other.attribute());
            }
        }
    }

    #[test]
    fn a_phone_has_digits_and_separators_but_no_letters() {
        for right in ["+7 (495) 123-45-67", "112", "1.2/3:4", "8,5"] {
            assert!(UserField::WorkPhone.parse(right).is_ok(), "{right}");
        }
        for wrong in ["abc", "+7x", "+", "()", "٣", "1;2", "*100#"] {
            assert_eq!(UserField::HomePhone.parse(wrong), Err(FieldError::Phone), "{wrong}");
        }
        for (wrong, shown) in
            [("+7\n", r"+7\u{a}"), ("+7\u{a0}495", r"+7\u{a0}495"), ("1\u{200b}2", r"1\u{200b}2")]
        {
            let reason = UserField::HomePhone.parse(wrong).unwrap_err().to_string();
            assert!(reason.starts_with(&format!("{shown} is not a phone number")), "{reason}");
        }
        let letters = UserField::HomePhone.parse(&"я".repeat(64)).unwrap_err();
        assert_eq!(
            (letters, FieldError::TooLong(64)),
            (FieldError::Phone, UserField::HomePhone.parse(&"1".repeat(65)).unwrap_err())
        );
    }

    #[test]
    fn what_does_not_show_is_cut_around_every_value() {
        for (field, text, value) in [
            (UserField::FirstName, "\u{200b}Иван\u{a0}", "Иван"),
            (UserField::LastName, " Иванов\u{a0}", " Иванов"),
            (UserField::Description, "\u{feff}a\u{a0}b\u{200e}", "a\u{a0}b"),
            (UserField::WorkPhone, "\u{202a}+7 495\u{202c}", "+7 495"),
            (UserField::Role, "\u{feff}2\u{200b}", "2"),
            (UserField::Quota, "\u{a0}1 ", "1048576"),
            (UserField::Language, " ru-ru\u{2060}", "ru-RU"),
        ] {
            assert_eq!(field.parse(text).unwrap().first(), Some(value), "{text:?}");
        }
        for blank in ["\u{200b}", "\u{feff}", "\u{a0}", "\u{ad}\u{2060}", "\u{3164}", " \u{202f}\u{200f}"] {
            for field in [UserField::FirstName, UserField::Title, UserField::Description] {
                assert_eq!(field.parse(blank), Err(FieldError::Blank), "{blank:?}");
            }
        }
    }

    #[test]
    fn a_name_has_no_word_of_two_scripts_and_other_texts_may() {
        for field in
            [UserField::FirstName, UserField::LastName, UserField::DisplayName, UserField::MiddleName]
        {
            let reason = field.parse("Анна Peсa").unwrap_err().to_string();
            assert!(reason.contains("one word, Peсa (Cyrillic: с)"), "{reason}");
        }
        for field in [UserField::Title, UserField::Department, UserField::Description, UserField::City] {
            assert_eq!(field.parse("Web-дизaйнер").unwrap().first(), Some("Web-дизaйнер"));
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
