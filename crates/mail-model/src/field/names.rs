//! The fields of commands, which errors refer to. Each surface has its own names for them.

use crate::{names, resource::field::ResourceField, user::field::UserField};
use ldap_text::attribute::AttributeName;
use std::fmt;

/// A field of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A field of a user, or of a tenant: the default for its new users.
    User(UserField),
    /// The present or new address of a user.
    UserMail,
    /// The password of a user.
    UserPassword,
    /// A field of a mailing list.
    List(ListField),
    /// A field of a resource.
    Resource(ResourceField),
    /// The address of a resource.
    ResourceMail,
    /// A domain of a tenant.
    Domain,
}

/// A field of a command about a mailing list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListField {
    /// The address.
    Mail,
    /// The new address.
    NewMail,
    /// The name in address books.
    DisplayName,
    /// Members to add, or those of a new list.
    Added,
    /// Members to remove.
    Removed,
    /// The members that replace all others.
    Members,
    /// The conditions of a dynamic list.
    Conditions,
}

impl Field {
    fn attribute(self) -> AttributeName {
        match self {
            Self::User(field) => field.attribute(),
            Self::Resource(field) => field.attribute(),
            Self::UserMail | Self::ResourceMail | Self::List(ListField::Mail | ListField::NewMail) => {
                names::MAIL
            }
            Self::UserPassword => names::USER_PASSWORD,
            Self::List(ListField::DisplayName) => names::DISPLAY_NAME,
            Self::List(ListField::Added | ListField::Removed | ListField::Members) => names::MEMBER,
            Self::List(ListField::Conditions) => names::LIST_FILTER,
            Self::Domain => names::ASSOCIATED_DOMAIN,
        }
    }
}

/// The attribute of the field, as its name where no surface gives one.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attribute().fmt(f)
    }
}
