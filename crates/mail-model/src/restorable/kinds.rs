//! The kinds of entries, with their classes, attributes and values.

use super::{place::Belonging, values::Values};
use crate::{contact, field::Kind, names, resource::field::ResourceField, user::field::UserField};
use ldap_text::attribute::AttributeName;
use std::sync::LazyLock;

/// An attribute of a kind of entry.
pub(super) struct Known {
    pub(super) name: AttributeName,
    pub(super) values: Values,
    pub(super) is_required: bool,
}

/// Classes that a contact of another program may lack: `mailRecipient` is for those with aliases.
const OPTIONAL_OF_CONTACTS: [&str; 2] = ["mailRecipient", names::CONTACT_CLASS];

/// Classes that the server adds as superclasses, and classes that a contact may lack.
const OPTIONAL: [&str; 4] = ["top", "person", "organizationalPerson", "organizationalUnit"];

impl Belonging {
    /// The name of the kind in reasons.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Folder => "a folder of the tenant",
            Self::User => "a user",
            Self::List => "a mailing list",
            Self::Group => "a resource group",
            Self::Resource => "a resource",
            Self::Contact => "a contact",
        }
    }

    /// The attributes that may name it, the usual one first.
    pub(super) fn naming(self) -> &'static [AttributeName] {
        const UNIT: &[AttributeName] = &[names::OU];
        const ADDRESS: &[AttributeName] = &[names::MAIL];
        const PERSON: &[AttributeName] = &[names::CN, names::MAIL];
        match self {
            Self::Folder | Self::Group => UNIT,
            Self::User | Self::List | Self::Resource => ADDRESS,
            Self::Contact => PERSON,
        }
    }

    /// The classes that it may have.
    pub(super) const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Folder => names::UNIT_CLASSES,
            Self::User => names::USER_CLASSES,
            Self::List => names::MAIL_LIST_CLASSES,
            Self::Group => names::RESOURCE_GROUP_CLASSES,
            Self::Resource => names::RESOURCE_CLASSES,
            Self::Contact => names::CONTACT_CLASSES,
        }
    }

    /// Whether it must have a class.
    pub(super) fn requires_class(self, class: &str) -> bool {
        let is_optional =
            OPTIONAL.contains(&class) || (self == Self::Contact && OPTIONAL_OF_CONTACTS.contains(&class));
        !is_optional || (self == Self::Folder && class == "organizationalUnit")
    }

    /// The attributes that it may have, besides its classes.
    pub(super) fn attributes(self) -> &'static [Known] {
        static TABLES: LazyLock<[Vec<Known>; 6]> =
            LazyLock::new(|| [folder(), user(), list(), group(), resource(), contact()]);
        let [folder, user, list, group, resource, contact] = &*TABLES;
        match self {
            Self::Folder => folder,
            Self::User => user,
            Self::List => list,
            Self::Group => group,
            Self::Resource => resource,
            Self::Contact => contact,
        }
    }

    /// Whether a restore may write an attribute of this kind.
    #[must_use]
    pub fn has(self, name: &AttributeName) -> bool {
        *name == names::OBJECT_CLASS || self.attributes().iter().any(|known| known.name == *name)
    }
}

const fn required(name: AttributeName, values: Values) -> Known {
    Known { name, values, is_required: true }
}

const fn optional(name: AttributeName, values: Values) -> Known {
    Known { name, values, is_required: false }
}

/// The state of an entry: the revision, which every write replaces, and the marks of a deletion.
fn state() -> [Known; 3] {
    [
        optional(names::REVISION, Values::Revision),
        optional(names::DELETED_SINCE, Values::Past),
        optional(names::DELETED_WITH_TENANT, Values::True),
    ]
}

fn folder() -> Vec<Known> {
    vec![required(names::OU, Values::GroupName)]
}

fn user() -> Vec<Known> {
    let field = |field: UserField| {
        let values = match field {
            // Only super administrators create super administrators.
            UserField::Role => Values::Field(Kind::Number(&["1", "2"])),
            UserField::Quota => Values::Quota,
            UserField::Aliases => Values::Aliases,
            _ => Values::Field(field.kind()),
        };
        Known { name: field.attribute(), values, is_required: field.is_required() }
    };
    let own = [
        required(names::MAIL, Values::Address),
        optional(names::USER_PASSWORD, Values::Password),
        optional(names::NS_ACCOUNT_LOCK, Values::Lock),
        optional(names::TOKENS_VALID_FROM, Values::Time),
        optional(names::JPEG_PHOTO, Values::Photo),
        optional(names::SOURCE, Values::Sources),
        optional(names::SOURCE_PHOTO, Values::Digest),
    ];
    UserField::ALL.into_iter().map(field).chain(own).chain(state()).collect()
}

fn list() -> Vec<Known> {
    let own = [
        required(names::MAIL, Values::Address),
        required(names::CN, Values::Field(Kind::Line)),
        required(names::DISPLAY_NAME, Values::Field(Kind::Line)),
        // Left by an interrupted rename.
        optional(names::MAIL_ALTERNATE_ADDRESS, Values::Aliases),
        optional(names::MEMBER, Values::Members),
        optional(names::OUTSIDE_MEMBER, Values::OutsideMembers),
        optional(names::LIST_FILTER, Values::Conditions),
        optional(names::MEMBER_URL, Values::Search),
        optional(names::SOURCE, Values::Sources),
    ];
    own.into_iter().chain(state()).collect()
}

fn group() -> Vec<Known> {
    vec![required(names::OU, Values::GroupName), optional(names::REVISION, Values::Revision)]
}

fn resource() -> Vec<Known> {
    let field = |field: ResourceField| Known {
        name: field.attribute(),
        values: Values::Field(field.kind()),
        is_required: field.is_required(),
    };
    let own = [required(names::MAIL, Values::Address), optional(names::CN, Values::Field(Kind::Line))];
    ResourceField::ALL.into_iter().map(field).chain(own).chain(state()).collect()
}

fn contact() -> Vec<Known> {
    let text = |(name, kind): (AttributeName, Kind)| optional(name, Values::Field(kind));
    let own = [
        required(names::CN, Values::Field(Kind::Line)),
        required(names::SN, Values::Field(Kind::Line)),
        optional(names::MAIL, Values::OutsideAddress),
        optional(names::MAIL_ALTERNATE_ADDRESS, Values::OutsideAddresses),
        optional(names::JPEG_PHOTO, Values::Photo),
        optional(names::SOURCE, Values::Sources),
        optional(names::SOURCE_PHOTO, Values::Digest),
    ];
    own.into_iter().chain(contact::OUTSIDE_TEXTS.map(text)).collect()
}
