//! Contacts: everything with an address that the people of a tenant may see: users, mailing lists, resources, and
//! contacts from outside. What an address book shows of each, and in which of its views (guide, tables 1 and 3).

pub mod id;
pub mod record;
pub mod view;

use crate::{entry::EntryView, field, names};
use id::ContactId;
use ldap_text::attribute::AttributeName;

/// The texts that a contact from outside may have besides its names and addresses. Phone numbers come from other
/// systems and may have words in them.
pub const OUTSIDE_TEXTS: [(AttributeName, field::Kind); 9] = [
    (names::DISPLAY_NAME, field::Kind::Line),
    (names::INITIALS, field::Kind::Line),
    (names::OU, field::Kind::Line),
    (names::TITLE, field::Kind::Line),
    (names::DESCRIPTION, field::Kind::Lines),
    (names::HOME_PHONE, field::Kind::Line),
    (names::TELEPHONE_NUMBER, field::Kind::Line),
    (names::MOBILE, field::Kind::Line),
    (names::L, field::Kind::Line),
];

/// What a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A user.
    User,
    /// A contact from outside.
    Contact,
    /// A mailing list.
    List,
    /// A resource, such as a meeting room.
    Resource,
}

impl Kind {
    /// Every kind, people first.
    pub const ALL: [Self; 4] = [Self::User, Self::Contact, Self::List, Self::Resource];

    /// Its name in requests and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Contact => "contact",
            Self::List => "list",
            Self::Resource => "resource",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// A contact as answers show it. What it has no value for is left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Its identifier; survives renames.
    pub id: ContactId,
    /// What it is.
    pub kind: Kind,
    /// Its address.
    pub mail: String,
    /// The name that it is shown by; never empty.
    pub display_name: String,
    /// First name.
    pub cn: Option<String>,
    /// Last name.
    pub sn: Option<String>,
    /// Middle name.
    pub initials: Option<String>,
    /// Department.
    pub ou: Option<String>,
    /// Position.
    pub title: Option<String>,
    /// Further addresses of a user or a contact from outside, in order.
    pub alias: Vec<String>,
    /// Free text.
    pub description: Option<String>,
    /// Home phone.
    pub home_phone: Option<String>,
    /// Work phone.
    pub telephone_number: Option<String>,
    /// Mobile phone.
    pub mobile: Option<String>,
    /// City.
    pub l: Option<String>,
    /// Telegram name.
    pub telegram: Option<String>,
    /// Skype name.
    pub skype: Option<String>,
    /// Group of a resource.
    pub group: Option<String>,
}

impl Contact {
    /// Reads what an entry says of a contact.
    fn from_entry(
        id: ContactId,
        kind: Kind,
        mail: &str,
        group: Option<&str>,
        entry: &impl EntryView,
    ) -> Self {
        let text = |name: &AttributeName| {
            entry.first(name).filter(|text| !text.trim().is_empty()).map(str::to_owned)
        };
        // Lists and resources have a `cn` because their classes ask for one.
        let of_people = |name| text(name).filter(|_| matches!(kind, Kind::User | Kind::Contact));
        let (cn, sn) = (of_people(&names::CN), of_people(&names::SN));
        let mut alias = entry.values(&names::MAIL_ALTERNATE_ADDRESS).to_vec();
        alias.retain(|alias| !alias.eq_ignore_ascii_case(mail));
        alias.sort_unstable();
        Self {
            display_name: text(&names::DISPLAY_NAME)
                .unwrap_or_else(|| shown_name(cn.as_deref(), sn.as_deref(), mail)),
            initials: text(&names::INITIALS),
            ou: text(&names::OU),
            title: text(&names::TITLE),
            description: text(&names::DESCRIPTION),
            home_phone: text(&names::HOME_PHONE),
            telephone_number: text(&names::TELEPHONE_NUMBER),
            mobile: text(&names::MOBILE),
            l: text(&names::L),
            telegram: text(&names::TELEGRAM),
            skype: text(&names::SKYPE),
            group: group.map(str::to_owned),
            mail: mail.to_owned(),
            id,
            kind,
            cn,
            sn,
            alias,
        }
    }
}

/// The name of whom no `displayName` names: first and last name, or the address.
#[must_use]
pub fn shown_name(cn: Option<&str>, sn: Option<&str>, mail: &str) -> String {
    let name = [cn, sn].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { mail.to_owned() } else { name }
}
