//! Which attribute of a source becomes which field of a card.

use mail_model::user::field::UserField;
use std::collections::BTreeMap;

/// The attribute of the source for each field of a card. A field without one is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping(BTreeMap<UserField, String>);

impl Mapping {
    /// A mapping with defaults, of which some are replaced. An empty name means that the field is not read.
    #[must_use]
    pub fn new(defaults: &[(UserField, &str)], replaced: &BTreeMap<UserField, String>) -> Self {
        let mut names: BTreeMap<_, _> =
            defaults.iter().map(|(field, name)| (*field, (*name).to_owned())).collect();
        names.extend(replaced.clone());
        names.retain(|_, name| !name.is_empty());
        Self(names)
    }

    /// The attributes, each with its field.
    pub fn iter(&self) -> impl Iterator<Item = (UserField, &str)> {
        self.0.iter().map(|(field, name)| (*field, name.as_str()))
    }
}

/// The attributes of Active Directory, most of which other directories have too (RFC 4519, RFC 2798).
pub const LDAP: &[(UserField, &str)] = &[
    (UserField::FirstName, "givenName"),
    (UserField::LastName, "sn"),
    (UserField::DisplayName, "displayName"),
    (UserField::MiddleName, "middleName"),
    (UserField::Department, "department"),
    (UserField::Title, "title"),
    (UserField::HomePhone, "homePhone"),
    (UserField::WorkPhone, "telephoneNumber"),
    (UserField::MobilePhone, "mobile"),
    (UserField::City, "l"),
];

/// The fields of a user of Bitrix24.
pub const BITRIX24: &[(UserField, &str)] = &[
    (UserField::FirstName, "NAME"),
    (UserField::LastName, "LAST_NAME"),
    (UserField::MiddleName, "SECOND_NAME"),
    (UserField::Department, "UF_DEPARTMENT"),
    (UserField::Title, "WORK_POSITION"),
    (UserField::WorkPhone, "WORK_PHONE"),
    (UserField::MobilePhone, "PERSONAL_MOBILE"),
    (UserField::HomePhone, "PERSONAL_PHONE"),
    (UserField::City, "WORK_CITY"),
];
